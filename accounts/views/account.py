"""My account: where I am signed in, my password, my second factor."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import factors, logins, sessions, tokens
from accounts.forms import ChangePasswordForm
from accounts.models import Membership, RefreshFamily, SecondFactor, Session
from accounts.views.pages import SignedIn, asked


@require_safe
@never_cache
@login_required
def me(request: SignedIn) -> HttpResponse:
    """The page."""
    now, person = timezone.now(), request.user
    works = Membership.objects.in_force(now).filter(user=person).select_related("ward").order_by("ward__name", "role")
    told = {
        "works": works,
        "here": _here(request),
        "sessions": Session.objects.living(now).filter(user=person).order_by("-seen_at"),
        "programs": RefreshFamily.objects.living(now).filter(user=person).order_by("-started_at"),
        "factor": SecondFactor.objects.filter(user=person).first(),
        "codes_left": factors.codes_left(person),
    }
    return render(request, "accounts/me.html", told)


@require_POST
@login_required
def end(request: SignedIn) -> HttpResponse:
    """Sign out of one browser, or stop one program."""
    now, person = timezone.now(), request.user
    if key := request.POST.get("session", ""):
        session = get_object_or_404(Session.objects.living(now).filter(user=person), pk=_number(key))
        if session.pk == _here(request):
            return redirect("account")  # here one signs out by the button for that
        sessions.end_one(session, by=person, at=now)
    elif key := request.POST.get("program", ""):
        tokens.end_family(get_object_or_404(RefreshFamily.objects.living(now).filter(user=person), pk=_number(key)), at=now)
    return redirect("account")


@require_POST
@login_required
def end_others(request: SignedIn) -> HttpResponse:
    """Everywhere but here: other browsers, and every program."""
    sessions.end_all(request.user, by=request.user, at=timezone.now(), but=sessions.of(request).row)
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
@login_required
def password(request: SignedIn) -> HttpResponse:
    """Another password, which signs out everywhere else."""
    form = ChangePasswordForm(request, request.POST or None)
    if form.is_valid():
        logins.change_password(
            request.user, form.cleaned_data["new_password"], by=request.user, at=timezone.now(), request=request
        )
        return redirect("account")
    lead = "At least 12 letters: a few words are good. With another one you are signed out everywhere else."
    return asked(request, form, title="Change your password", button="Change it", lead=lead, back="account")


def _here(request: HttpRequest) -> int | None:
    row = sessions.of(request).row
    return row.pk if row else None


def _number(key: str) -> int:
    """The number that the page sent as a row's key; none is a row that is nobody's."""
    return int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else 0
