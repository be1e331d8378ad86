"""The call for help, as the document tells it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

from accounts.api.schema.words import BUSY, TOKEN, WAIT, answer, refusals
from monitoring.api.schema.alerts import ALERT

call = extend_schema(
    operation_id="call_for_help",
    tags=["Alerts"],
    summary="Call for help",
    description="By the patient himself, or by who treats him: a critical alert on the board of his ward, which escalates. "
    "There is one at a time: a further press is counted, and calls anew where somebody had it.",
    parameters=[WAIT],
    request=None,
    responses={201: answer(ALERT, "The ward is called."), 200: answer(ALERT, "It is called already.")}
    | refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",), 409: ("not_admitted",)} | BUSY),
)
