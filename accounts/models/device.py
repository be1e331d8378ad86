from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from accounts.fields import IdentifierField, validate_sensor_id
from accounts.models.ward import Ward


class Device(models.Model):
    """What sends readings: a bedside monitor for its assigned patient, or a gateway for every patient of its wards."""

    class Kind(models.TextChoices):
        MONITOR = "monitor", "monitor"
        GATEWAY = "gateway", "gateway"
        KIOSK = "kiosk", "kiosk"
        PILLBOX = "pillbox", "pill box"

    name = IdentifierField(unique=True, validators=[validate_sensor_id])
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.MONITOR)
    wards = models.ManyToManyField(Ward, related_name="devices")
    zero_is_absent = models.BooleanField(
        default=False,
        help_text="This device writes 0 when it measures nothing: a zero rate, saturation or pressure is a gap, not a value.",
    )
    is_continuous = models.BooleanField(
        "continuous",
        default=False,
        help_text="What it measures is missed when it falls silent, also when it sends less often than once a minute.",
    )
    requests_per_second = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How often it may send, on average over 10 s. Empty: as often as others of its kind.",
    )
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["monitor", "gateway", "kiosk", "pillbox"]), name="device_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(requests_per_second__isnull=True) | models.Q(requests_per_second__gte=1),
                name="device_may_send",
            ),
        ]

    def __str__(self) -> str:
        return self.name
