"""What a request says, read into a struct: size, JSON, and every field by name."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from rest_framework.request import Request

from accounts.api.errors import Invalid, Malformed, TooLarge

LARGEST = 16 * 1024  # bytes: a login, a password, a token

T = TypeVar("T", bound=msgspec.Struct)


def read(request: Request, kind: type[T], *, largest: int = LARGEST) -> T:
    """The body as this struct. Raises TooLarge, Malformed, or Invalid with every field that is wrong."""
    decoded = _object(request, largest)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    errors = [_error(name, "There is no such field.", "unknown_field") for name in sorted(decoded.keys() - fields.keys())]
    for name, field in fields.items():
        if name in decoded:
            errors += _faults(name, decoded[name], field.type)
        elif field.required:
            errors.append(_error(name, "This is needed.", "required"))
    if errors:
        raise Invalid(errors)
    return msgspec.convert(decoded, kind)


def _object(request: Request, largest: int) -> dict[str, Any]:
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:20]) > largest:
        raise TooLarge
    body: bytes = request._request.body
    if len(body) > largest:
        raise TooLarge
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Malformed from None
    if not isinstance(decoded, dict):
        raise Malformed
    return decoded


def _faults(name: str, value: Any, kind: Any) -> list[dict[str, Any]]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        return [_error(name, f"{fault}.", "invalid")]  # which says what was expected, and not what came
    return []


def _error(field: str, detail: str, code: str) -> dict[str, Any]:
    return {"field": field, "detail": detail, "code": code}
