"""The only publisher: says *that* beds changed, never what they show. Whoever is told reads the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from accounts.models import Ward

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds that a message may take before it is given up: the change number tells the same a little later

_serving: asyncio.AbstractEventLoop | None = None
_under_way: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks only weakly


def group_of(ward_id: int) -> str:
    return f"ward.{ward_id}"


def serve_from(loop: asyncio.AbstractEventLoop) -> None:
    """This process serves from this loop: messages leave from it, and no answer to a device waits for them."""
    global _serving  # noqa: PLW0603  (one loop a process)
    _serving = loop


def beds_changed(beds: Mapping[int, Collection[int]]) -> dict[int, int]:
    """Beds of wards (ward id → bed ids) changed: move the wards' change numbers and, on commit, tell the boards.

    Call it as the last write but the alert events: the ward rows stay locked until commit, so that numbers are given in
    the order of commits. Returns ward id → its new number.
    """
    if not beds:
        return {}
    Ward.objects.filter(pk__in=beds).update(change_number=F("change_number") + 1)
    numbers = dict(Ward.objects.filter(pk__in=beds).values_list("pk", "change_number"))
    told = {ward: sorted(ids) for ward, ids in beds.items()}

    def publish() -> None:
        _publish(told, numbers)

    # Robust: the rows are committed, whatever becomes of the message. (A partial would break Django's handler of faults.)
    transaction.on_commit(publish, robust=True)
    return numbers


def _publish(beds: Mapping[int, list[int]], numbers: Mapping[int, int]) -> None:
    if _serving is None:  # a command or a shell
        async_to_sync(_send)(beds, numbers)
    elif _serving.is_running():
        _serving.call_soon_threadsafe(_begin, beds, numbers)
    # else the process is ending: nobody here is left to be told, and the others have the change number


def _begin(beds: Mapping[int, list[int]], numbers: Mapping[int, int]) -> None:
    task = asyncio.ensure_future(_send(beds, numbers))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _send(beds: Mapping[int, list[int]], numbers: Mapping[int, int]) -> None:
    try:
        layer = get_channel_layer()
        async with asyncio.timeout(PATIENCE):
            for ward, ids in beds.items():
                await layer.group_send(group_of(ward), {"type": "beds.changed", "beds": ids, "number": numbers[ward]})
    except Exception:  # whatever the layer's driver raises
        log.exception("the boards of wards %s were not told, and will find out", sorted(beds))
