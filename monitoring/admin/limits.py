"""Limits as an administrator reads and sets them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User, Ward
from monitoring.admin.forms import VersionedForm
from monitoring.clinical.limits import ADULT, Limits
from monitoring.clinical.signs import FACTS, Sign, plain
from monitoring.models import Patient, Threshold
from monitoring.models.threshold import HOSPITAL, scope_of
from monitoring.services import thresholds

SIDES = ("critical_low", "warning_low", "warning_high", "critical_high")
NOBODY = NOWHERE = 0  # in place of a key: limits of no patient, of no ward


def sign_name(sign: Sign) -> str:
    return f"{FACTS[sign].label} ({FACTS[sign].unit})"


def sides_of(limits: Limits) -> list[float | None]:
    """From critical low to critical high."""
    return [getattr(limits, side) for side in SIDES]


def phrase(limits: Limits) -> str:
    """`40 / 50 / 120 / 140`; a dash is an open side."""
    return " / ".join("–" if side is None else plain(side) for side in sides_of(limits))


def in_force(*, patient: Patient | None = None, ward: Ward | None = None) -> Mapping[Sign, Limits]:
    """The limits by which the next vital is judged: of a patient, of a ward, or of the hospital."""
    place = (patient.pk if patient else NOBODY, ward.pk if ward else NOWHERE)
    return thresholds.in_force([place])[place]


def table(*, patient: Patient | None = None, ward: Ward | None = None) -> SafeString:
    """What is in force now, sign by sign, and which scope says so."""
    scopes = {HOSPITAL: "hospital"}
    if ward:
        scopes[scope_of(ward_id=ward.pk)] = f"ward {ward}"
    if patient:
        scopes[scope_of(patient_id=patient.pk)] = "this patient"
    stored = set(Threshold.objects.filter(scope_key__in=scopes).values_list("scope_key", "sign"))
    rows = []
    for sign, limits in in_force(patient=patient, ward=ward).items():
        sources = [name for scope, name in scopes.items() if (scope, sign.value) in stored]
        rows.append((sign_name(sign), phrase(limits), sources[-1] if sources else "shipped default"))
    order = " / ".join(side.replace("_", " ") for side in SIDES)
    head = format_html("<tr><th>Sign</th><th>{}</th><th>Set by</th></tr>", order)
    return format_html('<table class="medql-in-force">{}{}</table>', head, _rows(rows))


def _rows(rows: Iterable[tuple[str, str, str]]) -> SafeString:
    return format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)


class ThresholdForm(VersionedForm):
    """Limits of one sign in one scope. A side left empty raises no alert, so it needs a reason."""

    sign = forms.ChoiceField(choices=[("", "---------"), *((sign.value, sign_name(sign)) for sign in Sign)])
    reason = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"size": 30}))

    class Meta:
        model = Threshold
        fields = ("sign", *SIDES, "reason")

    class Media:
        js = ("monitoring/thresholds.js",)

    def __init__(self, *args: Any, replaced: Mapping[Sign, Limits] | None = None, **kwargs: Any) -> None:
        """`replaced` are the limits that would hold without this override."""
        super().__init__(*args, **kwargs)
        self.replaced = replaced or replaced_in(patient=self.instance.patient, ward=self.instance.ward)
        if SIDES[0] not in self.fields:  # only to be read
            return
        sign = self.fields["sign"]
        sign.disabled = self.instance.pk is not None
        sign.widget.attrs["data-limits"] = json.dumps({name.value: sides_of(of) for name, of in self.replaced.items()})
        for side in SIDES:
            self.fields[side].widget.attrs |= {"class": "medql-limit", "step": "any"}
            self.initial[side] = _whole(self.initial.get(side))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        sign = self.cleaned_data.get("sign")
        if sign and not self.cleaned_data.get("reason") and not self.errors:
            wider = self.replaced[Sign(sign)]
            off = [side for side in SIDES if getattr(wider, side) is not None and self.cleaned_data.get(side) is None]
            if off:
                names = ", ".join(side.replace("_", " ") for side in off)
                self.add_error("reason", f"Without {names} no alert is raised there any more: say why, or fill it in.")
        return cleaned

    def save(self, commit: bool = True) -> Threshold:
        """The history names a changed field by its label: it shall tell from what to what."""
        for name in self.changed_data if self.instance.pk else []:
            was, becomes = _said(self.initial.get(name)), _said(self.cleaned_data[name])
            self.fields[name].label = f"{name.replace('_', ' ')} {was} → {becomes}"
        return super().save(commit)


class ThresholdFormSet(forms.BaseInlineFormSet):
    """The overrides of one ward or patient: one for each sign at most."""

    @cached_property
    def replaced(self) -> Mapping[Sign, Limits]:
        return replaced_in(**{self.fk.name: self.instance})

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"replaced": self.replaced}

    def clean(self) -> None:
        super().clean()
        taken: set[str] = set()
        for form in self.forms:
            sign = form.cleaned_data.get("sign")
            if not sign or form.cleaned_data.get("DELETE"):
                continue
            if sign in taken:
                form.add_error("sign", already_set(sign))
            taken.add(sign)

    def validate_unique(self) -> None:
        """By sign, above."""


def replaced_in(*, patient: Patient | None = None, ward: Ward | None = None) -> Mapping[Sign, Limits]:
    """What an override in this scope stands in for: the limits of the next wider one."""
    if patient:
        return in_force(ward=ward_of(patient))
    return in_force() if ward else ADULT


def already_set(sign: str) -> ValidationError:
    return ValidationError(f"The limits of {FACTS[Sign(sign)].label} are set here already: change that line.", code="unique")


def ward_of(patient: Patient | None) -> Ward | None:
    """Where the patient lies now."""
    return Ward.objects.filter(beds__placements__admission__patient=patient, beds__placements__is_open=True).first()


def stamp(threshold: Threshold, *, by: User) -> None:
    """Name the scope after the row's ward or patient, and who set these limits when."""
    threshold.scope_key = scope_of(ward_id=threshold.ward_id, patient_id=threshold.patient_id)
    threshold.set_by, threshold.set_at = by, timezone.now()
    if threshold.pk:
        threshold.version += 1


def _whole(limit: float | None) -> float | None:
    """90 rather than 90.0 in the input."""
    return int(limit) if limit is not None and limit == int(limit) else limit


def _said(value: Any) -> str:
    if isinstance(value, float):
        return plain(value)
    return "–" if value in (None, "") else str(value)
