from django.contrib import admin
from django.urls import path

from monitoring import downloads, notices, own, views
from monitoring.admin import load
from monitoring.charting import pages
from monitoring.paper import pages as paper

urlpatterns = [
    path("", views.home, name="home"),
    path("my/", own.page, name="own"),
    path("my/help", own.call, name="own-help"),
    path("my/call", own.call_now, name="own-call"),
    path("load/", admin.site.admin_view(load.page), name="load"),
    path("wards/<slug:slug>/", views.ward, name="ward"),
    path("wards/<slug:slug>/mine", views.mine, name="ward-mine"),
    path("patients/<str:patient_id>/vitals/", pages.readings, name="patient-vitals"),
    path("patients/<str:patient_id>/vitals/<str:vital_id>/", pages.reading, name="patient-vital"),
    path("wards/<slug:slug>/export/", downloads.of_ward, name="ward-export"),
    path("patients/<str:patient_id>/export/", downloads.of_patient, name="patient-export"),
    path("patients/<str:patient_id>/chart/", paper.page, name="chart"),
    path("patients/<str:patient_id>/chart.pdf", paper.as_pdf, name="chart-pdf"),
    path("alerts/<uuid:alert_id>/acknowledge", views.acknowledge, name="acknowledge"),
    path("alerts/<uuid:alert_id>/resolve", views.resolve, name="resolve"),
    path("alerts/<uuid:alert_id>/silence", views.silence, name="silence"),
    path("alerts/<uuid:alert_id>/noise", views.noise, name="noise"),
    path("notices/", notices.inbox, name="notices"),
    path("notices/seen", notices.seen, name="notices-seen"),
    path("notices/count", notices.count, name="notices-count"),
    path("notices/browser", notices.browser, name="notices-browser"),
    path("push-worker.js", notices.worker, name="push-worker"),
]
