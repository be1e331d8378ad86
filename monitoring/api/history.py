"""A patient's vitals over time: as they were measured, thinned by the minute or the hour, and one value at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import queries
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from accounts.api.queries import Word
from monitoring.api import paging
from monitoring.api.moments import Moment
from monitoring.api.paging import Paged
from monitoring.api.representations.vitals import vital_read
from monitoring.api.schema import history as schema
from monitoring.api.staff import RecordView, patient_of, reader_of
from monitoring.clinical import trend
from monitoring.clinical.signs import TYPES, Sign
from monitoring.clinical.trend import Row
from monitoring.models import Patient, Vital
from monitoring.services import trends
from monitoring.services.trends import MINUTES, Resolution, Window

MOST_RAW, MOST_THINNED, NEWEST = 1_000, 5_000, 100
YEARS = range(1900, 9999)  # which every database and every time zone can count
TICK = timedelta(microseconds=1)


class HistoryAsked(msgspec.Struct, kw_only=True):
    start_time: Moment | None = None
    end_time: Moment | None = None
    resolution: Literal["raw", "1m", "1h"] = "raw"
    order: Literal["asc", "desc"] | None = None
    limit: int | None = None
    cursor: Word = ""

    @property
    def is_newest_first(self) -> bool:
        """As both systems before had it: the last readings, or a range from its beginning."""
        return (self.order or ("asc" if self.start_time or self.end_time else "desc")) == "desc"

    def most(self, largest: int) -> int:
        """Of a range all that may be asked for at once, else the newest. Raises Invalid."""
        if self.limit is None:
            return largest if self.start_time or self.end_time else NEWEST
        paging.must_be_within(self.limit, largest)
        return self.limit


class ValuesAsked(Paged, kw_only=True):
    start: Moment | None = msgspec.field(default=None, name="from")
    end: Moment | None = msgspec.field(default=None, name="to")
    vital_type: Literal["HR", "RR", "SBP", "DBP", "MBP", "SpO2", "BT"] | None = None
    limit: int = MOST_RAW


class HistoryView(RecordView):
    """Vitals, or what they come to by the minute or the hour; the newest first, or a range from its beginning."""

    asks = ("GET",)

    @schema.read_history
    def get(self, request: Request, patient_id: str) -> Response:
        asked = queries.read(request, HistoryAsked)
        window = _window(asked.start_time, asked.end_time, names=("start_time", "end_time"))
        most = asked.most(MOST_RAW if asked.resolution == "raw" else MOST_THINNED)
        if asked.cursor and asked.resolution != "raw":
            raise Invalid([fault("cursor", "Only of resolution=raw.", "invalid")])
        patient = patient_of(reader_of(request), patient_id, page="history")
        if asked.resolution == "raw":
            return _raw(request, patient, window, asked, most)
        return _thinned(request, patient, window, asked, most)


class ValuesView(RecordView):
    """One value after the other, by its type, as they were measured."""

    asks = ("GET",)

    @schema.read_values("values")
    def get(self, request: Request, patient_id: str) -> Response:
        return self.values(request, patient_id)

    def values(self, request: Request, patient_id: str) -> Response:
        asked = queries.read(request, ValuesAsked)
        window = _window(asked.start, asked.end, names=("from", "to"))
        patient = patient_of(reader_of(request), patient_id, page="vitals")
        signs = [sign for sign in Sign if asked.vital_type in (None, TYPES[sign])]
        rows = Vital.objects.standing().filter(window.vitals(), patient=patient)
        if asked.vital_type:
            rows = rows.filter(**{f"{signs[0]}__isnull": False})
        shown, following = paging.cut(request, rows, asked, order=("measured_at", "sensor_id"), most=MOST_RAW)
        items = [_item(vital, sign) for vital in shown for sign in signs if getattr(vital, sign) is not None]
        answer = {"patient_id": patient.patient_id, "vital_type": asked.vital_type, "items": items}
        return Response(answer | ({"next": following} if following else {}))


class ValuesOfPatientView(ValuesView):
    """The same at the other address that was promised."""

    @schema.read_values("values_of_patient")
    def get(self, request: Request, patient_id: str) -> Response:
        return self.values(request, patient_id)


def _window(since: datetime | None, until: datetime | None, *, names: tuple[str, str]) -> Window:
    """Raises Invalid."""
    for name, time in zip(names, (since, until), strict=True):
        if time and time.year not in YEARS:
            raise Invalid([fault(name, "There is nothing of that year.", "invalid")])
    if since and until and since > until:
        raise Invalid([fault(names[0], f"It is later than {names[1]}.", "invalid")])
    return Window(since, until)


def _raw(request: Request, patient: Patient, window: Window, asked: HistoryAsked, most: int) -> Response:
    rows = Vital.objects.standing().filter(window.vitals(), patient=patient)
    sooner = "-" if asked.is_newest_first else ""
    page = Paged(limit=most, cursor=asked.cursor)
    shown, following = paging.cut(request, rows, page, order=(f"{sooner}measured_at", f"{sooner}sensor_id"), most=MOST_RAW)
    for vital in shown:
        vital.patient = patient  # who is known: a row each would be read again
    return _listed([vital_read(vital) for vital in shown], following)


def _thinned(request: Request, patient: Patient, window: Window, asked: HistoryAsked, most: int) -> Response:
    by, newest_first = Resolution(asked.resolution), asked.is_newest_first
    stretches, is_more = trends.thinned(patient, window, by=by, newest_first=newest_first, limit=most)
    following = None
    if is_more:
        last, order, limit = stretches[-1][0], "desc" if newest_first else "asc", str(most)
        end = last - TICK if newest_first else last + MINUTES[by] * trend.MINUTE
        rest = {"end_time" if newest_first else "start_time": end.isoformat()}
        following = paging.address(request, order=order, limit=limit, **rest)
    return _listed([_stretch(patient.patient_id, at, row) for at, row in stretches], following)


def _listed(answer: list[Any], following: str | None) -> Response:
    """A bare list, as the systems before answered it: the page that follows is in a header."""
    return Response(answer, headers={"Link": f'<{following}>; rel="next"'} if following else {})


class SignSummary(msgspec.Struct, gc=False):
    """What the readings of one sign come to."""

    min: float
    mean: float
    max: float
    count: int


# A minute or an hour, as it is told: null is a sign that was not measured in it. Thousands of them go into one answer, and
# dicts would take three times as long.
Stretch = msgspec.defstruct(
    "Stretch", [("patient_id", str), ("timestamp", datetime), *((sign.value, SignSummary | None) for sign in Sign)]
)


def _stretch(patient_id: str, at: datetime, row: Row) -> Any:
    parts = iter(row)
    signs = zip(parts, parts, parts, parts, strict=True)
    return Stretch(
        patient_id,
        at,
        *(SignSummary(low, trend.mean(total, count), high, count) if count else None for low, high, total, count in signs),
    )


def _item(vital: Vital, sign: Sign) -> dict[str, Any]:
    return {
        "id": str(vital.pk),
        "recorded_at": vital.measured_at,
        "vital_type": TYPES[sign],
        "value": getattr(vital, sign),
        "version": vital.version,
    }
