"""Every address with and without a slash at its end."""

from accounts.api.addresses import door
from monitoring.api.alerts import (
    AcknowledgeView,
    AlertsView,
    AlertView,
    NoiseView,
    PatientAlertsView,
    ResolveView,
    SilenceView,
)
from monitoring.api.devices import AssignmentsView, AssignView, DevicesView, DeviceView, HeartbeatView, ReleaseView
from monitoring.api.emergency import EmergencyView
from monitoring.api.exports import PatientExportView, WardExportView
from monitoring.api.history import HistoryView, ValuesOfPatientView, ValuesView
from monitoring.api.inference import RiskView
from monitoring.api.patients import PatientsView, PatientView, SearchView
from monitoring.api.preview import PreviewView
from monitoring.api.readings import VitalView
from monitoring.api.scores import ScoresView
from monitoring.api.stays import AdmissionsView, AdmitView, DischargeView, TransferView
from monitoring.api.summaries import DailyStatsView, SummaryView
from monitoring.api.thresholds import HospitalLimitsView, PatientLimitsView, SuggestionView, WardLimitsView
from monitoring.api.vitals import VitalsView

urlpatterns = [
    door("alerts", AlertsView.as_view(), name="alerts"),
    door("alerts/patient/<str:patient_id>", PatientAlertsView.as_view(), name="patient_alerts"),
    door("alerts/<uuid:alert_id>", AlertView.as_view(), name="alert"),
    door("alerts/<uuid:alert_id>/acknowledge", AcknowledgeView.as_view(), name="acknowledge_alert"),
    door("alerts/<uuid:alert_id>/resolve", ResolveView.as_view(), name="resolve_alert"),
    door("alerts/<uuid:alert_id>/silence", SilenceView.as_view(), name="silence_alert"),
    door("alerts/<uuid:alert_id>/noise", NoiseView.as_view(), name="mark_alert_as_noise"),
    door("patients/<str:patient_id>/export", PatientExportView.as_view(), name="patient_export"),
    door("wards/<slug:slug>/export", WardExportView.as_view(), name="ward_export"),
    door("devices", DevicesView.as_view(), name="devices"),
    door("devices/heartbeat", HeartbeatView.as_view(), name="device_heartbeat"),
    door("devices/<int:device_id>", DeviceView.as_view(), name="device"),
    door("devices/<int:device_id>/assign", AssignView.as_view(), name="assign_device"),
    door("devices/<int:device_id>/release", ReleaseView.as_view(), name="release_device"),
    door("devices/<int:device_id>/assignments", AssignmentsView.as_view(), name="device_assignments"),
    door("inference/vital-risk", RiskView.as_view(), name="vital_risk"),
    door("vitals", VitalsView.as_view(), name="vitals"),
    door("vitals/<str:vital_id>", VitalView.as_view(), name="vital"),
    door("patients", PatientsView.as_view(), name="patients"),
    door("patients/search", SearchView.as_view(), name="patients_search"),
    door("patients/<str:patient_id>", PatientView.as_view(), name="patient"),
    door("patients/<str:patient_id>/summary", SummaryView.as_view(), name="patient_summary"),
    door("patients/<str:patient_id>/daily-stats", DailyStatsView.as_view(), name="patient_daily_stats"),
    door("patients/<str:patient_id>/admit", AdmitView.as_view(), name="patient_admit"),
    door("patients/<str:patient_id>/transfer", TransferView.as_view(), name="patient_transfer"),
    door("patients/<str:patient_id>/discharge", DischargeView.as_view(), name="patient_discharge"),
    door("patients/<str:patient_id>/admissions", AdmissionsView.as_view(), name="patient_admissions"),
    door("patients/<str:patient_id>/emergency", EmergencyView.as_view(), name="patient_emergency"),
    door("vitals/patient/<str:patient_id>", ValuesOfPatientView.as_view(), name="values_of_patient"),
    door("patients/<str:patient_id>/vitals", ValuesView.as_view(), name="patient_vitals"),
    door("patients/<str:patient_id>/history", HistoryView.as_view(), name="patient_history"),
    door("patients/<str:patient_id>/scores", ScoresView.as_view(), name="patient_scores"),
    door("patients/<str:patient_id>/thresholds", PatientLimitsView.as_view(), name="patient_thresholds"),
    door("patients/<str:patient_id>/thresholds/suggestion", SuggestionView.as_view(), name="thresholds_suggestion"),
    door("wards/<slug:slug>/thresholds", WardLimitsView.as_view(), name="ward_thresholds"),
    door("thresholds/preview", PreviewView.as_view(), name="thresholds_preview"),
    door("thresholds", HospitalLimitsView.as_view(), name="hospital_thresholds"),
]
