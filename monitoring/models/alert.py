from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Prefetch, Q

from accounts.fields import IdentifierField
from accounts.models import Device, ServiceToken, User, Ward
from monitoring.clinical.limits import Severity, phrase
from monitoring.clinical.signs import Side, Sign
from monitoring.models.admission import Admission
from monitoring.models.opening import OpenMarker, open_until
from monitoring.models.patient import Patient


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> AlertQuerySet:
        return self.filter(is_open=True)

    def visible_to(self, who: User | ServiceToken) -> AlertQuerySet:
        """Those of the wards that this person, or program, may see, and of the patients whose record they may read."""
        return self.filter(Q(ward__in=Ward.objects.visible_to(who)) | Q(patient__in=Patient.objects.visible_to(who)))

    def with_corrections(self) -> AlertQuerySet:
        """Each with its `corrections`: what was said when a reading of it was corrected or marked in error, in order."""
        said = AlertEvent.objects.filter(what=AlertEvent.What.CORRECTED).order_by("at", "pk")
        return self.prefetch_related(Prefetch("events", said, to_attr="corrections"))


class Alert(models.Model):
    """One condition of one subject from raised to resolved."""

    class Kind(models.TextChoices):
        PHYSIOLOGICAL = "physiological", "physiological"
        TECHNICAL = "technical", "technical"
        SCORE = "score", "score"
        HELP = "help", "help"

    # The identity is made by the rule, before the row: a batch can write alerts and their events together.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    subject = IdentifierField(max_length=40)
    condition = IdentifierField(max_length=40)
    is_open = OpenMarker()
    kind = models.CharField(max_length=15, choices=Kind.choices, default=Kind.PHYSIOLOGICAL)
    severity = models.CharField(max_length=10, choices=[(severity.value, severity.value) for severity in Severity])
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="alerts")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="alerts")
    admission = models.ForeignKey(Admission, on_delete=models.PROTECT, null=True, related_name="alerts")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="alerts")

    sign = models.CharField(max_length=20, blank=True)
    side = models.CharField(max_length=5, blank=True)
    vital_value = models.FloatField(null=True)
    threshold_breached = models.FloatField(null=True)
    worst_value = models.FloatField(null=True)
    last_value = models.FloatField(null=True)
    count = models.PositiveIntegerField(default=1)
    recorded = models.BooleanField("written from late readings", default=False)
    unconfirmed = models.BooleanField("raised when the signal was lost before its delay was over", default=False)
    # The sentence of an alert that has no value and limit: technical ones and scores.
    detail = models.CharField(max_length=200, blank=True)

    measured_at = models.DateTimeField("first measured at")
    last_measured_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # Back inside while nobody had taken it: it stays until somebody does (latched).
    returned_at = models.DateTimeField(null=True)
    silenced_until = models.DateTimeField(null=True)
    silenced_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # "Not actionable", said by a person.
    noise_at = models.DateTimeField(null=True)
    noise_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    noise_why = models.CharField(max_length=200, blank=True)
    # The escalation's clock: how many steps were taken, and when the next one is due (none: taken, or at its end).
    escalation_step = models.PositiveSmallIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True, db_index=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)

    corrections: list[AlertEvent]  # of `with_corrections`

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "condition", "is_open"], name="alert_one_open_a_condition"),
            open_until("resolved_at", name="alert_open_until_resolved"),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="alert_acknowledged_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(resolved_by__isnull=True) | Q(resolved_at__isnull=False), name="alert_resolved_by_has_a_time"
            ),
            models.CheckConstraint(condition=Q(severity__in=["critical", "warning", "info"]), name="alert_severity_known"),
        ]
        indexes = [
            models.Index(fields=["subject", "resolved_at"], name="alert_of_subject"),
            models.Index(fields=["ward", "is_open"], name="alert_of_ward"),
            models.Index(fields=["patient", "raised_at"], name="alert_of_patient"),
            models.Index(fields=["raised_at"], name="alert_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.severity} {self.condition} of {self.subject}"

    @property
    def state(self) -> str:
        if not self.is_open:
            return "resolved"
        if self.returned_at:
            return "returned"
        return "acknowledged" if self.acknowledged_at else "raised"

    @property
    def message(self) -> str:
        """`SpO₂ 84 < 90 %`: the value that led to it against the limit it passed."""
        if self.detail:
            return self.detail
        if self.vital_value is None or self.threshold_breached is None:
            return self.condition.replace("_", " ")
        return phrase(Sign(self.sign), Side(self.side), self.vital_value, self.threshold_breached)


class AlertEvent(models.Model):
    """What happened to an alert: history, audit and, numbered per ward, the cursor of the event stream."""

    class What(models.TextChoices):
        RAISED = "raised", "raised"
        RISEN = "risen", "severity risen"
        EASED = "eased", "severity eased"
        REOPENED = "reopened", "re-opened"
        RERAISED = "reraised", "beyond again before it ended"
        RESOLVED = "resolved", "resolved"
        RECORDED = "recorded", "recorded from late readings"
        RETURNED = "returned", "back inside, not taken yet"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        UNTAKEN = "untaken", "back in the queue"
        SILENCED = "silenced", "silenced"
        NOISE = "noise", "marked as not actionable"
        ESCALATED = "escalated", "escalated"
        LEFT = "left", "left for another ward"  # the old ward's event of it, and the next one the new ward's
        MOVED = "moved", "moved to another ward"
        CORRECTED = "corrected", "a reading of it corrected"

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="events")
    what = models.CharField(max_length=20, choices=What.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    severity = models.CharField(max_length=10)
    value = models.FloatField(null=True)
    # Of an end, as far as is known: a sensor that sends steadily has been inside for the clear time by then.
    beyond_until = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveBigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["ward", "number"], name="alert_event_cursor"),
            models.Index(fields=["ward", "at"], name="alert_event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%Y-%m-%d %H:%M:%S}"
