"""The administration of patients, stays, limits, alerts and vital signs."""

from monitoring.admin import (
    admissions,
    alerts,
    assignments,
    deliveries,
    escalation,
    faults,
    patients,
    rejected_vitals,
    thresholds,
    vitals,
    wards,
)

__all__ = [
    "admissions",
    "alerts",
    "assignments",
    "deliveries",
    "escalation",
    "faults",
    "patients",
    "rejected_vitals",
    "thresholds",
    "vitals",
    "wards",
]
