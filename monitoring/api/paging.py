"""Lists in pages: each page says where the next one begins, by the last row of it, so that what is new moves no page.

A cursor is that row's values in the order of the list. It names nothing that its reader has not just read.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from accounts.api.queries import Word

USUAL, MOST = 50, 200  # rows of a page
LONGEST = 500  # letters of a cursor

M = TypeVar("M", bound=Model)


class Paged(msgspec.Struct, kw_only=True):
    """The parameters that every list takes."""

    limit: int = USUAL
    cursor: Word = ""


def page(
    request: Request,
    rows: QuerySet[M],
    asked: Paged,
    *,
    order: Sequence[str],
    read: Callable[[Sequence[M]], list[dict[str, Any]]],
    most: int = MOST,
) -> Response:
    """`{"results": […], "next": url|null}`: a page as `cut` has it.

    `read` turns the rows of a page into what is answered, all of them at once. Raises Invalid.
    """
    shown, following = cut(request, rows, asked, order=order, most=most)
    return Response({"results": read(shown), "next": following})


def cut(
    request: Request, rows: QuerySet[M], asked: Paged, *, order: Sequence[str], most: int = MOST
) -> tuple[list[M], str | None]:
    """At most `limit` rows (1 to `most`) by `order`, whose last field is unique, and the address of the page that follows.

    No field of `order` may be null. Raises Invalid.
    """
    must_be_within(asked.limit, most)
    if asked.cursor:
        rows = rows.filter(_after(rows.model, asked.cursor, order))
    found = list(rows.order_by(*order)[: asked.limit + 1])
    shown, is_more = found[: asked.limit], len(found) > asked.limit
    return shown, _following(request, shown[-1], order) if is_more else None


def must_be_within(limit: int, most: int) -> None:
    """Raises Invalid."""
    if not 1 <= limit <= most:
        raise Invalid([fault("limit", f"From 1 to {most}.", "invalid")])


def address(request: Request, **changes: str) -> str:
    """Of this list with other parameters."""
    query = request.query_params.copy()
    for name, value in changes.items():
        query[name] = value
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _following(request: Request, last: Model, order: Sequence[str]) -> str:
    values = [_value(last, name.lstrip("-")) for name in order]
    return address(request, cursor=base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("="))


def _value(row: Model, path: str) -> Any:
    return reduce(getattr, path.split("__"), row)


def _after(model: type[Model], cursor: str, order: Sequence[str]) -> Q:
    """Beyond this row: later in its first field, or equal there and later in the next, and so on."""
    values, equal, beyond = _values(model, cursor, order), Q(), []
    for name, value in zip(order, values, strict=True):
        field = name.lstrip("-")
        beyond.append(equal & Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value}))
        equal &= Q(**{field: value})
    return reduce(or_, beyond)


def _values(model: type[Model], cursor: str, order: Sequence[str]) -> list[Any]:
    wrong = Invalid([fault("cursor", "This is no cursor of this list: take it from “next”.", "invalid")])
    if len(cursor) > LONGEST:
        raise wrong
    try:
        values = msgspec.json.decode(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(order):
            raise wrong
        return [_read(model, name.lstrip("-"), value) for name, value in zip(order, values, strict=True)]
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError, TypeError, ValidationError, OverflowError):
        raise wrong from None


def _read(model: type[Model], path: str, value: Any) -> Any:
    """As the field takes it."""
    *through, name = path.split("__")
    for step in through:
        model = model._meta.get_field(step).related_model  # type: ignore[assignment]
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    found = field.to_python(value)  # type: ignore[union-attr]
    if found is None or (isinstance(found, datetime) and found.tzinfo is None) or not isinstance(value, str | int):
        raise ValueError(path)
    if isinstance(found, int) and not -(2**63) <= found < 2**63:
        raise ValueError(path)
    return found.astimezone(UTC) if isinstance(found, datetime) else found
