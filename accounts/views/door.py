"""The door: signing in, signing out, and who is shut out of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from accounts import audit, factors, lockout, logins, sessions
from accounts.factors import Wanted
from accounts.forms import LoginForm, is_unusable
from accounts.models import Deed, Session, User
from accounts.views.answers import minutes, refusal
from accounts.views.pages import to

# What a browser is told whose session ended otherwise than by signing out in it.
WHY = {
    Session.Ending.IDLE: "You were signed out because nobody used this screen for a while. Sign in to go on where you were.",
    Session.Ending.TOO_OLD: "You were signed out at the end of a long shift. Sign in to go on where you were.",
    Session.Ending.BY_PERSON: "This screen was signed out from another one.",
    Session.Ending.BY_ADMINISTRATOR: "An administrator has signed this screen out.",
    Session.Ending.SECOND_FACTOR: "A second factor is asked of you now. Sign in again.",
    Session.Ending.PASSWORD: "Your password was changed. Sign in with the new one.",
}


class SignIn(LoginView):
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        ending = sessions.of(self.request).ending
        return super().get_context_data(demo=settings.DEMO, why=WHY.get(ending) if ending else None, **kwargs)

    def form_valid(self, form: LoginForm) -> HttpResponse:  # type: ignore[override]  # ours is one of Django's
        person = form.get_user()
        assert isinstance(person, User)
        now = timezone.now()
        wanted = factors.wanted(person, now=now)
        if wanted == Wanted.NOTHING:
            logins.sign_in(self.request, person, at=now)
            return HttpResponseRedirect(self.get_success_url())
        logins.begin(self.request, person, at=now)
        return to("code" if wanted == Wanted.CODE else "second-factor", self.request)

    def form_invalid(self, form: LoginForm) -> HttpResponse:  # type: ignore[override]
        if not is_unusable(form):
            return super().form_invalid(form)
        audit.record(Deed.SIGN_IN_REFUSED, by=None, at=timezone.now(), detail={"shown": "nothing usable"})
        return self.render_to_response(self.get_context_data(form=form), status=400)


class SignOut(LogoutView):
    """What the browser keeps of these pages goes with the session.

    Only its cache: "cookies" would take a kiosk its key, and "storage" the service worker by which a phone is called at night.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        logins.sign_out(request, at=timezone.now())
        answer = HttpResponseRedirect(self.get_success_url())
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer


def to_administration(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Where the administration sends who is not signed in, or is no staff."""
    if request.user.is_authenticated:
        sentence = "Your account does not open the administration. An administrator can let it."
        return refusal(request, sentence, title="Not for you", code="forbidden", status=403)
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))


def to_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Where the administration's own "change password" leads."""
    return redirect("account-password")


def shut_out(request: HttpRequest, *args: Any) -> HttpResponse:
    """For who tried too often (settings.AXES_LOCKOUT_CALLABLE): when to come back, and that only he has to wait."""
    now = timezone.now()
    # Of the request, not of the arguments: under ASGI axes 8.3.1 hands them over in another order.
    login = lockout.login_of(request, request.axes_credentials)  # type: ignore[attr-defined]
    address = lockout.address_of(request)
    until = lockout.until(login, address, now=now) or now
    return refusal(
        request,
        f"Too many attempts for this login from here. Try again in {minutes(until, now)} min, at {localtime(until):%H:%M}. "
        "Others can sign in here meanwhile, and you elsewhere; an administrator can let you in at once.",
        title="Wait a little",
        code="locked_out",
        status=429,
        wait=until - now,
    )
