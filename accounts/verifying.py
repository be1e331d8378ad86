"""Is the trail as it was sealed? Read from the first entry to the head, in pieces, and the first damage named."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from accounts import chain, keyring, seals
from accounts.keyring import UnknownKey
from accounts.models import AuditEntry, AuditHead
from accounts.seals import Row

PIECE = 1_000  # entries in memory


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain went, as it is kept outside of the database."""

    number: int
    seal: str

    def __str__(self) -> str:
        return f"{self.number}:{self.seal}"


@dataclass(slots=True)
class Report:
    """`first` says what is wrong with the first damaged entry; `damaged` counts all."""

    sealed: int = 0
    waiting: int = 0
    head: Head | None = None
    damaged: int = 0
    first: str = ""

    def blame(self, sentence: str) -> None:
        self.damaged += 1
        self.first = self.first or sentence


@dataclass(slots=True)
class _Link:
    """Where a walk along the chain stands. After a gap nobody knows which seal came before (None)."""

    number: int = 0
    seal: str | None = ""
    seen: Head | None = None


def verify(*, kept: Head | None = None) -> Report:
    """Walk along the chain, and see whether it still holds the head that was kept outside."""
    head = AuditHead.objects.first()
    report = Report()
    link = _walk(report, until=head.number if head else None, kept=kept)
    if head:
        report.head = Head(head.number, head.seal)
        _compare(report, head, link)
    elif report.sealed:
        report.blame("The head is missing: nobody can say whether later entries were cut off.")
    if kept and link.seen != kept:
        report.blame(_unlike(kept, link.seen))
    _look_at_waiting(report)
    _look_for_copies(report)
    return report


def _walk(report: Report, *, until: int | None, kept: Head | None) -> _Link:
    link = _Link()
    for row in _rows(until):
        if row["number"] > link.number + 1:
            report.blame(_missing(link.number + 1, row["number"] - 1))
            link.seal = None
        if link.seal is not None and (fault := _fault(row, link.seal, explain=not report.first)):
            report.blame(fault)
        report.sealed += 1
        link.number, link.seal = row["number"], row["seal"]
        if kept and kept.number == link.number:
            link.seen = Head(link.number, row["seal"])
    return link


def _compare(report: Report, head: AuditHead, link: _Link) -> None:
    if link.number < head.number:
        report.blame(f"The tail is cut: {_missing(link.number + 1, head.number)}")
    elif link.seal != head.seal:
        report.blame(f"The head has another seal than the last entry, {head.number}.")
    try:
        if not chain.is_believed(head):
            report.blame("The head was changed.")
    except UnknownKey as unknown:
        report.blame(f"The head is sealed with the key {unknown}, which MEDQL_KEYS does not hold.")
    # First the entries, then the head: it moves in one with them, so whatever lies beyond it was put there.
    beyond = AuditEntry.objects.filter(number__gt=head.number).order_by("-number").values_list("number", flat=True).first()
    newest = AuditHead.objects.values_list("number", flat=True).first()
    if beyond and beyond > (newest or 0):
        report.blame(f"Entry {beyond} was inserted behind the head.")


def _look_at_waiting(report: Report) -> None:
    """What has no seal yet has its mark."""
    last = 0
    found = AuditEntry.objects.filter(number=None).order_by("pk").values(*seals.SEALED)
    while piece := list(found.filter(pk__gt=last)[:PIECE]):
        for row in piece:
            report.waiting += 1
            if fault := _fault_of_mark(row, f"The entry with the id {row['id']}, which waits for its seal,"):
                report.blame(fault)
        last = piece[-1]["id"]


def _look_for_copies(report: Report) -> None:
    """An entry with the mark of another is its copy; the database finds them."""
    twice = AuditEntry.objects.exclude(mark="").values("mark").annotate(number=Count("pk")).filter(number__gt=1).order_by()
    for mark in twice.values_list("mark", flat=True)[:PIECE]:
        entries = AuditEntry.objects.filter(mark=mark).order_by("pk").values_list("id", flat=True)
        report.blame(f"The entries with the ids {', '.join(map(str, entries))} are copies: all but one were inserted.")


def _rows(until: int | None) -> Iterator[Row]:
    last = 0
    while True:
        found = AuditEntry.objects.filter(number__gt=last).order_by("number").values(*seals.SEALED, *seals.SEALS)
        if until is not None:
            found = found.filter(number__lte=until)
        piece = list(found[:PIECE])
        yield from piece
        if len(piece) < PIECE:
            return
        last = piece[-1]["number"]


def _fault(row: Row, before: str, *, explain: bool) -> str:
    """What is wrong with an entry after that seal; nothing if it is as it was sealed there."""
    try:
        if _is_intact(row, before):
            return _fault_of_mark(row, f"Entry {row['number']}")
        return _explained(row, before) if explain else "more"
    except UnknownKey as unknown:
        return f"Entry {row['number']} is sealed with the key {unknown}, which MEDQL_KEYS does not hold."


def _fault_of_mark(row: Row, name: str) -> str:
    try:
        return (
            "" if seals.is_marked(row) else f"{name} was inserted, or changed before it was sealed: MedQL did not write it so."
        )
    except UnknownKey as unknown:
        return f"{name} is marked with the key {unknown}, which MEDQL_KEYS does not hold."


def _explained(row: Row, before: str) -> str:
    number = row["number"]
    if _is_genuine(row):
        return f"Entry {number} was reordered: it is genuine, but was sealed in another place."
    following = _row(number + 1)
    if following and _is_intact(following, before):
        return f"Entry {number} was inserted: the next one was sealed right after the one before."
    return f"Entry {number} was changed (or the one before it taken out, and the numbers closed up)."


def _row(number: int) -> Row | None:
    return AuditEntry.objects.filter(number=number).values(*seals.SEALED, *seals.SEALS).first()


def _is_genuine(row: Row) -> bool:
    """Some entry of the chain is the one that it was sealed after."""
    return _is_intact(row, "") or any(_is_intact(row, other["seal"]) for other in _rows(None))


def _is_intact(row: Row, before: str) -> bool:
    return hmac.compare_digest(row["seal"], seals.seal_of(row, after=before, key=keyring.by_id(row["key"])))


def _missing(first: int, last: int) -> str:
    return f"Entry {first} is missing." if first == last else f"Entries {first} to {last} are missing."


def _unlike(kept: Head, seen: Head | None) -> str:
    if seen is None:
        return f"The tail is cut: the kept head is entry {kept.number}, which is not there."
    return f"Entry {kept.number} has another seal than the kept head: this is another chain."
