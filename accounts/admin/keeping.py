"""What every page of the administration keeps to: the record stays, and a person sees the wards that are his."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.db import models
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest

from accounts import access
from accounts.access import Permission
from accounts.admin.trail import Trailed
from accounts.models import User, Ward

Answer = TypeVar("Answer")


class ByRole(Trailed):
    """What a person may do on a page is his role's, by the table of accounts.access; Django's own permissions are not asked."""

    to_see = Permission.READ_RECORD
    to_change = Permission.RUN_HOSPITAL
    to_add: Permission | None = None  # as to change

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.to_see, obj) or self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.to_add or self.to_change, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.to_change, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.to_change, obj)

    def allows(self, request: HttpRequest, permission: Permission, obj: Any) -> bool:
        """Whether this person may do this at all, in one ward at least."""
        return isinstance(request.user, User) and access.holds(roles(request), permission)


def roles(request: HttpRequest) -> frozenset[str]:
    """Every role of who asks, in whichever ward."""
    user = request.user
    assert isinstance(user, User)
    return once(request, "roles", lambda: access.roles_anywhere(user))


def once(request: HttpRequest, question: Hashable, ask: Callable[[], Answer]) -> Answer:
    """The answer to what one request asks: a page asks a hundred times, and the database once."""
    known: dict[Hashable, Answer] = request.__dict__.setdefault("asked_once", {})
    if question not in known:
        known[question] = ask()
    return known[question]


class Kept(ByRole):
    """Rows that nobody deletes."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(Kept):
    """Rows that only MedQL itself writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OfVisibleWards(ByRole):
    """Administrators see every row, other staff those of their wards: in lists, pages, choices and filters alike."""

    ward_path = "ward"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        person = request.user
        assert isinstance(person, User)  # admin lets nobody else in
        return rows if person.is_superuser else self.within(rows, Ward.objects.visible_to(person))

    def within(self, rows: models.QuerySet[Any], wards: models.QuerySet[Ward]) -> models.QuerySet[Any]:
        """Those of the rows that belong to one of these wards."""
        there = self.model._default_manager.filter(**{f"{self.ward_path}__in": wards})
        return rows.filter(pk__in=there.values("pk"))

    def allows(self, request: HttpRequest, permission: Permission, obj: Any) -> bool:
        """A row's own ward must allow it, not just any."""
        person = request.user
        if not super().allows(request, permission, obj) or not isinstance(person, User):
            return False
        if obj is None or person.is_superuser or not isinstance(obj, self.model):
            return True
        wards = access.wards_where(person, permission)
        return once(request, (self.model, obj.pk, permission), lambda: self._is_of(obj, wards))

    def _is_of(self, obj: Any, wards: models.QuerySet[Ward]) -> bool:
        return self.within(self.model._default_manager.filter(pk=obj.pk), wards).exists()

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        kwargs.setdefault("queryset", self._seen(db_field, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: models.ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        kwargs.setdefault("queryset", self._seen(db_field, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _seen(self, field: Any, request: HttpRequest) -> models.QuerySet[Any]:
        """What a choice may offer: the rows that the person sees on that noun's own page."""
        noun = field.remote_field.model
        if self.admin_site.is_registered(noun):
            return self.admin_site.get_model_admin(noun).get_queryset(request)
        return noun._default_manager.all()


class NamedChoices(admin.SimpleListFilter):
    """A filter by a few words, and what each of them means."""

    means: ClassVar[dict[str, models.Q]]

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(word, word) for word in self.means]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(self.means.get(self.value() or "", models.Q()))


class VisibleChoices(admin.RelatedFieldListFilter):
    """A filter that names only what the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        noun = model_admin.admin_site.get_model_admin(field.related_model)
        return [(str(row.pk), str(row)) for row in noun.get_queryset(request)]
