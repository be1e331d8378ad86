"""The page by which one enters another ward in an emergency."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import emergency
from accounts.forms import is_unusable
from accounts.models import Ward
from accounts.views.pages import SignedIn


class EmergencyForm(forms.Form):
    ward = forms.ModelChoiceField(Ward.objects.none(), to_field_name="slug", empty_label="choose a ward")
    reason = forms.CharField(
        min_length=emergency.SHORTEST_REASON,
        max_length=emergency.LONGEST_REASON,
        widget=forms.TextInput(attrs={"placeholder": "for example: cardiac arrest, bed S3"}),
        error_messages={"min_length": "Say in a few words why."},
    )

    def __init__(self, *args: Any, wards: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ward"].queryset = wards  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def page(request: SignedIn) -> HttpResponse:
    """Asks which ward and why, and leads to its board."""
    if not emergency.may_enter(request.user, at=timezone.now()):
        raise PermissionDenied("Only nurses and doctors may enter another ward.")
    foreign = Ward.objects.exclude(pk__in=Ward.objects.visible_to(request.user).values("pk")).order_by("name")
    form = EmergencyForm(request.POST if request.method == "POST" else None, wards=foreign)
    if form.is_valid():
        ward = form.cleaned_data["ward"]
        emergency.enter(request.user, ward, reason=form.cleaned_data["reason"], at=timezone.now())
        return redirect("ward", slug=ward.slug)
    told = {"form": form, "minutes": int(emergency.LASTS.total_seconds() // 60)}
    return render(request, "emergency.html", told, status=400 if is_unusable(form) else 200)


@require_POST
@login_required
def leave(request: SignedIn) -> HttpResponse:
    """Ends it before its time."""
    ward = Ward.objects.visible_to(request.user).filter(slug=request.POST.get("ward", "")).first()
    if ward:
        emergency.leave(request.user, ward, at=timezone.now())
    return redirect("home")
