from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Bed
from monitoring.models.opening import OpenMarker, open_until


class Admission(models.Model):
    """A patient's stay; one open at a time."""

    patient = models.ForeignKey("monitoring.Patient", on_delete=models.PROTECT, related_name="admissions")
    admitted_at = models.DateTimeField()
    admitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    discharged_at = models.DateTimeField(null=True, blank=True, editable=False)
    discharged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    notes = models.TextField(blank=True)
    is_open = OpenMarker()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "is_open"], name="admission_one_open_a_patient"),
            open_until("discharged_at", name="admission_open_until_discharged"),
            models.CheckConstraint(
                condition=Q(discharged_at__isnull=True) | Q(discharged_at__gte=F("admitted_at")),
                name="admission_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient} since {self.admitted_at:%Y-%m-%d %H:%M}"


class PlacementQuerySet(models.QuerySet["Placement"]):
    def last_of_each(self) -> PlacementQuerySet:
        """Of each patient the one in which he lies, or of who lies nowhere now the one in which he lay last."""
        his = Placement.objects.filter(admission__patient=OuterRef("admission__patient"))
        later = Q(started_at__gt=OuterRef("started_at")) | Q(started_at=OuterRef("started_at"), pk__gt=OuterRef("pk"))
        return self.filter(Q(is_open=True) | ~Exists(his.filter(Q(is_open=True) | later)))


class Placement(models.Model):
    """An admission in a bed for a time; one open a bed and one an admission."""

    admission = models.ForeignKey(Admission, on_delete=models.PROTECT, related_name="placements")
    bed = models.ForeignKey(Bed, on_delete=models.PROTECT, related_name="placements")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_open = OpenMarker()

    objects = PlacementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bed", "is_open"], name="placement_one_open_a_bed"),
            models.UniqueConstraint(fields=["admission", "is_open"], name="placement_one_open_an_admission"),
            open_until("ended_at", name="placement_open_until_ended"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="placement_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.admission} in {self.bed}"
