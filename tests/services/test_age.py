"""The age that scores go by: whole months of the calendar, by the date where the hospital is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from monitoring.clinical.bands import months
from monitoring.clinical.scores import news2
from monitoring.clinical.scores.score import NotApplicable
from monitoring.models import Alert, Patient
from monitoring.services.cases import gather, observations_of
from tests.world import item

BIRTHDAY = datetime(2026, 3, 15, tzinfo=UTC)  # midnight by UTC


@pytest.fixture
def eva() -> Patient:
    """She is 16 on that day."""
    return Patient(patient_id="P-EVA", name="EVA", birth_date=date(2010, 3, 15))


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(2010, 3, 15), date(2026, 3, 14), 191),
        (date(2010, 3, 15), date(2026, 3, 15), 192),
        (date(2026, 1, 31), date(2026, 2, 28), 0),
        (date(2026, 1, 31), date(2026, 3, 1), 1),
        (date(2024, 2, 29), date(2025, 2, 28), 11),
        (date(2024, 2, 29), date(2025, 3, 1), 12),
        (date(2025, 11, 20), date(2026, 3, 20), 4),
        (date(2025, 11, 20), date(2026, 3, 19), 3),
        (date(2026, 3, 15), date(2026, 3, 15), 0),
        (date(2026, 3, 16), date(2026, 3, 15), None),
        (date(1896, 3, 15), date(2026, 3, 15), 1560),
        (date(1896, 2, 15), date(2026, 3, 15), None),
        (date(196, 5, 1), date(2026, 3, 15), None),
        (None, date(2026, 3, 15), None),
    ],
)
def test_age_counts_completed_months(born, on, age):
    assert months(born, on=on) == age


def test_every_birthday_completes_a_year():
    day = date(2008, 1, 1)
    while day < date(2012, 1, 1):
        birthday = date(2026, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=2026)
        assert months(day, on=birthday) == 12 * (2026 - day.year)
        assert months(day, on=birthday - timedelta(days=1)) == 12 * (2026 - day.year) - 1
        day += timedelta(days=1)


def test_an_adult_is_scored_from_the_sixteenth_birthday_on(eva):
    with pytest.raises(NotApplicable):
        news2.score(observations_of(eva, now=BIRTHDAY - timedelta(seconds=1)))

    assert news2.score(observations_of(eva, now=BIRTHDAY)).missing


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 1), ("America/New_York", -4)])
def test_the_day_begins_where_the_hospital_is(eva, settings, zone, hours):
    settings.TIME_ZONE = zone
    midnight = BIRTHDAY - timedelta(hours=hours)

    assert observations_of(eva, now=midnight - timedelta(seconds=1)).age_months == 191
    assert observations_of(eva, now=midnight).age_months == 192


def test_the_alarm_goes_by_the_same_day(ada, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    Patient.objects.filter(pk=ada.pk).update(birth_date=date(2010, 3, 15))
    stay = ada.admissions.get().pk

    assert gather([stay], now=BIRTHDAY - timedelta(minutes=30))[stay].observations.age_months == 192


@pytest.mark.parametrize("born", [date(196, 5, 1), date(1, 1, 1), date(9999, 12, 31)])
def test_a_birth_date_that_nobody_can_have_stops_no_patient_of_the_gateway(ada, ben, gateway, now, born):
    Patient.objects.filter(pk=ada.pk).update(birth_date=born)

    answer = gateway.post([item(ada, now, spo2=60), item(ben, now, spo2=60)])

    assert answer.status_code == 202
    assert set(Alert.objects.open().filter(condition="spo2_low").values_list("patient", flat=True)) == {ada.pk, ben.pk}
