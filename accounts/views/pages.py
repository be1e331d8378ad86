"""What the pages of an account have in common."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from accounts.forms import is_unusable
from accounts.models import User


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User


def asked(request: HttpRequest, form: forms.BaseForm, *, title: str, button: str, **more: Any) -> HttpResponse:
    """A form as a page; 400 where no browser would have sent what it was sent."""
    template = more.pop("template", "accounts/form.html")
    told = {"title": title, "button": button, "form": form} | more
    return render(request, template, told, status=400 if is_unusable(form) else 200)


def onward(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is a page of ours."""
    target = request.POST.get("next", request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else ""


def to(name: str, request: HttpRequest) -> HttpResponseRedirect:
    """To another page of the door, which leads on to where the person wanted to go."""
    target = onward(request)
    return HttpResponseRedirect(resolve_url(name) + (f"?{urlencode({'next': target})}" if target else ""))
