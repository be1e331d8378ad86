"""The demo hospital is loaded whole, once, and never into a real one."""

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.forms.models import model_to_dict

from accounts import keys
from accounts.models import Device, Membership, User, Ward
from monitoring.demo import hospital, simulation, sources
from monitoring.models import Admission, DeviceAssignment, Patient, Placement
from monitoring.services import admissions

pytestmark = pytest.mark.django_db


def everything() -> list[tuple[str, dict]]:
    """Every row of the two core apps."""
    models = [model for label in ("accounts", "monitoring") for model in apps.get_app_config(label).get_models()]
    return [(model.__name__, model_to_dict(row)) for model in models for row in model._default_manager.order_by("pk")]


def test_demo_has_two_wards_with_patients_monitors_and_free_beds(capsys):
    call_command("load_demo")

    assert Ward.objects.count() == 2
    assert Patient.objects.count() == Admission.objects.filter(is_open=True).count() == 12
    assert DeviceAssignment.objects.filter(is_open=True, device__zero_is_absent=True).count() == 12
    for ward in Ward.objects.all():
        assert 0 < Placement.objects.filter(bed__ward=ward, is_open=True).count() < ward.beds.count()
    nurse, administrator = User.objects.get(login="nurse"), User.objects.get(login="administrator")
    assert Membership.objects.filter(user=nurse, role="nurse").count() == 2
    assert administrator.is_superuser and administrator.check_password("demo-administrator")
    assert "administrator@demo.example" in capsys.readouterr().out


def test_loading_twice_changes_nothing():
    call_command("load_demo", verbosity=0)
    once = everything()

    call_command("load_demo", verbosity=0)

    assert everything() == once


def test_discharged_demo_patient_comes_back(now):
    hospital.load(at=now)
    admissions.discharge(Admission.objects.get(patient__patient_id="DEMO-03"), by=None, at=now)

    hospital.load(at=now)

    assert Admission.objects.filter(is_open=True).count() == DeviceAssignment.objects.filter(is_open=True).count() == 12


@pytest.mark.parametrize("resident", ["ada", "root", "north", "gateway"])
def test_a_hospital_that_is_not_the_demo_is_refused_and_untouched(resident, request):
    request.getfixturevalue(resident)
    before = everything()

    with pytest.raises(CommandError, match="must never get into a real hospital"):
        call_command("load_demo", verbosity=0)

    assert everything() == before


def test_demo_whose_password_was_changed_is_a_hospital(now):
    hospital.load(at=now)
    nurse = User.objects.get(login="nurse")
    nurse.set_password("a secret of her own")
    nurse.save()

    with pytest.raises(hospital.NotADemo):
        hospital.load(at=now)


def test_new_keys_replace_the_old_and_are_not_printed(tmp_path, capsys, now):
    path = tmp_path / "keys.json"
    call_command("load_demo", keys=path)
    (first, *_) = sources.read(path)

    call_command("load_demo", keys=path)

    (second, *_) = issued = sources.read(path)
    printed = capsys.readouterr().out
    assert keys.device_of(second.key, now=now) == Device.objects.get(name=second.device)
    assert not any(source.key in printed for source in issued)
    with pytest.raises(keys.RevokedKey):
        keys.device_of(first.key, now=now)


def test_simulation_ward_can_be_prepared_again(now):
    simulation.prepare(patients=3, start_id=1, zero_is_absent=True, at=now)

    again = simulation.prepare(patients=4, start_id=2, zero_is_absent=False, at=now)

    assert [source.patient_id for source in again] == ["P00002", "P00003", "P00004", "P00005"]
    assert Placement.objects.filter(bed__ward__slug="simulation", is_open=True).count() == 5


def test_simulation_keeps_off_a_real_patient_of_its_number(north, now):
    patient = Patient.objects.create(patient_id="P00002", name="Somebody")
    admissions.admit(patient, bed=north.beds.get(position=1), by=None, at=now)

    with pytest.raises(CommandError, match="P00002 exists and is not in the simulation ward"):
        call_command("simulate", create=True, patients=3)

    assert not Ward.objects.filter(slug="simulation").exists()


def test_the_demos_passwords_are_found_where_there_is_no_demo(now, settings):
    hospital.load(at=now)
    settings.DEMO = False
    nurse = User.objects.get(login="nurse")
    nurse.set_password("a secret of her own")
    nurse.save()

    (fault,) = (each for each in run_checks(databases=["default"]) if each.id == "medql.E005")
    assert "doctor, administrator" in fault.msg
    assert "nurse" not in fault.msg
    settings.DEMO = True
    assert not [each for each in run_checks(databases=["default"]) if each.id == "medql.E005"]
