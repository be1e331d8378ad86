from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Ward
from monitoring.clinical.escalation import LATEST, Step, Way, Whom
from monitoring.clinical.limits import Severity
from monitoring.models.webhook_endpoint import WebhookEndpoint


class EscalationStep(models.Model):
    """One step of a ward's plan: after so many minutes without a hand on an alert, whom to tell and how."""

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="escalation_steps")
    after_minutes = models.PositiveSmallIntegerField(
        "after (min)",
        validators=[MaxValueValidator(LATEST, "Later than a day it reaches nobody: at most %(limit_value)s min.")],
    )
    severity = models.CharField(
        "from severity",
        max_length=10,
        choices=[(Severity.WARNING.value, "warning and critical"), (Severity.CRITICAL.value, "critical only")],
        default=Severity.CRITICAL.value,
    )
    whom = models.CharField(
        max_length=10,
        choices=[
            (Whom.NURSES.value, "the ward's nurses"),
            (Whom.DOCTORS.value, "the ward's doctors"),
            (Whom.ON_DUTY.value, "who is on duty"),
            (Whom.AT_BED.value, "who has the bed, or is on duty"),
            (Whom.PERSON.value, "one person"),
            (Whom.NOBODY.value, "nobody, the webhook only"),
        ],
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    in_app = models.BooleanField("in MedQL", default=False)
    email = models.BooleanField("e-mail", default=False)
    push = models.BooleanField("web push", default=False)
    webhook = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ward", "after_minutes"], name="escalation_step_one_a_time"),
            models.CheckConstraint(
                condition=Q(whom="person", person__isnull=False) | ~Q(whom="person") & Q(person__isnull=True),
                name="escalation_step_names_its_person",
            ),
            models.CheckConstraint(
                condition=Q(in_app=True) | Q(email=True) | Q(push=True) | Q(webhook__isnull=False),
                name="escalation_step_has_a_way",
            ),
            models.CheckConstraint(condition=Q(severity__in=["critical", "warning"]), name="escalation_step_severity_known"),
        ]

    def __str__(self) -> str:
        return f"after {self.after_minutes} min: {self.get_whom_display()}"

    def for_audit(self) -> dict[str, Any]:
        return {"after_minutes": self.after_minutes, "severity": self.severity, "whom": self.whom, "ways": sorted(self.ways)}

    @property
    def ways(self) -> frozenset[Way]:
        chosen = {Way.IN_APP: self.in_app, Way.EMAIL: self.email, Way.PUSH: self.push, Way.WEBHOOK: self.webhook_id}
        return frozenset(way for way, is_chosen in chosen.items() if is_chosen)

    @property
    def step(self) -> Step:
        return Step(
            after=self.after_minutes,
            severity=Severity(self.severity),
            whom=Whom(self.whom),
            ways=self.ways,
            person_id=self.person_id,
            endpoint_id=self.webhook_id,
            key=self.pk,
        )
