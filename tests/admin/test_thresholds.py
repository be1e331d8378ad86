"""Limits are set where they hold, make sense, and judge the next vital."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User, Ward
from monitoring.models import Alert, Patient, Threshold
from tests.admin.pages import address, errors, line_errors, lines
from tests.world import Monitor, item, open_alert

SPO2 = {"sign": "spo2", "critical_low": "70", "warning_low": "75"}


def test_a_patients_limit_judges_the_next_vital(
    office: Client, root: User, monitor: Monitor, ada: Patient, now: datetime
) -> None:
    answer = _set(office, ada, SPO2)

    monitor.post([item(ada, now, spo2=80)])
    assert answer.status_code == 302
    assert not Alert.objects.exists()
    monitor.post([item(ada, now + timedelta(seconds=1), spo2=72)])
    assert open_alert(ada).threshold_breached == 75
    threshold = Threshold.objects.get()
    assert (threshold.scope_key, threshold.set_by, threshold.version) == (f"patient:{ada.pk}", root, 1)


def test_a_changed_limit_judges_the_next_vital_and_is_told(
    office: Client, monitor: Monitor, ada: Patient, now: datetime
) -> None:
    _set(office, ada, SPO2)
    row = SPO2 | {"id": Threshold.objects.get().pk, "warning_low": "95", "seen_version": 1}

    _set(office, ada, row, stored=1)

    monitor.post([item(ada, now, spo2=93)])
    assert open_alert(ada).threshold_breached == 95
    assert Threshold.objects.get().version == 2
    assert "warning low 75 → 95" in LogEntry.objects.latest("pk").get_change_message()


def test_an_override_that_is_taken_out_puts_the_wider_limit_in_force(
    office: Client, monitor: Monitor, ada: Patient, now: datetime
) -> None:
    _set(office, ada, SPO2)

    _set(office, ada, SPO2 | {"id": Threshold.objects.get().pk, "DELETE": "on"}, stored=1)

    monitor.post([item(ada, now, spo2=80)])
    assert open_alert(ada).threshold_breached == 85
    assert "70 / 75 / – / –" in LogEntry.objects.latest("pk").get_change_message()


def test_a_wards_limit_holds_for_its_patients(
    office: Client, monitor: Monitor, ada: Patient, north: Ward, now: datetime
) -> None:
    beds = [{"id": bed.pk, "name": bed.name, "position": bed.position} for bed in north.beds.order_by("position")]
    page = {"name": "North", "slug": "north"} | lines("beds", *beds, stored=4)

    office.post(address(Ward, "change", north.pk), page | lines("thresholds", SPO2))

    monitor.post([item(ada, now, spo2=72)])
    assert Threshold.objects.get().scope_key == f"ward:{north.pk}"
    assert open_alert(ada).threshold_breached == 75


def test_a_hospital_limit_holds_everywhere(office: Client, root: User, monitor: Monitor, ada: Patient, now: datetime) -> None:
    office.post(address(Threshold, "add"), SPO2)

    monitor.post([item(ada, now, spo2=72)])
    threshold = Threshold.objects.get()
    assert (threshold.scope_key, threshold.set_by) == ("hospital", root)
    assert open_alert(ada).threshold_breached == 75


def test_a_hospital_limit_is_changed(office: Client, monitor: Monitor, ada: Patient, now: datetime) -> None:
    office.post(address(Threshold, "add"), SPO2)
    page = address(Threshold, "change", Threshold.objects.get().pk)

    office.post(page, {"critical_low": "70", "warning_low": "96", "seen_version": "1"})

    monitor.post([item(ada, now, spo2=95)])
    assert open_alert(ada).threshold_breached == 96
    assert Threshold.objects.get().sign == "spo2"


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"critical_low": "90", "warning_low": "85"}, "warning_low"),
        ({"critical_low": "85", "warning_low": "90", "warning_high": "80"}, "warning_high"),
        ({"critical_low": "85", "warning_low": "90", "critical_high": "85"}, "critical_high"),
        ({"critical_low": "85", "warning_low": "101"}, "warning_low"),
        ({"critical_low": "85", "warning_low": "high"}, "warning_low"),
        ({"critical_low": "nan", "warning_low": "90"}, "critical_low"),
        ({"critical_low": "80"}, "reason"),
    ],
)
def test_limits_that_contradict_are_named_at_the_field(
    office: Client, ada: Patient, limits: dict[str, str], field: str
) -> None:
    in_line = _set(office, ada, {"sign": "spo2"} | limits)
    on_page = office.post(address(Threshold, "add"), {"sign": "spo2"} | limits)

    assert list(line_errors(in_line)) == [field]
    assert list(errors(on_page)) == [field]
    assert not Threshold.objects.exists()


def test_a_side_may_be_off_with_a_reason(office: Client, monitor: Monitor, ada: Patient, now: datetime) -> None:
    _set(office, ada, {"sign": "spo2", "critical_low": "80", "reason": "COPD, target 85, Dr Dora"})

    monitor.post([item(ada, now, spo2=81)])
    assert Threshold.objects.get().reason == "COPD, target 85, Dr Dora"
    assert not Alert.objects.exists()


def test_a_sign_is_set_once_in_a_scope(office: Client, ada: Patient) -> None:
    twice = _set(office, ada, SPO2, SPO2)
    assert line_errors(twice, 1) == {"sign": ["The limits of SpO₂ are set here already: change that line."]}

    office.post(address(Threshold, "add"), SPO2)
    again = office.post(address(Threshold, "add"), SPO2)
    assert list(errors(again)) == ["sign"]
    assert Threshold.objects.count() == 1


def test_a_line_is_not_saved_over_somebody_elses_change(office: Client, ada: Patient) -> None:
    _set(office, ada, SPO2)
    row = SPO2 | {"id": Threshold.objects.get().pk, "seen_version": 1}
    _set(office, ada, row | {"warning_low": "80"}, stored=1)

    answer = _set(office, ada, row | {"warning_low": "85"}, stored=1)

    assert "__all__" in line_errors(answer)
    assert Threshold.objects.get().warning_low == 80


def test_the_pages_say_what_is_in_force_and_why(office: Client, ada: Patient, north: Ward) -> None:
    office.post(address(Threshold, "add"), SPO2)
    _set(office, ada, {"sign": "heart_rate", "critical_low": 45, "warning_low": 55, "warning_high": 110, "critical_high": 130})

    patient = office.get(address(Patient, "change", ada.pk)).content.decode()
    ward = office.get(address(Ward, "change", north.pk)).content.decode()
    hospital = office.get(address(Threshold)).content.decode()

    assert "<td>HR (/min)</td><td>45 / 55 / 110 / 130</td><td>this patient</td>" in patient
    assert "<td>SpO₂ (%)</td><td>70 / 75 / – / –</td><td>hospital</td>" in patient
    assert "<td>HR (/min)</td><td>40 / 50 / 120 / 140</td><td>shipped default</td>" in ward
    assert "<td>Temp (°C)</td><td>35 / 36 / 38.5 / 40</td><td>shipped default</td>" in hospital


def test_choosing_a_sign_offers_what_would_be_replaced(office: Client, ada: Patient) -> None:
    office.post(address(Threshold, "add"), SPO2)

    page = office.get(address(Patient, "change", ada.pk))

    (limits,) = [inline.formset for inline in page.context["inline_admin_formsets"]]
    offered = json.loads(limits.empty_form.fields["sign"].widget.attrs["data-limits"])
    assert offered["spo2"] == [70, 75, None, None]
    assert offered["heart_rate"] == [40, 50, 120, 140]


def test_a_field_that_does_nothing_is_not_shown(office: Client, ada: Patient) -> None:
    form = office.get(address(Threshold, "add")).context["adminform"].form

    assert not {"delay", "margin"} & set(form.fields)


def _set(office: Client, patient: Patient, *rows: dict[str, Any], stored: int = 0) -> Any:
    person = {"name": patient.name, "gender": "unknown"}
    return office.post(address(Patient, "change", patient.pk), person | lines("thresholds", *rows, stored=stored))
