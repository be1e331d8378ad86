"""A patient's summary and his days, as the document tells them."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.schema.words import (
    COUNT,
    NUMBER,
    TEXT,
    TIME,
    UNREADABLE,
    WAIT,
    answer,
    component,
    nullable,
    thing,
    words,
)
from monitoring.api.schema.patients import DAY, LATEST, PATIENT, READING, TAG
from monitoring.clinical.signs import Sign

SUMMARY = component(
    "Summary",
    thing(
        {
            "patient": PATIENT,
            "room": nullable(TEXT | {"description": "Ward and bed where he lies now."}),
            "reading_count": COUNT,
            "last_reading_at": nullable(TIME),
            "latest": LATEST,
            "alerts_24h": COUNT | {"description": "Raised within the last 24 hours."},
            "unresolved": COUNT,
            "admission_status": nullable(words("admitted", "discharged")),
        }
    ),
)
OF_SIGN = {"min": nullable(NUMBER), "mean": nullable(NUMBER), "max": nullable(NUMBER), "count": COUNT}
STATS = component("SignOfDay", thing(OF_SIGN))
DAY_STATS = component("DailyStats", thing({"date": DAY, "signs": thing({sign.value: STATS for sign in Sign})}))

summary = extend_schema(
    operation_id="patient_summary",
    tags=TAG,
    summary="A patient in a few figures",
    parameters=[WAIT],
    responses={200: answer(SUMMARY, "As it is now.")} | READING | UNREADABLE,
)
daily_stats = extend_schema(
    operation_id="daily_stats",
    tags=TAG,
    summary="One day of a patient",
    description="Least, mean and greatest value of each sign on a day by the hospital's clock; null where there was none.",
    parameters=[WAIT, OpenApiParameter("date", DAY, description="Today, where it is not sent.")],
    responses={200: answer(DAY_STATS, "The day.")} | READING | UNREADABLE,
)
