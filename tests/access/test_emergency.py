"""Breaking the glass: another ward for an hour, with a reason, and never in secret."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts import access, emergency
from accounts.access import Permission
from accounts.models import AuditEntry, Deed, EmergencyAccess, User, Ward
from monitoring.models import Alert, Patient
from tests.conftest import signed_in
from tests.world import Monitor, item

WHY = "cardiac arrest in N1"
PAGE = "/accounts/emergency/"


@pytest.fixture
def eves(eve: User) -> Client:
    return signed_in(eve)


def test_a_nurse_of_another_ward_enters_with_a_reason(eves: Client, north: Ward, ada: Patient) -> None:
    assert eves.get("/wards/north/").status_code == 404

    answer = eves.post(PAGE, {"ward": "north", "reason": WHY}, follow=True)

    assert answer.redirect_chain == [("/wards/north/", 302)]
    page = answer.content.decode()
    assert "Emergency access until" in page and WHY in page
    assert "Ada Byron" in page


def test_it_is_written_down_with_the_reason_and_the_end(eves: Client, eve: User, north: Ward) -> None:
    eves.post(PAGE, {"ward": "north", "reason": WHY})
    eves.post("/accounts/emergency/leave", {"ward": "north"})

    deeds = AuditEntry.objects.filter(what__in=[Deed.GLASS_BROKEN, Deed.GLASS_CLOSED]).order_by("pk")
    assert [(deed.what, deed.user, deed.ward) for deed in deeds] == [("glass_broken", eve, north), ("glass_closed", eve, north)]
    assert deeds[0].detail["reason"] == WHY
    assert eves.get("/wards/north/").status_code == 404


def test_it_ends_by_itself(eve: User, north: Ward, ada: Patient, now: datetime) -> None:
    emergency.enter(eve, north, reason=WHY, at=now - emergency.LASTS)

    assert not Ward.objects.visible_to(eve).filter(pk=north.pk).exists()
    assert not access.permissions(eve, north)


def test_the_role_is_the_one_that_she_has_elsewhere(
    eves: Client, eve: User, north: Ward, ada: Patient, monitor: Monitor, now: datetime
) -> None:
    monitor.post([item(ada, now, spo2=70)])
    alert = Alert.objects.open().earliest("raised_at")
    emergency.enter(eve, north, reason=WHY, at=now)

    answer = eves.post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"})

    assert answer.status_code == 200
    assert Permission.SET_SCALE not in access.permissions(eve, north)


@pytest.mark.parametrize("reason", ["", "  help  ", "a" * 201])
def test_a_reason_is_demanded(eves: Client, north: Ward, reason: str) -> None:
    answer = eves.post(PAGE, {"ward": "north", "reason": reason})

    assert "reason" in answer.context["form"].errors
    assert not EmergencyAccess.objects.exists()


def test_the_verb_itself_wants_a_reason(eve: User, north: Ward, now: datetime) -> None:
    with pytest.raises(emergency.ReasonMissing):
        emergency.enter(eve, north, reason="  ??    ", at=now)


def test_a_viewer_may_not_and_neither_may_who_works_nowhere(vera: User, south: Ward, now: datetime) -> None:
    assert signed_in(vera).get(PAGE).status_code == 403
    with pytest.raises(emergency.NotAllowed):
        emergency.enter(vera, south, reason=WHY, at=now)


def test_one_emergency_does_not_lead_to_the_next(eve: User, north: Ward, now: datetime) -> None:
    emergency.enter(eve, north, reason=WHY, at=now)
    eve.memberships.all().delete()

    assert not emergency.may_enter(eve, at=now)


def test_a_second_time_prolongs_and_both_are_kept(eve: User, north: Ward, now: datetime) -> None:
    emergency.enter(eve, north, reason=WHY, at=now - timedelta(minutes=50))
    emergency.enter(eve, north, reason="still in cardiac arrest", at=now)

    assert [row.ends_at for row in EmergencyAccess.objects.order_by("pk")] == [now, now + emergency.LASTS]


def test_ones_own_ward_is_not_offered(eves: Client, south: Ward, north: Ward) -> None:
    assert list(eves.get(PAGE).context["form"].fields["ward"].queryset) == [north]
