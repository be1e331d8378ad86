"""Limits are set where they hold, make sense, and judge the next vital."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User, Ward
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, Alert, Patient, Threshold, ThresholdChange, WardNight
from monitoring.services import admissions, thresholds
from tests.admin.pages import address, errors, line_errors, lines, split, ward_page
from tests.conftest import signed_in
from tests.world import Monitor, item, open_alert

SPO2 = {"sign": "spo2", "critical_low": "70", "warning_low": "75"}


def test_a_patients_limit_judges_the_next_vital(
    office: Client, root: User, monitor: Monitor, ada: Patient, now: datetime
) -> None:
    answer = _set(office, ada, SPO2)

    monitor.post([item(ada, now, spo2=80)])
    assert answer.status_code == 302
    assert not Alert.objects.filter(condition="spo2_low").exists()
    monitor.post([item(ada, now + timedelta(seconds=1), spo2=72)])
    assert Alert.objects.get(condition="spo2_low").threshold_breached == 75
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
    office.post(address(Ward, "change", north.pk), ward_page(north, thresholds=[SPO2]))

    monitor.post([item(ada, now, spo2=72)])
    assert Threshold.objects.get().scope_key == f"ward:{north.pk}"
    assert open_alert(ada).threshold_breached == 75


def test_a_wards_bound_beyond_the_hospitals_is_refused_at_its_field(office: Client, north: Ward) -> None:
    office.post(address(Threshold, "add"), SPO2 | {"bound_low": "72"})

    answer = office.post(address(Ward, "change", north.pk), ward_page(north, thresholds=[SPO2 | {"bound_low": "71"}]))

    assert list(line_errors(answer)) == ["bound_low"]
    assert not Threshold.objects.filter(ward=north).exists()


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
    assert not Alert.objects.filter(condition="spo2_low").exists()


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


def test_an_empty_delay_or_margin_is_the_shipped_one(office: Client, ada: Patient, north: Ward, now: datetime) -> None:
    _set(office, ada, SPO2 | {"delay": "5"})

    place = (ada.pk, north.pk)
    limits = thresholds.in_force([place], now=now)[place][Sign.SPO2]
    assert (limits.delay, limits.margin) == (5, 2)


def _set(office: Client, patient: Patient, *rows: dict[str, Any], stored: int = 0) -> Any:
    person = {"name": patient.name, "gender": "unknown"}
    return office.post(address(Patient, "change", patient.pk), person | lines("thresholds", *rows, stored=stored))


class TestWhoMay:
    @pytest.mark.parametrize(("who", "may"), [("dora", True), ("noor", False), ("vera", False)])
    def test_a_patients_lines_are_a_doctors_of_the_ward(
        self, request: pytest.FixtureRequest, ada: Patient, who: str, may: bool
    ) -> None:
        browser = signed_in(staff(request.getfixturevalue(who)))

        _set(browser, ada, SPO2)

        assert Threshold.objects.exists() is may

    def test_a_nurses_line_cannot_switch_off(self, ada: Patient, noor: User) -> None:
        Ward.objects.update(nurses_set_limits=True)
        answer = _set(signed_in(staff(noor)), ada, {"sign": "spo2", "critical_low": "80", "reason": "quiet"})

        assert line_errors(answer) == {"warning_low": ["Only a doctor of the ward may switch a limit off."]}

    def test_a_wards_limits_are_an_administrators(self, ada: Patient, dora: User, north: Ward) -> None:
        answer = signed_in(staff(dora)).post(address(Ward, "change", north.pk), _ward_page(north, SPO2))

        assert answer.status_code == 403
        assert not Threshold.objects.exists()


class TestHistory:
    def test_every_line_goes_through_the_one_verb(self, office: Client, root: User, ada: Patient) -> None:
        _set(office, ada, SPO2)
        row = SPO2 | {"id": Threshold.objects.get().pk, "seen_version": 1}
        _set(office, ada, row | {"warning_low": "80"}, stored=1)
        _set(office, ada, row | {"seen_version": 2, "DELETE": "on"}, stored=1)
        office.post(address(Threshold, "add"), SPO2)
        hospital = Threshold.objects.get()
        office.post(address(Threshold, "delete", hospital.pk), {"post": "yes"})

        changes = ThresholdChange.objects.order_by("pk")
        assert [(change.scope_key, change.what) for change in changes] == [
            (f"patient:{ada.pk}", "made"),
            (f"patient:{ada.pk}", "changed"),
            (f"patient:{ada.pk}", "removed"),
            ("hospital", "made"),
            ("hospital", "removed"),
        ]
        assert {change.by for change in changes} == {root}

    def test_it_is_read_on_the_patients_page_and_in_a_list(self, office: Client, ada: Patient) -> None:
        _set(office, ada, SPO2 | {"reason": "COPD", "delay": "5"})

        page = office.get(address(Patient, "change", ada.pk)).content.decode()
        listed = office.get(address(ThresholdChange), {"q": "P-ADA"}).content.decode()

        assert "70 / 75 / – / –; delay 5" in page
        assert "70 / 75 / – / –; delay 5" in listed
        assert office.get(address(ThresholdChange), {"scope": "wards"}).context["cl"].result_count == 0


class TestNight:
    def test_a_ward_gets_a_night_and_limits_for_it(self, office: Client, north: Ward) -> None:
        rate = {"sign": "heart_rate", "critical_low": 35, "warning_low": 45, "warning_high": 120, "critical_high": 140}
        night = {"night_begins": "22:00", "night_ends": "06:00"}
        office.post(address(Ward, "change", north.pk), _ward_page(north) | night)

        answer = office.post(address(Ward, "change", north.pk), _ward_page(north, rate | {"part": "night"}) | night)

        assert answer.status_code == 302
        assert str(north.night) == "22:00–06:00"
        assert Threshold.objects.get().part == "night"
        assert "22:00–06:00" in office.get(address(Ward, "change", north.pk)).content.decode()

    @pytest.mark.parametrize(
        ("night", "field"),
        [
            ({"night_begins": "22:00"}, "night_ends"),
            ({"night_ends": "06:00"}, "night_begins"),
            ({"night_begins": "06:00", "night_ends": "06:00"}, "night_ends"),
            ({"night_begins": "late", "night_ends": "06:00"}, "night_begins"),
        ],
    )
    def test_a_night_with_a_hole_is_named_at_its_field(
        self, office: Client, north: Ward, night: dict[str, str], field: str
    ) -> None:
        answer = office.post(address(Ward, "change", north.pk), _ward_page(north) | night)

        assert list(errors(answer)) == [field]
        assert not WardNight.objects.exists()


class TestSuggestion:
    def test_the_button_fills_in_and_saves_nothing(self, office: Client, monitor: Monitor, ada: Patient, now: datetime) -> None:
        monitor.post([item(ada, now, heart_rate=100)])

        page = office.get(address(Patient, "change", ada.pk), {"suggest": "1"})

        formsets = {inline.formset.prefix: inline.formset for inline in page.context["inline_admin_formsets"]}
        (line,) = formsets["thresholds"].forms
        assert [line[side].value() for side in ("sign", "warning_low", "warning_high")] == ["heart_rate", 80, 125]
        assert not Threshold.objects.exists()

    def test_what_was_filled_in_is_saved_by_a_person(
        self, office: Client, monitor: Monitor, ada: Patient, now: datetime
    ) -> None:
        monitor.post([item(ada, now, heart_rate=100)])
        row = {"sign": "heart_rate", "critical_low": 40, "warning_low": 80, "warning_high": 125, "critical_high": 140}
        person = {"name": ada.name, "gender": "unknown"} | lines("thresholds", row)

        office.post(address(Patient, "change", ada.pk) + "?suggest=1", person)

        assert Threshold.objects.get().warning_low == 80

    def test_a_line_that_is_there_is_filled_in_as_well(
        self, office: Client, monitor: Monitor, ada: Patient, now: datetime
    ) -> None:
        monitor.post([item(ada, now, heart_rate=100)])
        row = {"sign": "heart_rate", "critical_low": 40, "warning_low": 60, "warning_high": 118, "critical_high": 140}
        _set(office, ada, row)

        page = office.get(address(Patient, "change", ada.pk), {"suggest": "1"})

        formsets = {inline.formset.prefix: inline.formset for inline in page.context["inline_admin_formsets"]}
        (line,) = formsets["thresholds"].forms
        assert line["warning_low"].value() == 80
        assert Threshold.objects.get().warning_low == 60

    def test_a_child_is_suggested_nothing(self, office: Client, ada: Patient, now: datetime) -> None:
        Patient.objects.update(birth_date=now.date() - timedelta(days=900))

        page = office.get(address(Patient, "change", ada.pk), {"suggest": "1"})

        assert "the formulas are for adults" in page.content.decode()


class TestExpiry:
    def test_what_expired_while_the_page_was_open_is_not_saved(self, office: Client, ada: Patient, now: datetime) -> None:
        _set(office, ada, SPO2 | split("expires_at", now + timedelta(hours=1)))
        row = Threshold.objects.get()
        over = now - timedelta(seconds=1)
        Threshold.objects.update(expires_at=over)
        line = SPO2 | {"id": row.pk, "warning_low": "80", "seen_version": 1} | split("expires_at", over)

        in_line = _set(office, ada, line, stored=1)
        on_page = office.post(address(Threshold, "change", row.pk), {"critical_low": "70", "warning_low": "80"})

        assert "expires_at" in line_errors(in_line)
        assert on_page.status_code == 302  # "does not exist", and to the index
        assert Threshold.objects.get().warning_low == 75

    def test_a_time_that_is_over_is_named(self, office: Client, ada: Patient, now: datetime) -> None:
        answer = _set(office, ada, SPO2 | split("expires_at", now - timedelta(hours=1)))

        assert list(line_errors(answer)) == ["expires_at"]


class TestTransfer:
    def test_a_line_set_in_another_ward_is_confirmed_by_a_tick(
        self, office: Client, root: User, ada: Patient, south: Ward, now: datetime
    ) -> None:
        _set(office, ada, SPO2)
        bed = south.beds.get(position=2)
        admissions.transfer(Admission.objects.get(patient=ada), bed=bed, by=root, at=now)
        page = office.get(address(Patient, "change", ada.pk)).content.decode()

        _set(office, ada, SPO2 | {"id": Threshold.objects.get().pk, "seen_version": 1, "confirmed": "on"}, stored=1)

        assert "this patient; set on North, confirm" in page
        assert Threshold.objects.get().set_in == south
        assert ThresholdChange.objects.latest("pk").what == "confirmed"


def _ward_page(ward: Ward, *rows: dict[str, Any]) -> dict[str, Any]:
    return ward_page(ward, thresholds=rows)


def staff(person: User) -> User:
    """One who may open the administration; what he may do there is his role's."""
    person.is_staff = True
    person.save()
    return person
