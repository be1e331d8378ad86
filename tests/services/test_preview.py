"""The dry run on stored vitals: it tells what live judging told, reads little, and writes nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.clinical.overrides import Override
from monitoring.clinical.preview import TOLD
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, AlarmState, Alert, AlertEvent, Patient, Threshold, Vital
from monitoring.models.threshold import Part
from monitoring.services import admissions, preview, technical, thresholds
from monitoring.services.layers import Scope
from tests.world import series

pytestmark = pytest.mark.django_db

STEP = 20  # seconds: a batch of ten values, two seconds apart
OFF = {(sign, Part.ALWAYS): Override(reason="all off") for sign in Sign}
SPO2 = Sign.SPO2, Part.ALWAYS


def live(gateway, courses, start, steps):
    """Post a course of each patient batch by batch, with the watcher looking whenever it has to; says when it ended."""
    with time_machine.travel(start, tick=False) as clock:
        for step in range(steps):
            arrival = start + timedelta(seconds=STEP * (step + 1))
            watch_until(arrival, clock)
            clock.move_to(arrival)
            batch = [item for patient, course in courses.items() for item in course(patient, step)]
            assert gateway.post(batch).status_code == 202
        end = arrival + timedelta(minutes=1)
        watch_until(end, clock)
    return end


def watch_until(until, clock):
    while due := AlarmState.objects.filter(due_at__lt=until).order_by("due_at").values_list("due_at", flat=True).first():
        clock.move_to(due)
        assert technical.look_around(now=due)


def told(what=TOLD):
    """What live judging told: kind, severity, what."""
    return Counter(
        tuple(row) for row in AlertEvent.objects.filter(what__in=what).values_list("alert__kind", "severity", "what")
    )


def plain(counts):
    return {tuple(str(part) for part in one): number for one, number in counts.items()}


def restless(start):
    """Desaturations, a pressure of a second sensor, a silence, a probe off, a late batch, an observation."""
    spo2 = {20: 88, 21: 88, 40: 82, 41: 82, 42: 82, 43: 82, 80: 89, 81: 87, 82: 84, 83: 84, 99: 78, 100: 78}

    def course(patient, step):
        begin = start + timedelta(seconds=STEP * step)
        if 60 <= step < 70:
            return []
        value = {"spo2": spo2.get(step, 96), "heart_rate": 150 if 82 <= step < 86 else 80}
        if step == 30:
            value = {"heart_rate": 80, "status": {"spo2": "probe_off"}}
        items = series(patient, begin, [value] * 10, every=2)
        if step in (41, 50):
            return []  # kept back by the gateway …
        if step in (44, 52):  # … and sent later, out of order
            items = series(patient, begin - timedelta(seconds=3 * STEP), [{"spo2": 81, "heart_rate": 80}] * 10, every=2) + items
        if step % 15 == 5:
            low = 75 if step > 90 else 120
            items += [items[-1] | {"sensor_id": "cuff", "systolic_bp": low, "mean_bp": low - 20, "diastolic_bp": low - 40}]
        if step == 10:
            items[0] |= {"consciousness": "A", "on_oxygen": False, "respiratory_rate": 16, "body_temp": 37.0}
        return items

    return course


def calm(start):
    def course(patient, step):
        return series(patient, start + timedelta(seconds=STEP * step), [{"spo2": 97, "heart_rate": 70}] * 10, every=2)

    return course


@pytest.fixture
def hour(ada, ben, gateway, now):
    """Forty minutes of a restless Ada and a calm Ben; when it was over."""
    start = now - timedelta(minutes=50)
    return live(gateway, {ada: restless(start), ben: calm(start)}, start, steps=120)


def test_it_tells_what_live_judging_told(hour, ada):
    found = preview.ask(ada, Scope(patient=ada), {}, hours=1, now=hour)

    assert plain(found.present) == plain(found.proposed) == told()
    assert {("physiological", "critical", "raised"), ("technical", "warning", "raised")} <= set(told())
    assert Alert.objects.filter(patient=ada).count() >= 5
    assert (found.comparison.saved, found.comparison.added, found.comparison.lost) == (0, 0, {})
    assert not any(found.comparison.delays)


def test_every_critical_call_of_live_judging_is_named_when_all_limits_were_off(hour, ada):
    critical = AlertEvent.objects.filter(what__in=("raised", "reraised", "reopened", "risen"), severity="critical")
    live_calls = sorted(critical.exclude(alert__kind="score").values_list("alert__condition", "at"))

    found = preview.ask(ada, Scope(patient=ada), OFF, hours=1, now=hour)

    spells = [each.lost.spell for each in found.lost_critical]
    assert sorted((spell.condition, spell.critical_at) for spell in spells if spell.kind != "score") == live_calls
    assert len(live_calls) >= 3
    assert {(each.patient_id, each.bed) for each in found.lost_critical} == {("P-ADA", "N1")}


def test_limits_that_were_set_afterwards_hold_for_all_of_it(hour, ada, dora):
    """Said so in the answer: the limits in force are those of now."""
    thresholds.put(Scope(patient=ada), SPO2, Override(70, 75), by=dora, at=hour)

    found = preview.ask(ada, Scope(patient=ada), {SPO2: None}, hours=1, now=hour)

    assert plain(found.proposed) == told()
    assert found.comparison.added > 0


def test_a_ward_is_all_its_patients_each_with_his_own_limits(hour, ada, ben, north, dora):
    thresholds.put(Scope(patient=ada), SPO2, Override(85, 90), by=dora, at=hour)

    found = preview.ask(north, Scope(ward=north), {SPO2: Override(90, 98)}, hours=1, now=hour)

    assert (found.patients, found.readings) == (2, Vital.objects.count())
    assert plain(found.present) == told()
    assert found.comparison.added == 1  # Ben's; Ada's own limits stay
    assert found.comparison.gained == {"warning": 1}


def test_a_hospitals_limits_leave_those_of_the_ward_and_of_children(hour, ben, north, root):
    proposed = {SPO2: Override(90, 98)}
    assert preview.ask(ben, Scope(), proposed, hours=1, now=hour).comparison.added == 1

    Patient.objects.filter(pk=ben.pk).update(birth_date=hour.date() - timedelta(days=2_000))
    assert preview.ask(ben, Scope(), proposed, hours=1, now=hour).comparison.added == 0

    Patient.objects.filter(pk=ben.pk).update(birth_date=None)
    thresholds.put(Scope(ward=north), SPO2, Override(85, 90), by=root, at=hour)
    assert preview.ask(ben, Scope(), proposed, hours=1, now=hour).comparison.added == 0


def test_limits_of_the_night_hold_by_night_only(hour, ben, north, root, settings):
    settings.TIME_ZONE = "UTC"
    night = {(Sign.SPO2, Part.NIGHT): Override(90, 98)}
    first = Vital.objects.earliest("measured_at").measured_at

    def set_night(begins, ends):
        thresholds.set_night(north, (begins, ends), by=root, at=hour)
        return preview.ask(ben, Scope(ward=north), night, hours=1, now=hour).comparison.added

    away = first + timedelta(hours=6)
    assert set_night(away.time(), (away + timedelta(minutes=1)).time()) == 0
    assert set_night((first - timedelta(minutes=5)).time(), (first + timedelta(hours=2)).time()) == 1


def test_who_left_the_ward_counts_until_then(hour, ada, ben, north, noor):
    admissions.discharge(ben.admissions.get(), by=noor, at=hour - timedelta(minutes=20))

    found = preview.ask(north, Scope(ward=north), {SPO2: Override(90, 98)}, hours=1, now=hour)

    assert found.patients == 2
    assert found.readings < Vital.objects.count()


def test_a_patient_without_a_bed_has_no_limits(hour, ben, noor):
    admissions.discharge(ben.admissions.get(), by=noor, at=hour)

    with pytest.raises(preview.NotAdmitted):
        preview.ask(ben, Scope(patient=ben), {}, hours=1, now=hour)


class TestCost:
    def test_it_reads_and_writes_nothing(self, hour, ada, north):
        before = [model.objects.count() for model in (Alert, AlertEvent, Threshold, Vital)]
        states = list(AlarmState.objects.order_by("pk").values())

        with CaptureQueriesContext(
            connection,
        ) as queries:
            preview.ask(north, Scope(ward=north), OFF, hours=72, now=hour)

        statements = [query["sql"] for query in queries]
        assert all(statement.startswith("SELECT") and "FOR UPDATE" not in statement for statement in statements)
        assert [model.objects.count() for model in (Alert, AlertEvent, Threshold, Vital)] == before
        assert list(AlarmState.objects.order_by("pk").values()) == states

    def test_queries_do_not_depend_on_the_readings(self, ada, gateway, now, django_assert_num_queries):
        later = now + timedelta(minutes=1)

        def ask():
            preview.ask(ada, Scope(patient=ada), {SPO2: Override(80, 85)}, hours=24, now=later)

        gateway.post(series(ada, now - timedelta(minutes=40), [{"spo2": 97}] * 3))
        with CaptureQueriesContext(connection) as queries:
            ask()
        few = len(queries)
        gateway.post(series(ada, now - timedelta(minutes=30), [{"spo2": 97 - place % 20} for place in range(300)]))

        with django_assert_num_queries(few):
            ask()
        assert (
            few == 1 + 6 + 1 + 4 + 1 + 1
        )  # the bed; six spans up to 24 h; devices; limits by day, by night; the night; readings

    def test_each_further_patient_is_one_query(self, ada, ben, north, gateway, now):
        with CaptureQueriesContext(connection) as two:
            preview.ask(north, Scope(ward=north), {}, hours=6, now=now)
        admissions.discharge(Admission.objects.get(patient=ben), by=None, at=now - timedelta(hours=7))
        with CaptureQueriesContext(connection) as one:
            preview.ask(north, Scope(ward=north), {}, hours=6, now=now)

        assert len(two) - len(one) == 1

    def test_more_than_the_budget_is_cut_to_the_last_hours_and_said(self, ada, gateway, now, monkeypatch):
        for hours in range(8):
            gateway.post(series(ada, now - timedelta(hours=hours, minutes=10), [{"spo2": 97}] * 100))
        monkeypatch.setattr(preview, "BUDGET", 450)

        found = preview.ask(ada, Scope(patient=ada), {}, hours=24, now=now + timedelta(minutes=1))

        assert (found.hours, found.hours_asked, found.readings) == (3, 24, 400)

    def test_when_an_hour_is_too_much_some_patients_are_left_out_and_said(self, ada, ben, north, gateway, now, monkeypatch):
        for patient in (ada, ben):
            gateway.post(series(patient, now - timedelta(minutes=10), [{"spo2": 97}] * 100))
        monkeypatch.setattr(preview, "BUDGET", 60)

        found = preview.ask(north, Scope(ward=north), {}, hours=24, now=now + timedelta(minutes=1))

        assert (found.hours, found.patients, found.patients_asked, found.readings) == (1, 1, 2, 100)

    def test_one_at_a_time(self, ada, now):
        with preview._turn, pytest.raises(preview.Busy):
            preview.ask(ada, Scope(patient=ada), {}, hours=1, now=now)
        assert preview.ask(ada, Scope(patient=ada), {}, hours=1, now=now).patients == 1
