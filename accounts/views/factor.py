"""The second factor: shown at the door, set up, renewed and given up."""

from __future__ import annotations

import segno
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.timezone import localtime
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import factors, logins, sealing, sessions
from accounts.factors import TooMany, Wanted, WrongCode
from accounts.forms import CodeForm, SetUpAgainForm, SetUpForm, ShownAgainForm
from accounts.models import Session, User
from accounts.views.answers import minutes, refusal
from accounts.views.pages import SignedIn, asked, onward, to

DRAFT = "a second factor to be"  # in the session: sealed, until a code shows that an authenticator has it


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """The second half of signing in."""
    now = timezone.now()
    person = logins.half(request, now=now)
    if person is None:
        return to("login", request)
    if factors.wanted(person, now=now) != Wanted.CODE:
        return to("second-factor", request)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            logins.show_code(request, person, form.cleaned_data["code"], at=now)
        except WrongCode:
            form.add_error("code", "This is not the code of now, or it was used already.")
        except TooMany as too_many:
            return _pause(request, too_many)
        else:
            return _signed_in(request, person)
    return asked(request, form, title="Your code", button="Sign in", template="accounts/code.html", next=onward(request))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
def set_up(request: HttpRequest) -> HttpResponse:
    """For who is signed in and wants one, and for who cannot sign in without."""
    now = timezone.now()
    person = request.user if isinstance(request.user, User) else logins.half(request, now=now)
    if person is None:
        return to("login", request)
    if factors.wanted(person, now=now) == Wanted.CODE:
        return redirect("account") if request.user.is_authenticated else to("code", request)
    form = _set_up_form(request)
    secret = _draft(request, person)
    if form.is_valid():
        try:
            codes = factors.set_up(person, secret, code=form.cleaned_data["code"], at=now)
        except WrongCode:
            form.add_error("code", "This is not the code of now. Look again: it changes every half minute.")
        else:
            _take(request, person)
            return _shown_once(request, codes)
    drawing = segno.make(factors.address_of(person, secret), error="m").svg_inline(border=2, omitsize=True)
    told = {"drawing": mark_safe(drawing), "secret": _grouped(secret), "next": onward(request)}  # noqa: S308 (segno's own)
    title = "Set up a second factor"
    return asked(request, form, title=title, button="Take it", template="accounts/second_factor.html", **told)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
@login_required
def remove(request: SignedIn) -> HttpResponse:
    """Another authenticator, or none, where no ward asks for one."""
    if factors.wanted(request.user, now=timezone.now()) != Wanted.CODE:
        return redirect("account")
    form = _Remove(request, request.POST or None)
    if form.is_valid():
        try:
            logins.show_code(request, request.user, form.cleaned_data["code"], at=timezone.now())
        except WrongCode:
            form.add_error("code", "This is not the code of now, or it was used already.")
        except TooMany as too_many:
            return _pause(request, too_many)
        else:
            factors.remove(request.user, by=request.user, at=timezone.now())
            return redirect("second-factor")
    lead = "Show it, or a recovery code, for the last time. The recovery codes go with it."
    return asked(request, form, title="Give up this authenticator", button="Give it up", lead=lead, back="account")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
@login_required
def recovery_codes(request: SignedIn) -> HttpResponse:
    """Ten new ones in place of those of before."""
    if factors.wanted(request.user, now=timezone.now()) != Wanted.CODE:
        return redirect("account")
    form = ShownAgainForm(request, request.POST or None)
    if form.is_valid():
        return _shown_once(request, factors.renew_codes(request.user, at=timezone.now()))
    lead = "You get ten new ones, and the old ones open nothing any more."
    return asked(request, form, title="New recovery codes", button="Make them", lead=lead, back="account")


class _Remove(SetUpAgainForm):
    """The password and a code, as at the door."""


def _set_up_form(request: HttpRequest) -> forms.Form:
    return SetUpAgainForm(request, request.POST or None) if request.user.is_authenticated else SetUpForm(request.POST or None)


def _draft(request: HttpRequest, person: User) -> str:
    """The secret of the picture, the same until it is taken or the person begins anew."""
    about = f"accounts.second_factor_draft:{person.pk}"
    try:
        return sealing.unseal(request.session[DRAFT], about=about)
    except (KeyError, sealing.Unreadable):  # none yet, or another person's
        secret = factors.new_secret()
        request.session[DRAFT] = sealing.seal(secret, about=about)
        return secret


def _take(request: HttpRequest, person: User) -> None:
    """Who has just set one up has shown it; what else he is signed in with has not."""
    now = timezone.now()
    request.session.pop(DRAFT, None)
    here = sessions.of(request).row if request.user.is_authenticated else None
    sessions.end_all(person, by=person, at=now, but=here, why=Session.Ending.SECOND_FACTOR)
    if here:
        request.session.cycle_key()
        request.session[sessions.SECOND_FACTOR] = now.isoformat()
    else:
        logins.sign_in(request, person, at=now, second_factor=True)


def _signed_in(request: HttpRequest, person: User) -> HttpResponse:
    target = onward(request)
    logins.sign_in(request, person, at=timezone.now(), second_factor=True)
    return HttpResponseRedirect(target or resolve_url(settings.LOGIN_REDIRECT_URL))


def _shown_once(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "next": onward(request)})


def _pause(request: HttpRequest, too_many: TooMany) -> HttpResponse:
    now = timezone.now()
    sentence = (
        f"Too many wrong codes. Try again in {minutes(too_many.until, now)} min, at {localtime(too_many.until):%H:%M}. "
        "An administrator can take the second factor off your account, if it is lost."
    )
    wait = too_many.until - now
    return refusal(request, sentence, title="Wait a little", code="locked_out", status=429, wait=wait)


def _grouped(secret: str) -> str:
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
