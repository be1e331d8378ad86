"""The door to a patient's NEWS2: now, as the board has it, and over time, from the vitals that are kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from accounts import tokens
from monitoring.models import Admission, Patient, Vital
from monitoring.services import admissions, summaries
from tests.conftest import signed_in
from tests.doors.staff import fields
from tests.services.alerting import MINUTE
from tests.world import item, series

SCORES = "/api/v1/patients/P-ADA/scores"
HOUR = timedelta(hours=1)
ROUND = {"respiratory_rate": 25, "systolic_bp": 120, "body_temp": 37, "consciousness": "A", "on_oxygen": False}
STEADY = {"spo2": 97, "heart_rate": 80}


def get(person, **asked):
    answer = signed_in(person).get(SCORES, asked)
    assert answer.status_code == 200, answer.content
    return answer.json()


def by_time(told):
    return {datetime.fromisoformat(point["at"]): point for point in told["points"]}


@pytest.fixture
def hour(now):
    """The last full one."""
    return now.replace(minute=0, second=0, microsecond=0)


class TestNow:
    def test_with_all_inputs_it_has_a_total_and_says_of_what(self, ada, gateway, noor, now):
        gateway.post([item(ada, now, **ROUND, **STEADY)])

        told = get(noor)["now"]

        assert (told["total"], told["at_least"], told["band"], told["single_3"]) == (3, 3, "low-medium", True)
        assert told["missing"] == []
        assert told["parts"]["respiratory_rate"] | {"age_s": 0} == {"value": 25, "points": 3, "age_s": 0}
        assert told["parts"]["on_oxygen"]["value"] is False and told["parts"]["consciousness"]["value"] == "A"

    def test_with_one_missing_it_says_at_least_and_any_single_3(self, ada, gateway, noor, now):
        gateway.post([item(ada, now, respiratory_rate=25, **STEADY)])

        told = get(noor)["now"]

        assert (told["total"], told["band"], told["at_least"], told["single_3"]) == (None, None, 3, True)
        assert told["missing"] == ["on_oxygen", "systolic_bp", "consciousness", "body_temp"]

    def test_what_is_too_old_says_how_old(self, ada, gateway, noor, now):
        gateway.post([item(ada, now - 2 * HOUR, systolic_bp=85), item(ada, now, heart_rate=80)])

        told = get(noor)["now"]

        assert "systolic_bp" in told["missing"] and 7200 <= told["too_old"]["systolic_bp"] < 7300


class TestOverTime:
    def test_a_value_speaks_as_long_as_its_age_allows(self, ada, gateway, noor, hour):
        gateway.post([item(ada, hour - 2 * HOUR, **ROUND), item(ada, hour - 2 * HOUR + MINUTE, **STEADY)])

        told = by_time(get(noor, **{"from": (hour - 3 * HOUR).isoformat(), "to": hour.isoformat()}))

        assert hour - 2 * HOUR not in told  # nothing was known before
        first, later = told[hour - 2 * HOUR + 5 * MINUTE], told[hour - HOUR]
        assert (first["total"], first["band"]) == (3, "low-medium")
        assert (later["total"], set(later["missing"])) == (None, {"respiratory_rate", "spo2", "heart_rate"})
        assert later["parts"]["systolic_bp"]["age_s"] == 3600
        assert set(told[hour]["parts"]) == {"on_oxygen", "consciousness", "body_temp"}

    def test_many_readings_enter_as_the_median_of_their_last_minute(self, ada, gateway, noor, hour):
        wild = [{"heart_rate": 140 if second == 300 else 80} for second in range(301)]
        gateway.post(series(ada, hour - HOUR, wild))

        told = by_time(get(noor, **{"from": (hour - HOUR).isoformat(), "to": hour.isoformat()}))

        assert told[hour - HOUR + 10 * MINUTE]["parts"]["heart_rate"] == {"value": 80, "points": 0, "age_s": 300}

    def test_of_two_sensors_the_one_that_spoke_last(self, ada, gateway, noor, hour):
        at = hour - HOUR
        gateway.post(
            [
                item(ada, at, heart_rate=140, sensor_id="ecg"),
                item(ada, at + timedelta(seconds=9), heart_rate=90, sensor_id="pleth"),
            ]
        )

        told = by_time(get(noor, **{"from": at.isoformat(), "to": hour.isoformat()}))

        assert told[at + 5 * MINUTE]["parts"]["heart_rate"]["value"] == 90

    def test_what_was_entered_in_error_counts_for_nothing(self, ada, gateway, noor, hour, now):
        gateway.post([item(ada, hour - HOUR, heart_rate=140)])
        Vital.objects.update(erroneous_at=now)

        assert get(noor)["points"] == []

    def test_the_stay_before_says_nothing_of_this_one(self, ada, north, gateway, noor, hour):
        gateway.post([item(ada, hour - 3 * HOUR, consciousness="U")])
        admissions.discharge(Admission.objects.get(patient=ada), by=noor, at=hour - 2 * HOUR)
        admissions.admit(ada, bed=north.beds.get(position=3), by=noor, at=hour - HOUR)
        gateway.post([item(ada, hour - HOUR + 7 * MINUTE, heart_rate=80)])

        told = by_time(get(noor))

        assert set(told[hour - HOUR]["parts"]) == {"consciousness"}
        assert hour - HOUR + 5 * MINUTE not in told
        assert set(told[hour - HOUR + 10 * MINUTE]["parts"]) == {"heart_rate"}

    def test_now_and_the_last_point_agree(self, ada, gateway, noor, now):
        gateway.post(series(ada, now - 4 * MINUTE, [ROUND | STEADY | {"heart_rate": 90 + place % 7} for place in range(241)]))

        told = get(noor, every=1)

        last, present = told["points"][-1], told["now"]
        assert (last["total"], last["parts"].keys()) == (present["total"], present["parts"].keys())

    @pytest.mark.parametrize(
        ("said", "points"),
        [
            ({"spo2": 50, "status": {"spo2": "probe_off"}}, {"heart_rate": 0}),
            ({"heart_rate": 190, "status": {"heart_rate": "artifact"}}, {"heart_rate": 0}),
            ({"status": {"heart_rate": "asystole"}}, {"heart_rate": 3}),
            ({"heart_rate": 75, "status": {"heart_rate": "asystole"}}, {"heart_rate": 3}),
            ({"respiratory_rate": 14, "status": {"respiratory_rate": "apnoea"}}, {"heart_rate": 0, "respiratory_rate": 3}),
        ],
    )
    @pytest.mark.parametrize("summed_up", [False, True])
    def test_a_word_beside_a_number_is_heard_now_and_then(self, ada, gateway, noor, now, said, points, summed_up):
        gateway.post([item(ada, now - 9 * MINUTE, heart_rate=80), item(ada, now - 3 * MINUTE, **said)])
        while summed_up and summaries.fill(now=now + HOUR):
            pass

        told = get(noor, every=1)

        parts = [{name: part["points"] for name, part in of["parts"].items()} for of in (told["now"], told["points"][-1])]
        assert parts == [points, points]

    @pytest.mark.parametrize("hours", [1, 20])
    def test_it_costs_the_same_queries_however_long_it_is(self, ada, gateway, noor, now, hours, django_assert_max_num_queries):
        rows = [STEADY | (ROUND if place % 60 == 0 else {}) for place in range(60 * hours)]
        gateway.post(series(ada, now - hours * HOUR, rows, every=60))
        client = Client(headers={"Authorization": f"Bearer {tokens.sign_in(noor, at=now).access_token}"})

        with django_assert_max_num_queries(8):  # three of them to know who asks
            answer = client.get(SCORES, {"every": 5})

        assert len(answer.json()["points"]) >= 11 * hours


class TestRefusals:
    def test_for_whom_it_was_not_made_it_says_why(self, ada, gateway, noor, now):
        gateway.post([item(ada, now, **STEADY)])
        Patient.objects.update(birth_date=date(now.year - 4, 1, 1))

        told = get(noor)

        assert told["refusal"] == "NEWS2 is not for patients under 16 years."
        assert (told["now"], told["points"]) == (None, [])

    def test_eve_of_another_ward_gets_404(self, ada, eve):
        assert signed_in(eve).get(SCORES).status_code == 404
        assert signed_in(eve).post(SCORES).status_code == 405
        assert Client().get(SCORES).status_code == 401

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"every": 0}, "every"),
            ({"every": 1441}, "every"),
            ({"every": "often"}, "every"),
            ({"from": "2026-01-01T00:00:00"}, "from"),
            ({"from": "yesterday"}, "from"),
            ({"from": "2020-01-01T00:00:00Z"}, "from"),
            ({"from": "9999-12-31T23:59:59-12:00"}, "from"),
            ({"to": "0001-01-01T00:00:00+12:00"}, "to"),
            ({"to": "1907-01-01T00:00:00Z", "from": "1907-01-02T00:00:00Z"}, "to"),
            ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
            ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:01:00Z"}, "every"),
            ({"strategy": "mews"}, "strategy"),
        ],
    )
    def test_what_is_wrong_is_named(self, ada, noor, asked, field):
        assert fields(signed_in(noor).get(SCORES, asked)) == [field]
