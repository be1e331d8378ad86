"""The administration of people, wards and devices."""

from django.contrib import admin

from accounts.admin import devices, emergencies, people, service_tokens, wards

__all__ = ["devices", "emergencies", "people", "service_tokens", "wards"]

admin.site.site_header = "MedQL administration"
admin.site.site_title = "MedQL administration"
admin.site.index_title = "What would you like to look after?"
