from monitoring.models.admission import Admission, Placement
from monitoring.models.alarm_state import AlarmState
from monitoring.models.alert import Alert, AlertEvent
from monitoring.models.assignment import DeviceAssignment
from monitoring.models.patient import Patient
from monitoring.models.rejected_vital import RejectedVital
from monitoring.models.threshold import Threshold
from monitoring.models.vital import Vital

__all__ = [
    "Admission",
    "AlarmState",
    "Alert",
    "AlertEvent",
    "DeviceAssignment",
    "Patient",
    "Placement",
    "RejectedVital",
    "Threshold",
    "Vital",
]
