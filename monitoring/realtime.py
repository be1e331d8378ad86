"""The only publisher: says *that* beds changed, never what they show. Whoever is told reads the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from accounts.models import Ward

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds that a message may take before it is given up: the change number tells the same a little later

MOST_VITALS = 1_000  # of a ward that one message names; of more it says how many

Vitals = Sequence[tuple[int, datetime, str]]  # patient, measured_at, sensor: by which `sql.vitals_at` finds the rows

_serving: asyncio.AbstractEventLoop | None = None
_under_way: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks only weakly


def group_of(ward_id: int) -> str:
    return f"ward.{ward_id}"


def serve_from(loop: asyncio.AbstractEventLoop) -> None:
    """This process serves from this loop: messages leave from it, and no answer to a device waits for them."""
    global _serving  # noqa: PLW0603  (one loop a process)
    _serving = loop


def beds_changed(beds: Mapping[int, Collection[int]], *, vitals: Mapping[int, Vitals] | None = None) -> dict[int, int]:
    """Beds of wards (ward id → bed ids) changed: move the wards' change numbers and, on commit, tell the boards.

    Call it as the last write but the alert events: the ward rows stay locked until commit, so that numbers are given in
    the order of commits. `vitals` are those of each ward that this transaction stored: the message names them, for whoever
    hears the event stream. Returns ward id → its new number.
    """
    if not beds:
        return {}
    Ward.objects.filter(pk__in=beds).update(change_number=F("change_number") + 1)
    numbers = dict(Ward.objects.filter(pk__in=beds).values_list("pk", "change_number"))
    told = {ward: sorted(ids) for ward, ids in beds.items()}

    def publish() -> None:
        _publish(told, numbers, vitals or {})

    # Robust: the rows are committed, whatever becomes of the message. (A partial would break Django's handler of faults.)
    transaction.on_commit(publish, robust=True)
    return numbers


def _publish(beds: Mapping[int, list[int]], numbers: Mapping[int, int], vitals: Mapping[int, Vitals]) -> None:
    if _serving is None:  # a command or a shell
        async_to_sync(_send)(beds, numbers, vitals)
    elif _serving.is_running():
        _serving.call_soon_threadsafe(_begin, beds, numbers, vitals)
    # else the process is ending: nobody here is left to be told, and the others have the change number


def _begin(beds: Mapping[int, list[int]], numbers: Mapping[int, int], vitals: Mapping[int, Vitals]) -> None:
    task = asyncio.ensure_future(_send(beds, numbers, vitals))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _send(beds: Mapping[int, list[int]], numbers: Mapping[int, int], vitals: Mapping[int, Vitals]) -> None:
    try:
        layer = get_channel_layer()
        async with asyncio.timeout(PATIENCE):
            for ward, ids in beds.items():
                told = {"type": "beds.changed", "ward": ward, "beds": ids, "number": numbers[ward]}
                await layer.group_send(group_of(ward), told | _named(vitals.get(ward, ())))
    except Exception:  # whatever the layer's driver raises
        log.exception("the boards of wards %s were not told, and will find out", sorted(beds))


def _named(vitals: Vitals) -> dict[str, Any]:
    """As text: what a layer copies or packs in one piece, however many."""
    if not vitals:
        return {}
    named = {"vitals": msgspec.json.encode(vitals[:MOST_VITALS]).decode()}
    return named | ({"untold": len(vitals) - MOST_VITALS} if len(vitals) > MOST_VITALS else {})


def vitals_in(message: Mapping[str, Any]) -> tuple[Vitals, int]:
    """The keys of the stored vitals that a message names, and how many more there are."""
    told = message.get("vitals")
    return (_keys.decode(told) if told else []), message.get("untold", 0)


_keys = msgspec.json.Decoder(list[tuple[int, datetime, str]])
