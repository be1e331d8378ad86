"""The chart of a patient as a page, and as PDF where that can be made."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.views.answers import refusal
from accounts.views.pages import SignedIn
from monitoring.downloads import ChartWanted, patient_of
from monitoring.files import SENTENCE, WAIT, Crowded, Turn
from monitoring.models import Patient, Placement
from monitoring.paper import drawing, pdf
from monitoring.services import charts

log = logging.getLogger(__name__)

NO_PDF = "PDF cannot be made here: WeasyPrint is not installed. Open the chart and print it into a file."
FAILED = "PDF could not be made just now. Open the chart and print it into a file."
BUSY = "Several exports are under way already. Try again in a moment."


@require_GET
@never_cache
@login_required
def page(request: SignedIn, patient_id: str) -> HttpResponse:
    """The chart of the time asked for, ready to be printed."""
    patient, now = patient_of(request.user, patient_id), timezone.now()
    wanted = ChartWanted(request.GET, now=now)
    if not wanted.is_valid():
        return render(request, "chart_refused.html", {"patient": patient, "form": wanted}, status=422)
    told = _taken(patient, wanted, form="page", by=request.user, now=now)
    query = request.GET.urlencode()
    told["pdf"] = f"{reverse('chart-pdf', args=[patient.patient_id])}?{query}" if pdf.is_there() else ""
    return render(request, "chart.html", told)


@require_GET
@never_cache
@login_required
def as_pdf(request: SignedIn, patient_id: str) -> HttpResponse:
    """The same as PDF; 404 where none can be made."""
    patient, now = patient_of(request.user, patient_id), timezone.now()
    wanted = ChartWanted(request.GET, now=now)
    if not wanted.is_valid():
        return render(request, "chart_refused.html", {"patient": patient, "form": wanted}, status=422)
    if not pdf.is_there():
        return refusal(request, NO_PDF, title="No PDF", code="not_installed", status=404)
    try:
        turn = Turn()
    except Crowded:
        return refusal(request, BUSY, title="One moment", code="busy", status=503, wait=timedelta(seconds=WAIT))
    try:
        told = _taken(patient, wanted, form="pdf", by=request.user, now=now)
        content = pdf.printed(render_to_string("chart.html", told | {"on_paper": True}))
    except pdf.Failed:
        log.exception("a chart could not be printed as PDF")
        return refusal(request, FAILED, title="No PDF", code="not_printed", status=503)
    finally:
        turn.end()
    name = f"chart-{patient.patient_id.replace(':', '-')}-{told['chart'].until:%Y%m%dT%H%MZ}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


def _taken(patient: Patient, wanted: ChartWanted, *, form: str, by: User, now: datetime) -> dict[str, Any]:
    """What the chart shows; and that it leaves the house, written down."""
    chart = charts.read(patient, *wanted.span, now=now)
    is_named = wanted.cleaned_data["name"]
    charts.write_down(chart, form=form, is_named=is_named, by=by, at=now)
    bed = Placement.objects.filter(admission__patient=patient, is_open=True).select_related("bed__ward").first()
    return {
        "chart": chart,
        "sheets": drawing.sheets(chart),
        "readings": f"{chart.readings:,}",
        "width": drawing.spoken(chart.width),
        "is_named": is_named,
        "bed": bed.bed if bed else "",
        "zone": timezone.get_default_timezone_name(),
        "printed_at": now,
        "printed_by": by,
        "sentence": SENTENCE,
    }
