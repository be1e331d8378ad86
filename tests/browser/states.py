"""A ward in which an alert stands in every state, made through the real door and the real services: to look at, and to test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import time_machine
from django.db import transaction

from accounts import keys
from accounts.models import Bed, Device, User, Ward
from monitoring.clinical.limits import Severity
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Alert, Patient
from monitoring.models.threshold import Part
from monitoring.services import admissions, alerts, escalation, technical, thresholds
from monitoring.services.layers import Scope
from tests.world import Monitor, item

CALM = {
    "heart_rate": 72,
    "spo2": 97,
    "respiratory_rate": 15,
    "systolic_bp": 124,
    "mean_bp": 92,
    "diastolic_bp": 76,
    "body_temp": 36.8,
}
SEEN = {"consciousness": "A", "on_oxygen": False}
NAMES = (
    "Ada Byron",
    "Ben Okri",
    "Cleo Marsh",
    "Dewi Price",
    "Esra Kaya",
    "Farid Nasser",
    "Gita Rao",
    "Hugo Lind",
    "Ines Prado",
)
MORE_NAMES = ("Jan Kowal", "Kiri Tau", "Lena Holm")
FLOOD = {
    "heart_rate": 160,
    "spo2": 78,
    "respiratory_rate": 40,
    "systolic_bp": 70,
    "mean_bp": 50,
    "diastolic_bp": 40,
    "body_temp": 40.4,
    "consciousness": "V",
    "on_oxygen": True,
}


@dataclass
class Stage:
    """A ward of patients behind one gateway, whose past is told from its beginning."""

    ward: Ward
    nurse: User
    doctor: User
    now: datetime
    gateway: Monitor

    @classmethod
    def build(cls, ward: Ward, nurse: User, doctor: User, *, beds: int, now: datetime) -> Stage:
        device = Device.objects.create(name="GW", kind=Device.Kind.GATEWAY)
        device.wards.add(ward)
        for position in range(ward.beds.count() + 1, beds + 1):
            Bed.objects.create(ward=ward, name=f"{ward.name[0]}{position}", position=position)
        return cls(ward, nurse, doctor, now, Monitor(device, keys.issue(device)))

    def admit(self, position: int, name: str, **fields: Any) -> Patient:
        known = {"birth_date": date(1960, 5, 1)} | fields
        patient = Patient.objects.create(patient_id=f"P-{position:03}", name=name, **known)
        bed = self.ward.beds.get(position=position)
        admissions.admit(patient, bed=bed, by=None, at=self.now - timedelta(days=1))
        return patient

    def second(self) -> Monitor:
        """Another gateway of the ward."""
        device = Device.objects.create(name="GW-2", kind=Device.Kind.GATEWAY)
        device.wards.add(self.ward)
        return Monitor(device, keys.issue(device))

    def send(self, ago: float, *items: dict[str, Any], gateway: Monitor | None = None) -> None:
        """Items that arrive so many seconds ago."""
        with time_machine.travel(self.at(ago), tick=False):
            answer = (gateway or self.gateway).post(list(items))
        assert answer.status_code == 202, answer.content

    def steady(self, patient: Patient, begin: float, end: float, **values: Any) -> list[dict[str, Any]]:
        """A value every five seconds between two times, in seconds ago."""
        count = int((begin - end) // 5) + 1
        return [item(patient, self.at(begin - 5 * place), **values) for place in range(count)]

    def at(self, ago: float) -> datetime:
        return self.now - timedelta(seconds=ago)

    def alert(self, patient: Patient, condition: str) -> Alert:
        return Alert.objects.open().get(patient=patient, condition=condition)


def calm(stage: Stage, names: Sequence[str] = NAMES + MORE_NAMES) -> list[Patient]:
    patients = [stage.admit(place, name) for place, name in enumerate(names, start=1)]
    stage.send(0, *(item(patient, stage.at(1), **CALM, **SEEN) for patient in patients))
    return patients


def every_state(stage: Stage) -> dict[str, Patient]:
    """One patient for each state, by its name; what each stands for is the key."""
    keys_ = ("raised", "taken", "returned", "silenced", "together", "cannot_measure", "unconfirmed", "pending", "score")
    lying = {key: stage.admit(place, name) for place, (key, name) in enumerate(zip(keys_, NAMES, strict=True), start=1)}
    lying["marked"] = stage.admit(10, MORE_NAMES[0], birth_date=None)
    lying["child"] = stage.admit(11, MORE_NAMES[1], birth_date=stage.now.date() - timedelta(days=900))
    _send_the_past(stage, lying)
    _send_the_present(stage, lying)
    _act(stage, lying)
    return lying


def _send_the_past(stage: Stage, lying: dict[str, Patient]) -> None:
    cut = lying["cannot_measure"], lying["unconfirmed"]
    begun = [reading for patient in cut for reading in stage.steady(patient, 480, 150, **CALM)]
    stage.send(145, *begun, item(lying["unconfirmed"], stage.at(146), spo2=82))
    stage.send(144, item(lying["cannot_measure"], stage.at(144), status={"spo2": "probe_off"}))
    stage.send(300, item(lying["returned"], stage.at(301), **CALM | {"spo2": 83}))
    stage.send(700, item(lying["silenced"], stage.at(701), **CALM | {"heart_rate": 31}))
    for _ in range(3):
        escalation.advance(now=stage.at(60))


def _send_the_present(stage: Stage, lying: dict[str, Patient]) -> None:
    thresholds.put(
        Scope(patient=lying["marked"]),
        (Sign.HEART_RATE, Part.ALWAYS),
        Override(40, 50, None, None, reason="paced"),
        by=stage.doctor,
        at=stage.at(500),
    )
    begun = stage.steady(lying["pending"], 400, 10, **CALM) + stage.steady(lying["together"], 400, 100, **CALM)
    stage.send(2, *begun)
    now = [
        item(lying["raised"], stage.at(1), **CALM | {"spo2": 84, "respiratory_rate": 22}, **SEEN),
        item(lying["taken"], stage.at(1), **CALM | {"mean_bp": 58, "diastolic_bp": 48}, **SEEN),
        item(lying["returned"], stage.at(1), **CALM),
        item(lying["silenced"], stage.at(1), **CALM | {"heart_rate": 33}, **SEEN),
        item(lying["pending"], stage.at(5), **CALM | {"heart_rate": 128}),
        item(lying["score"], stage.at(1), **CALM | {"respiratory_rate": 24, "spo2": 93, "heart_rate": 111}, consciousness="A"),
        item(lying["score"], stage.at(0.5), on_oxygen=True),
        item(lying["marked"], stage.at(1), **CALM | {"heart_rate": 150}),
        item(lying["child"], stage.at(1), **CALM | {"heart_rate": 118, "respiratory_rate": 26}),
    ]
    beyond = CALM | {"spo2": 82, "heart_rate": 148}
    stage.send(0, *now, *stage.steady(lying["together"], 95, 1, **beyond))
    look_around(stage)


def look_around(stage: Stage) -> None:
    """What the watcher finds."""
    while technical.look_around(now=stage.now):
        pass


def _act(stage: Stage, lying: dict[str, Patient]) -> None:
    alerts.acknowledge(stage.alert(lying["taken"], "blood_pressure_low"), by=stage.nurse, at=stage.now)
    slow = stage.alert(lying["silenced"], "heart_rate_low")
    alerts.silence(slow, minutes=5, by=stage.nurse, at=stage.now)
    alerts.mark_as_noise(slow, by=stage.doctor, at=stage.now, why="artefact")
    with transaction.atomic():
        clock = "clock of GW/M3 is 61 min behind"
        technical.tell(
            stage.gateway.device, technical.Finding(technical.CLOCK_SKEW, Severity.WARNING, clock), now=stage.at(200)
        )


def storm(stage: Stage) -> None:
    """Everybody at once: one patient with every alert there is, a lost gateway, and trouble in every third bed besides."""
    names = [NAMES[place % len(NAMES)] for place in range(stage.ward.beds.count() - 1)]
    patients = [stage.admit(place, name) for place, name in enumerate(names, start=1)]
    flooded, behind, others = patients[4], patients[-6:], [*patients[:4], *patients[5:-6]]
    stage.send(145, *(reading for each in behind for reading in stage.steady(each, 480, 150, **CALM)), gateway=stage.second())
    stage.send(0, *stage.steady(flooded, 60, 1, **FLOOD), item(flooded, stage.now, status={"device": "battery_low"}))
    stage.send(0, *(item(each, stage.at(1), **CALM | _trouble(place), **SEEN) for place, each in enumerate(others)))
    look_around(stage)


def _trouble(place: int) -> dict[str, float]:
    troubles: dict[int, dict[str, float]] = {
        0: {"spo2": 84},
        1: {"heart_rate": 128},
        3: {"mean_bp": 57, "diastolic_bp": 47},
        5: {"body_temp": 38.9},
    }
    return troubles.get(place % 8, {})
