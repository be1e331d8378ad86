"""What a request says, read into a struct: size, JSON, and every field by name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import msgspec.inspect
from rest_framework.request import Request

from accounts.api.errors import Invalid, Malformed, TooLarge

PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$"  # a sentence: no control characters
ONE_LINE = "Text on one line, without control characters."
LARGEST = 16 * 1024  # bytes: a login, a password, a token
TIME = "A time with seconds and its offset, as 2026-12-01T08:00:00Z or, + being %2B in an address, 2026-12-01T09:00:00+01:00."

T = TypeVar("T", bound=msgspec.Struct)


def read(request: Request, kind: type[T], *, largest: int = LARGEST, may_be_empty: bool = False) -> T:
    """The body as this struct; one that may be empty is then as if it were `{}`.

    Raises TooLarge, Malformed, or Invalid with every field that is wrong.
    """
    told = _object(request, largest, may_be_empty)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    errors = [fault(name, "There is no such field.", "unknown_field") for name in sorted(told.keys() - fields.keys())]
    for name, field in fields.items():
        if name in told:
            errors += _faults(name, told[name], field.type)
        elif field.required:
            errors.append(fault(name, "This is needed.", "required"))
    if errors:
        raise Invalid(errors)
    return in_utc(msgspec.convert(told, kind))


def in_utc(told: T, *, where: str = "") -> T:
    """What was told with its times in UTC, as they are answered. Raises Invalid for a time that UTC has not."""
    for field in msgspec.structs.fields(told):
        at = getattr(told, field.name)
        if isinstance(at, datetime) and at.tzinfo:
            try:
                setattr(told, field.name, at.astimezone(UTC))
            except OverflowError:
                raise Invalid([fault(f"{where}{field.encode_name}", "There is no such time.", "invalid")]) from None
    return told


def _object(request: Request, largest: int, may_be_empty: bool) -> dict[str, Any]:
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:20]) > largest:
        raise TooLarge
    body: bytes = request._request.body
    if len(body) > largest:
        raise TooLarge
    if may_be_empty and not body:
        return {}
    return decoded(body)


def decoded(body: bytes) -> dict[str, Any]:
    """The object of a body. Raises Malformed, or Invalid with the names that one of its objects has twice."""
    try:
        told = msgspec.json.decode(body)
        twice = _said_twice(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Malformed from None
    if not isinstance(told, dict):
        raise Malformed("The body has to be one object of JSON.")
    if twice:
        raise Invalid([fault(name, "Once is enough.", "invalid") for name in twice])
    return told


def _said_twice(body: bytes) -> Sequence[str]:
    """The names of which a decoder keeps the last value, and loses the others without a word."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        found.extend(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    json.loads(body, strict=False, object_pairs_hook=look, parse_int=str, parse_float=str)
    return found


def _faults(name: str, value: Any, kind: Any) -> list[dict[str, Any]]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return [fault(name, expected(error, kind), "invalid")]
    return []


def expected(error: msgspec.ValidationError, kind: Any) -> str:
    """What a value of this kind has to be, and not what came: the words that there are, how a time is written."""
    said = str(error)
    if said.startswith("Invalid enum value") and " - at " not in said:
        return f"One of {', '.join(_words(kind))}."
    if said.startswith("Expected `str` matching regex"):
        return _told_of(kind) or f"{said}."
    return TIME if said == "Invalid RFC3339 encoded datetime" else f"{said}."


def _told_of(kind: Any) -> str:
    """What a type says of itself, for people."""
    told = [each.extra_json_schema or {} for each in _kinds(kind) if isinstance(each, msgspec.inspect.Metadata)]
    return next((each["description"] for each in told if "description" in each), "")


def _kinds(kind: Any) -> Sequence[msgspec.inspect.Type]:
    known = msgspec.inspect.type_info(kind)
    return known.types if isinstance(known, msgspec.inspect.UnionType) else (known,)


def _words(kind: Any) -> list[str]:
    found: list[Any] = []
    for each in _kinds(kind):
        if isinstance(each, msgspec.inspect.EnumType):
            found += [word.value for word in each.cls]
        elif isinstance(each, msgspec.inspect.LiteralType):
            found += each.values
    return [str(word) for word in found]


def fault(field: str, detail: str, code: str) -> dict[str, Any]:
    """One entry of an error's `errors`."""
    return {"field": field, "detail": detail, "code": code}
