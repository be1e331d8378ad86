"""A vital saved singly, in admin or a shell, reaches the same alert service as a batch from a device."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from monitoring.models import Vital
from monitoring.services import alerts, summaries


@receiver(post_save, sender=Vital)
def judge_single_vital(instance: Vital, created: bool, raw: bool, **kwargs: Any) -> None:
    now = timezone.now()
    summaries.touch([instance], now=now)
    if created and not raw:  # raw: a fixture is loaded, its alerts are in it
        alerts.judge([instance], now=now)
