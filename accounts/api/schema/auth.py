"""/auth: staff tokens, as the document tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema

from accounts import factors, hashing
from accounts.api.schema import keys  # noqa: F401  (registers them)
from accounts.api.schema.words import (
    BODY,
    BUSY,
    FLAG,
    NOTHING,
    TEXT,
    TIME,
    TOKEN,
    UNREADABLE,
    WAIT,
    Schema,
    answer,
    body,
    body_if_any,
    component,
    listed,
    nullable,
    refusals,
    thing,
    words,
)

TAG = ["Signing in"]


def text(longest: int, **told: Any) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest, **told}


PASSWORD = text(hashing.LONGEST, format="password")
LOGIN = text(254, description="The login, or the e-mail.")
TOKEN_TEXT = text(1024)
ROLE = words("doctor", "nurse", "viewer")
FIELD = component("FieldError", thing({"field": TEXT, "detail": TEXT, "code": TEXT}))
INVALID = ("required", "invalid", "unknown_field")

PAIR = component(
    "Tokens",
    thing(
        {
            "access_token": TEXT | {"description": "A JWT of 3 minutes."},
            "refresh_token": TEXT | {"description": "Good once, for 7 days; shown again, it ends its whole family."},
            "token_type": {"const": "bearer"},
            "expires_at": TIME | {"description": "When the session ends; a refresh before that keeps it."},
        }
    ),
)
REFRESH = component("Refresh", thing({"refresh_token": TOKEN_TEXT}))
PERSON = component(
    "Person",
    thing(
        {
            "id": TEXT,
            "kind": {"const": "person"},
            "name": TEXT | {"examples": ["Noor Haddad"]},
            "email": nullable(TEXT),
            "administrator": FLAG,
            "wards": listed(thing({"ward": TEXT, "role": ROLE})),
            "expires_at": nullable(TIME),
        }
    ),
)
PROGRAM = component("Program", thing({"id": TEXT, "kind": {"const": "service"}, "wards": listed(thing({"ward": TEXT}))}))

register = extend_schema(
    operation_id="register",
    tags=TAG,
    summary="Register oneself",
    description="The account opens nothing until an administrator approves it.",
    parameters=[WAIT],
    request=body(
        component(
            "Registration",
            thing({"id": text(150), "password": PASSWORD, "name": text(150)}, optional={"email": nullable(LOGIN)}),
        ),
        nurse={"id": "nina", "password": "a violin in the rain", "name": "Nina Simone", "email": "nina@example.org"},
    ),
    responses={
        201: answer(component("Registered", thing({"id": TEXT, "name": TEXT, "created_at": TIME})), "Waits for approval.")
    }
    | refusals(BODY | {409: ("duplicate",), 429: ("too_many_registrations",)} | BUSY)
    | refusals({422: ()}, errors=FIELD),
)

login = extend_schema(
    operation_id="login",
    tags=TAG,
    summary="Sign in",
    description="A second sign-in within the hour answers the same session with fresh tokens.",
    parameters=[WAIT],
    request=body(
        component("SignIn", thing({"id": LOGIN, "password": PASSWORD}, optional={"otp": nullable(text(factors.LONGEST))})),
        password={"id": "noor", "password": "correct horse battery"},
        with_second_factor={"id": "noor", "password": "correct horse battery", "otp": "123456"},
    ),
    responses={200: answer(PAIR, "Signed in.")}
    | refusals(
        {
            **BODY,
            401: ("wrong_login", "second_factor_required", "wrong_code"),
            403: ("not_approved", "second_factor_missing"),
            429: ("locked_out",),
            **BUSY,
        }
    )
    | refusals({422: INVALID}, errors=FIELD),
)

refresh = extend_schema(
    operation_id="refresh",
    tags=TAG,
    summary="Take new tokens for a refresh token",
    parameters=[WAIT],
    request=body(REFRESH, token={"refresh_token": "f7Qb…"}),
    responses={200: answer(PAIR, "The session goes on, or a new one begins.")}
    | refusals(BODY | {401: ("invalid_refresh_token",)} | BUSY)
    | refusals({422: INVALID}, errors=FIELD),
)

logout = extend_schema(
    operation_id="logout",
    tags=TAG,
    summary="Sign out everywhere",
    description="By the access token, or by the refresh token when that one has expired.",
    parameters=[WAIT],
    request=body_if_any(REFRESH, token={"refresh_token": "f7Qb…"}),
    responses={204: NOTHING} | refusals(BODY | TOKEN | BUSY) | refusals({422: INVALID}, errors=FIELD),
)

me = extend_schema(
    tags=TAG,
    summary="Who am I",
    parameters=[WAIT],
    responses={200: answer({"oneOf": [PERSON, PROGRAM]}, "The person, or the program.")} | refusals(TOKEN | BUSY) | UNREADABLE,
)

ticket = extend_schema(
    operation_id="socket_ticket",
    tags=TAG,
    summary="A ticket for one socket",
    description="Goes into the address of the socket as `?ticket=`, once.",
    parameters=[WAIT],
    request=None,
    responses={201: answer(component("Ticket", thing({"ticket": TEXT, "expires_in": {"type": "integer"}})), "Good for 30 s.")}
    | refusals(TOKEN | {403: ("permission_denied",)} | BUSY),
)
