"""What a patient sees who signs in himself: his own last values, nobody else's, and a button that calls for help."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import audit, sessions
from accounts.models import User
from accounts.transactions import WriterBusy
from accounts.views.answers import refusal
from accounts.views.pages import SignedIn
from monitoring import board
from monitoring.models import Alert, Patient, Placement
from monitoring.services import admissions, calls

UNSENT = "Your call was NOT sent."
ROUND_YOU = "Call the people around you."


@require_GET
@never_cache
@login_required
def page(request: SignedIn) -> HttpResponse:
    """His record is found by who he is, so that no other can be asked for."""
    patient = get_object_or_404(Patient, user=request.user, archived_at=None)
    now = timezone.now()
    audit.saw(by=request.user, at=now, patient=patient.patient_id, page="own")
    told = {
        "patient": patient,
        "cells": [cell for cell in board.own_cells(patient, now=now) if cell.measured_at],
        "lies": Placement.objects.filter(admission__patient=patient, is_open=True).exists(),
        "call": _open_call(patient),
    }
    return render(request, "own.html", told)


@sessions.automatic
@require_GET
@never_cache
def call_now(request: HttpRequest) -> JsonResponse:
    """What has become of his call, for the page that asks by itself; and whether a call could be sent from here at all."""
    if not isinstance(request.user, User):
        return JsonResponse({"detail": "Sign in again.", "code": "not_authenticated"}, status=401)
    call = _open_call(get_object_or_404(Patient, user=request.user, archived_at=None))
    return JsonResponse({"call": call.state if call else ""})


@require_POST
@never_cache
def call(request: HttpRequest) -> HttpResponse:
    """He presses Help: back to his page, which says that it was sent; whatever goes wrong says that it was not."""
    if not isinstance(request.user, User):
        return _unsent(request, "You are signed out.", code="not_authenticated", status=401)
    patient = get_object_or_404(Patient, user=request.user, archived_at=None)
    try:
        calls.for_help(patient, by=request.user, at=timezone.now())
    except admissions.NotAdmitted:
        return _unsent(request, "You lie in no bed of a ward.", code="not_admitted", status=409)
    except (WriterBusy, OperationalError, InterfaceError):
        return _unsent(request, "MedQL is busy: press again.", code="busy", status=503)
    return redirect("own")


def _open_call(patient: Patient) -> Alert | None:
    return Alert.objects.open().filter(patient=patient, condition=calls.HELP).first()


def _unsent(request: HttpRequest, why: str, *, code: str, status: int) -> HttpResponse:
    return refusal(request, f"{UNSENT} {why} {ROUND_YOU}", title="Not sent", code=code, status=status)
