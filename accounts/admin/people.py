"""People and where they work. Who leaves is deactivated, never deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts import audit, factors, letters, links, registration, sessions
from accounts.access import Permission
from accounts.admin.keeping import Kept, NamedChoices, OfVisibleWards, VisibleChoices
from accounts.models import Deed, Membership, Session, User

# What makes an administrator is given by an administrator only.
POWERS = ("is_staff", "is_superuser")


class NewPersonForm(AdminUserCreationForm):
    """Without a password here, the person is invited to choose one."""

    usable_password = AdminUserCreationForm.create_usable_password_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["usable_password"]
        choice.label, choice.initial, choice.help_text = "Password", "false", ""
        choice.choices = {"false": "The person chooses it, by a link", "true": "This one:"}  # type: ignore[attr-defined]

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
    actions = ("approve", "send_link", "end_sessions", "remove_second_factor", "deactivate")
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
        for person in self._theirs(request, people):
            if registration.approve(person, by=_actor(request), at=timezone.now()):
                self.log_deed(request, person, "Approved.")
                self.message_user(request, f"{person.login} may sign in. A ward comes by a membership.", "success")

    @admin.action(description="Invite, or let choose another password: by a link, good once", permissions=["change"])
    def send_link(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in self._theirs(request, people):
            if person.is_active:
                self._send_link(request, person)

    @admin.action(description="Sign them out everywhere, programs too", permissions=["change"])
    def end_sessions(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in self._theirs(request, people):
            count = _end_sessions(request, person)
            self.log_deed(request, person, f"Ended {count} sessions.")
            self.message_user(request, f"{person.login} is signed out everywhere.", "success")

    @admin.action(description="Take off a second factor that is lost", permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Whoever has the lost telephone is signed out by that, too."""
        for person in self._theirs(request, people):
            if factors.remove(person, by=_actor(request), at=timezone.now()):
                _end_sessions(request, person)
                self.log_deed(request, person, "Took the second factor off.")
                self.message_user(request, f"{person.login} has no second factor any more.", "success")

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
                    _end_sessions(request, person)
                self.message_user(request, f"{person.login} can no longer sign in.", "success")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            _end_sessions(request, obj)
        if not change and not obj.has_usable_password():
            request.newcomer = obj  # type: ignore[attr-defined]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Who got no password is invited, once he is stored."""
        answer: HttpResponse = super().add_view(request, form_url, extra_context)
        if newcomer := getattr(request, "newcomer", None):
            self._send_link(request, newcomer)
        return answer

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """What Django does, and then nobody is signed in by the old one."""
        person = self.get_object(request, unquote(id))
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        if person and not User.objects.filter(pk=person.pk, password=person.password).exists():
            here = sessions.of(request).row if person == request.user else None
            _end_sessions(request, person, but=here, why=Session.Ending.PASSWORD)
            audit.record(Deed.PASSWORD_CHANGED, by=_actor(request), at=timezone.now(), about=f"user:{person.login}")
        return answer

    def _theirs(self, request: HttpRequest, people: QuerySet[User]) -> list[User]:
        """Those of the chosen whom this person may change."""
        return [person for person in people if self.has_change_permission(request, person)]

    def _send_link(self, request: HttpRequest, person: User) -> None:
        """By mail where there is one; else it is shown, this once, to be handed over."""
        purpose = links.purpose_for(person)
        token = links.make(person, by=_actor(request), at=timezone.now())
        address = request.build_absolute_uri(reverse("link", args=[token]))
        if letters.can_send() and person.email:
            try:
                links.send(person, address, purpose=purpose)
            except letters.Unsent as fault:
                self.message_user(request, f"The mail server did not take the letter to {person.login} ({fault}).", "error")
            else:
                self.message_user(request, f"{person.login} gets a letter with a link.", "success")
                return
        lives = links.LIVES[purpose] // timedelta(hours=1)
        sentence = "The link for {}, shown this once, good once and for {} h; hand it over yourself: <code>{}</code>"
        self.message_user(request, format_html(sentence, person.login, lives, address), "warning")


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


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # admin lets nobody else in
    return request.user


def _end_sessions(
    request: HttpRequest,
    person: User,
    *,
    but: Session | None = None,
    why: Session.Ending = Session.Ending.BY_ADMINISTRATOR,
) -> int:
    return sessions.end_all(person, by=_actor(request), at=timezone.now(), but=but, why=why)
