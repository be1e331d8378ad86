"""The rules that the database holds even when the code above it is wrong."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Ward
from monitoring.models import Admission, Alert, Threshold, Vital


@pytest.mark.django_db
class TestHeldByTheDatabase:
    def refuses(self, model, **fields):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(**fields)

    def alert(self, ada, **fields):
        moment = timezone.now()
        return {
            "subject": f"patient:{ada.pk}",
            "condition": "spo2_low",
            "severity": "critical",
            "ward": Ward.objects.get(slug="north"),
            "measured_at": moment,
            "last_measured_at": moment,
            "raised_at": moment,
        } | fields

    def test_one_open_alert_a_condition(self, ada):
        Alert.objects.create(**self.alert(ada))

        self.refuses(Alert, **self.alert(ada))

    def test_any_number_of_ended_ones(self, ada):
        for _ in range(2):
            Alert.objects.create(**self.alert(ada, is_open=None, resolved_at=timezone.now()))

    @pytest.mark.parametrize(("is_open", "ended"), [(None, False), (False, False), (True, True), (False, True)])
    def test_the_marker_and_the_time_of_ending_are_welded(self, ada, is_open, ended):
        self.refuses(Alert, **self.alert(ada, is_open=is_open, resolved_at=timezone.now() if ended else None))

    def test_who_and_when_are_welded(self, ada, noor):
        self.refuses(Alert, **self.alert(ada, acknowledged_at=timezone.now()))
        self.refuses(Alert, **self.alert(ada, acknowledged_by=noor))

    def test_one_open_admission_a_patient(self, ada, now):
        self.refuses(Admission, patient=ada, admitted_at=now)

    def test_one_open_placement_a_bed_and_an_admission(self, ada, ben, north, now):
        stay = ada.admissions.get()
        placement = stay.placements.model

        self.refuses(placement, admission=ben.admissions.get(), bed=north.beds.get(position=1), started_at=now)
        self.refuses(placement, admission=stay, bed=north.beds.get(position=4), started_at=now)

    def test_one_assignment_a_device(self, monitor, ben, now):
        self.refuses(monitor.device.assignments.model, device=monitor.device, patient=ben, started_at=now)

    def test_one_vital_a_patient_time_and_sensor(self, ada, now):
        fields = {"patient": ada, "admission": ada.admissions.get(), "sensor_id": "M1", "measured_at": now, "received_at": now}
        Vital.objects.create(**fields)

        self.refuses(Vital, **fields)

    @pytest.mark.parametrize(
        "limits",
        [
            {"critical_low": 90, "warning_low": 85},
            {"warning_high": 140, "critical_high": 120},
            {"warning_low": 100, "warning_high": 100},
            {"critical_low": 100, "critical_high": 90},
        ],
    )
    def test_limits_that_contradict_themselves(self, limits):
        self.refuses(Threshold, sign="heart_rate", **limits)

    def test_a_threshold_has_one_scope(self, ada, north):
        self.refuses(Threshold, sign="spo2", scope_key="hospital", patient=ada)
        self.refuses(Threshold, sign="spo2", scope_key=f"ward:{north.pk}")
        self.refuses(Threshold, sign="spo2", scope_key="ward:1", ward=north, patient=ada)

    def test_one_threshold_a_scope_and_sign(self, db):
        Threshold.objects.create(sign="spo2", critical_low=85)

        self.refuses(Threshold, sign="spo2", critical_low=80)
