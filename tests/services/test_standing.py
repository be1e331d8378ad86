"""A reading that was entered in error is kept, and counts for nothing."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import Ward
from monitoring.models import Vital
from monitoring.services import preview, suggestions
from monitoring.services.layers import Scope
from tests.world import item


def entered_in_error(patient):
    Vital.objects.filter(patient=patient).update(erroneous_at=timezone.now())


def test_it_suggests_no_limits(ada, gateway, now):
    gateway.post([item(ada, now - timedelta(minutes=1), heart_rate=118)])
    assert suggestions.for_patient(ada, now=now)

    entered_in_error(ada)

    assert suggestions.for_patient(ada, now=now) == []


def test_a_dry_run_does_not_judge_it(ada, gateway, now):
    gateway.post([item(ada, now - timedelta(minutes=1), spo2=84)])
    entered_in_error(ada)

    seen = preview.ask(ada, Scope(ward=Ward.objects.get(slug="north")), {}, hours=1, now=now)

    assert (seen.readings, sum(seen.present.values())) == (0, 0)
