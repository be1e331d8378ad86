from django.urls import path

from monitoring import views

urlpatterns = [
    path("", views.home, name="home"),
    path("wards/<slug:slug>/", views.ward, name="ward"),
    path("alerts/<uuid:alert_id>/acknowledge", views.acknowledge, name="acknowledge"),
]
