"""What the forms of the administration share: a time that may not lie ahead, a deed that may be refused, a stale page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from accounts import access
from accounts.access import Permission
from accounts.models import Bed, User

AHEAD = timedelta(seconds=30)  # as the device door has it


class PastOrNow(forms.SplitDateTimeField):
    """A time that is not ahead of ours; left empty it is now."""

    widget = AdminSplitDateTime

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, help_text="Empty: now.", **kwargs)

    def clean(self, value: Any) -> datetime:
        at: datetime | None = super().clean(value)
        now = timezone.now()
        if at is not None and at - now > AHEAD:
            raise ValidationError("This time lies ahead.", code="future")
        return at or now


class BedField(forms.ModelChoiceField):
    """Offers the beds that are free; one that was taken meanwhile is refused by the verb, not by the list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Bed.objects.select_related("ward"), **kwargs)


def offer_beds(form: forms.Form | forms.ModelForm, *, to: User, present: Bed | None = None) -> None:
    """Name the free beds of the wards in which this person may admit, and the bed the patient is in."""
    field: Any = form.fields["bed"]
    wards = access.wards_where(to, Permission.ADMIT).values("pk")
    field.queryset = Bed.objects.filter(ward__in=wards).select_related("ward").order_by("ward__name", "position")
    mine = [(present.pk, f"{present} (now)")] if present else [("", "---------")]
    field.choices = [*mine, *((bed.pk, str(bed)) for bed in field.queryset.exclude(placements__is_open=True))]


class DeedForm(forms.ModelForm):
    """A form that is valid when its deed was done: a refusal of the service is a message at its field.

    The admin page holds the transaction; a page with such a form has no other forms, so that what was done is also kept.
    """

    by: ClassVar[User]
    refusals: ClassVar[dict[type[Exception], tuple[str, str]]] = {}

    def act(self) -> Any:
        """The deed; what it made becomes the form's instance."""
        raise NotImplementedError

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or self.errors:
            return
        try:
            with transaction.atomic():
                self.instance = self.act()
        except tuple(self.refusals) as refusal:
            self.add_error(*self.refusals[type(refusal)])
        except (IntegrityError, OperationalError):
            # A deadlock has ended the admin's whole transaction: nothing is done, and nothing may be done behind it.
            self.add_error(None, "Somebody else did this at the same moment. Look again before you repeat it.")


class VersionedForm(forms.ModelForm):
    """A page that was overtaken by somebody else's change is not saved over it."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["seen_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        seen = self.cleaned_data.get("seen_version")
        if self.instance.pk and seen is not None and seen != self._version_now():
            self.add_error(None, "Somebody changed this since you opened it. Open it again and look before you change it.")
        return cleaned

    def _version_now(self) -> int:
        """Held until this page is saved, so that of two who save at once one is told."""
        rows = type(self.instance)._default_manager.select_for_update().filter(pk=self.instance.pk)
        return rows.values_list("version", flat=True).get()
