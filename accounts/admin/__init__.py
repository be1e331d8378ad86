"""The administration of people, wards and devices."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import audit, devices, doors, emergencies, people, service_tokens, wards
from accounts.views.door import to_administration, to_password

__all__ = ["audit", "devices", "doors", "emergencies", "people", "service_tokens", "wards"]

admin.site.unregister(Group)  # what somebody may do is his role's, and the role a membership's
admin.site.site_header = "MedQL administration"
admin.site.site_title = "MedQL administration"
admin.site.index_title = "What would you like to look after?"
# One door for everybody: the administration's own would ask for less.
admin.site.login = to_administration  # type: ignore[method-assign]
admin.site.password_change = to_password  # type: ignore[method-assign,assignment]
