"""Every address with and without a slash at its end."""

from accounts.api.addresses import door
from monitoring.api.preview import PreviewView
from monitoring.api.thresholds import HospitalLimitsView, PatientLimitsView, SuggestionView, WardLimitsView
from monitoring.api.vitals import VitalsView

urlpatterns = [
    door("vitals", VitalsView.as_view(), name="vitals"),
    door("patients/<str:patient_id>/thresholds", PatientLimitsView.as_view(), name="patient_thresholds"),
    door("patients/<str:patient_id>/thresholds/suggestion", SuggestionView.as_view(), name="thresholds_suggestion"),
    door("wards/<slug:slug>/thresholds", WardLimitsView.as_view(), name="ward_thresholds"),
    door("thresholds/preview", PreviewView.as_view(), name="thresholds_preview"),
    door("thresholds", HospitalLimitsView.as_view(), name="hospital_thresholds"),
]
