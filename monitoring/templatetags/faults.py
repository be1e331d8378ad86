"""What the first page of the administration says of MedQL itself."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import QuerySet

from accounts import access
from accounts.access import Permission
from accounts.models import User
from monitoring.models import Fault

register = template.Library()


@register.simple_tag
def open_faults(user: Any) -> QuerySet[Fault]:
    """What is wrong now, for whoever runs the hospital."""
    runs_it = isinstance(user, User) and access.holds(access.roles_anywhere(user), Permission.RUN_HOSPITAL)
    return Fault.objects.open().order_by("pk") if runs_it else Fault.objects.none()
