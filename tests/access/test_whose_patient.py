"""Every door to a patient asks the same: his ward's staff come in at all of them, and those of an earlier ward at none."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from monitoring.models import Admission, Alert, DeviceAssignment, Patient, Vital
from monitoring.services import alerts, care
from tests.admin.pages import address
from tests.conftest import PASSWORD, signed_in
from tests.exports.takers import asked, body, table
from tests.services.alerting import raised
from tests.services.stories import HERS, HOUR
from tests.world import item

API, PAGES, ALERTS = "/api/v1/patients/P-ADA", "/patients/P-ADA", "/api/v1/alerts"


@pytest.fixture
def doctors(north, south):
    """Dora's like of each ward, who may open the administration too."""
    found = {}
    for ward in (north, south):
        user = User.objects.create_user(f"d-{ward.slug}", f"d-{ward.slug}@example.org", PASSWORD, name="Doctor", is_staff=True)
        user.memberships.create(ward=ward, role="doctor")
        found[ward.slug] = user
    return found


@pytest.fixture
def hers(ada, monitor, now):
    """Before whatever happened later: a reading of yesterday by the monitor at her bed."""
    monitor.post([item(ada, now - timedelta(hours=20), heart_rate=80)])
    return {"vital": Vital.objects.get(), "stay": Admission.objects.get(), "assignment": DeviceAssignment.objects.get()}


@pytest.mark.parametrize(("story", "slug"), HERS.items(), ids=lambda each: getattr(each, "__name__", each))
def test_a_doctor_of_her_ward_comes_in_at_every_door_and_one_of_another_at_none(ada, south, doctors, hers, story, slug, now):
    story(ada, south, now)
    elsewhere = "south" if slug == "north" else "north"

    assert closed(doctors[slug], ada, hers, now) == set()
    assert opened(doctors[elsewhere], ada, hers, now) == set()


def test_who_was_never_admitted_is_any_doctors(doctors, db):
    Patient.objects.create(patient_id="P-NEW", name="New")

    for doctor in doctors.values():
        browser = signed_in(doctor)
        assert browser.get("/api/v1/patients/P-NEW").status_code == 200
        said = json.dumps({"contact_info": doctor.login, "version": Patient.objects.get().version})
        assert browser.patch("/api/v1/patients/P-NEW", said, content_type="application/json").status_code == 200
        assert browser.get("/patients/P-NEW/export/").status_code == 200


@pytest.mark.parametrize(("story", "slug"), HERS.items(), ids=lambda each: getattr(each, "__name__", each))
def test_all_her_alerts_go_with_her_and_what_rang_in_a_ward_stays_that_wards_too(ada, south, doctors, story, slug, now):
    rang = raised(ada, now - 5 * HOUR)
    alerts.resolve(rang, by=doctors["north"], at=now - 4 * HOUR)
    story(ada, south, now)
    theirs, others = doctors[slug], doctors["south" if slug == "north" else "north"]

    here, there = (200 if each == doctors["north"] else 404 for each in (others, theirs))
    assert told_of(theirs, rang) == {"list": there, "by name": 200, "hers": 200, "detail": 200}
    assert told_of(others, rang) == {"list": here, "by name": 404, "hers": 404, "detail": here}


@pytest.mark.parametrize("deed", ["acknowledge", "resolve", "silence", "noise"])
def test_nobody_lays_a_hand_on_an_alert_of_the_ward_where_she_lay_before(ada, south, doctors, deed, now):
    rang = raised(ada, now - 5 * HOUR)
    alerts.resolve(rang, by=doctors["north"], at=now - 4 * HOUR)
    next(each for each in HERS if each.__name__ == "lies_elsewhere_now")(ada, south, now)
    browser, written = signed_in(doctors["south"]), {"severity_shown": "critical", "minutes": 5, "why": "suction"}

    assert browser.post(f"{ALERTS}/{rang.pk}/{deed}", "{}", content_type="application/json").status_code == 403
    assert browser.post(f"/alerts/{rang.pk}/{deed}", written).status_code == 403
    assert list(rang.events.values_list("what", flat=True)) == ["resolved"]


def test_what_was_measured_in_a_ward_stays_in_that_wards_export(ada, north, south, doctors, hers, now):
    story = next(each for each in HERS if each.__name__ == "lies_elsewhere_now")
    story(ada, south, now)

    rows = {}
    for slug in ("north", "south"):
        answer = signed_in(doctors[slug]).get(f"/api/v1/wards/{slug}/export", asked(now, **{"from": now - 22 * HOUR}))
        rows[slug] = len(table(answer))

    assert rows == {"north": 1, "south": 0}


def test_limits_set_after_she_left_are_to_be_confirmed_where_she_comes_next(ada, north, south, doctors, now):
    next(each for each in HERS if each.__name__ == "discharged_from_here")(ada, south, now)
    doctor = signed_in(doctors["north"])
    limits = [{"sign": "spo2", "critical_low": 80, "warning_low": 86, "warning_high": None, "critical_high": None}]
    body = {"limits": limits, "reason": "COPD", "version": doctor.get(f"{API}/thresholds").json()["version"]}

    answer = doctor.put(f"{API}/thresholds", json.dumps(body), content_type="application/json")

    assert answer.status_code == 200, answer.content
    assert Patient.objects.get().thresholds.get().set_in == north == care.ward_of(ada)


def knocks(person: User, ada: Patient, hers, now):
    """Every way to read or change her, by its name, and what it answered. What has an effect is refused by its body alone."""
    browser, vital = signed_in(person), hers["vital"].pk

    def send(method: str, where: str, **body):
        return getattr(browser, method)(where, json.dumps(body), content_type="application/json")

    period = asked(now)
    yield "record", browser.get(API)
    yield "stays", browser.get(f"{API}/admissions")
    taken = browser.get(f"{API}/export", period)
    if taken.streaming:
        body(taken)  # one that is begun and left keeps its place among the few at once
    yield "export", taken
    yield "change", send("patch", API, name="A. L.", version=0)
    yield "contacts", send("patch", API, contact_info="her sister", version=0)
    yield "history", send("put", API, medical_history="asthma", version=0)
    yield "limits", send("put", f"{API}/thresholds", version=-1)
    yield "transfer", send("post", f"{API}/transfer")
    yield "discharge", send("post", f"{API}/discharge", at="2999-01-01T00:00:00Z")
    yield "vital", browser.get(f"/api/v1/vitals/{vital}")
    yield "correction", send("patch", f"/api/v1/vitals/{vital}", value=-1, version=1)
    entry = {"patient_id": "P-ADA", "vital_type": "HR", "value": -1, "recorded_at": now.isoformat()}
    yield "entry", send("post", "/api/v1/vitals", **entry)
    yield "list of vitals", browser.get(f"{PAGES}/vitals/")
    yield "page of a vital", browser.get(f"{PAGES}/vitals/{vital}/")
    yield "correction by page", browser.post(f"{PAGES}/vitals/{vital}/", {"version": "1", "reason": ""})
    yield "export page", browser.get(f"{PAGES}/export/")
    yield "chart", browser.get(f"{PAGES}/chart/")
    yield "her page in the administration", browser.get(address(Patient, "change", ada.pk))
    yield "her dossier", browser.get(f"/admin/monitoring/patient/{ada.pk}/dossier/")
    yield "her stay", browser.get(address(Admission, "change", hers["stay"].pk))
    yield "her vital", browser.get(address(Vital, "change", vital))
    yield "her monitor", browser.get(address(DeviceAssignment, "change", hers["assignment"].pk))
    yield "form for the scale", ScaleForm(browser, ada)


def told_of(person: User, alert: Alert) -> dict[str, int]:
    """How each door to alerts answers: a list without this one is 404."""
    browser, found = signed_in(person), {}
    lists = {"list": "?state=all", "by name": "?state=all&patient_id=P-ADA", "hers": "/patient/P-ADA"}
    for name, asked_for in lists.items():
        answer = browser.get(f"{ALERTS}{asked_for}")
        ids = [one["id"] for one in answer.json().get("results", [])]
        found[name] = answer.status_code if str(alert.pk) in ids else 404
    return found | {"detail": browser.get(f"{ALERTS}/{alert.pk}").status_code}


class ScaleForm:
    """Whether her page offers to set the scale."""

    def __init__(self, browser: Client, ada: Patient) -> None:
        page = browser.get(address(Patient, "change", ada.pk))
        self.status_code = 200 if 'name="scale"' in page.content.decode() else 403


SHUT = {302, 403, 404}


def closed(person: User, ada: Patient, hers, now) -> set[str]:
    return {name for name, answer in knocks(person, ada, hers, now) if answer.status_code in SHUT}


def opened(person: User, ada: Patient, hers, now) -> set[str]:
    return {name for name, answer in knocks(person, ada, hers, now) if answer.status_code not in SHUT}
