"""What was wrong with MedQL itself, and what still is."""

from __future__ import annotations

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.keeping import ReadOnly
from monitoring.models import Fault


@admin.register(Fault)
class FaultAdmin(ReadOnly, admin.ModelAdmin):
    to_see = Permission.RUN_HOSPITAL
    list_display = ("sentence", "began_at", "ended_at", "told_at", "end_told_at")
    ordering = ("-pk",)
    fields = ("sentence", "name", "began_at", "ended_at", "told_at", "end_told_at")
