"""What a patient sees who signs in himself: his own last values, and nobody else's."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import audit
from accounts.views.pages import SignedIn
from monitoring import board
from monitoring.models import Patient


@require_GET
@never_cache
@login_required
def page(request: SignedIn) -> HttpResponse:
    """His record is found by who he is, so that no other can be asked for."""
    patient = get_object_or_404(Patient, user=request.user, archived_at=None)
    now = timezone.now()
    audit.saw(by=request.user, at=now, patient=patient.patient_id, page="own")
    measured = [cell for cell in board.own_cells(patient, now=now) if cell.measured_at]
    return render(request, "own.html", {"patient": patient, "cells": measured})
