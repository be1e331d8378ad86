"""Every page of the administration leaves its trail: what was opened, and what was saved by which fields.

One hook for all: a page cannot forget it. Where a verb of a service saves, the verb has written the entry: of all that a page
saves (`told_by_verb`) or of some fields (`fields_told_by_verb`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import audit
from accounts.models import Deed, User, Ward


class Trailed(BaseModelAdmin):
    """`patient_path`: the way from a row to its patient, a dot for the row itself; `named_by`: the field that names a row."""

    told_by_verb = False
    fields_told_by_verb: frozenset[str] = frozenset()
    patient_path = ""
    named_by = "pk"

    # What was saved

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Keep what the forms know until the row is logged: Django's message has labels, and the words of other rows."""
        own = [name for name in form.changed_data if name not in self.fields_told_by_verb]
        request.saved_fields = own  # type: ignore[attr-defined]
        request.saved_rows = list(_rows(formsets or []))  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._write_down(request, Deed.ADDED, obj, message)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._write_down(request, Deed.CHANGED, obj, message)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deed(self, request: HttpRequest, obj: Any, said: str) -> None:
        """For the history of the page alone: a verb did it, and has written its entry."""
        super().log_change(request, obj, said)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            if not self.told_by_verb:
                self._record(request, Deed.REMOVED, obj, {})
        return super().log_deletions(request, queryset)  # type: ignore[misc]

    def _write_down(self, request: HttpRequest, deed: Deed, obj: Any, message: Any) -> None:
        if isinstance(message, str):
            said: dict[str, Any] = {"said": message}
        else:
            said = {"fields": fields} if (fields := getattr(request, "saved_fields", [])) else {}
            for done, row, names in getattr(request, "saved_rows", []):
                self._record(request, done, row, {"fields": names} if names else {})
        if (said or deed is Deed.ADDED) and not self.told_by_verb:
            self._record(request, deed, obj, said)

    def _record(self, request: HttpRequest, deed: Deed, row: Any, said: dict[str, Any]) -> None:
        mine = isinstance(row, self.model)
        name = getattr(row, self.named_by) if mine else row.pk
        facts = row.for_audit() if hasattr(row, "for_audit") else {}
        audit.record(
            deed,
            by=_person(request),
            at=timezone.now(),
            patient=self._patient_of(row) if mine else "",
            ward=_ward_of(row),
            about=f"{row._meta.model_name}:{name}",
            detail=said | facts,
        )

    # What was opened

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        if request.method == "GET" and response.status_code == 200:
            self.saw(request, "list")
        return response

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        if (obj := kwargs.get("obj")) is not None:
            self.saw(request, str(obj.pk), obj)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: Any = super().history_view(request, object_id, extra_context)  # type: ignore[misc]
        if obj := (getattr(response, "context_data", None) or {}).get("object"):
            self.saw(request, f"{obj.pk}/history", obj)
        return response

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        self.saw(request, f"{context['object'].pk}/delete", context["object"])
        response: HttpResponse = super().render_delete_form(request, context)  # type: ignore[misc]
        return response

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """A field that completes what is typed shows rows of this noun on another page."""
        if request.resolver_match and request.resolver_match.url_name == "autocomplete":
            self.saw(request, "choices")
        return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]

    def saw(self, request: HttpRequest, page: str, obj: Any = None) -> None:
        """This person was shown this page, of the noun or of one row."""
        patient = self._patient_of(obj) if obj is not None else ""
        name = f"admin/{self.opts.model_name}/{page}"
        audit.saw(by=_person(request), at=timezone.now(), patient=patient, ward=_ward_of(obj), page=name)

    def _patient_of(self, row: Any) -> str:
        steps = filter(None, self.patient_path.split("."))
        patient = reduce(lambda at, step: getattr(at, step) if at else None, steps, row) if self.patient_path else None
        return str(patient.patient_id) if patient else ""


def _rows(formsets: Any) -> Iterator[tuple[Deed, models.Model, list[str]]]:
    """What the lines of a page came to; the limits are told by their verb."""
    for formset in formsets:
        if getattr(formset, "told_by_verb", False):
            continue
        yield from ((Deed.ADDED, row, []) for row in formset.new_objects)
        yield from ((Deed.CHANGED, row, list(names)) for row, names in formset.changed_objects)
        yield from ((Deed.REMOVED, row, []) for row in formset.deleted_objects)


def _ward_of(row: Any) -> int | None:
    return row.pk if isinstance(row, Ward) else getattr(row, "ward_id", None)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # admin lets nobody else in
    return request.user
