from django.urls import path

from monitoring.api.vitals import VitalsView

urlpatterns = [path("vitals", VitalsView.as_view(), name="vitals")]
