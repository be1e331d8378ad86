from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models import Ward
from monitoring.clinical import escalation


def _minutes(default: int, latest: int, **kwargs: object) -> models.PositiveSmallIntegerField:
    limits = [MinValueValidator(1), MaxValueValidator(latest)]
    return models.PositiveSmallIntegerField(default=default, validators=limits, **kwargs)  # type: ignore[arg-type]


class WardRules(models.Model):
    """How long a ward may leave an alert silent or in somebody's hand; without a row the shipped figures hold."""

    ward = models.OneToOneField(Ward, on_delete=models.PROTECT, primary_key=True, related_name="rules")
    longest_silence = _minutes(10, 60, verbose_name="longest silence (min)")
    taken_for = _minutes(
        escalation.TAKEN_FOR,
        240,
        verbose_name="taken for (min)",
        help_text="An acknowledged alert that is still active after that comes back into the queue.",
    )
    repeat = _minutes(
        escalation.REPEAT,
        120,
        verbose_name="repeat the last step (min)",
        help_text="As long as nobody has taken the alert.",
    )

    class Meta:
        verbose_name_plural = "ward rules"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(longest_silence__gte=1, taken_for__gte=1, repeat__gte=1), name="ward_rules_at_least_a_minute"
            ),
        ]

    def __str__(self) -> str:
        return f"rules of {self.ward}"
