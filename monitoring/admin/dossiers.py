"""The dossier of a patient, on a page of its own: opening it is a deed of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from monitoring.models import DossierChange, Patient
from monitoring.services import dossiers
from monitoring.services.dossiers import LONGEST, Contacts, EmergencyContact, Opened

CONTACTS = {
    "phone": "phone",
    "email": "email",
    "emergency_name": "emergency_contact.name",
    "emergency_phone": "emergency_contact.phone",
    "emergency_relationship": "emergency_contact.relationship",
    "note": "note",
}


class DossierForm(forms.Form):
    history = forms.CharField(
        label="medical history",
        widget=forms.Textarea(attrs={"rows": 14, "cols": 100}),
        required=False,
        max_length=dossiers.LONGEST_HISTORY,
    )
    phone = forms.CharField(required=False, max_length=LONGEST["phone"])
    email = forms.CharField(label="e-mail", required=False, max_length=LONGEST["email"])
    emergency_name = forms.CharField(label="in an emergency call", required=False, max_length=LONGEST["name"])
    emergency_phone = forms.CharField(label="at", required=False, max_length=LONGEST["phone"])
    emergency_relationship = forms.CharField(label="who is", required=False, max_length=LONGEST["relationship"])
    note = forms.CharField(label="or otherwise", required=False, max_length=LONGEST["note"])
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, opened: Opened, may_history: bool, may_contacts: bool) -> None:
        super().__init__(data, initial=_initial(opened), label_suffix="")
        self._close("history", may=may_history, readable=opened.history is not None)
        for name in CONTACTS:
            self._close(name, may=may_contacts, readable=opened.contacts is not None)
        self.may_save = any(not self.fields[name].disabled for name in ("history", *CONTACTS))

    @property
    def history_or_none(self) -> str | None:
        """What is wanted; None where nothing may be."""
        return None if self.fields["history"].disabled else str(self.cleaned_data["history"]).replace("\r\n", "\n")

    @property
    def contacts_or_none(self) -> Contacts | None:
        if self.fields["phone"].disabled:
            return None
        said = self.cleaned_data
        other = EmergencyContact(said["emergency_name"], said["emergency_phone"], said["emergency_relationship"])
        return Contacts(said["phone"], said["email"], other, said["note"])

    def blame(self, faults: dict[str, str]) -> None:
        own = {theirs: ours for ours, theirs in CONTACTS.items()}
        for name, sentence in faults.items():
            self.add_error(own.get(name, name), sentence)

    def _close(self, name: str, *, may: bool, readable: bool) -> None:
        self.fields[name].disabled = not (may and readable)
        if not readable:
            self.fields[name].help_text = dossiers.UNREADABLE


class HasDossier(admin.ModelAdmin):
    """The page of patients, with the way to their dossiers."""

    @admin.display(description="history and contacts")
    def way_to_dossier(self, patient: Patient) -> SafeString:
        way = reverse("admin:monitoring_patient_dossier", args=[patient.pk])
        return format_html('<a class="button" href="{}">Open the dossier</a> Who opens it is written down.', way)

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<path:object_id>/dossier/", self.admin_site.admin_view(self.dossier_view), name="monitoring_patient_dossier"
        )
        return [page, *super().get_urls()]

    def dossier_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        patient = self.get_object(request, unquote(object_id))
        if patient is None:
            raise Http404
        by = request.user
        assert isinstance(by, User)  # admin lets nobody else in
        try:
            opened = dossiers.read(patient, by=by, at=timezone.now())
        except dossiers.NotAllowed:
            raise PermissionDenied from None
        form = DossierForm(
            request.POST if request.method == "POST" else None,
            opened=opened,
            may_history=dossiers.may_change(by, patient, DossierChange.Part.HISTORY),
            may_contacts=dossiers.may_change(by, patient, DossierChange.Part.CONTACTS),
        )
        if form.may_save and form.is_valid() and _written(form, patient, by):
            self.message_user(request, f"The dossier of {patient} is saved.", "success")
            return redirect("admin:monitoring_patient_dossier", patient.pk)
        context = self.admin_site.each_context(request) | {
            "title": f"Dossier of {patient}",
            "opts": self.opts,
            "original": patient,
            "form": form,
            "former": dossiers.former(patient),
        }
        return TemplateResponse(request, "admin/monitoring/patient/dossier.html", context)


def _written(form: DossierForm, patient: Patient, by: User) -> bool:
    """Whether the verb took it; what it refuses is a message at its field."""
    try:
        dossiers.write(
            patient,
            history=form.history_or_none,
            contacts=form.contacts_or_none,
            by=by,
            at=timezone.now(),
            version_seen=form.cleaned_data["version"],
        )
    except dossiers.Invalid as refusal:
        form.blame(refusal.faults)
    except dossiers.Stale:
        form.add_error(None, "Somebody changed this since you opened it. Open it again and look before you change it.")
    except (dossiers.NotAllowed, dossiers.Unreadable):
        form.add_error(None, "This cannot be saved any more. Open it again.")
    return not form.errors


def _initial(opened: Opened) -> dict[str, Any]:
    contacts = opened.contacts or dossiers.NO_CONTACTS
    other = contacts.emergency_contact
    return {
        "history": opened.history or "",
        "phone": contacts.phone,
        "email": contacts.email,
        "emergency_name": other.name,
        "emergency_phone": other.phone,
        "emergency_relationship": other.relationship,
        "note": contacts.note,
        "version": opened.version,
    }
