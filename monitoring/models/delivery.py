from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User, Ward
from monitoring.clinical.escalation import Way
from monitoring.models.alert import Alert
from monitoring.models.webhook_endpoint import WebhookEndpoint

FURTHEST = timedelta(minutes=2)  # no attempt is planned that far ahead: one that is, was planned before our clock was set back


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, now: datetime) -> DeliveryQuerySet:
        return self.filter(Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + FURTHEST))

    def notices_of(self, user: User) -> DeliveryQuerySet:
        """What a person finds in his inbox: of the wards that he may see."""
        return self.filter(user=user, channel=Way.IN_APP.value, ward__in=Ward.objects.visible_to(user))


class Delivery(models.Model):
    """One message to one recipient in one way: written with what it tells of, sent afterwards, kept with its outcome.

    Claiming a row moves `next_attempt_at` to the end of the claim: of a sender that died it becomes due by itself.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "failed, tried again"
        GIVEN_UP = "given_up", "given up"
        WITHDRAWN = (
            "withdrawn",
            "withdrawn",
        )  # no longer this recipient's to know when it was to leave

    class Why(models.TextChoices):
        ESCALATION = "escalation", "called by the escalation"
        CAME_BACK = "came_back", "you took it, it is not solved: back in the queue"

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="deliveries")
    # Where the alert was then: who may see this row.
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=15, choices=Why.choices, default=Why.ESCALATION)
    step = models.PositiveSmallIntegerField("steps taken with it", default=0)
    severity = models.CharField(max_length=10)  # when it was written; of one that was sent, as it was told
    channel = models.CharField("way", max_length=10, choices=[(way.value, way.value.replace("_", " ")) for way in Way])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, db_index=True)
    claim = models.UUIDField("sender that has it", null=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="webhook", endpoint__isnull=False, user__isnull=True)
                | ~Q(channel="webhook") & Q(endpoint__isnull=True, user__isnull=False),
                name="delivery_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "failed"], next_attempt_at__isnull=False)
                | Q(state__in=["sent", "given_up", "withdrawn"], next_attempt_at__isnull=True),
                name="delivery_is_due_until_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="delivery_sent_when",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "channel", "created_at"], name="delivery_inbox"),
            models.Index(fields=["created_at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient}, {self.state}"

    @property
    def recipient(self) -> str:
        return str(self.endpoint or self.user)
