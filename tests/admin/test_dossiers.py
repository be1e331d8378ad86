"""The page of a dossier: for those who treat the patient, with nothing of it where it should not be."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import Membership, User
from monitoring.models import Dossier, DossierChange, Patient
from monitoring.services import dossiers
from tests.admin.pages import address
from tests.audit.trail import trail
from tests.conftest import signed_in
from tests.services.dossiers import HISTORY, HUSBAND, written


def staff(person: User):
    """Who may open the administration at all."""
    person.is_staff = True
    person.save()
    return signed_in(person)


def page_of(patient: Patient) -> str:
    return reverse("admin:monitoring_patient_dossier", args=[patient.pk])


def said(**changes):
    page = {
        "history": HISTORY,
        "phone": HUSBAND.phone,
        "email": "",
        "emergency_name": "William",
        "emergency_phone": "",
        "emergency_relationship": "husband",
        "version": 0,
    }
    return page | changes


def test_a_doctor_writes_it_and_reads_it_back(ada, dora, now):
    desk = staff(dora)

    answer = desk.post(page_of(ada), said(history=HISTORY.replace("\n", "\r\n")))

    assert answer.status_code == 302
    opened = dossiers.read(ada, by=dora, at=now)
    assert (opened.history, opened.contacts) == (HISTORY, HUSBAND)
    assert "Allergic to penicillin." in desk.get(page_of(ada)).content.decode()


def test_opening_it_is_written_down_and_kept_by_no_browser(ada, dora, now):
    written(ada, by=dora, at=now)

    answer = staff(dora).get(page_of(ada))

    assert "no-store" in answer.headers["Cache-Control"]
    assert ("dora", "P-ADA", "page:dossier") in trail("who", "patient", "about")


def test_a_nurse_reads_all_of_it_and_changes_the_contacts(ada, dora, noor, now):
    written(ada, by=dora, at=now)
    desk = staff(noor)

    page = desk.get(page_of(ada))
    answer = desk.post(page_of(ada), said(history="nothing at all", phone="+44 20 2", version=1))

    assert page.context["form"].fields["history"].disabled
    assert answer.status_code == 302
    opened = dossiers.read(ada, by=noor, at=now)
    assert (opened.history, opened.contacts.phone) == (HISTORY, "+44 20 2")


@pytest.mark.parametrize(("person", "status"), [("vera", 403), ("root", 403), ("eve", 404)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_else_opens_it(request, ada, dora, now, person, status, method):
    written(ada, by=dora, at=now)
    desk = staff(request.getfixturevalue(person))

    answer = getattr(desk, method)(page_of(ada), said(version=1))

    assert answer.status_code == status
    assert "penicillin" not in answer.content.decode()
    assert Dossier.objects.get().version == 1


def test_who_may_not_open_the_administration_opens_no_dossier(ada, dora):
    assert signed_in(dora).get(page_of(ada)).status_code == 302


def test_the_patients_page_shows_the_way_to_who_may_go(ada, dora, vera, root, north):
    pages = {who.login: staff(who).get(address(Patient, "change", ada.pk)).content.decode() for who in (dora, vera, root)}

    assert {login: page_of(ada) in page for login, page in pages.items()} == {"dora": True, "vera": False, "root": False}


def test_nothing_of_it_is_on_the_patients_page_in_a_list_or_in_a_log(ada, dora, now, caplog):
    caplog.set_level("DEBUG")
    desk = staff(dora)
    desk.post(page_of(ada), said())
    desk.post(page_of(ada), said(history=HISTORY + "!", version=1))
    desk.post(page_of(ada), said(history="penicillin" * 3000, version=2))

    seen = [
        desk.get(address(Patient, "change", ada.pk)).content.decode(),
        desk.get(address(Patient)).content.decode(),
        desk.get(address(Patient, "history", ada.pk)).content.decode(),
        caplog.text,
        str(trail("detail")),
        str(list(LogEntry.objects.values_list())),
    ]
    assert not any("penicillin" in each or "William" in each for each in seen)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"history": "penicillin" * 2001}, "history", "Ensure this value has at most 20000 characters (it has 20010)."),
        ({"email": "nowhere"}, "email", "This is no e-mail address."),
        ({"phone": "1" * 41}, "phone", "Ensure this value has at most 40 characters (it has 41)."),
        ({"history": "a\0b"}, "history", "Null characters are not allowed."),
    ],
)
def test_what_is_refused_is_named_without_its_words(ada, dora, changes, field, sentence):
    answer = staff(dora).post(page_of(ada), said(**changes))

    assert answer.context["form"].errors == {field: [sentence]}
    assert not Dossier.objects.exists()


def test_a_page_that_was_overtaken_is_not_saved_over(ada, dora, now):
    desk = staff(dora)
    written(ada, by=dora, at=now)

    answer = desk.post(page_of(ada), said(history="mine"))

    assert "Somebody changed this since you opened it." in answer.content.decode()
    assert DossierChange.objects.filter(part="history").count() == 1


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
def test_a_version_that_was_never_shown_is_refused(ada, dora, version):
    answer = staff(dora).post(page_of(ada), said(version=version))

    assert answer.status_code == 200
    assert not Dossier.objects.exists()


def test_what_cannot_be_read_is_said_and_left_as_it_is(ada, ben, dora, now):
    for patient in (ada, ben):
        written(patient, by=dora, at=now)
    bens = Dossier.objects.get(patient=ben).history
    Dossier.objects.filter(patient=ada).update(history=bens)
    desk = staff(dora)

    page = desk.get(page_of(ada))
    answer = desk.post(page_of(ada), said(history="new", phone="+44 20 2", version=1))

    assert page.status_code == 200
    assert "This cannot be read" in page.content.decode()
    assert "penicillin" not in page.content.decode().replace("before", "")
    assert answer.status_code == 302
    assert Dossier.objects.get(patient=ada).history == bens


def test_what_it_said_before_is_shown_below(ada, dora, now):
    desk = staff(dora)
    desk.post(page_of(ada), said())
    desk.post(page_of(ada), said(history="None known.", version=1))

    page = desk.get(page_of(ada)).content.decode()

    assert page.count("Allergic to penicillin.") == 1
    assert "changed by Dora (version 2)" in page


def test_an_administrator_who_works_as_a_doctor_there_opens_it(ada, root, north):
    Membership.objects.create(user=root, ward=north, role=Membership.Role.DOCTOR)

    assert staff(root).get(page_of(ada)).status_code == 200


@pytest.mark.parametrize("place", ["0", "999999", "x", "%00", "1%20OR%201=1"])
def test_a_patient_that_is_not_there_is_404(root, place):
    assert signed_in(root).get(f"/admin/monitoring/patient/{place}/dossier/").status_code == 404
