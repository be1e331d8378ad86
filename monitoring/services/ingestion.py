"""The device door's one verb: take a batch, keep what is right, refuse the rest by name, judge what was kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import prefetch_related_objects

from accounts import audit
from accounts.models import Deed, Device, User
from accounts.transactions import retried
from monitoring import sql
from monitoring.clinical.alarm import LIVE_WINDOW
from monitoring.clinical.signs import TYPES, Sign
from monitoring.models import RejectedVital, Vital
from monitoring.services import alerts, conduct, merging, summaries
from monitoring.services.binding import Addresses
from monitoring.services.entries import sensor_by_device
from monitoring.services.items import COLUMNS, Item, Refused, check_time, decode, read

MOST_ITEMS = 5_000
KEPT_CHARACTERS = 64 * 1024  # of what cannot be read
RESENT_WITHIN = timedelta(seconds=30)  # another value for the same time is the device's own disorder; later, its clock's

Key = tuple[int, datetime, str]


class Undecodable(Exception):
    """The body is neither a list nor an object of JSON; what was sent is kept."""


class TooMany(Exception):
    """More items than a batch may have."""


@dataclass
class Rejection:
    """One refusal as the device is told it; `stored` says whether the rest of the item was kept."""

    index: int
    code: str
    detail: str
    field: str
    stored: bool


@dataclass
class Outcome:
    """What became of a batch. `keys` has each item's row, None where nothing of it is stored; `signs` whose value it was,
    where it was sent with its type.
    """

    stored: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    keys: list[Key | None] = field(default_factory=list)
    signs: list[Sign | None] = field(default_factory=list)

    def vitals(self) -> list[Vital | None]:
        """The rows in the order of the items, read back."""
        stored = sql.vitals_at({key for key in self.keys if key})
        prefetch_related_objects(stored, "patient")
        rows = {_key(row): row for row in stored}
        return [rows[key] if key else None for key in self.keys]


def split(body: bytes) -> list[bytes]:
    """The items of a body, a list or one object, each still as it was sent. Raises Undecodable, TooMany."""
    if body.lstrip()[:1] == b"{":
        return [_one_object(body)]
    try:
        items = [bytes(item) for item in _list_of_items.decode(body)]
    except msgspec.DecodeError:
        items = _items_one_by_one(body)
    except RecursionError:
        raise Undecodable from None
    if not items:
        raise Undecodable
    if len(items) > MOST_ITEMS:
        raise TooMany
    return items


def _one_object(body: bytes) -> bytes:
    try:
        decode(body)
    except (ValueError, RecursionError):
        raise Undecodable from None
    return body


def _items_one_by_one(body: bytes) -> list[bytes]:
    """The items of a list that only the slower reader takes."""
    try:
        items = decode(body)
    except (ValueError, RecursionError):
        raise Undecodable from None
    if not isinstance(items, list):
        raise Undecodable
    return [json.dumps(item).encode() for item in items]


_list_of_items = msgspec.json.Decoder(list[msgspec.Raw])


@retried
def record(items: Sequence[bytes], *, device: Device, received_at: datetime, now: datetime | None = None) -> Outcome:
    """Store a batch of items as one transaction, judged; what is refused is kept in quarantine as it was sent.

    `received_at` is when the batch arrived; `now` is later than that only when it is replayed. Raises WriterBusy.
    """
    now = now or received_at
    batch = _Batch(device, received_at, now)
    batch.take([_read(place, item, device) for place, item in enumerate(items)])
    return batch.outcome


def _read(place: int, sent: bytes, device: Device) -> Item:
    item = read(place, sent, zero_is_absent=device.zero_is_absent)
    if item.sign and not item.sensor_id:
        item.sensor_id = sensor_by_device(device.name, TYPES[item.sign])
    return item


@retried
def keep_undecodable(body: bytes, *, device: Device, received_at: datetime) -> None:
    """What a known device sent and nobody can decode is kept, its first 64 kB."""
    RejectedVital.objects.create(
        device=device,
        received_at=received_at,
        code="invalid",
        detail="Not a list or an object of JSON.",
        item=body[:KEPT_CHARACTERS].decode("utf-8", "replace").replace("\0", "�"),
    )


def replay(rejected: RejectedVital, *, by: User, now: datetime) -> Outcome:
    """Send a refused item through the door once more, as received when it was.

    What is refused again leaves no trace: the row stays as it was and can be replayed later. A second replay of what was
    stored finds nothing to do.
    """
    try:
        return _replay(rejected, by=by, now=now)
    except _StillRefused as still:
        return still.outcome


class _StillRefused(Exception):
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


@retried
@transaction.atomic
def _replay(rejected: RejectedVital, *, by: User, now: datetime) -> Outcome:
    mine = RejectedVital.objects.filter(pk=rejected.pk, stored=False, position__isnull=False, replayed_at=None)
    if not mine.update(replayed_at=now, replayed_by=by):
        return Outcome()
    outcome = record([rejected.item.encode()], device=rejected.device, received_at=rejected.received_at, now=now)
    if not outcome.stored and not outcome.duplicates:
        raise _StillRefused(outcome)
    about, told = f"rejected_vital:{rejected.pk}", {"device": rejected.device.name}
    audit.record(Deed.REPLAYED, by=by, at=now, about=about, detail=told)
    return outcome


class _Batch:
    """One batch on its way in."""

    def __init__(self, device: Device, received_at: datetime, now: datetime) -> None:
        self.device, self.received_at, self.now = device, received_at, now
        self.outcome = Outcome()
        self.new: dict[Key, Vital] = {}
        self.merged: dict[Key, Vital] = {}  # rows that were there and took further values
        self.fresh: dict[Key, Vital] = {}  # of those rows, the further values alone: only they are judged
        self.former: merging.Former = {}  # what rows that were there said before they were corrected
        self.stamped: set[str | None] = set()  # patients that already have an item stamped with the time of receipt

    def take(self, items: Sequence[Item]) -> None:
        before = conduct.of(self.device)
        replayed = self.now > self.received_at
        after = conduct.set_clocks(self.device, before, items, received_at=self.received_at, replayed=replayed)
        for item in items:
            check_time(item, now=self.now)
        addresses = Addresses.of(self.device, items, received_at=self.received_at)
        rows = [self._addressed(item, addresses) for item in items]
        there = {_key(row): row for row in sql.vitals_at({_key(row) for row in rows if row})}
        self.former = merging.former_values(there.values())
        for item, row in zip(items, rows, strict=True):
            kept = row is not None and self._keep(item, row, there)
            self.outcome.keys.append(_key(row) if row and kept else None)
            self.outcome.signs.append(item.sign)
            self.outcome.rejected += [
                Rejection(item.position, refusal.code, refusal.detail, refusal.field, kept) for refusal in item.refused
            ]
        sql.insert(list(self.new.values()))
        sql.update(list(self.merged.values()), [*COLUMNS, "version"])
        self._quarantine(items)
        stored = [*self.new.values(), *self.fresh.values()]
        summaries.touch(stored, now=self.now)
        alerts.judge(stored, now=self.now)
        if replayed:
            return
        conduct.mind_taken_times(self.device, before, after, items, received_at=self.received_at)
        conduct.count_refusals(self.device, after, items, received_at=self.received_at)
        conduct.keep(self.device, before, after, now=self.now)

    def _addressed(self, item: Item, addresses: Addresses) -> Vital | None:
        """An empty row at the item's address, or None when the item has no place."""
        if item.address_refused:
            return None
        try:
            if item.measured_at is None:
                self._stamp_once(item)
            measured_at = item.measured_at or self.received_at
            patient_id, admission_id = addresses.find(item.patient_id, measured_at)
        except Refused as refusal:
            item.refuse_whole(refusal)
            return None
        return Vital(
            patient_id=patient_id,
            admission_id=admission_id,
            device=self.device,
            sensor_id=item.sensor_id or self.device.name,
            measured_at=measured_at,
            device_time=item.device_time,
            received_at=self.received_at,
            late=self.now - measured_at > LIVE_WINDOW,
        )

    def _stamp_once(self, item: Item) -> None:
        if item.patient_id in self.stamped:
            raise Refused("invalid", "Of several items for one patient each needs its own timestamp.", "timestamp")
        self.stamped.add(item.patient_id)

    def _keep(self, item: Item, row: Vital, there: dict[Key, Vital]) -> bool:
        """Store what the item adds; says whether anything of it is in the database now."""
        if not item.values:
            return False
        key = _key(row)
        present = there.get(key)
        if present is None:
            merging.put(row, item.values)
            there[key] = self.new[key] = row
            self.outcome.stored += 1
            return True
        added, same = merging.compare(present, item, self.former)
        item.is_repeated = not added and not item.refused
        item.finds_taken = item.is_in_conflict and self.received_at - present.received_at > RESENT_WITHIN
        merging.keep_order(present, added, item)
        if added:
            merging.put(present, added)
            if key not in self.new:
                present.version += key not in self.merged
                self.merged[key] = present
                merging.put(self.fresh.setdefault(key, row), added)
            self.outcome.stored += 1
        elif same:
            self.outcome.duplicates += 1
        return bool(added or same)

    def _quarantine(self, items: Sequence[Item]) -> None:
        sent = {item.position: item.sent for item in items}
        sql.insert(
            [
                RejectedVital(
                    device=self.device,
                    received_at=self.received_at,
                    position=rejection.index,
                    code=rejection.code,
                    field=rejection.field,
                    detail=rejection.detail,
                    stored=rejection.stored,
                    item=sent[rejection.index],
                )
                for rejection in self.outcome.rejected
            ]
        )


def _key(row: Vital) -> Key:
    return row.patient_id, row.measured_at, row.sensor_id
