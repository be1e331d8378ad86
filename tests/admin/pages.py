"""What a test says about a page of the administration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.messages import get_messages
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime

from accounts.models import Ward
from monitoring.models import Patient


def address(noun: type[models.Model], page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{noun._meta.app_label}_{noun._meta.model_name}_{page}", args=args)


def split(name: str, at: datetime) -> dict[str, str]:
    """A time as the two inputs of a page."""
    local = localtime(at)
    return {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M:%S}"}


def lines(prefix: str, *rows: dict[str, Any], stored: int = 0) -> dict[str, Any]:
    """The inline lines of a page, the stored ones first."""
    counts = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": stored}
    return counts | {f"{prefix}-{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}


def ward_page(ward: Ward, **lists: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The page of a ward with these lines in its lists, and its beds as they are unless told."""
    own = [{"id": bed.pk, "name": bed.name, "position": bed.position} for bed in ward.beds.order_by("position")]
    page = {"name": ward.name, "slug": ward.slug} | lines("beds", *lists.get("beds", own), stored=len(own))
    for name in ("thresholds", "escalation_steps", "rules"):
        rows = lists.get(name, ())
        page |= lines(name, *rows, stored=sum(1 for row in rows if "id" in row))
    return page


def patient_page(patient: Patient, **fields: Any) -> dict[str, Any]:
    """The page of a patient with these fields, the others as they are."""
    own = {"name": patient.name, "gender": patient.gender, "birth_date": patient.birth_date or ""}
    return own | {"seen_version": patient.version} | fields | lines("thresholds")


def errors(answer: Any) -> dict[str, list[str]]:
    """What the page says is wrong, by field."""
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def line_errors(answer: Any, place: int = 0, prefix: str = "thresholds") -> dict[str, list[str]]:
    """What the page says is wrong in a line of its limits, or of another of its lists."""
    assert answer.status_code == 200
    formsets = {inline.formset.prefix: inline.formset for inline in answer.context["inline_admin_formsets"]}
    return dict(formsets[prefix].forms[place].errors)


def said(answer: Any) -> list[str]:
    """The messages that the answer leaves for the next page."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def act(office: Client, noun: type[models.Model], action: str, *rows: models.Model, **told: str) -> Any:
    """Choose rows of a list and let the administration act on them."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]} | told
    return office.post(address(noun), chosen)
