"""The pages: who are you, what may you see, one call, one answer."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import access, audit, sessions, visits
from accounts.access import Permission, permissions
from accounts.models import EmergencyAccess, User, Ward
from accounts.transactions import WriterBusy
from monitoring import board
from monitoring.board import Face
from monitoring.clinical.limits import Severity
from monitoring.models import Alert, Patient, Placement, Shift, WatcherBeat
from monitoring.services import alerts
from monitoring.services.alerts import Shown

LONGEST_SENTENCE = 200  # letters
LONGEST_NUMBER = 4  # digits
# What the page may show buttons for, by its word in the page's data-may.
DEEDS = {
    "acknowledge": Permission.ACKNOWLEDGE,
    "resolve": Permission.RESOLVE,
    "silence": Permission.SILENCE,
    "noise": Permission.MARK_NOISE,
}


class Refused(Exception):
    """What was asked for cannot be done as it was asked; the message says why."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the first ward of the person who signed in, or of the kiosk; a patient to his own values."""
    if isinstance(request.user, User):
        wards = Ward.objects.visible_to(request.user)
    elif kiosk := visits.kiosk_of(request):
        wards = Ward.objects.filter(devices=kiosk)
    else:
        return redirect_to_login(request.get_full_path())
    ward = wards.order_by("name").first()
    if ward:
        return redirect("ward", slug=ward.slug)
    is_patient = isinstance(request.user, User) and Patient.objects.filter(user=request.user, archived_at=None).exists()
    return redirect("own") if is_patient else render(request, "no_ward.html")


@require_GET
@never_cache
def ward(request: HttpRequest, slug: str) -> HttpResponse:
    """The board of a ward, live: with names for a person, without for a kiosk or where the person is gone."""
    now = timezone.now()
    try:
        entry = visits.into(slug, request=request, now=now)
    except visits.NotSignedIn:
        return redirect_to_login(request.get_full_path())
    except visits.NotYours:
        raise Http404 from None
    audit.saw(by=entry.actor, at=now, ward=entry.ward, page="board")
    beat = WatcherBeat.objects.ages().first()
    told = {
        "board": board.read(entry.ward.pk, now=now, face=Face.NAMED if entry.is_named else Face.KIOSK),
        "kiosk": entry.kiosk,
        "now": now.timestamp(),
        "watched": "" if beat is None else beat.total_seconds(),
    }
    if entry.user:
        sessions.of(request).show(entry.ward)
        told |= _of_person(entry.user, entry, now)
    return render(request, "ward.html", told)


@require_GET
@never_cache
@sessions.automatic
def mine(request: HttpRequest, slug: str) -> JsonResponse:
    """The beds of this ward that are this person's in the shift that is on, by the ids of their tiles."""
    if not isinstance(request.user, User):
        return JsonResponse({"detail": "Sign in again.", "code": "not_authenticated"}, status=401)
    ward = get_object_or_404(Ward.objects.visible_to(request.user), slug=slug)
    on_duty = Shift.objects.on_duty(timezone.now()).filter(user=request.user, ward=ward, beds__isnull=False)
    beds = on_duty.order_by("beds__position").values_list("beds", flat=True).distinct()
    return JsonResponse({"beds": [f"bed-{bed}" for bed in beds]})


def _of_person(user: User, entry: visits.Pass, now: datetime) -> dict[str, Any]:
    """What the board shows to this person besides: the other wards, and what may be done here."""
    may = access.granted(entry.roles, entry.ward)
    return {
        "wards": Ward.objects.visible_to(user).order_by("name"),
        "helps": EmergencyAccess.objects.in_force(now).filter(user=user, ward=entry.ward).first(),
        "may_enter": Permission.BREAK_GLASS in may,
        "may_see_load": Permission.SEE_LOAD in may,
        "may_export": Permission.EXPORT in may,
        "may": [name for name, needed in DEEDS.items() if needed in may],
    }


@require_POST
def acknowledge(request: HttpRequest, alert_id: str) -> HttpResponse:
    """Take an alert as it was shown; answers with its tile. 409, and the tile as it is, when it is worse by now."""

    def take(alert: Alert, user: User) -> None:
        alerts.acknowledge(alert, by=user, at=timezone.now(), shown=_shown(request))

    return _act(request, alert_id, Permission.ACKNOWLEDGE, take)


@require_POST
def resolve(request: HttpRequest, alert_id: str) -> HttpResponse:
    """End an alert as it was shown, with a note or without; 409, and the tile as it is, when it is worse by now."""

    def end(alert: Alert, user: User) -> None:
        note, shown = _sentence(request, "note"), Shown(_severity_shown(request))
        alerts.resolve(alert, by=user, at=timezone.now(), note=note, shown=shown)

    return _act(request, alert_id, Permission.RESOLVE, end)


@require_POST
def silence(request: HttpRequest, alert_id: str) -> HttpResponse:
    """Switch the sound of an alert as it was shown off for some minutes, no longer than its ward allows (422).

    409, and the tile as it is, when it is worse by now.
    """

    def hush(alert: Alert, user: User) -> None:
        minutes = request.POST.get("minutes", "")
        if not minutes.isdecimal() or len(minutes) > LONGEST_NUMBER:
            raise Refused("minutes is missing, or no number.", 400)
        alerts.silence(alert, minutes=int(minutes), by=user, at=timezone.now(), shown=_shown(request))

    return _act(request, alert_id, Permission.SILENCE, hush)


@require_POST
def noise(request: HttpRequest, alert_id: str) -> HttpResponse:
    """Say that an alert was not actionable, and why; the first mark stays."""

    def mark(alert: Alert, user: User) -> None:
        why = _sentence(request, "why")
        if not why:
            raise Refused("Say why it was not actionable.", 422)
        alerts.mark_as_noise(alert, by=user, at=timezone.now(), why=why)

    return _act(request, alert_id, Permission.MARK_NOISE, mark)


def _act(request: HttpRequest, alert_id: str, needs: Permission, deed: Callable[[Alert, User], None]) -> HttpResponse:
    """Who are you, what may you see, may you do it; then the deed, and what became of it as drawn."""
    user = request.user
    if not isinstance(user, User):
        return _refusal("Sign in again.", 401)  # a redirect would be followed, and look like success
    alert = get_object_or_404(Alert.objects.visible_to(user), pk=alert_id)
    if needs not in permissions(user, alert.ward):
        return _refusal(f"Your role may not {needs}.", 403)
    status = 200
    try:
        deed(alert, user)
    except Refused as refused:
        return _refusal(str(refused), refused.status)
    except alerts.SilenceTooLong as too_long:
        return _refusal(str(too_long), 422)
    except alerts.SeverityRisen:
        status = 409
    except WriterBusy:
        return _refusal("The database is busy. Press again.", 503)
    return HttpResponse(_present(alert, user), status=status)


def _shown(request: HttpRequest) -> Shown:
    """The alert as it was drawn."""
    return Shown(_severity_shown(request), _members_shown(request))


def _members_shown(request: HttpRequest) -> set[UUID] | None:
    """The alerts that a bundle was made of when it was drawn."""
    shown = request.POST.get("members_shown")
    try:
        return None if shown is None else {UUID(each) for each in shown.split()}
    except ValueError:
        raise Refused("members_shown are ids of alerts.", 400) from None


def _severity_shown(request: HttpRequest) -> Severity:
    shown = request.POST.get("severity_shown", "")
    if shown not in set(Severity):
        raise Refused("severity_shown is missing.", 400)
    return Severity(shown)


def _sentence(request: HttpRequest, field: str) -> str:
    sentence = request.POST.get(field, "").strip()
    if len(sentence) > LONGEST_SENTENCE:
        raise Refused(f"At most {LONGEST_SENTENCE} letters.", 422)
    return sentence


def _present(alert: Alert, user: User) -> str:
    """The tile of an alert and the rail; nothing when the patient has moved out of this person's sight meanwhile."""
    if not Ward.objects.visible_to(user).filter(pk=alert.ward_id).exists():
        return ""
    beds = Placement.objects.filter(admission=alert.admission, is_open=True).values_list("bed", flat=True)
    return board.partials(board.draw(alert.ward_id, list(beds), now=timezone.now())[1])


def _refusal(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain", headers={"HX-Reswap": "none"})
