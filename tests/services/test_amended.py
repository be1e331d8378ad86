"""What an open alert says after a correction: values that stand, and none that was never measured."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import rates
from monitoring.models import AlarmState, Alert, Vital
from monitoring.services import alerts, corrections
from tests.world import events_of, item, open_alert, unscored

MINUTE = timedelta(minutes=1)
VALUES = st.sampled_from([48, 70, 84, 88, 93, 97])  # critical, warning, inside
WARNING = 90


@pytest.fixture
def measured(ada, gateway, now):
    """Spot values of Ada, each of the last minutes, one after the other; the vitals as they are stored."""
    unscored(ada)

    def post(values, sign="spo2"):
        for place, value in enumerate(values):
            gateway.post([item(ada, now - (len(values) - place) * MINUTE, **{sign: value})])
        return list(Vital.objects.order_by("measured_at"))

    return post


def correct(vital, by, at, **values):
    """Without values it was entered in error."""
    vital.refresh_from_db()
    if values:
        return corrections.correct(vital, values, reason="", by=by, at=at, version_seen=vital.version)
    return corrections.mark_in_error(vital, reason="", by=by, at=at, version_seen=vital.version)


def told(alert):
    return alert.message, alert.worst_value, alert.last_value, alert.state


@pytest.mark.parametrize(
    ("values", "place", "became", "says"),
    [
        pytest.param([48], 0, None, ("SpO₂ 48 < 85 %", None, None, "returned"), id="all of it in error"),
        pytest.param([48, 97], 0, None, ("SpO₂ 48 < 85 %", None, 97, "returned"), id="come back, in error"),
        pytest.param([48, 97], 0, 96, ("SpO₂ 48 < 85 %", 96, 97, "returned"), id="come back, never beyond"),
        pytest.param([48, 97], 0, 80, ("SpO₂ 80 < 85 %", 80, 97, "returned"), id="come back, not so bad"),
        pytest.param([48, 80, 97], 0, None, ("SpO₂ 80 < 85 %", 80, 97, "returned"), id="another one was beyond"),
        pytest.param([48, 80, 97], 0, 96, ("SpO₂ 80 < 85 %", 80, 97, "returned"), id="only another one was beyond"),
        pytest.param([48, 97], 1, 95, ("SpO₂ 48 < 85 %", 48, 95, "returned"), id="the value that it came back with"),
        pytest.param([48, 97], 1, None, ("SpO₂ 48 < 85 %", 48, 48, "raised"), id="it never came back"),
        pytest.param([82, 84], 1, 60, ("SpO₂ 82 < 85 %", 60, 60, "raised"), id="worse than it was known"),
        pytest.param([48, 48], 0, 84, ("SpO₂ 48 < 85 %", 48, 48, "raised"), id="the same value, measured twice"),
    ],
)
def test_an_open_alert_says_what_stands(measured, ada, dora, now, values, place, became, says):
    vital = measured(values)[place]

    correct(vital, dora, now, **({"spo2": became} if became else {}))

    assert told(open_alert(ada)) == says


def test_of_another_sign_nothing_is_left_of_it(measured, ada, dora, now):
    *_, mistyped = measured([72, 38], "heart_rate")

    correct(mistyped, dora, now, heart_rate=None, body_temp=38)

    assert told(open_alert(ada)) == ("HR 38 < 40 /min", None, 72, "returned")


def test_what_goes_beyond_again_is_the_worst_anew(measured, gateway, ada, dora, now):
    correct(*measured([48]), dora, now)

    gateway.post([item(ada, now, spo2=80)])

    assert told(open_alert(ada))[1:] == (80, 80, "raised")


def test_the_trail_keeps_what_it_was(measured, ada, dora, now):
    correct(*measured([48]), dora, now)

    alert = open_alert(ada)
    assert events_of(ada) == ["raised", "returned", "corrected"]
    assert [event.value for event in alert.events.order_by("pk")][:2] == [48, 48]
    assert alert.events.get(what="corrected").note == "SpO₂ 48 %: entered in error, says Dora"


def _is_true(alert):
    """Each of its values is one that stands."""
    standing = list(Vital.objects.standing().order_by("measured_at").values_list("spo2", "measured_at"))
    values = [value for value, _ in standing]
    since = [value for value, at in standing if at >= alert.measured_at]
    assert alert.last_value == (values[-1] if values else None)
    assert alert.worst_value in (*values, None)
    assert alert.vital_value in values or min(since, default=WARNING) >= WARNING


@given(
    st.lists(VALUES, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), VALUES)), min_size=1, max_size=4),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_corrected_no_open_alert_says_what_was_never_so(measured, dora, now, values, changes):
    with transaction.atomic():
        vitals = measured(values)
        for place, became in changes:
            vital = vitals[place % len(vitals)]
            vital.refresh_from_db()
            if not vital.erroneous_at:
                correct(vital, dora, now, **({"spo2": became} if became else {}))
            for alert in Alert.objects.open():
                _is_true(alert)
        transaction.set_rollback(True)
    rates.alone().storage.reset()


class TestWordsOfAStatusInError:
    """Each one that it named is again what that sensor last said of it."""

    @pytest.fixture
    def said(self, ada, gateway, now):
        unscored(ada)

        def post(minutes_ago, **status):
            gateway.post([item(ada, now - minutes_ago * MINUTE, sensor_id="S", status=status)])
            return Vital.objects.get(measured_at=now - minutes_ago * MINUTE)

        return post

    @pytest.fixture
    def state(self, ada):
        return lambda: AlarmState.objects.get(admission__patient=ada).state

    def test_a_fault_is_there_again_though_something_else_was_said_since(self, said, state, ada, dora, now):
        said(3, device="fault")
        said(2, spo2="artifact")
        correct(said(1, device="ok"), dora, now)

        assert state().devices["S"].status == "fault"
        assert open_alert(ada).condition == "device_fault"

    def test_each_word_comes_from_where_it_was_said_last(self, said, state, dora, now):
        said(5, spo2="probe_off")
        said(4, device="battery_low")
        said(3, heart_rate="artifact")
        correct(said(1, spo2="ok", device="ok"), dora, now)

        words = {sign.value: by_sensor["S"].status for sign, by_sensor in state().words.items() if by_sensor}
        assert words == {"spo2": "probe_off", "heart_rate": "artifact"}
        assert state().devices["S"].status == "battery_low"

    def test_what_was_said_since_stands(self, said, state, dora, now):
        said(3, spo2="probe_off")
        wrong = said(2, spo2="ok")
        said(1, spo2="artifact")

        correct(wrong, dora, now)

        assert state().words["spo2"]["S"].status == "artifact"

    def test_what_it_had_not_named_is_not_said_anew(self, said, state, ada, noor, dora, now):
        """Noor had ended the fault by hand, which holds until the device says it again."""
        said(3, device="fault", spo2="probe_off")
        alerts.resolve(open_alert(ada), by=noor, at=now)

        correct(said(1, spo2="ok"), dora, now)

        assert state().words["spo2"]["S"].status == "probe_off"
        assert not Alert.objects.open().exists()

    def test_another_value_does_not_say_anew_what_stood_beside_it(self, said, state, ada, noor, dora, gateway, now):
        said(3, device="fault")
        gateway.post([item(ada, now - MINUTE, sensor_id="S", heart_rate=70, status={"device": "fault", "spo2": "artifact"})])
        alerts.resolve(open_alert(ada), by=noor, at=now)

        correct(Vital.objects.get(heart_rate=70), dora, now, heart_rate=71.0)

        assert not Alert.objects.open().exists()
        assert state().words["spo2"]["S"].status == "artifact"

    def test_a_word_is_no_older_than_what_the_alarm_remembers(self, said, state, ada, dora, now):
        old = said(2, device="fault")
        Vital.objects.filter(pk=old.pk).update(measured_at=now - timedelta(hours=25))

        correct(said(1, device="ok"), dora, now)

        assert state().devices == {}


class TestTheWorstOfAnAlert:
    """Found by the database, as the alarm takes numbers with words beside them."""

    @pytest.fixture
    def measured(self, ada, gateway, now):
        unscored(ada)

        def post(*readings):
            for place, reading in enumerate(readings):
                at = now - (len(readings) - place) * MINUTE
                gateway.post([item(ada, at, status=reading.get("status", {}), **reading["values"])])
            return list(Vital.objects.order_by("measured_at"))

        return post

    @pytest.mark.parametrize(
        ("sign", "readings", "worst"),
        [
            pytest.param("spo2", [(84, {}), (60, "artifact"), (82, {}), (80, {})], 82, id="struck by its device"),
            pytest.param("spo2", [(84, {}), (83, "ok"), (84, {}), (80, {})], 83, id="a word that strikes nothing"),
            pytest.param("heart_rate", [(38, {}), (70, "asystole"), (37, {}), (30, {})], 0, id="a word that is a number"),
            pytest.param("mean_bp", [(125, {}), (160, "flushed"), (130, {}), (140, {})], 130, id="a flushed line"),
            pytest.param("mean_bp", [(55, {}), (54, "flushed"), (56, {}), (50, {})], 54, id="a low one is no flush"),
        ],
    )
    def test_is_what_counts(self, measured, ada, dora, now, sign, readings, worst):
        words = {"flushed": {"systolic_bp": "no_signal"}}
        said = [
            {"values": {sign: number}, "status": words.get(word, {sign: word}) if word else {}} for number, word in readings
        ]
        *_, last = measured(*said)

        correct(last, dora, now)

        assert Alert.objects.open().get(patient=ada, sign=sign).worst_value == worst

    def test_however_long_it_is_open_few_readings_are_fetched(self, measured, ada, dora, now, monkeypatch):
        *_, last = measured(*[{"values": {"spo2": 84}}] * 2, {"values": {"spo2": 83}})
        many = [copy.copy(last) for _ in range(400)]
        for place, vital in enumerate(many, 1):
            vital.pk, vital.measured_at = None, now - place * 10 * MINUTE
        Vital.objects.bulk_create(many)
        Alert.objects.open().update(measured_at=many[-1].measured_at)
        fetched, read = [], Vital.from_db.__func__
        monkeypatch.setattr(Vital, "from_db", classmethod(lambda cls, *args: fetched.append(1) or read(cls, *args)))

        correct(last, dora, now)

        assert open_alert(ada).worst_value == 83
        assert len(fetched) < 200
