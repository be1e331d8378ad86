"""After a correction: what the reading had led to is marked, and the patient is judged again as if it had never been else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import attrgetter
from uuid import UUID

from django.db import models

from accounts.models import User
from monitoring import sql
from monitoring.clinical import alarm, corrections, deterioration, words
from monitoring.clinical.anchors import REACH
from monitoring.clinical.corrections import Change
from monitoring.clinical.episode import Episode
from monitoring.clinical.lead import worst_of
from monitoring.clinical.limits import Breach, Limits, Severity, judge
from monitoring.clinical.sensor import LONGEST_WAIT, Sample
from monitoring.clinical.signs import Side, Sign, conditions
from monitoring.clinical.words import NO_SIGNAL
from monitoring.models import Alert, AlertEvent, Vital
from monitoring.services import alerts, history
from monitoring.services.cases import ENDS, By, Case, reading_of

MOST_SAMPLES = 5_000  # of its sensor are folded again; a reading that has more behind it is history, and moves no present


@dataclass(frozen=True, slots=True)
class Correction:
    """A vital as it was and as it is, None where it was entered in error, and what is said of it at its alerts."""

    was: Vital
    became: Vital | None
    note: str

    def values(self) -> Iterator[tuple[Sign, float | None, float | None]]:
        """What was measured, and what is said to have been, where it differs: also by a word, as *asystole*."""
        was, became = _measured_by(self.was), _measured_by(self.became) if self.became else {}
        for sign in Sign:
            if was.get(sign) != became.get(sign):
                yield sign, was.get(sign), became.get(sign)


def judge_again(correction: Correction, *, by: User, at: datetime) -> None:
    """Judge the patient again and mark the alerts that the reading had led to; none of them is ever taken back.

    Needs the transaction of the correction, as its last write. The patient is locked until commit.
    """
    was = correction.was
    with alerts.reopened(correction.became or _in_error(was, at), at=at) as case:
        marked = {alert.pk for alert in _of_its_time(correction) if _led_to(alert, correction, case.limits)}
        marked |= {alert.pk for alert in _ended_by(correction)}
        told = _told_by_then(correction, case)
        change = _change(correction, case, told)
        case.correct(change, _histories(case, change, was), by=by, at=at, note=correction.note)
        _amend(case, change, was, by=(by, correction.note), at=at)
        marked |= case.begun() & {episode.id for episode in told.values()}
    present = list(Alert.objects.filter(pk__in=marked).order_by("pk"))
    if present:
        history.tell(present, AlertEvent.What.CORRECTED, by=by, at=at, note=correction.note)


def _measured_by(vital: Vital) -> Mapping[Sign, float]:
    said = reading_of(vital, closed=False)
    return words.measured(said.values, said.statuses)


def _in_error(vital: Vital, at: datetime) -> Vital:
    return Vital(
        patient_id=vital.patient_id,
        admission_id=vital.admission_id,
        sensor_id=vital.sensor_id,
        measured_at=vital.measured_at,
        erroneous_at=at,
    )


def _change(correction: Correction, case: Case, told: Mapping[str, Episode]) -> Change:
    was, became, closed = correction.was, correction.became, case.bed_id is None
    declared = bool(was.device and was.device.is_continuous)
    return Change(
        reading_of(was, closed=closed, declared=declared),
        reading_of(became, closed=closed, declared=declared) if became else None,
        [reading_of(vital, closed=closed) for vital in _spoken_before(was, became)],
        told,
    )


def _spoken_before(was: Vital, became: Vital | None) -> list[Vital]:
    """Whose words and observations come back where those of this vital are gone: of each the newest other one.

    A word comes alone, lest what was said beside it is said anew; and from no further back than the alarm remembers.
    """
    remembered = Vital.objects.standing().filter(
        patient=was.patient_id, admission=was.admission_id, measured_at__gte=was.measured_at - alarm.MEMORY
    )
    others = remembered.exclude(pk=was.pk).order_by("-measured_at")
    found: list[Vital] = []
    for name in was.status.keys() - (became.status.keys() if became else ()):
        for vital in others.filter(sensor_id=was.sensor_id, status__has_key=name)[:1]:
            vital.status = {name: vital.status[name]}
            found.append(vital)
    for name, missing in (("consciousness", ""), ("on_oxygen", None), ("oxygen_flow", None)):
        if getattr(was, name) not in (None, ""):
            found += others.exclude(**{name: missing})[:1]
    return found


def _histories(case: Case, change: Change, was: Vital) -> Mapping[alarm.Thread, Sequence[Sample]]:
    """By thread, the other samples that count; nothing where there are too many to be folded again."""
    starts = corrections.threads(case.state, change, case.limits)
    if not starts:
        return {}
    others = Vital.objects.standing().filter(
        patient=was.patient_id, admission=was.admission_id, sensor_id=was.sensor_id, measured_at__gt=min(starts.values())
    )
    rows = list(others.exclude(pk=was.pk).order_by("-measured_at")[: MOST_SAMPLES + 1])
    if len(rows) > MOST_SAMPLES and was.measured_at - rows[-1].measured_at < REACH:
        return {}
    rows.reverse()
    found: dict[alarm.Thread, list[Sample]] = {thread: [] for thread in starts}
    for row in rows:
        for sign, value in alarm.values(reading_of(row, closed=False), case.limits).items():
            if (sign, row.sensor_id) in found:
                found[sign, row.sensor_id].append(Sample(row.measured_at, value, not row.late))
    return found


def _told_by_then(correction: Correction, case: Case) -> dict[str, Episode]:
    """By condition of these signs and of the score, the newest alert that had begun by then, as bad as it ever was."""
    was = correction.was
    of_signs = {name for sign, _, _ in correction.values() for name in conditions(sign)}
    begun = Alert.objects.filter(
        patient=was.patient_id,
        admission=was.admission_id,
        kind__in=[Alert.Kind.PHYSIOLOGICAL, Alert.Kind.SCORE],
        recorded=False,
        condition__in=of_signs | {deterioration.SCORE},
        measured_at__lte=was.measured_at,
    )
    newest = dict(begun.order_by("raised_at").values_list("condition", "pk"))
    said: dict[UUID, list[Severity]] = {}
    for pk, severity in AlertEvent.objects.filter(alert__in=newest.values()).values_list("alert", "severity"):
        said.setdefault(pk, []).append(Severity(severity))
    found = map(case.recall, Alert.objects.select_for_update().filter(pk__in=newest.values()))
    return {each.condition: replace(each, severity=reduce(worst_of, said.get(each.id, ()), each.severity)) for each in found}


def _ended_by(correction: Correction) -> Iterable[Alert]:
    """The alerts of these signs that returned or ended when the reading came, also those that are closed."""
    was = correction.was
    named = [name for sign, old, _ in correction.values() if old is not None for name in conditions(sign)]
    ended = {"events__what__in": ENDS, "events__at": was.received_at, "events__by": None}
    return Alert.objects.filter(patient=was.patient_id, admission=was.admission_id, condition__in=named, **ended)


def _of_its_time(correction: Correction) -> Iterable[Alert]:
    """The alerts of these signs that ran when the reading was measured, or for which it waited, also those that are closed."""
    was = correction.was
    named = [name for sign, old, _ in correction.values() if old is not None for name in conditions(sign)]
    return Alert.objects.filter(
        patient=was.patient_id,
        admission=was.admission_id,
        kind=Alert.Kind.PHYSIOLOGICAL,
        condition__in=named,
        measured_at__lte=was.measured_at + LONGEST_WAIT,
        last_measured_at__gte=was.measured_at,
    )


def _led_to(alert: Alert, correction: Correction, limits: Mapping[Sign, Limits]) -> bool:
    """The value as it was lay beyond: by the limit of then, which the alert knows, or by one of now."""
    side = Side(alert.side)
    for sign, old, _ in correction.values():
        if old is None or alert.condition not in conditions(sign):
            continue
        now = [getattr(limits[sign], f"{severity}_{side}") for severity in ("critical", "warning")]
        then = [alert.threshold_breached] if alert.sign == sign else []
        if any(limit is not None and (old < limit if side is Side.LOW else old > limit) for limit in (*now, *then)):
            return True
    return False


def _amend(case: Case, change: Change, was: Vital, *, by: By, at: datetime) -> None:
    """An open alert says values that stand, and none that was never measured; nor is it worse than it ever was."""
    before = alarm.values(change.was, case.limits)
    after = alarm.values(change.became, case.limits) if change.became else {}
    for sign in Sign:
        for name in conditions(sign) if before.get(sign) != after.get(sign) else ():
            episode = case.state.episodes.get(name)
            if episode is None or not episode.is_open or episode.sign is not sign:
                continue
            amended = _as_measured(case, episode, was, (before.get(sign), after.get(sign)))
            if amended != episode:
                case.state.episodes[name] = case.moved[episode.id] = amended
            if amended.severity is not episode.severity:
                case.happened.append((AlertEvent.What.EASED, amended, at, by))


def _as_measured(case: Case, episode: Episode, was: Vital, changed: tuple[float | None, float | None]) -> Episode:
    """With the last value of its sign, the worst since it began, and what led to it, where one of them is no more.

    Where nothing was beyond, it says what it was raised for, until somebody takes it.
    """
    assert episode.sign and episode.side
    sign, (old, new) = episode.sign, changed
    newest = max(case.state.standings.get(sign, {}).values(), key=attrgetter("measured_at"), default=None)
    amended = replace(episode, last_value=newest.value if newest else None)
    breach = _beyond(case, episode, new)
    if old not in (episode.value, episode.worst_value) and breach is None:
        return amended
    worst, stands = _measured(case, episode, was)
    worst_breach = _beyond(case, episode, worst)
    amended = _as_bad_as(replace(amended, worst_value=worst), worst_breach, case)
    led = None if stands else breach or worst_breach
    return replace(amended, value=led.value, limit=led.limit) if led else amended


def _beyond(case: Case, episode: Episode, value: float | None) -> Breach | None:
    """On the side that the episode is about."""
    assert episode.sign
    breach = judge(episode.sign, value, case.limits[episode.sign]) if value is not None else None
    return breach if breach and breach.side is episode.side else None


def _measured(case: Case, episode: Episode, was: Vital) -> tuple[float | None, bool]:
    """The worst that counts of its sign, from when it was first beyond until it last was; and whether what led to it is there.

    By the database: an alert may be open for days, and the patient is locked.
    """
    assert episode.sign
    span = (episode.measured_at, episode.last_measured_at)
    rows = Vital.objects.standing().filter(patient=was.patient_id, admission=was.admission_id, measured_at__range=span)
    worst = models.Min if episode.side is Side.LOW else models.Max
    found = rows.annotate(said=_said(episode.sign, case.limits)).aggregate(
        worst=worst("said"), led=models.Count("said", filter=models.Q(said=episode.value))
    )
    return found["worst"], found["led"] > 0


def _said(sign: Sign, limits: Mapping[Sign, Limits]) -> models.Expression:
    """`alarm.values` of one sign."""
    high = limits[Sign.MEAN_BP].warning_high
    if sign is not Sign.MEAN_BP or high is None:
        return sql.Measured(sign)
    is_flushed = models.Q(mean_bp__gt=high, status__systolic_bp=NO_SIGNAL)
    return models.Case(models.When(is_flushed, then=None), default=sql.Measured(sign))


def _as_bad_as(episode: Episode, worst: Breach | None, case: Case) -> Episode:
    """Of what still stands: critical only if it ever was. What has returned waits as it was raised."""
    active = alarm.active(case.state, episode.condition)
    if active is None or worst is None:
        return episode
    severity = max(active, worst.severity, key=lambda severity: severity.rank)
    return replace(episode, severity=severity) if severity.rank < episode.severity.rank else episode
