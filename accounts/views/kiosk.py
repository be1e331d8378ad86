"""Make a browser a kiosk: it keeps the key of a device of that kind, and shows its wards' boards without names."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit, key_attempts, rates, visits
from accounts.forms import is_unusable
from accounts.models import Deed

KEPT = timedelta(days=400)  # as long as browsers keep a cookie at most
LONGEST_KEY = 200


class KeyForm(forms.Form):
    key = forms.CharField(
        label="Key of the kiosk",
        max_length=LONGEST_KEY,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="An administrator makes it: a device of the kind “kiosk”.",
    )

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        self.kiosk = visits.kiosk_with(key)
        if self.kiosk is None:
            raise forms.ValidationError("This is no key of a kiosk that is in use.")
        return key


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Asks for the key, and leads to the board."""
    form, now = KeyForm(request.POST if request.method == "POST" else None), timezone.now()
    if form.is_valid():
        return _made(form, now)
    if form.is_bound:
        return _refused(request, form, now)
    return render(request, "kiosk.html", {"form": form, "kiosk": visits.kiosk_of(request)})


def _made(form: KeyForm, now: datetime) -> HttpResponse:
    audit.record(Deed.KIOSK_SET_UP, by=form.kiosk, at=now, about=f"device:{form.kiosk}")
    answer = redirect("home")
    answer.set_cookie(
        settings.KIOSK_COOKIE_NAME,
        form.cleaned_data["key"],
        max_age=KEPT,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Strict",
    )
    return answer


def _refused(request: HttpRequest, form: KeyForm, now: datetime) -> HttpResponse:
    """The page again; who tries too many keys has to wait, as at the door of the devices."""
    try:
        key_attempts.wrong(at=now)
    except rates.TooFast as too_fast:
        form.add_error("key", f"Too many wrong keys came from here. Try again in {too_fast.retry_after} s.")
        answer = render(request, "kiosk.html", {"form": form}, status=HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers["Retry-After"] = str(too_fast.retry_after)
        return answer
    return render(request, "kiosk.html", {"form": form}, status=400 if is_unusable(form) else 200)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """This browser is a kiosk no more; the key itself goes on until it is revoked."""
    kiosk = visits.kiosk_of(request)
    if kiosk:
        audit.record(Deed.KIOSK_TAKEN_DOWN, by=kiosk, at=timezone.now(), about=f"device:{kiosk}")
    answer = redirect("kiosk")
    answer.delete_cookie(settings.KIOSK_COOKIE_NAME, samesite="Strict")
    return answer
