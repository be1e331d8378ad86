"""The doors to a patient's vitals over time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import service_tokens
from accounts.models import ServiceToken, User
from monitoring.models import Minute, Patient, Vital
from monitoring.services import summaries
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.world import item, series

HISTORY = "/api/v1/patients/P-ADA/history"
VALUES = "/api/v1/patients/P-ADA/vitals"
ALIAS = "/api/v1/vitals/patient/P-ADA"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def begin(now: datetime) -> datetime:
    """The full hour before the last one."""
    return now.replace(minute=0, second=0, microsecond=0) - 2 * HOUR


@pytest.fixture
def _measured(ada: Patient, gateway, begin: datetime) -> None:
    """Ninety minutes, a reading each half of one."""
    pulses = [{"heart_rate": 60 + place % 40, "spo2": 95.5} for place in range(180)]
    gateway.post(series(ada, begin, pulses, every=30))


measured = pytest.mark.usefixtures("_measured")


def get(who: User, address: str = HISTORY, **query: Any) -> Any:
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in query.items()}
    return signed_in(who).get(address, told)


def following(answer: Any) -> str | None:
    link = re.fullmatch(r'<http://testserver(\S+)>; rel="next"', answer.headers.get("Link", ""))
    return link and link[1]


def all_pages(who: User, address: str = HISTORY, **query: Any) -> list[list[Any]]:
    answer = get(who, address, **query)
    pages = [answer.json()]
    while link := following(answer):
        answer = signed_in(who).get(link)
        pages.append(answer.json())
    return pages


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [error["field"] for error in answer.json()["errors"]]


@measured
class TestReadings:
    def test_without_a_range_the_newest_hundred_come_first(self, noor: User, begin: datetime) -> None:
        answer = get(noor)

        times = [row["measured_at"] for row in answer.json()]
        assert (answer.status_code, len(times)) == (200, 100)
        assert times == sorted(times, reverse=True)
        assert answer.json()[0]["heart_rate"] == 60 + 179 % 40
        assert answer.json()[0].keys() >= {"id", "patient_id", "sensor_id", "received_at", "version", "late"}

    def test_a_range_runs_from_its_beginning_both_ends_in_it(self, noor: User, begin: datetime) -> None:
        rows = get(noor, start_time=begin + MINUTE, end_time=begin + 3 * MINUTE).json()

        assert [row["heart_rate"] for row in rows] == [62, 63, 64, 65, 66]

    def test_the_order_may_be_said(self, noor: User, begin: datetime) -> None:
        assert get(noor, order="asc", limit=1).json()[0]["heart_rate"] == 60
        assert get(noor, start_time=begin, order="desc", limit=1).json()[0]["heart_rate"] == 79

    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_the_pages_are_the_whole_also_where_two_sensors_measure_at_once(
        self, noor: User, ada: Patient, gateway, begin: datetime, order: str
    ) -> None:
        gateway.post(series(ada, begin, [{"sensor_id": "cuff", "systolic_bp": 120}] * 10, every=30))

        pages = all_pages(noor, order=order, limit=7)

        told = [row["id"] for page in pages for row in page]
        sooner = "-" if order == "desc" else ""
        rows = Vital.objects.order_by(f"{sooner}measured_at", f"{sooner}sensor_id")
        assert told == [str(row.pk) for row in rows]
        assert {len(page) for page in pages[:-1]} == {7}

    def test_what_was_entered_in_error_is_not_in_it(self, noor: User, ada: Patient, begin: datetime, now: datetime) -> None:
        Vital.objects.filter(measured_at=begin).update(erroneous_at=now)

        assert get(noor, start_time=begin, limit=1).json()[0]["heart_rate"] == 61
        assert get(noor, VALUES, limit=1).json()["items"][0]["value"] == 61


@measured
class TestThinned:
    def test_a_minute_is_its_lowest_highest_mean_and_count(self, noor: User, begin: datetime) -> None:
        rows = get(noor, resolution="1m", start_time=begin).json()

        assert len(rows) == 90
        assert rows[1] == {
            "patient_id": "P-ADA",
            "timestamp": (begin + MINUTE).isoformat().replace("+00:00", "Z"),
            "heart_rate": {"min": 62, "mean": 62.5, "max": 63, "count": 2},
            "spo2": {"min": 95.5, "mean": 95.5, "max": 95.5, "count": 2},
            **dict.fromkeys(["respiratory_rate", "systolic_bp", "diastolic_bp", "mean_bp", "body_temp"]),
        }

    @pytest.mark.parametrize("resolution", ["1m", "1h"])
    @pytest.mark.parametrize("query", [{}, {"order": "asc"}, {"limit": 1}])
    def test_it_is_the_same_once_the_watcher_has_summed_it_up(
        self, noor: User, now: datetime, resolution: str, query: dict[str, Any]
    ) -> None:
        before = get(noor, resolution=resolution, **query)
        while summaries.fill(now=now):
            pass

        assert Minute.objects.exists()
        assert get(noor, resolution=resolution, **query).json() == before.json() != []

    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_its_pages_are_the_whole(self, noor: User, begin: datetime, order: str, now: datetime) -> None:
        whole = get(noor, resolution="1m", order=order, limit=5_000).json()
        summaries.fill(now=now)

        pages = all_pages(noor, resolution="1m", order=order, limit=40)

        assert [len(page) for page in pages] == [40, 40, 10]
        assert [row for page in pages for row in page] == whole

    def test_a_range_within_a_minute_is_of_its_readings_alone(self, noor: User, begin: datetime) -> None:
        (row,) = get(noor, resolution="1m", start_time=begin + 10 * SECOND, end_time=begin + 40 * SECOND).json()

        assert row["heart_rate"] == {"min": 61, "mean": 61, "max": 61, "count": 1}

    def test_a_correction_is_seen_at_once(self, noor: User, ada: Patient, begin: datetime, now: datetime) -> None:
        while summaries.fill(now=now):
            pass
        vital = Vital.objects.get(measured_at=begin)
        vital.heart_rate = 40
        vital.save()

        assert get(noor, resolution="1m", start_time=begin, limit=1).json()[0]["heart_rate"]["min"] == 40


@measured
class TestValues:
    @pytest.mark.parametrize("address", [VALUES, ALIAS])
    def test_each_value_by_its_type_from_the_oldest(self, noor: User, begin: datetime, address: str) -> None:
        answer = get(noor, address, **{"from": begin, "to": begin + 30 * SECOND}).json()

        first = Vital.objects.earliest("measured_at")
        assert (answer["patient_id"], answer["vital_type"]) == ("P-ADA", None)
        assert [(each["vital_type"], each["value"]) for each in answer["items"]] == [
            ("HR", 60), ("SpO2", 95.5), ("HR", 61), ("SpO2", 95.5)
        ]  # fmt: skip
        assert answer["items"][0] == {
            "id": str(first.pk),
            "recorded_at": begin.isoformat().replace("+00:00", "Z"),
            "vital_type": "HR",
            "value": 60,
            "version": 1,
        }

    def test_of_one_type(self, noor: User, begin: datetime) -> None:
        assert {each["vital_type"] for each in get(noor, VALUES, vital_type="SpO2").json()["items"]} == {"SpO2"}
        assert get(noor, VALUES, vital_type="BT").json() == {"patient_id": "P-ADA", "vital_type": "BT", "items": []}

    def test_next_leads_through_all_of_them(self, noor: User) -> None:
        answer, found = get(noor, VALUES, vital_type="HR", limit=50).json(), 0
        while True:
            found += len(answer["items"])
            if "next" not in answer:
                break
            answer = signed_in(noor).get(answer["next"]).json()

        assert found == 180


@measured
class TestWho:
    @pytest.mark.parametrize("address", [HISTORY, VALUES, ALIAS])
    def test_staff_a_program_and_the_patient_herself(
        self, ada: Patient, vera: User, root: User, north, now: datetime, address: str
    ) -> None:
        token = service_tokens.issue(ServiceToken(name="research"), wards=[north], by=root, at=now)
        program = Client(headers={"Authorization": f"Bearer {token}"})

        for client in (signed_in(vera), program, signed_in(patient_herself(ada))):
            assert client.get(address).status_code == 200

    @pytest.mark.parametrize("address", [HISTORY, VALUES, ALIAS])
    def test_a_stranger_is_401_and_eve_of_another_ward_gets_404(self, eve: User, address: str) -> None:
        assert Client().get(address).status_code == 401
        assert signed_in(eve).get(address).status_code == 404

    def test_a_patient_reads_no_other(self, ada: Patient, ben: Patient) -> None:
        assert signed_in(patient_herself(ada)).get(HISTORY.replace("ADA", "BEN")).status_code == 404

    @pytest.mark.parametrize("address", [HISTORY, VALUES, ALIAS])
    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_other_methods_are_405(self, root: User, address: str, method: str) -> None:
        assert getattr(signed_in(root), method)(address).status_code == 405

    @pytest.mark.parametrize(
        ("address", "query", "most"),
        [(HISTORY, {}, 5), (HISTORY, {"resolution": "1m"}, 8), (HISTORY, {"resolution": "1h"}, 8), (VALUES, {}, 5)],
    )
    def test_it_costs_the_same_few_queries_however_much_there_is(
        self, noor: User, address: str, query: dict[str, str], most: int, django_assert_max_num_queries, now: datetime
    ) -> None:
        """Of which three say who asks; a bearer's token needs one less."""
        client = signed_in(noor)
        summaries.fill(now=now)

        with django_assert_max_num_queries(most):
            assert client.get(address, query).status_code == 200


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ({"start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"}, "start_time"),
            ({"start_time": "2026-01-02T00:00:00"}, "start_time"),
            ({"end_time": "yesterday"}, "end_time"),
            ({"end_time": "0001-01-01T00:00:00+14:00"}, "end_time"),
            ({"end_time": "9999-12-31T23:59:59-14:00"}, "end_time"),
            ({"limit": "0"}, "limit"),
            ({"limit": "-1"}, "limit"),
            ({"limit": "1001"}, "limit"),
            ({"limit": "5001", "resolution": "1m"}, "limit"),
            ({"limit": "9" * 5000}, "limit"),
            ({"limit": "NaN"}, "limit"),
            ({"resolution": "5m"}, "resolution"),
            ({"order": "up"}, "order"),
            ({"cursor": "x"}, "cursor"),
            ({"cursor": "WyJ4Il0", "resolution": "1h"}, "cursor"),
            ({"colour": "red"}, "colour"),
            ({"limit": ["1", "2"]}, "limit"),
        ],
    )
    def test_what_is_wrong_with_a_history_is_named(self, ada: Patient, noor: User, query: Any, named: str) -> None:
        assert fields(get(noor, **query)) == [named]

    @pytest.mark.parametrize("address", [VALUES, ALIAS])
    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
            ({"from": "2026-01-02T00:00:00"}, "from"),
            ({"to": "soon"}, "to"),
            ({"vital_type": "hr"}, "vital_type"),
            ({"limit": "1001"}, "limit"),
            ({"start": "2026-01-02T00:00:00Z"}, "start"),
        ],
    )
    def test_what_is_wrong_with_a_list_of_values_is_named(
        self, ada: Patient, noor: User, address: str, query: Any, named: str
    ) -> None:
        assert fields(get(noor, address, **query)) == [named]

    @pytest.mark.parametrize("patient_id", ["nobody", "x" * 300, "%00", "%ED%A0%80", "P-ADA%20", "p-ada"])
    def test_who_is_not_there_is_404(self, ada: Patient, noor: User, patient_id: str) -> None:
        for address in (HISTORY, VALUES, ALIAS):
            assert signed_in(noor).get(address.replace("P-ADA", patient_id)).status_code == 404

    def test_of_whom_nothing_was_measured_there_is_an_empty_list(self, ada: Patient, noor: User) -> None:
        for resolution in ("raw", "1m", "1h"):
            assert get(noor, resolution=resolution).json() == []
        assert get(noor, VALUES).json()["items"] == []


def test_a_minute_counts_what_was_posted_a_moment_ago(ada: Patient, gateway, noor: User, now: datetime) -> None:
    gateway.post([item(ada, now, heart_rate=70)])

    assert get(noor, resolution="1m").json()[0]["heart_rate"]["count"] == 1
