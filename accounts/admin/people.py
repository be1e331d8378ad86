"""People and where they work. Who leaves is deactivated, never deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import registration
from accounts.access import Permission
from accounts.admin.keeping import Kept, NamedChoices, OfVisibleWards, VisibleChoices
from accounts.models import Membership, User

# What makes an administrator is given by an administrator only.
POWERS = ("is_staff", "is_superuser")


class NewPersonForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("login", "email", "name")
        field_classes: dict[str, Any] = {}


class PersonForm(UserChangeForm):
    class Meta:
        model = User
        exclude = ("groups", "user_permissions")  # a role comes from a membership, and its powers from accounts.access
        field_classes: dict[str, Any] = {}


class MembershipInline(OfVisibleWards, admin.TabularInline):
    """Where a person works; taking a line out ends it."""

    to_see = Permission.SEE_STAFF
    model = Membership
    extra = 0
    verbose_name = "ward of this person"
    verbose_name_plural = "wards of this person"


class RegistrationFilter(NamedChoices):
    title = parameter_name = "registration"
    means = {"waits for approval": Q(registered_at__isnull=False, approved_at=None)}


@admin.register(User)
class PersonAdmin(Kept, OfVisibleWards, UserAdmin):
    named_by = "login"
    to_see = Permission.SEE_STAFF
    ward_path = "memberships__ward"
    form = PersonForm
    add_form = NewPersonForm
    list_display = ("login", "name", "email", "works_in", "is_staff", "is_active", "last_login")
    list_display_links = ("login", "name")
    list_filter = ("is_active", RegistrationFilter, "is_staff", "memberships__role", ("memberships__ward", VisibleChoices))
    search_fields = ("login",)
    search_help_text = "Search by login. Names and e-mails would end up in addresses and logs."
    ordering = ("login",)
    readonly_fields = ("last_login", "created_at", "registered_at", "approved_at", "approved_by")
    inlines = (MembershipInline,)
    actions = ("approve", "deactivate")
    fieldsets = (
        (None, {"fields": ("login", "name", "email", "password")}),
        ("May", {"fields": ("is_active", *POWERS)}),
        ("When", {"fields": ("last_login", "created_at", "registered_at", "approved_at", "approved_by")}),
    )
    add_fieldsets = ((None, {"fields": ("login", "name", "email", "usable_password", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("memberships__ward")

    @admin.display(description="works in")
    def works_in(self, person: User) -> str:
        return ", ".join(f"{row.ward} ({row.role})" for row in person.memberships.all()) or "–"

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only an administrator changes an administrator, also his password."""
        if obj is not None and obj.is_superuser and not _is_administrator(request):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        if obj is not None and obj.pk == request.user.pk:
            fixed += ("is_active", "is_staff", "is_superuser")  # nobody locks himself out
        if obj is not None and obj.is_waiting:
            fixed += ("is_active",)  # he is approved, by name and time
        return fixed if _is_administrator(request) else (*fixed, *POWERS)

    @admin.action(description="Approve: who registered himself may sign in", permissions=["change"])
    def approve(self, request: HttpRequest, people: QuerySet[User]) -> None:
        assert isinstance(request.user, User)  # admin lets nobody else in
        for person in people:
            if self.has_change_permission(request, person) and registration.approve(person, by=request.user, at=timezone.now()):
                self.log_deed(request, person, "Approved.")
                self.message_user(request, f"{person.login} may sign in. A ward comes by a membership.", "success")

    @admin.action(description="Deactivate: they can no longer sign in", permissions=["change"])
    def deactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Everybody chosen but oneself, and but those one may not change."""
        for person in people:
            if person.pk == request.user.pk or not self.has_change_permission(request, person):
                self.message_user(request, f"{person.login} stays active.", "warning")
            elif person.is_active:
                with transaction.atomic():
                    User.objects.filter(pk=person.pk).update(is_active=False)
                    self.log_change(request, person, "Deactivated.")
                self.message_user(request, f"{person.login} can no longer sign in.", "success")


@admin.register(Membership)
class MembershipAdmin(OfVisibleWards, admin.ModelAdmin):
    to_see = Permission.SEE_STAFF
    list_display = ("user", "role", "ward", "starts_at", "ends_at")
    list_filter = ("role", ("ward", VisibleChoices))
    list_select_related = ("user", "ward")
    search_fields = ("user__login",)
    ordering = ("ward__name", "user__login")
    autocomplete_fields = ("user",)
    readonly_fields = ("created_at",)


def _is_administrator(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser
