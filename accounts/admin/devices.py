"""Devices and their keys: a key is shown in one message, when it is issued, and never again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.db.models import Count, Max, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from accounts import keys
from accounts.access import Permission
from accounts.admin.keeping import Kept, OfVisibleWards, ReadOnly, VisibleChoices
from accounts.models import Device, DeviceKey, User, Ward

# How long a rotated key may go on, in minutes, as the list offers it.
OVERLAPS = {0: "at once", 10: "in 10 min", 60: "in 1 h", 8 * 60: "in 8 h", 24 * 60: "in a day"}


class KeyInline(ReadOnly, admin.TabularInline):
    """Which keys there were: the public prefix of each, never the secret."""

    to_see = Permission.SEE_STAFF
    model = DeviceKey
    fields = ("prefix", "state", "created_at", "used_at", "ends_at", "revoked_at")
    readonly_fields = fields
    ordering = ("-created_at",)
    verbose_name_plural = "keys"

    def state(self, key: DeviceKey) -> str:
        if key.is_current:
            return "the key of this device"
        return "goes on for a while" if key.is_living(timezone.now()) else "opens nothing"


class DeviceActionForm(ActionForm):
    overlap = forms.ChoiceField(label="Old keys end", choices=list(OVERLAPS.items()), initial=10, required=False)


@admin.register(Device)
class DeviceAdmin(Kept, OfVisibleWards, admin.ModelAdmin):
    named_by = "name"
    to_see = Permission.SEE_STAFF
    ward_path = "wards"
    list_display = ("name", "kind", "sends_from", "zero_is_absent", "is_active", "live_keys", "key_issued_at", "key_used_at")
    list_filter = ("is_active", "kind", ("wards", VisibleChoices))
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "kind", "wards", "zero_is_absent", "is_continuous", "requests_per_second", "is_active")
    actions = ("rotate_key", "revoke_keys")
    action_form = DeviceActionForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        live = Q(keys__revoked_at=None) & (Q(keys__ends_at=None) | Q(keys__ends_at__gt=timezone.now()))
        rows = super().get_queryset(request).prefetch_related("wards")
        rows = rows.annotate(live_keys=Count("keys", filter=live), key_issued_at=Max("keys__created_at", filter=live))
        return rows.annotate(key_used_at=Max("keys__used_at"))

    def get_inlines(self, request: HttpRequest, obj: Device | None) -> tuple[type[KeyInline], ...]:
        return (KeyInline,) if obj else ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=forms.CheckboxSelectMultiple, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        """A device that also sends from a ward one may not see is not one's to change."""
        if not super().has_change_permission(request, obj):
            return False
        person = request.user
        if obj is None or not isinstance(person, User) or person.is_superuser:
            return True
        return not obj.wards.exclude(pk__in=Ward.objects.visible_to(person).values("pk")).exists()

    @admin.display(description="wards")
    def sends_from(self, device: Device) -> str:
        return ", ".join(ward.name for ward in device.wards.all()) or "–"

    @admin.display(description="live keys", ordering="live_keys")
    def live_keys(self, device: Device) -> int:
        return getattr(device, "live_keys", 0)

    @admin.display(description="key issued", ordering="key_issued_at", empty_value="–")
    def key_issued_at(self, device: Device) -> Any:
        return getattr(device, "key_issued_at", None)

    @admin.display(description="last used", ordering="key_used_at", empty_value="never")
    def key_used_at(self, device: Device) -> Any:
        return getattr(device, "key_used_at", None)

    def save_model(self, request: HttpRequest, obj: Device, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            self._show(request, obj, keys.issue(obj, at=timezone.now(), by=_person(request)))

    @admin.action(description="Rotate the key: a new one, and the old ones end", permissions=["change"])
    def rotate_key(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        overlap = timedelta(minutes=int(request.POST.get("overlap") or 10))  # checked by the form
        ends = OVERLAPS[overlap // timedelta(minutes=1)]
        for device in self._own(request, devices):
            self._show(request, device, keys.rotate(device, at=timezone.now(), by=_person(request), overlap=overlap))
            self.log_deed(request, device, f"Rotated the key; the old ones end {ends}.")

    @admin.action(description="Revoke all keys: the device is shut out at once", permissions=["change"])
    def revoke_keys(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        for device in self._own(request, devices):
            count = keys.revoke(device, at=timezone.now(), by=_person(request))
            self.log_deed(request, device, f"Revoked {count} keys.")
            self.message_user(request, f"{device}: {count} {'key' if count == 1 else 'keys'} revoked.", "success")

    def _own(self, request: HttpRequest, devices: QuerySet[Device]) -> list[Device]:
        """Those of the chosen that this person may change."""
        return [device for device in devices if self.has_change_permission(request, device)]

    def _show(self, request: HttpRequest, device: Device, key: str) -> None:
        sentence = "The key of {}, shown this once; copy it into the device now: <code>{}</code>"
        self.message_user(request, format_html(sentence, device, key), "warning")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the administration lets nobody else in
    return request.user
