"""The list of a patient's vitals, and the page of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit
from accounts.access import Permission
from accounts.transactions import WriterBusy
from accounts.views.pages import SignedIn
from monitoring.charting import fields, judged
from monitoring.charting.fields import Field
from monitoring.models import Patient, Vital
from monitoring.services import care, corrections

PAGE = 50  # rows
LONGEST_VERSION = 18  # digits
UNFIT = 422
BY_HAND = Q(device=None)
ENTERED_IN_ERROR = "It was entered in error meanwhile: there is nothing to correct any more."
BUSY = "The database is busy, and nothing was saved. Press again."
MEANWHILE = "Somebody else changed this vital while you were at it: you will be asked to put both together."


class Unsent(Exception):
    """What no form of ours sends."""


@require_GET
@never_cache
@login_required
def readings(request: SignedIn, patient_id: str) -> HttpResponse:
    """What was measured of a patient, the newest first: from any time on backwards, all of it or what was typed by hand."""
    patient = _patient(request, patient_id, page="vitals")
    until, by_hand = _until(request), request.GET.get("by") == "hand"
    rows: QuerySet[Vital] = Vital.objects.filter(patient=patient).select_related("device")
    if until:
        rows = rows.filter(measured_at__lte=until)
    if by_hand:
        rows = rows.filter(BY_HAND)
    if after := _after(request):
        rows = rows.filter(after)
    found = list(rows.order_by("-measured_at", "-sensor_id")[: PAGE + 1])
    told = {
        "patient": patient,
        "ward": care.ward_of(patient),
        "rows": [_row(vital) for vital in found[:PAGE]],
        "older": _older(request, found[PAGE - 1]) if len(found) > PAGE else "",
        "until": request.GET.get("until", "") if until else "",
        "by_hand": by_hand,
        "is_later": bool(until or after),
        "may_correct": care.may(request.user, patient, Permission.CORRECT),
    }
    return render(request, "vitals/list.html", told)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def reading(request: SignedIn, patient_id: str, vital_id: str) -> HttpResponse:
    """One vital with its history; who may correct it does so here."""
    patient = _patient(request, patient_id, page="vital")
    vital = _vital(patient, vital_id)
    may = care.may(request.user, patient, Permission.CORRECT)
    if request.method != "POST":
        return _shown(request, vital, fields.of(vital), may=may)
    if not may:
        return _sentence(request, "Only a doctor of the ward corrects vitals.", 403)
    try:
        return _put_right(request, vital)
    except Unsent as fault:
        return _sentence(request, str(fault), 400)
    except WriterBusy:
        return _refused(request, vital, fields.sent(request.POST, vital), wrong=BUSY, status=503)


def _put_right(request: SignedIn, vital: Vital) -> HttpResponse:
    version, reason = _version(request), request.POST.get("reason", "").strip()
    wanted, now = fields.sent(request.POST, vital), timezone.now()
    in_error = request.POST.get("deed") == "in_error"
    wrong = _fault_of(reason)
    if wrong:
        return _refused(request, vital, wanted, wrong=wrong)
    try:
        if in_error:
            after = corrections.mark_in_error(vital, reason=reason, by=request.user, at=now, version_seen=version)
        else:
            values = fields.values(wanted)
            after = corrections.correct(vital, values, reason=reason, by=request.user, at=now, version_seen=version)
    except corrections.Stale as stale:
        return _conflict(request, stale.current, in_error=in_error)
    except corrections.InError:
        return _shown(request, _vital(vital.patient, str(vital.pk)), [], may=True, wrong=ENTERED_IN_ERROR, status=409)
    except corrections.Invalid as invalid:
        fields.blame(wanted, invalid.faults)
        return _refused(request, vital, wanted, wrong="Nothing was saved: see below.")
    way = reverse("patient-vital", args=[vital.patient.patient_id, vital.pk])
    return redirect(f"{way}?changed={after.version}" if after.version != version else f"{way}?unchanged")


def _conflict(request: SignedIn, current: Vital, *, in_error: bool) -> HttpResponse:
    """Hers, theirs and the merge: what only one of them changed is merged already, of the rest she chooses."""
    if current.erroneous_at:
        return _shown(request, current, [], may=True, wrong=ENTERED_IN_ERROR, status=409)
    changes = corrections.changes_of(current)
    merge = fields.sent(request.POST, current)
    told = {
        "patient": current.patient,
        "vital": current,
        "fields": merge,
        "touched": [each for each in merge if each.is_touched],
        "others": [each for each in merge if not each.is_touched],
        "in_error": in_error,
        "changes": judged.of(current, [change for change in changes if change.version > _version(request)]),
        "reason": request.POST.get("reason", "").strip(),
    }
    return render(request, "vitals/conflict.html", told, status=409)


def _refused(request: SignedIn, vital: Vital, wanted: list[Field], *, wrong: str, status: int = UNFIT) -> HttpResponse:
    """As it was sent, to be sent again; what somebody else did meanwhile is said."""
    if vital.version != _version(request):
        wrong = f"{wrong} {ENTERED_IN_ERROR if vital.erroneous_at else MEANWHILE}"
    return _shown(request, vital, wanted, may=True, wrong=wrong, status=status)


def _shown(
    request: SignedIn, vital: Vital, values: list[Field], *, may: bool, wrong: str = "", status: int = 200
) -> HttpResponse:
    changes = judged.of(vital, corrections.changes_of(vital))
    done = QueryDict() if request.method == "POST" else request.GET  # a form is sent to the address of what was done before
    told = {
        "patient": vital.patient,
        "vital": vital,
        # The version that the form was filled from: with a newer one it would write over what she has not seen.
        "version": request.POST.get("version", vital.version),
        "measured": list(fields.measured(vital)),
        "words": list(_words(vital)),
        "filled": [each for each in values if each.base or each.hers],
        "empty": [each for each in values if not each.base and not each.hers],
        "may_correct": may and not vital.erroneous_at,
        "changes": changes,
        "done": next((each for each in changes if str(each.change.version) == done.get("changed")), None),
        "unchanged": "unchanged" in done,
        "wrong": wrong,
        "focus": next((each.name for each in values if each.error), "reason" if status == UNFIT else "trouble"),
        "reason": request.POST.get("reason", "")[: corrections.LONGEST_REASON],
        "longest_reason": corrections.LONGEST_REASON,
    }
    return render(request, "vitals/vital.html", told, status=status)


def _patient(request: SignedIn, patient_id: str, *, page: str) -> Patient:
    """Whom this person may see, which is written down; else 404."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user).named(patient_id))
    audit.saw(by=request.user, at=timezone.now(), patient=patient.patient_id, page=page)
    return patient


def _vital(patient: Patient, vital_id: str) -> Vital:
    return get_object_or_404(Vital.objects.named(vital_id).select_related("patient", "device"), patient=patient)


def _row(vital: Vital) -> dict[str, Any]:
    return {"vital": vital, "measured": list(fields.measured(vital)), "words": list(_words(vital))}


def _words(vital: Vital) -> Iterator[str]:
    """What the device says beside its values."""
    for of, word in vital.status.items():
        if word != "ok":
            yield f"{of.replace('_', ' ')}: {str(word).replace('_', ' ')}"


def _until(request: HttpRequest) -> datetime | None:
    """From which time on backwards, by the clock on the wall; what is no time is none."""
    try:
        at = parse_datetime(request.GET.get("until", "")[:40])
        return at and (timezone.make_aware(at) if timezone.is_naive(at) else at).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _after(request: HttpRequest) -> Q | None:
    """Behind the last row of the page before."""
    try:
        at = datetime.fromisoformat(request.GET.get("before", "")[:40])
        sensor = request.GET.get("sensor", "")[:64]
        if at.tzinfo is None:
            return None
        at = at.astimezone(UTC)
        return Q(measured_at__lt=at) | Q(measured_at=at, sensor_id__lt=sensor)
    except (ValueError, OverflowError):
        return None


def _older(request: HttpRequest, last: Vital) -> str:
    query = request.GET.copy()
    query["before"], query["sensor"] = last.measured_at.isoformat(), last.sensor_id
    return query.urlencode()


def _version(request: HttpRequest) -> int:
    version = request.POST.get("version", "")
    if not version.isascii() or not version.isdecimal() or len(version) > LONGEST_VERSION:
        raise Unsent("The version that was read is missing.")
    return int(version)


def _fault_of(reason: str) -> str:
    if not reason:
        return "Say why: the reason stays with the vital."
    if len(reason) > corrections.LONGEST_REASON or not reason.isprintable():
        return f"The reason is one line of at most {corrections.LONGEST_REASON} letters."
    return ""


def _sentence(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return render(request, "accounts/sentence.html", {"title": "Not done", "sentence": sentence}, status=status)
