"""The clocks of escalation, after a judgement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitoring.models import Alert
from monitoring.services import escalation
from monitoring.services.cases import Case


def set_for(judged: Sequence[Case], changed: Sequence[Alert], *, now: datetime) -> None:
    """What begins to wait for a hand begins to be escalated, what is in a hand waits to come back, what ended is done.

    What calls again while it waits keeps its place in the plan: that nobody took it is no reason to begin anew.
    """
    begun = {pk for case in judged for pk in case.begun()}
    anew = {pk for case in judged for pk in case.waiting_anew()}
    taken = {pk for case in judged for pk in case.taken()}
    waiting = [alert for alert in changed if alert.is_open]
    escalation.restart([alert for alert in waiting if alert.pk in anew and not alert.acknowledged_at], now=now)
    escalation.taken([alert for alert in waiting if alert.pk in begun | taken and alert.acknowledged_at], at=now)
    escalation.stop([alert for alert in changed if not alert.is_open])
