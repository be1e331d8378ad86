"""Who a patient is stands in the database and on the screens of those who may see it, and nowhere else.

People, devices and programs do their day's work with a real web process, which says all that it can say (LOG_LEVEL=DEBUG).
Then words that occur nowhere else are looked for wherever they must not be: in its log, in Redis, in letters, webhooks and
pushes, in addresses, in other columns.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import websockets
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password

from accounts import hashing
from accounts.models import User, Ward
from monitoring.models import (
    AlarmState,
    Alert,
    Delivery,
    DossierChange,
    EscalationStep,
    Patient,
    Placement,
    ScaleChange,
)
from tests.admin.pages import patient_page
from tests.conftest import PASSWORD
from tests.live.processes import PATIENCE, Server, running, wait_until
from tests.live.secrets import (
    HISTORY,
    NAME,
    NEW_NAME,
    PHONE,
    RELATIVE,
    Desk,
    columns_with_secrets,
    found_in,
    gone,
    heard_of_redis,
)
from tests.services import test_channels
from tests.services.outbox import endpoint
from tests.services.receivers import PostOffice, Receiver, post_office, receiver
from tests.services.test_channels import Browser
from tests.world import Monitor, item

pytestmark = pytest.mark.django_db(transaction=True)

vapid = test_channels.vapid


@dataclass
class House:
    """A web process that watches, what it says, and what leaves it."""

    server: Server
    log: Path
    mail: PostOffice
    hook: Receiver
    pushes: Receiver
    redis: list[str]
    browser: Browser
    answers: list[str] = field(default_factory=list)  # what devices and programs were told

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """A program or a device asks."""
        answer = requests.request(method, self.server.url + path, json=body, headers=headers, timeout=PATIENCE)
        self.answers.append(answer.text)
        return answer

    def send(self, gateway: Monitor, *items: Any, key: str = "") -> int:
        body = json.loads(json.dumps(items, default=datetime.isoformat))
        return self.ask("POST", "/api/v1/vitals", body, **{"X-API-Key": key or gateway.key}).status_code

    def outside(self) -> str:
        """Whatever left the house, in clear."""
        letters = [f"{letter.as_string()}\n{letter.get_payload(decode=True)!r}" for letter in self.mail.letters]
        posts = [f"{headers}\n{body!r}" for headers, body in self.hook.posts]
        pushed = [f"{headers}\n{self.browser.read(body)}" for headers, body in self.pushes.posts]
        return "\n".join(letters + posts + pushed)


@pytest.fixture
def house(north: Ward, dora: User, vapid: None, settings: Any, tmp_path: Path) -> Iterator[House]:
    log = tmp_path / "log"
    with post_office() as mail, receiver() as hook, receiver(201) as pushes, heard_of_redis() as redis, log.open("wb") as file:
        told = {"email": True, "push": True, "in_app": True, "webhook": endpoint(north, hook.url)}
        EscalationStep.objects.create(ward=north, after_minutes=0, severity="warning", whom="doctors", **told)
        browser = Browser(dora, pushes.url)
        outside = {
            "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
            "VAPID_PRIVATE_KEY": settings.VAPID_PRIVATE_KEY,
            "VAPID_SUBJECT": settings.VAPID_SUBJECT,
        }
        with running(log=file, LOG_LEVEL="DEBUG", **outside) as server:
            yield House(server, log, mail, hook, pushes, redis, browser)


@pytest.fixture
def zyx(ada: Patient, dora: User, noor: User) -> Patient:
    """A patient of a name that nobody else has, and who treats her."""
    Patient.objects.filter(pk=ada.pk).update(name=NAME)
    User.objects.filter(pk__in=[dora.pk, noor.pk]).update(
        is_staff=True, password=make_password(PASSWORD, hasher=hashing.Argon2())
    )
    for person in (ada, dora, noor):
        person.refresh_from_db()
    return ada


DOSSIER = {
    "history": HISTORY,
    "phone": PHONE,
    "email": "",
    "emergency_name": RELATIVE,
    "emergency_phone": PHONE,
    "emergency_relationship": "mother",
}


def watched(house: House, desk: Desk, act: Callable[[], Any], words: str) -> list[str]:
    """What a board's socket shows from its opening until it says these words, which the act brings about."""

    async def watch() -> list[str]:
        headers = {"Cookie": desk.cookies, "Origin": house.server.url}
        address = f"ws://127.0.0.1:{house.server.port}/ws/wards/north/"
        async with websockets.connect(address, additional_headers=headers, max_size=None) as socket, asyncio.timeout(PATIENCE):
            frames = [str(await socket.recv())]
            await asyncio.to_thread(act)
            while words not in frames[-1]:
                frames.append(str(await socket.recv()))
        return frames

    return asyncio.run(watch())


def a_program_reads_and_sets_limits(house: House, zyx: Patient) -> None:
    assert house.ask("POST", "/auth/login", {"id": "dora", "password": "not this one, no"}).status_code == 401
    pair = house.ask("POST", "/auth/login", {"id": "dora", "password": PASSWORD}).json()
    shown = {"Authorization": f"Bearer {pair['access_token']}"}
    limits = f"/api/v1/patients/{zyx.patient_id}/thresholds"
    version = house.ask("GET", limits, **shown).json()["version"]
    spo2 = {"sign": "spo2", "critical_low": 80, "warning_low": 88}
    assert house.ask("PUT", limits, {"limits": [spo2], "version": version}, **shown).status_code == 200
    assert house.ask("PUT", limits, {"limits": [spo2], "version": version}, **shown).status_code == 409
    preview = {"patient_id": zyx.patient_id, "limits": [spo2], "hours": 1}
    assert house.ask("POST", "/api/v1/thresholds/preview", preview, **shown).status_code == 200
    assert house.ask("GET", "/auth/me", **shown).status_code == 200
    assert house.ask("POST", "/auth/logout", **shown).status_code in {200, 204}


def a_doctor_edits(desk: Desk, zyx: Patient) -> None:
    page = f"/admin/monitoring/patient/{zyx.pk}"
    assert NAME in desk.get(f"{page}/change/").text
    assert desk.post(f"{page}/dossier/", DOSSIER | {"version": 0}).status_code == 200
    again = desk.post(f"{page}/dossier/", DOSSIER | {"version": 1, "history": f"{HISTORY}, and worse", "email": RELATIVE})
    assert "errorlist" in again.text  # no e-mail address
    assert desk.post(f"{page}/dossier/", DOSSIER | {"version": 1, "history": f"{HISTORY}, and worse"}).status_code == 200
    zyx.refresh_from_db()
    assert "errorlist" in desk.post(f"{page}/change/", patient_page(zyx, name=NEW_NAME * 30)).text
    assert NEW_NAME in desk.post(f"{page}/change/", patient_page(zyx, name=NEW_NAME)).text + desk.get(f"{page}/change/").text


def test_a_days_work_leaves_no_name_where_it_does_not_belong(house, zyx, ben, noor, dora, eve, root, gateway):
    nurse, doctor, office, stranger = (Desk(house.server, person) for person in (noor, dora, root, eve))

    frames = watched(house, nurse, lambda: house.send(gateway, item(zyx, spo2=70)), "SpO₂ 70 &lt;")
    assert NAME in frames[0] + frames[-1]
    assert house.send(gateway, item(zyx, heart_rate=71, spo2=700, patient_name=NAME)) == 202
    assert house.send(gateway, item(zyx, spo2=97), key="medql.nonsense") == 401
    wait_until(lambda: house.mail.letters and house.hook.posts and house.pushes.posts, "all three ways out were gone")
    assert NAME in nurse.get("/wards/north/").text
    assert stranger.get("/wards/south/").status_code == 200
    alert = Alert.objects.open().get(patient=zyx, condition="spo2_low")
    assert nurse.post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"}).status_code == 200
    assert stranger.post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"}).status_code == 404
    a_doctor_edits(doctor, zyx)
    a_program_reads_and_sets_limits(house, zyx)
    pages = doctor.walk("/", "/admin/") | office.walk("/", "/admin/", "/load/") | nurse.walk("/", "/notices/")
    assert office.get(f"/admin/monitoring/patient/?q={zyx.patient_id[:3]}").status_code == 200

    assert len([path for path, text in pages.items() if found_in(text)]) >= 3  # the board, the list, her own page
    desks = nurse, doctor, office, stranger
    assert {address for desk in desks for address in desk.addresses if found_in(address)} == set()
    assert found_in("\n".join(house.answers)) == set()
    assert found_in(house.outside()) == set()
    wait_until(lambda: not Delivery.objects.filter(alert=alert).exclude(state="sent").exists(), "each is known to be sent")
    assert found_in("\n".join(house.redis)) == set()
    assert found_in(house.log.read_text()) == set()
    # The second is what a device sent that is none of ours: kept as it was sent.
    assert columns_with_secrets() == {"monitoring.patient.name", "monitoring.rejectedvital.item"}


@pytest.mark.redis
def test_redis_was_listened_to(house, zyx, noor, gateway):
    """Else the test above would find nothing there."""
    nurse = Desk(house.server, noor)

    watched(house, nurse, lambda: house.send(gateway, item(zyx, spo2=70)), "SpO₂ 70 &lt;")

    assert [command for command in house.redis if command.startswith("PUBLISH")]


def test_no_fault_tells_a_name(house, zyx, noor, dora, gateway):
    nurse, doctor = Desk(house.server, noor), Desk(house.server, dora)
    page = f"/admin/monitoring/patient/{zyx.pk}"
    answers = [doctor.get(f"{page}/change/"), nurse.get("/wards/north/")]
    assert [NAME in answer.text for answer in answers] == [True, True]

    with gone([AlarmState, DossierChange, LogEntry, ScaleChange]):
        failed = [
            doctor.get(f"{page}/change/"),
            doctor.post(f"{page}/change/", patient_page(zyx, name=NEW_NAME)),
            doctor.post(f"{page}/dossier/", DOSSIER | {"version": 0}),
            house.ask("POST", "/api/v1/vitals", [item(zyx, spo2=70)], **{"X-API-Key": gateway.key}),
        ]
    watched(house, nurse, lambda: _without_places(house, nurse, failed), "pulse")

    zyx.refresh_from_db()
    assert zyx.name == NAME  # what failed was taken back
    assert {answer.status_code for answer in failed} <= {500, 503}
    assert found_in("\n".join(answer.text for answer in failed)) == set()
    log = house.log.read_text()
    assert log.count("Traceback") >= len(failed)
    assert found_in(log) == set()
    assert found_in("\n".join(house.redis)) == set()


def _without_places(house: House, nurse: Desk, failed: list[requests.Response]) -> None:
    """The board itself cannot be drawn, neither for a page nor for the socket that is open."""
    with gone([Placement]):
        failed.append(nurse.get("/wards/north/"))
