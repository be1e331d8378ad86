from django.urls import path

from monitoring.api.preview import PreviewView
from monitoring.api.thresholds import HospitalLimitsView, PatientLimitsView, SuggestionView, WardLimitsView
from monitoring.api.vitals import VitalsView

urlpatterns = [
    path("vitals", VitalsView.as_view(), name="vitals"),
    path("patients/<str:patient_id>/thresholds", PatientLimitsView.as_view(), name="patient_thresholds"),
    path("patients/<str:patient_id>/thresholds/suggestion", SuggestionView.as_view(), name="thresholds_suggestion"),
    path("wards/<slug:slug>/thresholds", WardLimitsView.as_view(), name="ward_thresholds"),
    path("thresholds/preview", PreviewView.as_view(), name="thresholds_preview"),
    path("thresholds", HospitalLimitsView.as_view(), name="hospital_thresholds"),
]
