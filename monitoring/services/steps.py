"""Whether a step of a ward's plan can reach anybody: asked when it, or its webhook, is saved, and not first in need."""

from __future__ import annotations

from datetime import datetime

from monitoring.clinical.escalation import Way, Whom
from monitoring.models import EscalationStep, PushSubscription, Shift, WebhookEndpoint
from monitoring.services import recipients
from monitoring.services.channels import available
from monitoring.services.recipients import BY_SHIFT


def faults(step: EscalationStep, *, now: datetime) -> dict[str, str]:
    """What keeps this step from ever reaching anybody, by field; nothing when it is well."""
    ways = step.ways - {Way.WEBHOOK}
    found = _of_webhook(step)
    if step.whom == Whom.NOBODY:
        found |= _alone(step, ways)
    else:
        found |= _of_people(step, now)
        found |= _of_ways(step, ways, now)
    if step.person and step.whom != Whom.PERSON:
        found["person"] = "Only a step for one person names one."
    return found


def endpoint_faults(endpoint: WebhookEndpoint) -> dict[str, str]:
    """What a change of a webhook would take from the steps that use it, by field."""
    before = WebhookEndpoint.objects.filter(pk=endpoint.pk).first()
    if before is None or not EscalationStep.objects.filter(webhook=before).exists():
        return {}
    found = {}
    if before.is_active and not endpoint.is_active:
        found["is_active"] = f"The escalation of {before.ward} uses it: change that plan first, or its step would reach nobody."
    if before.ward_id != endpoint.ward_id:
        found["ward"] = f"The escalation of {before.ward} uses it: make another webhook for this ward."
    return found


def _alone(step: EscalationStep, ways: frozenset[Way]) -> dict[str, str]:
    found = {way.value: "This step tells nobody: choose whom, or leave this out." for way in ways}
    if not step.webhook:
        found["webhook"] = "This step tells nobody but the webhook: name one."
    return found


def _of_webhook(step: EscalationStep) -> dict[str, str]:
    if step.webhook and step.webhook.ward_id != step.ward_id:
        return {"webhook": "This webhook belongs to another ward."}
    if step.webhook and not step.webhook.is_active:
        return {"webhook": "This webhook is switched off."}
    return {}


def _of_people(step: EscalationStep, now: datetime) -> dict[str, str]:
    if step.whom == Whom.PERSON:
        if not step.person:
            return {"person": "Name the person."}
        if not recipients.people(step.step, step.ward_id, now=now):
            return {"person": "This person is not active, or no member of this ward."}
    elif step.whom in BY_SHIFT:
        if not Shift.objects.filter(ward=step.ward_id, ends_at__gt=now, user__is_active=True).exists():
            return {"whom": "No shift is planned in this ward: nobody would be on duty."}
    elif not recipients.people(step.step, step.ward_id, now=now):
        return {"whom": "This ward has nobody in that role who is active."}
    return {}


def _of_ways(step: EscalationStep, ways: frozenset[Way], now: datetime) -> dict[str, str]:
    if not ways:
        return {"in_app": "Say how these people are told."}
    if Way.EMAIL in ways and not available(Way.EMAIL):
        return {"email": "No mail server is set up (EMAIL_URL): nothing would be sent."}
    if Way.PUSH in ways:
        return _of_push(step, now)
    return {}


def _of_push(step: EscalationStep, now: datetime) -> dict[str, str]:
    if not available(Way.PUSH):
        return {"push": "Web push is not set up (VAPID_PRIVATE_KEY): nothing would be sent."}
    if step.whom in BY_SHIFT:  # who that will be is not known yet
        return {}
    named = recipients.people(step.step, step.ward_id, now=now)
    if named and not PushSubscription.objects.filter(user__in=named).exists():
        return {"push": "None of these people lets a browser call them yet."}
    return {}
