"""The only publisher: says *that* beds changed, never what they show. Whoever is told reads the database."""

import asyncio
import logging
from collections.abc import Collection, Mapping

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from accounts.models import Ward

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds that a commit's answer waits for a channel layer that hangs


def group_of(ward_id: int) -> str:
    return f"ward.{ward_id}"


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
        async_to_sync(_send)(told, numbers)

    # Robust: the rows are committed, and a board finds them by the change number when this message is lost.
    transaction.on_commit(publish, robust=True)
    return numbers


async def _send(beds: Mapping[int, list[int]], numbers: Mapping[int, int]) -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(PATIENCE):
        for ward, ids in beds.items():
            await layer.group_send(group_of(ward), {"type": "beds.changed", "beds": ids, "number": numbers[ward]})
