"""How a patient is, and how one day of his was, in a few figures."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from django.db.models import Count, Q, Subquery
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import queries
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from monitoring.api import record
from monitoring.api.representations import patients as representation
from monitoring.api.schema import summaries as schema
from monitoring.api.staff import RecordView, patient_of, reader_of
from monitoring.clinical import trend
from monitoring.clinical.signs import Sign
from monitoring.models import Alert, Patient, Vital
from monitoring.models.patient import today
from monitoring.services import trends
from monitoring.services.trends import Window

LATELY = timedelta(hours=24)
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


class OfDay(msgspec.Struct):
    date: date | None = None


class SummaryView(RecordView):
    @schema.summary
    def get(self, request: Request, patient_id: str) -> Response:
        now, who = timezone.now(), reader_of(request)
        patient = patient_of(who, patient_id, page="summary")
        newest = Vital.objects.standing().filter(patient=patient).order_by("-measured_at").values("measured_at")
        last = record.with_minutes(patient).annotate(last_reading_at=Subquery(newest[:1])).first()
        lies = last if last and last.is_open else None
        return Response(
            {
                "patient": representation.read_one(patient, lies, who),
                "room": str(lies.bed) if lies else None,
                "reading_count": trends.count(patient),
                "last_reading_at": last and last.last_reading_at,
                "latest": record.latest(last),
                **_alerts(patient, since=now - LATELY),
                "admission_status": ("admitted" if lies else "discharged") if last else None,
            }
        )


class DailyStatsView(RecordView):
    asks = ("GET",)

    @schema.daily_stats
    def get(self, request: Request, patient_id: str) -> Response:
        patient = patient_of(reader_of(request), patient_id, page="daily-stats")
        day = queries.read(request, OfDay).date or today()
        if not FIRST_DAY <= day <= LAST_DAY:
            raise Invalid([fault("date", "There is no such day in anybody's record.", "invalid")])
        return Response({"date": day, "signs": _stats(patient, day)})


def _alerts(patient: Patient, *, since: datetime) -> dict[str, int]:
    recent, unresolved = Q(raised_at__gte=since), Q(is_open=True)
    rows = Alert.objects.filter(recent | unresolved, patient=patient)
    counts: dict[str, int] = rows.aggregate(alerts_24h=Count("pk", filter=recent), unresolved=Count("pk", filter=unresolved))
    return counts


def _stats(patient: Patient, day: date) -> dict[str, Any]:
    """Of every sign, on that day where the hospital is."""
    window = Window(_begin(day), _begin(day + timedelta(days=1)) - timedelta(microseconds=1))
    parts = iter(trends.total(patient, window) or trend.NOTHING)
    stats: dict[str, Any] = {}
    for sign, low, high, total, count in zip(Sign, parts, parts, parts, parts, strict=True):
        stats[sign.value] = {"min": low, "mean": trend.mean(total, count) if count else None, "max": high, "count": count}
    return stats


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())
