"""A button beside limits that are being edited: what would they have called for? The answer is the API's, as is who may ask."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from accounts.models import User, Ward
from monitoring.models import Patient, Threshold
from monitoring.services import layers, preview


class DryRun(admin.ModelAdmin):
    """A page on which limits are set, with a dry run of what is typed in and not saved."""

    change_form_template = "admin/monitoring/dry_run_form.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        noun: Any = kwargs.get("obj")
        if self.has_change_permission(request, noun) if noun else self.has_add_permission(request):
            context["dry_run"] = _question(request, noun)
        return super().render_change_form(request, context, *args, **kwargs)


def _question(request: HttpRequest, noun: Model | None) -> dict[str, Any] | None:
    """Whose limits they are, and the wards or the patient whose vitals they can be tried on; none: there is nothing to try."""
    assert isinstance(request.user, User)
    of = (noun.patient or noun.ward) if isinstance(noun, Threshold) else noun
    if isinstance(of, Patient):
        may = layers.ward_of(of) and preview.may_ask(request.user, of)
        return {"level": "patient", "patient": of} if may else None
    level = "ward" if isinstance(of, Ward) else "hospital"
    wards = [of] if isinstance(of, Ward) else Ward.objects.visible_to(request.user).order_by("name")
    askable = [ward for ward in wards if preview.may_ask(request.user, ward)]
    part = noun.part if isinstance(noun, Threshold) else ""
    return {"level": level, "wards": askable, "part": part} if askable else None
