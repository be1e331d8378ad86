"""Limits as an administrator reads and sets them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User, Ward
from monitoring.admin.forms import VersionedForm
from monitoring.clinical.limits import Limits
from monitoring.clinical.overrides import FIELDS, SIDES, Override
from monitoring.clinical.signs import FACTS, Sign, plain
from monitoring.models import Threshold, ThresholdChange
from monitoring.models.threshold import Part
from monitoring.services import layers, refusals, thresholds
from monitoring.services.layers import Scope, Source, Standing
from monitoring.services.refusals import Key
from monitoring.services.suggestions import Suggestion

BOUNDS = ("bound_low", "bound_high")
COLUMNS = ("When", "What", "Sign", "From", "To", "Why", "By")
HISTORY = 20  # changes shown on a page


def sign_name(sign: Sign) -> str:
    return f"{FACTS[sign].label} ({FACTS[sign].unit})"


def sides_of(limits: Limits | Override) -> list[float | None]:
    """From critical low to critical high."""
    return [getattr(limits, side) for side in SIDES]


def phrase(limits: Limits | Override) -> str:
    """`40 / 50 / 120 / 140`; a dash is an open side."""
    return " / ".join("–" if side is None else plain(side) for side in sides_of(limits))


def scope_of(row: Threshold) -> Scope:
    return Scope(row.ward, row.patient)


def key_of(row: Threshold) -> Key:
    return Sign(row.sign), Part(row.part)


def table(scope: Scope) -> SafeString:
    """What is in force now, sign by sign, and which scope says so."""
    place = layers.place_of(scope)
    standings = thresholds.sources([place], now=timezone.now())[place]
    rows = ((sign_name(sign), phrase(standing.limits), _says(standing, scope)) for sign, standing in standings.items())
    order = " / ".join(side.replace("_", " ") for side in SIDES)
    head = format_html("<tr><th>Sign</th><th>{}</th><th>Set by</th></tr>", order)
    return format_html('<table class="medql-in-force">{}{}</table>', head, _rows(rows))


def history(scope: Scope) -> SafeString | str:
    """The last changes of a scope's limits."""
    changes = ThresholdChange.objects.filter(scope_key=scope.key).select_related("by").order_by("-pk")[:HISTORY]
    rows = [
        (_clock(one.at), one.get_what_display(), _sign_of(one), said(one.was), said(one.becomes), one.reason, one.by or "MedQL")
        for one in changes
    ]
    head = format_html("<tr>{}</tr>", format_html_join("", "<th>{}</th>", ([name] for name in COLUMNS)))
    lines = (format_html_join("", "<td>{}</td>", ([cell] for cell in row)) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", ([line] for line in lines))
    return format_html('<table class="medql-in-force">{}{}</table>', head, body) if rows else "none yet"


def _sign_of(change: ThresholdChange) -> str:
    name = FACTS[Sign(change.sign)].label if change.sign else "when the night is"
    return f"{name}, night" if change.part and change.sign else name


def said(kept: dict[str, Any] | None) -> str:
    """What the history kept, as one reads it."""
    if not kept:
        return "the wider limits"
    if "begins" in kept:
        return f"{kept['begins']}–{kept['ends']}"
    sides: dict[str, Any] = {side: kept.get(side) for side in SIDES}
    four = phrase(Override(**sides))
    rest = [f"{name.replace('_', ' ')} {plain(kept[name])}" for name in ("delay", "margin", *BOUNDS) if name in kept]
    until = [f"until {_clock(datetime.fromisoformat(kept['expires_at']))}"] if kept.get("expires_at") else []
    return "; ".join([four, *rest, *until])


def _clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _says(standing: Standing, scope: Scope) -> str:
    names = {
        Source.DEFAULT: "shipped default",
        Source.HOSPITAL: "hospital",
        Source.WARD: f"ward {standing.row.ward}" if standing.row else "",
        Source.PATIENT: "this patient",
    }
    said = [names[standing.source] + (", night" if standing.night else "")]
    if standing.set_on:
        said.append(f"set on {standing.set_on}, confirm")
    if standing.off:
        said.append("off: " + ", ".join(side.replace("_", " ") for side in standing.off))
    if standing.row and standing.row.expires_at:
        said.append(f"until {_clock(standing.row.expires_at)}")
    return "; ".join(said)


def _rows(rows: Iterable[tuple[str, str, str]]) -> SafeString:
    return format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)


@dataclass(frozen=True)
class Above:
    """What a line of limits is set against: its scope, where that patient lies, and the limits without it."""

    scope: Scope
    lies: Ward | None
    limits: Mapping[Sign, Limits]

    @classmethod
    def of(cls, scope: Scope) -> Above:
        lies = layers.ward_of(scope.patient) if scope.patient else None
        return cls(scope, lies, layers.replaced_by(scope, now=timezone.now()).limits())


class ThresholdForm(VersionedForm):
    """Limits of one sign in one scope. A side left empty raises no alert, so it needs a reason and a doctor."""

    by: User  # set on the class of the page's form

    sign = forms.ChoiceField(choices=[("", "---------"), *((sign.value, sign_name(sign)) for sign in Sign)])
    reason = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"size": 30}))
    expires_at = forms.SplitDateTimeField(required=False, label="until", widget=AdminSplitDateTime)
    confirmed = forms.BooleanField(required=False, label="confirm", help_text="Set in another ward: it shall hold here too.")

    class Meta:
        model = Threshold
        fields = ("part", "sign", *SIDES, "delay", "margin", *BOUNDS, "reason", "expires_at")

    class Media:
        js = ("monitoring/thresholds.js",)

    def __init__(self, *args: Any, above: Above | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.above = above or Above.of(scope_of(self.instance))
        if SIDES[0] not in self.fields:  # only to be read
            return
        sign = self.fields["sign"]
        sign.widget.attrs["data-limits"] = json.dumps({name.value: sides_of(of) for name, of in self.above.limits.items()})
        if self.instance.pk:
            for name in {"sign", "part"} & set(self.fields):
                self.fields[name].disabled = True
        if "confirmed" in self.fields:
            self.fields["confirmed"].disabled = self.instance.set_in in (None, self.above.lies)
        for name in {*SIDES, "margin", "delay", *BOUNDS} & set(self.fields):
            self.fields[name].widget.attrs |= {"class": "medql-limit", "step": "any"}
            self.initial[name] = _whole(self.initial.get(name))

    @property
    def override(self) -> Override:
        """What the form says; what it does not show stays as it is stored."""
        shown = {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}
        stored = {name: getattr(self.instance, name) for name in FIELDS}
        return Override(**{**stored, **shown})

    @property
    def key(self) -> Key:
        return Sign(self.cleaned_data["sign"]), Part(self.cleaned_data.get("part") or self.instance.part)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("sign") and not self.errors:
            wanted = {self.key: self.override}
            for fault in refusals.faults(self.above.scope, wanted, by=self.by, now=timezone.now()):
                self.add_error(fault.field if fault.field in self.fields else None, fault.sentence)
        return cleaned

    def _post_clean(self) -> None:
        """The rules have spoken in `clean`; the row itself is written by the service alone."""

    def tell_from_what(self) -> None:
        """The history names a changed field by its label: it shall tell from what to what."""
        for name in self.changed_data if self.instance.pk else []:
            if name in self.cleaned_data:
                was, becomes = _said(self.initial.get(name)), _said(self.cleaned_data[name])
                self.fields[name].label = f"{name.replace('_', ' ')} {was} → {becomes}"


class ThresholdFormSet(forms.BaseInlineFormSet):
    """The overrides of one ward or patient: one for each sign and part of the day at most."""

    told_by_verb = True  # in the audit
    by: User  # set by the page, as what it suggests
    suggested: ClassVar[list[Suggestion]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """A suggestion fills in the lines before they are shown, and is saved only as a person sends it back."""
        super().__init__(*args, **kwargs)
        if self.suggested and not self.is_bound:
            taken = {row.sign for row in self.get_queryset()}
            fresh = [_filled_in(one) for one in self.suggested if one.sign not in taken]
            self.initial_extra, self.extra = fresh, len(fresh)

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form: Any = super()._construct_form(i, **kwargs)  # type: ignore[misc]  # the stubs leave it out
        if not self.is_bound and form.instance.pk:
            form.initial |= next((_filled_in(one) for one in self.suggested if one.sign == form.instance.sign), {})
        return form

    @cached_property
    def above(self) -> Above:
        return Above.of(Scope(**{self.fk.name: self.instance}))

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"above": self.above}

    def full_clean(self) -> None:
        """Nobody else may write these limits between the look at them and the saving: the page holds a transaction."""
        if self.is_bound:
            thresholds.hold(self.above.scope)
        super().full_clean()

    def clean(self) -> None:
        super().clean()
        taken: set[Key] = set()
        lines: list[Any] = self.forms
        for form in lines:
            if not form.cleaned_data.get("sign") or form.cleaned_data.get("DELETE"):
                continue
            key = form.key
            if key in taken:
                form.add_error("sign", already_set(key[0]))
            taken.add(key)

    def validate_unique(self) -> None:
        """By sign and part, above."""

    def save(self, commit: bool = True) -> list[Threshold]:
        """All lines in one deed of the service; what became of them is told to the page's history."""
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        wanted: dict[Key, Override | None] = {}
        seen: dict[Key, int] = {}
        lines: list[Any] = self.forms
        for form in lines:
            if form in self.deleted_forms:
                if form.instance.pk:
                    self.deleted_objects.append(form.instance)
                    wanted[key_of(form.instance)] = None
            elif form.has_changed():
                form.tell_from_what()
                wanted[form.key] = form.override
                if form.instance.pk:
                    self.changed_objects.append((form.instance, form.changed_data))
                else:
                    self.new_objects.append(_as_said(form))
                seen[form.key] = form.cleaned_data.get("seen_version") or form.instance.version if form.instance.pk else 0
        if wanted:
            thresholds.change(self.above.scope, wanted, by=self.by, at=timezone.now(), seen=seen)
        return self.new_objects


def _filled_in(suggestion: Suggestion) -> dict[str, Any]:
    sides = {side: _whole(getattr(suggestion.limits, side)) for side in SIDES}
    return {"sign": suggestion.sign.value, **sides, "reason": f"suggested from {plain(suggestion.value)}"}


def _as_said(form: ThresholdForm) -> Threshold:
    """A new line, for the history of its page."""
    row = form.instance
    row.sign, row.part = form.key
    for name in FIELDS:
        setattr(row, name, getattr(form.override, name))
    return row


def already_set(sign: Sign) -> ValidationError:
    return ValidationError(f"The limits of {FACTS[sign].label} are set here already: change that line.", code="unique")


def _whole(limit: float | None) -> float | None:
    """90 rather than 90.0 in the input."""
    return int(limit) if limit is not None and limit == int(limit) else limit


def _said(value: Any) -> str:
    if isinstance(value, float):
        return plain(value)
    return "–" if value in (None, "") else str(value)
