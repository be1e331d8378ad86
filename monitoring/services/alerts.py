"""The post-save alert service: judges what was saved, in the same transaction, and follows every alert to its end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import F

from accounts.models import User, Ward
from monitoring import realtime, sql
from monitoring.clinical.limits import Severity
from monitoring.models import Admission, AlarmState, Alert, AlertEvent, Patient, Placement, Vital
from monitoring.services import cases, thresholds
from monitoring.services.cases import Case
from monitoring.services.transactions import retried


class SeverityRisen(Exception):
    """The alert is worse than the person who acknowledges it was shown."""


def lock(patient_ids: Collection[int]) -> None:
    """Hold these patients until commit, in the order of their ids, so that two writers cannot block each other."""
    list(Patient.objects.select_for_update().filter(pk__in=patient_ids).order_by("pk").values_list("pk", flat=True))


def judge(vitals: Sequence[Vital], *, now: datetime) -> None:
    """Judge vitals that have just been stored, in the transaction that stored them.

    Needs that transaction, and that every admission has had a bed. The number of queries does not depend on the number of
    vitals. Every way in ends here: the device door calls it for a
    batch, the post_save receiver for a vital saved singly (docs/adr/0001-one-judge.md).
    """
    if not vitals:
        return
    lock({vital.patient_id for vital in vitals})
    by_admission = cases.gather({vital.admission_id for vital in vitals}, now=now)
    limits = thresholds.in_force({(case.patient_id, case.ward_id) for case in by_admission.values()})
    for vital in sorted(vitals, key=lambda vital: vital.measured_at):
        case = by_admission[vital.admission_id]
        case.follow(vital, limits[case.patient_id, case.ward_id], now=now)
    _save(list(by_admission.values()))


@retried
def acknowledge(alert: Alert, *, by: User, at: datetime, severity_shown: Severity = Severity.CRITICAL) -> None:
    """Take an alert. Taking it twice is no error: the first hand on it stays.

    Raises SeverityRisen when it is worse by now than what `by` was shown: nobody takes what he has not seen.
    """
    seen = [severity.value for severity in Severity if severity.rank <= severity_shown.rank]
    taken = (
        Alert.objects.open()
        .filter(pk=alert.pk, acknowledged_at=None, severity__in=seen)
        .update(acknowledged_at=at, acknowledged_by=by, version=F("version") + 1)
    )
    alert.refresh_from_db()
    if taken:
        _tell([alert], AlertEvent.What.ACKNOWLEDGED, by=by, at=at)
    elif alert.state == "raised":
        raise SeverityRisen


def close(admission: Admission, *, by: User | None, at: datetime, note: str) -> None:
    """The stay is over: its open alerts end with it."""
    alerts = list(Alert.objects.open().select_for_update().filter(admission=admission))
    for alert in alerts:
        alert.is_open = None  # type: ignore[assignment]  # the stubs know no nullable marker
        alert.resolved_by = by
        alert.resolved_at = max(at, alert.raised_at)  # a discharge may be dated back
        alert.version += 1
    sql.update(alerts, ["is_open", "resolved_at", "resolved_by", "version"])
    _tell(alerts, AlertEvent.What.RESOLVED, by=by, at=at, note=note)


def move(admission: Admission, *, to: Ward, by: User | None, at: datetime) -> None:
    """The patient lies in another ward now: his open alerts are that ward's."""
    alerts = list(Alert.objects.open().select_for_update().filter(admission=admission).exclude(ward=to))
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(ward=to, version=F("version") + 1)
    for alert in alerts:
        alert.ward = to
    _tell(alerts, AlertEvent.What.MOVED, by=by, at=at)


def _save(judged: Sequence[Case]) -> None:
    sql.put([AlarmState.of(case.admission_id, case.state) for case in judged])
    changed = [alert for case in judged for alert in case.changed_alerts()]
    # What ended is written before what began: the database allows one open alert a condition.
    sql.update([alert for alert in changed if not alert._state.adding], cases.MOVING)
    sql.insert([alert for alert in changed if alert._state.adding])
    beds: dict[int, set[int]] = {}
    for case in judged:
        beds.setdefault(case.ward_id, set()).update([case.bed_id] if case.bed_id else [])
    numbers = realtime.beds_changed(beds)
    sql.insert([row for case in judged for row in case.event_rows(numbers[case.ward_id])])


def _tell(alerts: Sequence[Alert], what: AlertEvent.What, *, by: User | None, at: datetime, note: str = "") -> None:
    """Write what a person did to alerts, and tell the boards of their wards."""
    admissions = {alert.admission_id for alert in alerts}
    beds: dict[int, set[int]] = {alert.ward_id: set() for alert in alerts}
    for bed_id, ward_id in Placement.objects.filter(admission__in=admissions, is_open=True).values_list("bed", "bed__ward"):
        beds.setdefault(ward_id, set()).add(bed_id)
    numbers = realtime.beds_changed(beds)
    AlertEvent.objects.bulk_create(
        AlertEvent(
            alert=alert,
            what=what,
            at=at,
            by=by,
            severity=alert.severity,
            value=alert.last_value,
            note=note,
            ward_id=alert.ward_id,
            number=numbers[alert.ward_id],
        )
        for alert in alerts
    )
