"""Staff tokens: register, sign in, refresh, sign out, who am I, a ticket for a socket."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework import exceptions, status
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, factors, hashing, logins, rates, registration, tickets, tokens
from accounts.api import bodies, queries
from accounts.api.authentication import BearerToken, StaffSession
from accounts.api.errors import Invalid, TooManyRequests
from accounts.api.queries import Nothing
from accounts.api.schema import auth as schema
from accounts.factors import Wanted
from accounts.models import Membership, ServiceToken, TokenSession, User

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
Login = Annotated[str, msgspec.Meta(min_length=1, max_length=254)]  # an e-mail may be that long
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=hashing.LONGEST)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=factors.LONGEST)]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class Registration(msgspec.Struct):
    id: Text
    password: Password
    name: Text
    email: Login | None = None


class SignIn(msgspec.Struct):
    """`otp` is the code of the authenticator, for who has one."""

    id: Login
    password: Password
    otp: Code | None = None


class Refresh(msgspec.Struct):
    refresh_token: Token


class WrongLogin(exceptions.AuthenticationFailed):
    default_detail = "No active person has this login and password."
    default_code = "wrong_login"


class NotApproved(exceptions.PermissionDenied):
    default_detail = "An administrator has to approve this registration first."
    default_code = "not_approved"


class SecondFactorMissing(exceptions.PermissionDenied):
    default_detail = "A ward asks for a second factor: set one up in a browser first."
    default_code = "second_factor_missing"


class SecondFactorRequired(exceptions.AuthenticationFailed):
    default_detail = "Send the code of the authenticator as otp."
    default_code = "second_factor_required"


class WrongCode(exceptions.AuthenticationFailed):
    default_detail = "This is not the code of now, or it was used already."
    default_code = "wrong_code"


class Duplicate(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "There is somebody with this id or e-mail already."
    default_code = "duplicate"


class HasToken(BasePermission):
    """Only who shows a token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, TokenSession | ServiceToken)


class AuthView(APIView):
    """Nothing of these answers is kept anywhere on the way."""

    authentication_classes = [BearerToken]

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class StrangerView(AuthView):
    """For who has no token yet, or an expired one."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"  # also where nobody is known yet, a 401 says how to come back


class RegisterView(StrangerView):
    @schema.register
    def post(self, request: Request) -> Response:
        told = bodies.read(request, Registration)
        try:
            person = registration.register(told.id, password=told.password, name=told.name, email=told.email, at=timezone.now())
        except registration.Taken:
            raise Duplicate from None
        except rates.TooFast as fast:
            sentence = "Too many registrations from this address. Try again later."
            raise TooManyRequests(sentence, "too_many_registrations", fast.retry_after) from None
        except ValidationError as refusal:
            raise Invalid(_by_field(refusal)) from None
        answer = {"id": person.login, "name": person.name, "created_at": person.created_at}
        return Response(answer, status=status.HTTP_201_CREATED)


class LoginView(StrangerView):
    @schema.login
    def post(self, request: Request) -> Response:
        told = bodies.read(request, SignIn)
        person = authenticate(request._request, username=told.id, password=told.password)
        if not isinstance(person, User):
            raise NotApproved if registration.waits(told.id, password=told.password) else WrongLogin
        self._ask_for_second_factor(request, person, told.otp)
        pair = tokens.sign_in(person, at=timezone.now())
        user_logged_in.send(sender=User, request=request._request, user=person)  # failed attempts count no more
        return _pair(pair)

    def _ask_for_second_factor(self, request: Request, person: User, code: str | None) -> None:
        now = timezone.now()
        wanted = factors.wanted(person, now=now)
        if wanted == Wanted.SETUP:
            raise SecondFactorMissing
        if wanted == Wanted.CODE and code is None:
            raise SecondFactorRequired
        if wanted == Wanted.CODE and code is not None:
            try:
                logins.show_code(request._request, person, code, at=now)
            except factors.WrongCode:
                raise WrongCode from None
            except factors.TooMany as too_many:
                wait = (too_many.until - now).total_seconds()
                raise TooManyRequests("Too many wrong codes. Try again later.", "locked_out", wait) from None


class RefreshView(StrangerView):
    @schema.refresh
    def post(self, request: Request) -> Response:
        told, now = bodies.read(request, Refresh), timezone.now()
        try:
            return _pair(tokens.renew(told.refresh_token, at=now))
        except tokens.WrongRefreshToken:
            audit.refused(by=None, at=now, about="token", detail={"why": "invalid_refresh_token"})
            raise exceptions.AuthenticationFailed(
                "This refresh token is not good any more: sign in again.", code="invalid_refresh_token"
            ) from None


class LogoutView(AuthView):
    """By the access token, or by the refresh token when that one has expired."""

    permission_classes = [AllowAny]

    @schema.logout
    def post(self, request: Request) -> Response:
        shown: Any = request.auth
        person = shown.user if isinstance(shown, TokenSession) else self._holder(request)
        tokens.sign_out(person, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _holder(self, request: Request) -> User:
        if not request._request.body:
            raise exceptions.NotAuthenticated
        told = bodies.read(request, Refresh)
        try:
            return tokens.holder(told.refresh_token, at=timezone.now())
        except tokens.WrongRefreshToken:
            raise exceptions.NotAuthenticated from None


class MeView(AuthView):
    authentication_classes = [BearerToken, StaffSession]

    @schema.me
    def get(self, request: Request) -> Response:
        queries.read(request, Nothing)
        shown: Any = request.auth
        if isinstance(shown, ServiceToken):
            wards = shown.wards.order_by("slug").values_list("slug", flat=True)
            return Response({"id": shown.name, "kind": "service", "wards": [{"ward": slug} for slug in wards]})
        assert isinstance(request.user, User)  # the door lets nobody else in
        return Response(_person(request.user, shown))


class TicketView(AuthView):
    permission_classes = [HasToken]

    @schema.ticket
    def post(self, request: Request) -> Response:
        shown: Any = request.auth
        ticket = tickets.issue(shown, now=timezone.now())
        answer = {"ticket": ticket, "expires_in": int(tickets.LIVES.total_seconds())}
        return Response(answer, status=status.HTTP_201_CREATED)


def _pair(pair: tokens.Pair) -> Response:
    return Response(
        {
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "token_type": "bearer",
            "expires_at": pair.expires_at,
        }
    )


def _person(person: User, session: TokenSession | None) -> dict[str, Any]:
    works = Membership.objects.in_force(timezone.now()).filter(user=person).order_by("ward__slug", "role")
    return {
        "id": person.login,
        "kind": "person",
        "name": person.name,
        "email": person.email,
        "administrator": person.is_superuser,
        "wards": [{"ward": slug, "role": role} for slug, role in works.values_list("ward__slug", "role")],
        "expires_at": session.expires_at if session else None,
    }


def _by_field(refusal: ValidationError) -> list[dict[str, Any]]:
    """As the body calls them: its id is our login."""
    return [
        {"field": {"login": "id", "__all__": ""}.get(name, name), "detail": sentence, "code": fault.code or "invalid"}
        for name, faults in refusal.error_dict.items()
        for fault in faults
        for sentence in fault.messages
    ]
