"""Whose beds are whose in this shift: told first, and marked on the board."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Device, Membership, User, Ward
from monitoring.clinical.escalation import Step, Way, Whom
from monitoring.clinical.limits import Severity
from monitoring.models import Alert, Patient, Shift
from monitoring.services import recipients
from tests.admin.pages import address, errors, split
from tests.conftest import PASSWORD, signed_in
from tests.world import Monitor, item

STEP = Step(after=0, severity=Severity.WARNING, whom=Whom.AT_BED, ways=frozenset({Way.IN_APP}))


@pytest.fixture
def nils(north: Ward) -> User:
    user = User.objects.create_user("nils", "nils@example.org", PASSWORD, name="Nils")
    Membership.objects.create(user=user, ward=north, role="nurse")
    return user


def on_duty(user: User, ward: Ward, now: datetime, *beds: str) -> Shift:
    times = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=7)}
    shift = Shift.objects.create(user=user, ward=ward, **times)
    shift.beds.set(ward.beds.filter(name__in=beds))
    return shift


@pytest.fixture
def alert(ada: Patient, gateway: Monitor, now: datetime) -> Alert:
    gateway.post([item(ada, now, spo2=70)])
    return Alert.objects.open().earliest("raised_at")


def told(alert: Alert, now: datetime) -> list[str]:
    rows, _ = recipients.deliveries(STEP, alert, now=now)
    return sorted(row.user.login for row in rows if row.user)


def test_who_has_the_bed_is_told_and_nobody_else(noor: User, nils: User, north: Ward, alert: Alert, now: datetime) -> None:
    on_duty(noor, north, now, "N1", "N2")
    on_duty(nils, north, now, "N3")

    assert told(alert, now) == ["noor"]


def test_a_bed_that_nobody_has_is_everybodys(noor: User, nils: User, north: Ward, alert: Alert, now: datetime) -> None:
    on_duty(noor, north, now, "N2")
    on_duty(nils, north, now)

    assert told(alert, now) == ["nils", "noor"]


def test_who_has_left_the_ward_has_no_bed_there(noor: User, nils: User, north: Ward, alert: Alert, now: datetime) -> None:
    on_duty(noor, north, now, "N1")
    on_duty(nils, north, now)
    Membership.objects.filter(user=noor).update(ends_at=now)

    assert told(alert, now) == ["nils"]


def test_nobody_on_duty_is_the_whole_ward(noor: User, nils: User, alert: Alert, now: datetime) -> None:
    assert told(alert, now) == ["nils", "noor"]


def test_an_alert_of_a_device_is_of_no_bed(noor: User, nils: User, north: Ward, gateway: Monitor, now: datetime) -> None:
    on_duty(noor, north, now, "N1")
    on_duty(nils, north, now, "N2")
    told_of = {"subject": "device:1", "condition": "clock", "kind": "technical", "severity": "warning"}
    times = {"measured_at": now, "last_measured_at": now, "raised_at": now}
    alert = Alert.objects.create(ward=north, device=Device.objects.get(), **told_of, **times)

    assert told(alert, now) == ["nils", "noor"]


def mine(client: Client) -> Any:
    return client.get("/wards/north/mine").json()["beds"]


def test_the_board_asks_which_beds_are_mine(noor: User, nils: User, north: Ward, now: datetime) -> None:
    on_duty(noor, north, now, "N3", "N1")

    beds = [f"bed-{north.beds.get(name=name).pk}" for name in ("N1", "N3")]
    assert mine(signed_in(noor)) == beds
    assert mine(signed_in(nils)) == []


def test_after_the_shift_none_is(noor: User, north: Ward, now: datetime) -> None:
    shift = on_duty(noor, north, now, "N1")
    Shift.objects.filter(pk=shift.pk).update(ends_at=now)

    assert mine(signed_in(noor)) == []


def test_a_stranger_is_told_nothing(eve: User, north: Ward) -> None:
    assert Client().get("/wards/north/mine").status_code == 401
    assert signed_in(eve).get("/wards/north/mine").status_code == 404


def test_beds_are_chosen_on_the_shifts_page_and_only_the_wards(
    office: Client, noor: User, north: Ward, south: Ward, now: datetime
) -> None:
    shift = {"user": noor.pk, "ward": north.pk, **split("starts_at", now), **split("ends_at", now + timedelta(hours=8))}
    bed, foreign = north.beds.get(name="N1"), south.beds.get(name="S1")

    assert "beds" in errors(office.post(address(Shift, "add"), shift | {"beds": [bed.pk, foreign.pk]}))
    office.post(address(Shift, "add"), shift | {"beds": [bed.pk]})

    assert list(Shift.objects.get().beds.all()) == [bed]
    assert "N1" in office.get(address(Shift)).content.decode()
