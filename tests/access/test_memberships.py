"""Where a person works, from when until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import access
from accounts.access import Permission
from accounts.models import Membership, User, Ward
from monitoring.clinical.escalation import Step, Way, Whom
from monitoring.clinical.limits import Severity
from monitoring.models import Patient
from monitoring.services import recipients
from tests.conftest import signed_in

HOUR = timedelta(hours=1)


def _works(person: User, **times: Any) -> None:
    Membership.objects.filter(user=person).update(**times)


@pytest.mark.parametrize(
    ("starts", "ends", "sees"),
    [(None, None, True), (-HOUR, None, True), (-HOUR, HOUR, True), (HOUR, None, False), (None, -HOUR, False)],
)
def test_a_ward_is_seen_from_and_until(
    north: Ward, noor: User, ada: Patient, now: datetime, starts: timedelta | None, ends: timedelta | None, sees: bool
) -> None:
    _works(noor, starts_at=starts and now + starts, ends_at=ends and now + ends)

    answer = signed_in(noor).get(f"/wards/{north.slug}/")

    assert answer.status_code == (200 if sees else 404)
    assert Patient.objects.visible_to(noor).filter(pk=ada.pk).exists() is sees
    assert (Permission.ACKNOWLEDGE in access.permissions(noor, north)) is sees


def test_who_has_left_is_told_nothing_more(north: Ward, noor: User, dora: User, now: datetime) -> None:
    step = Step(after=1, severity=Severity.WARNING, whom=Whom.NURSES, ways=frozenset({Way.IN_APP}))

    assert recipients.people(step, north, now=now) == [noor]
    _works(noor, ends_at=now)
    assert recipients.people(step, north, now=now) == []


def test_two_roles_one_after_the_other_are_two_lines(north: Ward, noor: User, now: datetime) -> None:
    _works(noor, ends_at=now)
    later = Membership(user=noor, ward=north, role="doctor", starts_at=now)

    later.full_clean()
    later.save()

    assert access.permissions(noor, north) == access.ROLES["doctor"]


def test_two_lines_at_the_same_time_are_refused(north: Ward, noor: User, now: datetime) -> None:
    _works(noor, starts_at=now, ends_at=now + HOUR)

    with pytest.raises(ValidationError):
        Membership(user=noor, ward=north, role="doctor", starts_at=now + HOUR / 2).full_clean()
    with pytest.raises(ValidationError):
        Membership(user=noor, ward=north, role="doctor", ends_at=now + HOUR / 2).full_clean()
    with pytest.raises(ValidationError):
        Membership(user=noor, ward=north, role="doctor", starts_at=now + HOUR * 3, ends_at=now + HOUR * 2).full_clean()
    Membership(user=noor, ward=north, role="doctor", starts_at=now + HOUR).full_clean()


def test_in_a_ward_of_two_roles_both_count_and_nobody_is_told_twice(north: Ward, noor: User, now: datetime) -> None:
    Membership.objects.create(user=noor, ward=north, role="doctor")
    step = Step(after=1, severity=Severity.WARNING, whom=Whom.NURSES, ways=frozenset({Way.IN_APP}))

    assert access.permissions(noor, north) == access.ROLES["doctor"]
    assert list(access.staff(north, now=now)) == [noor]
    assert recipients.people(step, north, now=now) == [noor]


def test_a_clock_that_is_set_back_leaves_the_ward_its_nurses(north: Ward, noor: User, now: datetime) -> None:
    assert list(access.staff(north, "nurse", now=now - 100 * HOUR)) == [noor]
