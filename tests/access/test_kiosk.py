"""A wall: a browser that holds the key of a kiosk shows its wards without names, and can do nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.models import AuditEntry, Device, Session, User, Ward
from monitoring.board import words
from monitoring.models import Alert, Patient
from tests.conftest import signed_in
from tests.world import Monitor, item

PAGE = "/accounts/kiosk/"


@pytest.fixture
def device(north: Ward) -> Device:
    device = Device.objects.create(name="WALL-N", kind=Device.Kind.KIOSK)
    device.wards.add(north)
    return device


@pytest.fixture
def wall(device: Device) -> Client:
    client = Client()
    client.post(PAGE, {"key": keys.issue(device)})
    return client


def test_a_browser_becomes_a_kiosk_by_its_key_and_shows_the_board(device: Device, ada: Patient) -> None:
    client = Client()

    answer = client.post(PAGE, {"key": keys.issue(device)}, follow=True)

    assert answer.redirect_chain == [("/", 302), ("/wards/north/", 302)]
    page = answer.content.decode()
    assert "A. B." in page and "kiosk WALL-N" in page
    assert [word for word in ("Ada Byron", "P-ADA", "Acknowledge", "Sign out") if word in page] == []


def test_the_key_lies_where_no_script_reads_it(wall: Client) -> None:
    cookie = wall.cookies[settings.KIOSK_COOKIE_NAME]

    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/"


@pytest.mark.parametrize(("key", "status"), [("", 200), ("nonsense", 200), ("\x00", 400), ("a.b", 200), ("x" * 201, 400)])
def test_a_wrong_key_is_refused(key: str, status: int, north: Ward) -> None:
    client = Client()

    answer = client.post(PAGE, {"key": key})

    assert answer.status_code == status and answer.context["form"].errors["key"]
    assert settings.KIOSK_COOKIE_NAME not in client.cookies


def test_who_guesses_keys_is_slowed_down_and_a_right_one_is_taken_all_the_same(device: Device, now: datetime) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    with time_machine.travel(now, tick=False):  # all of it in one minute
        for _ in range(30):
            client.post(PAGE, {"key": "0123456789ab." + "x" * 43})

        slowed = client.post(PAGE, {"key": "0123456789ab." + "x" * 43})

        assert slowed.status_code == 429 and int(slowed["Retry-After"]) <= 60
        assert client.post(PAGE, {"key": keys.issue(device)}).status_code == 302


def test_a_monitors_key_makes_no_kiosk(monitor: Monitor) -> None:
    assert Client().post(PAGE, {"key": monitor.key}).context["form"].errors["key"]


def test_a_wall_acts_on_nothing(wall: Client, ada: Patient, gateway: Monitor, now: datetime) -> None:
    gateway.post([item(ada, now, spo2=70)])
    alert = Alert.objects.open().earliest("raised_at")

    assert wall.post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"}).status_code == 401
    assert wall.get("/notices/").status_code == 302
    assert wall.get("/api/v1/thresholds").status_code == 401
    assert wall.get("/admin/").status_code == 302
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_a_wall_posts_no_vitals_with_its_key(device: Device, ada: Patient, now: datetime) -> None:
    answer = Monitor(device, keys.issue(device)).post([item(ada, now, spo2=70)])

    assert answer.status_code in (400, 403)
    assert not Alert.objects.exists()


def test_another_ward_is_not_there(wall: Client, south: Ward) -> None:
    assert wall.get("/wards/south/").status_code == 404


@pytest.mark.parametrize("fate", ["revoked", "switched off"])
def test_a_key_that_is_withdrawn_opens_nothing(wall: Client, device: Device, fate: str) -> None:
    if fate == "revoked":
        keys.revoke(device, at=timezone.now())
    else:
        device.is_active = False
        device.save()

    assert wall.get("/wards/north/").status_code == 302


def test_who_signs_in_on_a_wall_sees_names_and_leaves_the_wall_behind(wall: Client, noor: User, ada: Patient) -> None:
    wall.force_login(noor)
    assert "Ada Byron" in wall.get("/wards/north/").content.decode()

    wall.post("/accounts/logout/")

    assert "A. B." in wall.get("/wards/north/").content.decode()


def test_who_is_of_another_ward_sees_on_a_wall_what_everybody_sees(wall: Client, eve: User, ada: Patient) -> None:
    wall.force_login(eve)

    page = wall.get("/wards/north/").content.decode()

    assert "A. B." in page and "Ada Byron" not in page


def test_the_key_is_taken_out_again(wall: Client) -> None:
    wall.post("/accounts/kiosk/leave")

    assert wall.get("/wards/north/").status_code == 302
    assert set(AuditEntry.objects.values_list("what", flat=True)) >= {"kiosk_set_up", "kiosk_taken_down"}


def test_a_page_whose_person_is_gone_is_drawn_without_names(noor: User, ada: Patient, now: datetime) -> None:
    client = signed_in(noor)
    client.get("/wards/north/")
    Session.objects.update(seen_at=now - timedelta(minutes=16))

    page = client.get("/wards/north/").content.decode()

    assert "A. B." in page and "nobody is signed in" in page
    assert "Ada Byron" not in page and "Noor" not in page
    assert client.get("/notices/").status_code == 302


def test_on_a_wall_a_pregnancy_and_what_people_wrote_are_not_read(
    wall: Client, noor: User, ada: Patient, gateway: Monitor, now: datetime
) -> None:
    Patient.objects.update(pregnant=True)
    gateway.post([item(ada, now, spo2=70)])
    alert = Alert.objects.open().earliest("raised_at")
    signed_in(noor).post(f"/alerts/{alert.pk}/noise", {"why": "Ada pulled it off"})

    page = wall.get("/wards/north/").content.decode()

    assert "no NEWS2" in page and "pregnan" not in page
    assert "not actionable" in page and "pulled it off" not in page


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ada King Byron", "A. B."),
        ("Cher", "C."),
        ("", ""),
        ("  ömer  şahin ", "Ö. Ş."),
        ("王 小明", "王. 小."),
        ("Ada Ada", "A."),
    ],
)
def test_initials(name: str, initials: str) -> None:
    assert words.initials(name) == initials
