"""The demo hospital: two wards, twelve invented patients with a monitor each, three people who sign in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import check_password
from django.db import transaction

from accounts import keys
from accounts.models import Bed, Device, Membership, User, Ward
from monitoring.demo.sources import Source
from monitoring.models import Admission, Patient, Placement
from monitoring.services import admissions

BEDS = 8  # in each ward; some stay empty


@dataclass(frozen=True)
class Person:
    """A demo login. The password is no secret: it is printed, and it must never open a real hospital."""

    login: str
    name: str
    password: str
    role: str = ""  # in both wards; without one an administrator

    @property
    def email(self) -> str:
        return f"{self.login}@demo.example"


@dataclass(frozen=True)
class Invented:
    """A patient who does not exist; every family name means "example" in some language."""

    patient_id: str
    name: str
    gender: str
    birth_date: date
    ward: str
    bed: int
    stay: int  # hours in bed when the demo is loaded first

    @property
    def device(self) -> str:
        return f"M-{self.ward.upper()}-{self.bed}"


WARDS = {"icu": "Intensive care", "imc": "Intermediate care"}
PEOPLE = (
    Person("nurse", "Nina Nurse", "demo-nurse", Membership.Role.NURSE),
    Person("doctor", "Dario Doctor", "demo-doctor", Membership.Role.DOCTOR),
    Person("administrator", "Asha Administrator", "demo-administrator"),
)
# In the order of the recordings that they play.
PATIENTS = (
    Invented("DEMO-01", "Ada Beispiel", "female", date(1948, 3, 12), "icu", 1, 52),
    Invented("DEMO-02", "Bo Exempel", "male", date(1957, 11, 2), "icu", 2, 31),
    Invented("DEMO-03", "Chidi Mfano", "male", date(1985, 6, 24), "icu", 3, 9),
    Invented("DEMO-04", "Dewi Contoh", "female", date(1962, 1, 30), "icu", 4, 77),
    Invented("DEMO-05", "Esra Örnek", "female", date(1971, 8, 8), "icu", 6, 15),
    Invented("DEMO-06", "Farid Mesal", "male", date(1944, 5, 17), "icu", 7, 26),
    Invented("DEMO-07", "Giulia Esempio", "female", date(1993, 12, 5), "icu", 8, 5),
    Invented("DEMO-08", "Hana Rei", "female", date(1939, 4, 21), "imc", 1, 98),
    Invented("DEMO-09", "Inés Ejemplo", "other", date(1978, 9, 14), "imc", 2, 44),
    Invented("DEMO-10", "Jan Przykład", "male", date(1952, 2, 28), "imc", 4, 61),
    Invented("DEMO-11", "Kiri Tauira", "female", date(1989, 7, 3), "imc", 5, 20),
    Invented("DEMO-12", "Lakshmi Udaharan", "female", date(1966, 10, 19), "imc", 7, 37),
)


class NotADemo(Exception):
    """The database holds a hospital that is not the demo."""


@transaction.atomic
def load(*, at: datetime) -> None:
    """Make the demo hospital, or what is missing of it. Raises NotADemo, and then nothing is changed.

    A database is the demo's when it is empty, or when the demo's passwords open it already: then nothing is left to lose by
    putting them there. Anything else may be a real hospital, which must never get logins whose passwords are printed.
    """
    if not (_is_empty() or _is_demo()):
        raise NotADemo
    wards = {slug: _ward(slug, name) for slug, name in WARDS.items()}
    for person in PEOPLE:
        _sign_up(person, wards)
    administrator = User.objects.get(login=PEOPLE[-1].login)
    for invented in PATIENTS:
        _lay_down(invented, wards[invented.ward], by=administrator, at=at)


@transaction.atomic
def new_keys(*, at: datetime) -> list[Source]:
    """Every monitor of the demo with a new key; the older ones are revoked. Where they are shown is the caller's care."""
    devices = Device.objects.in_bulk([invented.device for invented in PATIENTS], field_name="name")
    new = {name: keys.rotate(device, at=at, by=None, overlap=keys.AT_ONCE) for name, device in devices.items()}
    return [Source(invented.patient_id, invented.device, new[invented.device]) for invented in PATIENTS]


def logins() -> Iterator[str]:
    """What the demo prints about who can sign in."""
    for person in PEOPLE:
        yield f"{person.login:<14} {person.password:<20} or by e-mail {person.email}"


def _is_empty() -> bool:
    return not any(model._default_manager.exists() for model in (User, Patient, Ward, Device))


def lets_in(person: Person) -> bool:
    """Whether the printed password signs in; asking changes nothing."""
    stored = User.objects.filter(is_active=True, login=person.login, email=person.email).values_list("password", flat=True)
    return any(check_password(person.password, each) for each in stored)


def _is_demo() -> bool:
    return all(lets_in(person) for person in PEOPLE)


def _ward(slug: str, name: str) -> Ward:
    ward, _ = Ward.objects.get_or_create(slug=slug, defaults={"name": name})
    for position in range(1, BEDS + 1):
        Bed.objects.get_or_create(ward=ward, position=position, defaults={"name": f"{slug.upper()} {position}"})
    return ward


def _sign_up(person: Person, wards: dict[str, Ward]) -> None:
    if User.objects.filter(login=person.login).exists():
        return
    if not person.role:
        User.objects.create_superuser(person.login, person.email, person.password, name=person.name)
        return
    user = User.objects.create_user(person.login, person.email, person.password, name=person.name)
    for ward in wards.values():
        Membership.objects.create(user=user, ward=ward, role=person.role)


def _lay_down(invented: Invented, ward: Ward, *, by: User, at: datetime) -> None:
    """The patient in the bed and the monitor on the patient; who was discharged comes back if the bed is still free."""
    patient, is_new = Patient.objects.get_or_create(
        patient_id=invented.patient_id,
        defaults={"name": invented.name, "gender": invented.gender, "birth_date": invented.birth_date},
    )
    device, made = Device.objects.get_or_create(name=invented.device, defaults={"zero_is_absent": True})
    if made:
        device.wards.add(ward)
    bed = Bed.objects.get(ward=ward, position=invented.bed)
    since = at - timedelta(hours=invented.stay) if is_new else at
    if not Admission.objects.filter(patient=patient, is_open=True).exists():
        if Placement.objects.filter(bed=bed, is_open=True).exists():
            return
        admissions.admit(patient, bed=bed, by=by, at=since)
    admissions.assign(device, patient=patient, by=by, at=since)
