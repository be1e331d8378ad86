"""What the address of a request asks for, read into a struct: every parameter by name, each once."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from rest_framework.request import Request

from accounts.api.bodies import expected, fault, in_utc
from accounts.api.errors import Invalid

T = TypeVar("T", bound=msgspec.Struct)
Word = Annotated[str, msgspec.Meta(min_length=1)]  # a parameter that says nothing is none: who leaves it empty meant something


class Nothing(msgspec.Struct):
    """Of an address that takes no parameters, and of a body that says only that it came."""


def read(request: Request, kind: type[T]) -> T:
    """The parameters as this struct, by its encoded names. Raises Invalid with every one that is wrong."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    sent = request.query_params
    errors = [fault(name, "There is no such parameter.", "unknown_field") for name in sorted(sent.keys() - fields.keys())]
    for name, field in fields.items():
        values = sent.getlist(name)
        if len(values) > 1:
            errors.append(fault(name, "Once is enough.", "invalid"))
        elif values:
            errors += _faults(name, values[0], field.type)
        elif field.required:
            errors.append(fault(name, "This is needed.", "required"))
    if errors:
        raise Invalid(errors)
    return in_utc(msgspec.convert({name: sent[name] for name in sent}, kind, strict=False))


def _faults(name: str, value: str, kind: object) -> list[dict[str, str]]:
    try:
        found = msgspec.convert(value, kind, strict=False)
        # What is no number is read as in a body: `null` says nothing, and 1700000000 is no time.
        if not isinstance(found, bool | int | float):
            msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return [fault(name, expected(error, kind), "invalid")]
    return []
