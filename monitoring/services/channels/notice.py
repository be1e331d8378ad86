"""What is said about an alert outside of the house: ward, bed, sign and value, never who."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.utils.timezone import localtime

from monitoring.clinical.limits import Severity
from monitoring.models import Alert, Delivery, Placement

LISTED = 10  # alerts of one message that are written out; the others are counted


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert as a message tells it, as it is when the message leaves."""

    delivery: int
    alert: str
    ward: str
    ward_slug: str
    place: str  # the bed, or the device where nobody lies
    severity: str
    condition: str
    sign: str
    value: float | None
    message: str
    raised_at: datetime
    state: str
    step: int

    @property
    def line(self) -> str:
        """`CRITICAL North N1: SpO₂ 84 < 85 %, since 03:10`"""
        where = f"{self.ward} {self.place}".strip()
        state = f", {self.state} meanwhile" if self.state != "raised" else ""
        return f"{self.severity.upper()} {where}: {self.message}, since {localtime(self.raised_at):%H:%M}{state}"


def notices(rows: Sequence[Delivery]) -> list[Notice]:
    """One notice for each delivery; one query for all beds. Needs the rows' alerts, wards and devices at hand."""
    stays = {row.alert.admission_id for row in rows if row.alert.admission_id}
    beds = dict(Placement.objects.filter(admission__in=stays, is_open=True).values_list("admission", "bed__name"))
    return [_notice(row, beds.get(row.alert.admission_id or 0, "")) for row in rows]


def by_urgency(rows: Sequence[Delivery]) -> list[Delivery]:
    """What still waits for a hand first, the worst of it at the head: a flood's first lines are read, the others counted."""
    return sorted(rows, key=lambda row: (not waits(row.alert), -Severity(row.alert.severity).rank))


def has_moved(row: Delivery) -> bool:
    """Whether the alert is another ward's by now: who was told in the old one has no more to know of it."""
    return row.alert.ward_id != row.ward_id


def waits(alert: Alert) -> bool:
    """Whether the alert is open and in nobody's hand."""
    return alert.is_open is True and alert.acknowledged_at is None


def summary(said: Sequence[Notice], listed: int = LISTED) -> list[str]:
    """Some lines for all of them: a flood is counted, never dropped."""
    lines = [notice.line for notice in said[:listed]]
    more = len(said) - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def name_of(rows: Sequence[Delivery]) -> str:
    """What a message of these deliveries is called: the same whenever the same ones leave together, another for any others."""
    keys = sorted(row.pk for row in rows)
    if len(keys) == 1:
        return str(keys[0])
    return f"{keys[0]}-{sha256(','.join(map(str, keys)).encode()).hexdigest()[:16]}"


def _notice(row: Delivery, bed: str) -> Notice:
    alert = row.alert
    return Notice(
        delivery=row.pk,
        alert=str(alert.pk),
        ward=row.alert.ward.name,
        ward_slug=row.alert.ward.slug,
        place=bed or (alert.device.name if alert.device else ""),
        severity=alert.severity,
        condition=alert.condition,
        sign=alert.sign,
        value=alert.vital_value,
        message=_message(alert),
        raised_at=alert.raised_at,
        state=alert.state,
        step=row.step,
    )


def _message(alert: Alert) -> str:
    """A call for help may hold a person's own words: those stay inside."""
    return alert.condition.replace("_", " ") if alert.kind == Alert.Kind.HELP else alert.message
