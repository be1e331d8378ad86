"""The few words in which every resource of the API is described; each has its own module beside its views."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse

Schema = dict[str, Any]
Codes = dict[int, tuple[str, ...]]  # status → what `code` says with it

COMPONENTS: dict[str, Schema] = {}  # what the resources have named, for the document
JSON = "application/json"
WAIT_STATUSES = [429, 503]

TEXT: Schema = {"type": "string"}
WORD: Schema = TEXT | {"minLength": 1}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time", "description": "ISO 8601 with offset; answered in UTC."}
WAIT = OpenApiParameter(
    "Retry-After",
    int,
    OpenApiParameter.HEADER,
    response=WAIT_STATUSES,
    required=True,
    description="Seconds until it is worth asking again.",
)


def component(name: str, schema: Schema) -> Schema:
    """Give a schema a name in the document; what comes back refers to it."""
    COMPONENTS[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def thing(fields: dict[str, Schema], *, optional: dict[str, Schema] | None = None, **told: Any) -> Schema:
    """An object of exactly these fields; the optional ones may be left out."""
    told |= {"type": "object", "properties": fields | (optional or {}), "additionalProperties": False}
    return told | ({"required": list(fields)} if fields else {})


def listed(of: Schema, **told: Any) -> Schema:
    return {"type": "array", "items": of, **told}


def nullable(schema: Schema) -> Schema:
    if "$ref" in schema or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def words(*of: str) -> Schema:
    return {"type": "string", "enum": list(of)}


class MayBeEmpty(dict[str, OpenApiRequest]):
    """A body whose fields may all be left out, and it with them."""


def body(schema: Schema, **examples: Any) -> dict[str, OpenApiRequest]:
    return {JSON: OpenApiRequest(schema, examples=_examples(examples))}


def body_if_any(schema: Schema, **examples: Any) -> MayBeEmpty:
    return MayBeEmpty(body(schema, **examples))


def answer(schema: Schema, description: str, **examples: Any) -> OpenApiResponse:
    return OpenApiResponse(schema, description, _examples(examples))


NOTHING = OpenApiResponse(None, "Done; there is nothing to say.")

ERROR = component(
    "Error",
    {
        "type": "object",
        "description": "A sentence for people, a code for programs, and where it helps what is wrong with which field.",
        "properties": {"detail": TEXT, "code": TEXT, "errors": listed({"type": "object"})},
        "required": ["detail", "code"],
        "additionalProperties": False,
    },
)


def refusals(codes: Codes, *, errors: Schema | None = None) -> dict[int, OpenApiResponse]:
    """Status → the codes that an operation answers with it; `errors` is one entry of `errors`."""
    return {status: refusal(*named, errors=errors) for status, named in codes.items()}


def refusal(*codes: str, errors: Schema | None = None) -> OpenApiResponse:
    """Without codes: any."""
    properties = ({"code": words(*codes)} if codes else {}) | ({"errors": listed(errors)} if errors else {})
    return OpenApiResponse({"allOf": [ERROR, {"type": "object", "properties": properties}]}, ", ".join(codes) or "Refused.")


FAULT = component("Fault", thing({"field": TEXT, "detail": TEXT, "code": TEXT}))
UNREADABLE = refusals({422: ("invalid", "unknown_field", "required")}, errors=FAULT)  # a parameter or a field of the body
CURSOR = OpenApiParameter("cursor", WORD, description="From `next` of the page before.")
ETAG = OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 201], description="The version.")
IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description='The version that was read: `"17"`.')


def limit_of(most: int, usual: int) -> OpenApiParameter:
    return OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": most, "default": usual})


def page_of(name: str, row: Schema) -> Schema:
    """A page of a list."""
    return component(f"{name}Page", thing({"results": listed(row), "next": nullable(TEXT | {"format": "uri"})}))


def conflict_of(name: str, record: Schema) -> OpenApiResponse:
    """409: the version that was read is not the present one."""
    told = thing(
        {
            "detail": TEXT,
            "code": {"const": "version_conflict"},
            "expected_version": {"type": "integer"},
            "current_version": COUNT,
            "current": record,
        }
    )
    return answer(component(f"{name}Conflict", told), "Somebody else was first; `current` is the record as it is.")


def _examples(named: dict[str, Any]) -> list[OpenApiExample]:
    return [OpenApiExample(name, value, summary=name.replace("_", " ")) for name, value in named.items()]


BUSY: Codes = {503: ("busy",)}
BODY: Codes = {400: ("malformed",), 413: ("too_large",)}
TOKEN: Codes = {401: ("not_authenticated", "invalid_token", "token_expired", "session_over")}
