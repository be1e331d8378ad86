"""Stays begin, move and end from the administration; what cannot be is said at the field."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Bed, User, Ward
from monitoring.models import Admission, Alert, DeviceAssignment, Patient, Placement
from monitoring.services import admissions
from tests.admin.pages import act, address, errors, lines, said, split
from tests.conftest import signed_in
from tests.world import Monitor, events_of, item


@pytest.fixture
def zoe(db: None) -> Patient:
    """Nobody has admitted her yet."""
    return Patient.objects.create(patient_id="P-ZOE", name="Zoe Akins")


def test_a_patient_is_admitted_to_a_free_bed(office: Client, root: User, zoe: Patient, north: Ward, now: datetime) -> None:
    bed = north.beds.get(position=3)

    answer = office.post(address(Admission, "add"), _stay(zoe, bed, now, notes="from the theatre"))

    admission = Admission.objects.get()
    placement = Placement.objects.get()
    assert answer.status_code == 302
    assert (admission.patient, admission.admitted_by, admission.notes) == (zoe, root, "from the theatre")
    assert (placement.bed, placement.started_at) == (bed, now.replace(microsecond=0))


def test_who_was_discharged_elsewhere_is_admitted_by_the_whole_id(noor: User, cid: Patient, north: Ward, now: datetime) -> None:
    User.objects.filter(pk=noor.pk).update(is_staff=True)
    nurse, bed = signed_in(noor), north.beds.get(position=3)
    asked = {"arriving": "P-CID", "bed": bed.pk}
    lies = nurse.post(address(Admission, "add"), asked)
    admissions.discharge(Admission.objects.get(), by=None, at=now - timedelta(hours=1))
    both = nurse.post(address(Admission, "add"), asked | {"patient": cid.pk})

    answer = nurse.post(address(Admission, "add"), asked)

    assert errors(lies) == {"arriving": ["Nobody with this id can be admitted here now."]}
    assert "arriving" in errors(both) or "patient" in errors(both)
    assert answer.status_code == 302
    assert Admission.objects.get(is_open=True).patient == cid


def test_nobody_at_all_is_said_at_the_field(office: Client, north: Ward) -> None:
    answer = office.post(address(Admission, "add"), {"bed": north.beds.get(position=3).pk})

    assert errors(answer) == {"patient": ["Choose who is admitted."]}


def test_left_empty_the_time_is_now(office: Client, zoe: Patient, north: Ward) -> None:
    before = timezone.now()

    office.post(address(Admission, "add"), {"patient": zoe.pk, "bed": north.beds.get(position=3).pk})

    assert before <= Admission.objects.get().admitted_at <= timezone.now()


def test_the_page_offers_free_beds_only(office: Client, ada: Patient, north: Ward) -> None:
    form = office.get(address(Admission, "add")).context["adminform"].form

    assert [label for _, label in form.fields["bed"].choices][1:] == ["North N2", "North N3", "North N4"]


def test_nobody_is_admitted_twice(office: Client, ada: Patient, north: Ward, now: datetime) -> None:
    answer = office.post(address(Admission, "add"), _stay(ada, north.beds.get(position=3), now))

    assert errors(answer) == {"patient": ["This patient is admitted already: move or discharge that stay."]}
    assert Admission.objects.count() == 1


def test_a_bed_takes_one_patient(office: Client, ada: Patient, zoe: Patient, north: Ward, now: datetime) -> None:
    answer = office.post(address(Admission, "add"), _stay(zoe, north.beds.get(position=1), now))

    assert errors(answer) == {"bed": ["Another patient lies in this bed."]}
    assert not Admission.objects.filter(patient=zoe).exists()


def test_a_stay_does_not_begin_tomorrow(office: Client, zoe: Patient, north: Ward, now: datetime) -> None:
    answer = office.post(address(Admission, "add"), _stay(zoe, north.beds.get(position=3), now + timedelta(days=1)))

    assert errors(answer) == {"admitted_at": ["This time lies ahead."]}


def test_stays_of_one_patient_do_not_overlap(office: Client, ada: Patient, north: Ward, now: datetime) -> None:
    admissions.discharge(Admission.objects.get(), by=None, at=now - timedelta(hours=1))

    answer = office.post(address(Admission, "add"), _stay(ada, north.beds.get(position=3), now - timedelta(hours=2)))

    assert errors(answer) == {"admitted_at": ["An earlier stay of this patient ended after that."]}


def test_an_archived_patient_is_brought_back_first(office: Client, zoe: Patient, north: Ward, now: datetime) -> None:
    act(office, Patient, "archive", zoe)

    answer = office.post(address(Admission, "add"), _stay(zoe, north.beds.get(position=3), now))

    assert errors(answer) == {"patient": ["This patient is archived: bring the record back first."]}


def test_a_move_takes_the_open_alert_along(office: Client, monitor: Monitor, ada: Patient, south: Ward, now: datetime) -> None:
    monitor.post([item(ada, now, spo2=80)])
    bed = south.beds.get(position=2)

    office.post(_page(ada), {"bed": bed.pk, "notes": "isolated"})

    assert Placement.objects.get(is_open=True).bed == bed
    assert Alert.objects.open().get().ward == south
    assert Admission.objects.get().notes == "isolated"
    assert events_of(ada) == ["raised", "left", "moved"]


def test_notes_alone_move_nobody(office: Client, ada: Patient, north: Ward) -> None:
    office.post(_page(ada), {"bed": north.beds.get(position=1).pk, "notes": "sleeps"})

    assert Placement.objects.count() == 1
    assert Admission.objects.get().notes == "sleeps"


def test_a_move_into_a_taken_bed_is_refused(office: Client, ada: Patient, ben: Patient, north: Ward) -> None:
    answer = office.post(_page(ada), {"bed": north.beds.get(position=2).pk, "notes": "lost?"})

    assert errors(answer) == {"bed": ["Another patient lies in this bed."]}
    assert Admission.objects.get(patient=ada).notes == ""


def test_a_move_before_the_admission_is_refused(office: Client, ada: Patient, north: Ward, now: datetime) -> None:
    wanted = {"bed": north.beds.get(position=2).pk} | split("moved_at", now - timedelta(days=3))

    assert errors(office.post(_page(ada), wanted)) == {"moved_at": ["The patient came to the present bed after that."]}


def test_a_discharge_frees_bed_and_device_and_ends_alerts(
    office: Client, root: User, monitor: Monitor, ada: Patient, now: datetime
) -> None:
    monitor.post([item(ada, now, spo2=80)])
    page = office.get(_page(ada, "discharge")).content.decode()

    answer = office.post(_page(ada, "discharge"), {"notes": "home"})

    admission = Admission.objects.get()
    assert "SpO₂ 80 &lt; 85 %" in page
    assert "Device that comes off: M7" in page
    assert said(answer) == ["P-ADA is discharged; the bed is free."]
    assert (admission.discharged_by, admission.notes) == (root, "home")
    assert not admission.is_open
    assert not Alert.objects.open().exists()
    assert not DeviceAssignment.objects.filter(is_open=True).exists()


def test_a_discharge_before_the_admission_is_refused(office: Client, ada: Patient, now: datetime) -> None:
    answer = office.post(_page(ada, "discharge"), split("at", now - timedelta(days=3)))

    assert answer.context["form"].errors == {"at": ["The patient came to the present bed after that."]}
    assert Admission.objects.get().is_open


def test_a_stay_that_is_over_is_only_read(office: Client, ada: Patient, north: Ward) -> None:
    page = _page(ada)
    office.post(_page(ada, "discharge"))

    assert office.get(page).status_code == 200
    assert office.post(page, {"bed": north.beds.get(position=2).pk}).status_code == 403
    assert office.post(_page(ada, "discharge")).context["form"].errors == {"__all__": ["This stay is over already."]}


def test_an_admitted_patient_is_not_archived(office: Client, ada: Patient) -> None:
    answer = act(office, Patient, "archive", ada)

    assert said(answer) == ["P-ADA is still admitted: discharge first."]
    assert Patient.objects.get().archived_at is None


def test_a_patient_keeps_the_id_that_devices_know(office: Client, ada: Patient) -> None:
    person = {"patient_id": "P-NEW", "name": "Ada King", "gender": "female"}

    office.post(address(Patient, "change", ada.pk), person | lines("thresholds"))

    ada.refresh_from_db()
    assert (ada.patient_id, ada.name, ada.version) == ("P-ADA", "Ada King", 2)


def test_a_patient_is_not_saved_over_somebody_elses_change(office: Client, ada: Patient) -> None:
    page = address(Patient, "change", ada.pk)
    person: dict[str, Any] = {"name": "Ada King", "gender": "female", "seen_version": 1} | lines("thresholds")
    office.post(page, person)

    answer = office.post(page, person | {"name": "Ada B."})

    assert "__all__" in errors(answer)
    assert Patient.objects.get().name == "Ada King"


def _stay(patient: Patient, bed: Bed, at: datetime, notes: str = "") -> dict[str, Any]:
    return {"patient": patient.pk, "bed": bed.pk, "notes": notes} | split("admitted_at", at)


def _page(patient: Patient, page: str = "change") -> str:
    return address(Admission, page, Admission.objects.get(patient=patient).pk)


@pytest.mark.parametrize("place", ["0", "999999", "x", "%00"])
def test_a_stay_that_never_was_is_404(office: Client, place: str) -> None:
    assert office.get(f"/admin/monitoring/admission/{place}/discharge/").status_code == 404
