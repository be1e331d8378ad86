"""Programs that are no person, and their tokens: a token is shown in one message, when it is made, and never again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from accounts import service_tokens
from accounts.access import Permission
from accounts.admin.keeping import Kept
from accounts.models import ServiceToken, User

SENTENCE = "The token of {}, shown this once; copy it into the program now: <code>{}</code>"


class NewServiceTokenForm(forms.ModelForm):
    class Meta:
        model = ServiceToken
        fields = ("name", "wards", "expires_at")
        widgets = {"wards": forms.CheckboxSelectMultiple}

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise forms.ValidationError("This time is over already.", code="past")
        return expires_at


@admin.register(ServiceToken)
class ServiceTokenAdmin(Kept, admin.ModelAdmin):
    """What a program may read does not change under it: another need is another token."""

    told_by_verb = True
    named_by = "name"
    to_see = Permission.RUN_HOSPITAL
    form = NewServiceTokenForm
    list_display = ("name", "reads", "created_at", "created_by", "used_at", "expires_at", "revoked_at")
    list_select_related = ("created_by",)
    ordering = ("name",)
    actions = ("revoke",)
    known = ("prefix", "created_at", "created_by", "used_at", "revoked_at", "revoked_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceToken]:
        return super().get_queryset(request).prefetch_related("wards")

    def get_fields(self, request: HttpRequest, obj: ServiceToken | None = None) -> Any:
        return ("name", "wards", "expires_at", *(self.known if obj else ()))

    def has_change_permission(self, request: HttpRequest, obj: ServiceToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    @admin.display(description="reads")
    def reads(self, token: ServiceToken) -> str:
        return ", ".join(ward.name for ward in token.wards.all())

    def save_model(self, request: HttpRequest, obj: ServiceToken, form: Any, change: bool) -> None:
        by = request.user
        assert isinstance(by, User)  # admin lets nobody else in
        token = service_tokens.issue(obj, wards=form.cleaned_data["wards"], by=by, at=timezone.now())
        self.message_user(request, format_html(SENTENCE, obj, token), "warning")

    @admin.action(description="Revoke: the program is shut out at once", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ServiceToken]) -> None:
        assert isinstance(request.user, User)  # admin lets nobody else in
        for token in tokens:
            if service_tokens.revoke(token, by=request.user, at=timezone.now()):
                self.log_deed(request, token, "Revoked.")
                self.message_user(request, f"{token} is shut out.", "success")
