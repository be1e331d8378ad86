"""Choosing a password by a link: asking for one, following it, using it."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import letters, links, rates
from accounts.forms import ChoosePasswordForm, ResetForm
from accounts.models import OneTimeLink
from accounts.views.answers import refusal
from accounts.views.pages import asked

LINK = "digest of a link"  # in the session, once the link was followed: the token stays in no address


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def reset(request: HttpRequest) -> HttpResponse:
    """Who forgot the password; the answer is the same whoever that is."""
    if not letters.can_send():
        return render(request, "accounts/sentence.html", {"title": "Forgotten?", "sentence": WITHOUT_MAIL})
    form = ResetForm(request.POST or None)
    if not form.is_valid():
        lead = "You get a letter with a link to choose another one."
        return asked(request, form, title="Forgotten your password?", button="Send the letter", lead=lead, back="login")
    now, word = timezone.now(), form.cleaned_data["word"]
    address = request.build_absolute_uri(reverse("link", args=["TOKEN"]))
    try:
        links.ask(now=now)
        letters.later(lambda: links.send_reset(word, address=address, at=now))
    except rates.TooFast as fast:
        return _come_again(request, fast.retry_after)
    except letters.Full:
        return _come_again(request, 60)
    return redirect("reset-sent")


@require_safe
@never_cache
def sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sentence.html", {"title": "Look at your mail", "sentence": SENT})


@require_safe
@never_cache
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """The token leaves the address at once, and no other site is told of it. Looking uses nothing up: mail servers look."""
    link = links.found(links.digest_of(token), now=timezone.now()) if len(token) <= links.LONGEST else None
    if link is None:
        return _stale(request)
    request.session.cycle_key()
    request.session[LINK] = link.digest
    answer = redirect("choose-password")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
def choose(request: HttpRequest) -> HttpResponse:
    """The password itself."""
    link = links.found(request.session.get(LINK, ""), now=timezone.now())
    if link is None:
        return _stale(request)
    form = ChoosePasswordForm(link.user, request.POST or None)
    if form.is_valid():
        try:
            links.use(link.digest, form.cleaned_data["new_password"], at=timezone.now())
        except links.WrongLink:
            return _stale(request)
        request.session.pop(LINK, None)
        told = {"title": "Your password is set", "sentence": "Sign in with it.", "to": "login", "to_word": "Sign in"}
        return render(request, "accounts/sentence.html", told)
    title = "Welcome to MedQL" if link.purpose == OneTimeLink.Purpose.INVITE else "A new password"
    lead = f"Choose a password for {link.user.login}. At least 12 letters: a few words are good."
    return asked(request, form, title=title, button="Set the password", lead=lead)


SENT = (
    "If we know this login or e-mail, a letter with a link is on its way. It is good for one hour, and once. "
    "Nothing came? Look in the spam folder, or ask an administrator."
)
WITHOUT_MAIL = "This MedQL sends no e-mail. An administrator gives you a link to choose another password."
STALE = (
    "This link is not good any more: each is good once, and a newer one replaces it. "
    "Ask for another one, or an administrator for an invitation."
)


def _stale(request: HttpRequest) -> HttpResponse:
    return refusal(request, STALE, title="An old link", code="gone", status=410)


def _come_again(request: HttpRequest, seconds: int) -> HttpResponse:
    sentence = "Too many letters were asked for from here. Try again later."
    wait = timedelta(seconds=seconds)
    return refusal(request, sentence, title="Wait a little", code="too_many", status=429, wait=wait)
