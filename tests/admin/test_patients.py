"""What is typed of a patient: refused where nobody can have it, and a mistake of long ago holds up nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from monitoring.models import Patient
from monitoring.models.patient import today
from tests.admin.pages import address, errors, patient_page


@pytest.mark.parametrize(
    ("born", "sentence"),
    [
        ("0196-05-01", "This is more than 130 years ago."),
        ("0001-01-01", "This is more than 130 years ago."),
        ("9999-12-31", "This lies in the future."),
        ("2026-02-30", "Enter a valid date."),
    ],
)
def test_a_birth_date_that_nobody_can_have_is_refused_at_its_field(office, ada, born, sentence):
    changed = office.post(address(Patient, "change", ada.pk), patient_page(ada, birth_date=born))
    added = office.post(address(Patient, "add"), patient_page(ada, patient_id="P-NEW", birth_date=born))

    assert errors(changed)["birth_date"] == errors(added)["birth_date"] == [sentence]
    assert Patient.objects.get().birth_date is None


@pytest.mark.parametrize("days", [0, 1, 365 * 129])
def test_any_other_birth_date_is_kept(office, ada, days):
    born = today() - timedelta(days=days)

    office.post(address(Patient, "change", ada.pk), patient_page(ada, birth_date=born))

    assert Patient.objects.get().birth_date == born


def test_one_that_is_stored_already_holds_up_no_other_field(office, ada):
    Patient.objects.update(birth_date=date(196, 5, 1))
    ada.refresh_from_db()

    page = office.get(address(Patient, "change", ada.pk)).content.decode()
    answer = office.post(address(Patient, "change", ada.pk), patient_page(ada, birth_date="0196-05-01", name="Ada Lovelace"))

    assert "Adult limits: the birth date cannot be right." in page
    assert answer.status_code == 302
    assert (Patient.objects.get().name, Patient.objects.get().birth_date) == ("Ada Lovelace", date(196, 5, 1))


def test_every_form_has_it(db):
    with pytest.raises(ValidationError) as refusal:
        Patient(patient_id="P-OLD", name="Old", birth_date=date(1066, 10, 14)).full_clean()

    assert list(refusal.value.message_dict) == ["birth_date"]
