from monitoring.models.admission import Admission, Placement
from monitoring.models.alarm_state import AlarmState
from monitoring.models.alert import Alert, AlertEvent
from monitoring.models.assignment import DeviceAssignment
from monitoring.models.delivery import Delivery
from monitoring.models.device_state import DeviceState
from monitoring.models.dossier import Dossier, DossierChange
from monitoring.models.escalation_step import EscalationStep
from monitoring.models.fault import Fault
from monitoring.models.minute import Minute, UnreadSpan
from monitoring.models.patient import Patient
from monitoring.models.pregnancy_change import PregnancyChange
from monitoring.models.push_subscription import PushSubscription
from monitoring.models.rejected_vital import RejectedVital
from monitoring.models.scale_change import ScaleChange
from monitoring.models.shift import Shift
from monitoring.models.threshold import Threshold, ThresholdChange, WardNight
from monitoring.models.vital import Vital
from monitoring.models.vital_change import VitalChange
from monitoring.models.ward_rules import WardRules
from monitoring.models.watcher_beat import WatcherBeat
from monitoring.models.webhook_endpoint import WebhookEndpoint

__all__ = [
    "Admission",
    "AlarmState",
    "Alert",
    "AlertEvent",
    "Delivery",
    "DeviceAssignment",
    "DeviceState",
    "Dossier",
    "DossierChange",
    "EscalationStep",
    "Fault",
    "Minute",
    "Patient",
    "Placement",
    "PregnancyChange",
    "PushSubscription",
    "RejectedVital",
    "ScaleChange",
    "Shift",
    "Threshold",
    "ThresholdChange",
    "UnreadSpan",
    "Vital",
    "VitalChange",
    "WardNight",
    "WardRules",
    "WatcherBeat",
    "WebhookEndpoint",
]
