"""An alert as every door answers it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.api.representations import alerts as representation
from monitoring.api.schema import alerts as schema
from monitoring.clinical.limits import Severity
from monitoring.models import Admission, Alert
from monitoring.services import admissions, alerts, technical
from tests.services.alerting import raised


def read(alert: Alert) -> dict:
    return representation.read([Alert.objects.get(pk=alert.pk)])[0]


def test_it_has_the_fields_that_are_promised(ada, now):
    alert = raised(ada, now)

    told = read(alert)

    assert list(told) == list(schema.FIELDS)
    assert told["id"] == told["alert_id"] == str(alert.pk)
    assert (told["subject"], told["patient_id"], told["ward"], told["bed"]) == ("patient:P-ADA", "P-ADA", "north", "N1")
    assert (told["sign"], told["side"], told["message"]) == ("spo2", "low", "SpO₂ 84 < 85 %")
    assert (told["state"], told["created_at"], told["acknowledged_by"]) == ("raised", now, None)


def test_it_says_who_had_it_in_his_hand(ada, noor, dora, now):
    alert = raised(ada, now)
    alerts.acknowledge(alert, by=noor, at=now)
    alerts.resolve(alert, by=dora, at=now + timedelta(minutes=1))

    told = read(alert)

    assert (told["acknowledged_by"], told["resolved_by"], told["state"]) == ("Noor", "Dora", "resolved")
    assert (told["acknowledged_at"], told["resolved_at"]) == (now, now + timedelta(minutes=1))


def test_its_bed_is_where_the_patient_lies_or_lay_when_it_ended(ada, north, noor, now):
    over, still = raised(ada, now), raised(ada, now, condition="heart_rate_low")
    alerts.resolve(over, by=noor, at=now + timedelta(minutes=1))

    admissions.transfer(
        Admission.objects.get(patient=ada), bed=north.beds.get(position=3), by=noor, at=now + timedelta(hours=1)
    )

    assert (read(over)["bed"], read(still)["bed"]) == ("N1", "N3")


def test_one_of_a_device_names_the_device_and_no_patient(monitor, now):
    technical.tell(monitor.device, technical.Finding("clock_skew", Severity.WARNING, "clock of M7 is 61 min behind"), now=now)

    told = read(Alert.objects.get(device=monitor.device))

    assert (told["subject"], told["patient_id"], told["bed"], told["kind"]) == ("device:M7", None, None, "technical")
    assert (told["sign"], told["side"], told["message"]) == (None, None, "clock of M7 is 61 min behind")


@pytest.mark.parametrize("count", [1, 20])
def test_many_cost_no_more_queries_than_one(ada, ben, noor, now, count, django_assert_num_queries):
    for place in range(count):
        alerts.acknowledge(raised(ada if place % 2 else ben, now, condition=f"c{place}"), by=noor, at=now)
    rows = list(Alert.objects.select_related(*representation.RELATED))

    with django_assert_num_queries(1):
        assert len(representation.read(rows)) == count
