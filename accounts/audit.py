"""The trail: who did what, who saw what. A deed is written in the transaction that does it: both stand, or neither.

No secret and no name of a patient belongs in it: a patient is his id.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

from accounts import looks, origin, seals
from accounts.models import AuditEntry, ByKind, Deed, Device, Door, ServiceToken, User, Ward
from accounts.models.audit_entry import LONGEST_ABOUT, LONGEST_WHO

Actor = User | Device | ServiceToken | None
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # what could end a line, hide text or turn it round
LONGEST_ID = 64
EXACT = 2**53
LONGEST_TEXT = 500  # of one in the detail


def record(  # noqa: PLR0913  (who, what, when, of whom, where: that is what a trail is)
    what: Deed,
    *,
    by: Actor,
    at: datetime,
    patient: str = "",
    ward: Ward | int | None = None,
    about: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Write down a deed. `about` names the row that was acted upon: `alert:<uuid>`, `user:<login>`, `device:<name>`."""
    facts = _facts(what, by=by, at=at, patient=patient, ward=ward, about=about, detail=detail)
    seals.marked(AuditEntry(**facts)).save()


def saw(*, by: Actor, at: datetime, patient: str = "", ward: Ward | int | None = None, page: str) -> None:
    """Write down that somebody was shown something: within about a second, and not in the request. See accounts/looks.py."""
    looks.buffer.look(_facts(Deed.SAW, by=by, at=at, patient=patient, ward=ward, about=f"page:{page}", detail=None))


def refused(*, by: Actor, at: datetime, patient: str = "", about: str, detail: dict[str, Any]) -> None:
    """Write down that somebody who is known was not let through; of a flood the first ones, and how many more."""
    looks.buffer.refusal(_facts(Deed.REFUSED, by=by, at=at, patient=patient, ward=None, about=about, detail=detail))


def flush(*, now: datetime | None = None) -> int:
    """Write what was seen and refused now, and say how many entries that were."""
    return looks.buffer.flush(now=now)


def plain(value: Any) -> Any:
    """The value with every character spelt out that could forge a line, wherever it is shown."""
    if isinstance(value, str):
        return _cut(value, LONGEST_TEXT)
    if isinstance(value, dict):
        return {plain(str(name)): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool) or _is_exact(value) else plain(str(value))


def _is_exact(value: Any) -> bool:
    """A number that comes back from every database as it went in."""
    return isinstance(value, int | float) and abs(value) <= EXACT


def _facts(what: Deed, *, by: Actor, at: datetime, **told: Any) -> dict[str, Any]:
    here, ward = origin.here(), told["ward"]
    return {
        "at": at,
        "what": what,
        "ward_id": ward.pk if isinstance(ward, Ward) else ward,
        "patient": _cut(told["patient"], LONGEST_ID),
        "about": _cut(told["about"], LONGEST_ABOUT),
        "detail": plain(told["detail"] or {}),
        "address": here.address,
        "door": here.door,
    } | _author(by)


def _author(by: Actor) -> dict[str, Any]:
    """Kind, key and label; the label stays when the row that it names has changed."""
    if isinstance(by, User):
        return {"by_kind": ByKind.PERSON, "user_id": by.pk, "who": _cut(by.login, LONGEST_WHO)}
    if isinstance(by, Device):
        return {"by_kind": ByKind.DEVICE, "device_id": by.pk, "who": _cut(by.name, LONGEST_WHO)}
    if isinstance(by, ServiceToken):
        return {"by_kind": ByKind.SERVICE, "service_id": by.pk, "who": _cut(by.name, LONGEST_WHO)}
    inside = origin.here().door == Door.COMMAND
    return {"by_kind": ByKind.MEDQL if inside else ByKind.NOBODY}


def _cut(text: str, longest: int) -> str:
    whole = "".join(_spelt(letter) for letter in text[: longest + 1])
    return whole if len(whole) <= longest else f"{whole[: longest - 1]}…"


def _spelt(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if unicodedata.category(letter) in UNPRINTABLE else letter
