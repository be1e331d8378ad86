"""The pages: who are you, what may you see, one call, one answer."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Permission, permissions
from accounts.models import User, Ward
from monitoring import board
from monitoring.clinical.limits import Severity
from monitoring.models import Alert, Placement
from monitoring.services import alerts
from monitoring.services.transactions import WriterBusy


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User


@require_GET
@login_required
def home(request: SignedIn) -> HttpResponse:
    """To the first ward of the person who signed in."""
    ward = Ward.objects.visible_to(request.user).order_by("name").first()
    return redirect("ward", slug=ward.slug) if ward else render(request, "no_ward.html")


@require_GET
@never_cache
@login_required
def ward(request: SignedIn, slug: str) -> HttpResponse:
    """The board of a ward, live."""
    wards = Ward.objects.visible_to(request.user).order_by("name")
    shown = get_object_or_404(wards, slug=slug)
    may = permissions(request.user, shown)
    return render(
        request,
        "ward.html",
        {
            "board": board.read(shown.pk, now=timezone.now()),
            "wards": wards,
            "may_acknowledge": Permission.ACKNOWLEDGE in may,
            "now": timezone.now().timestamp(),
        },
    )


@require_POST
def acknowledge(request: HttpRequest, alert_id: str) -> HttpResponse:
    """Take an alert as it was shown; answers with its tile. 409, and the tile as it is, when it is worse by now."""
    user = request.user
    if not isinstance(user, User):
        return _refusal("Sign in again.", 401)  # a redirect would be followed, and look like success
    alert = get_object_or_404(Alert.objects.visible_to(user), pk=alert_id)
    if Permission.ACKNOWLEDGE not in permissions(user, alert.ward):
        return _refusal("Your role may not acknowledge alerts.", 403)
    shown = request.POST.get("severity_shown", "")
    if shown not in set(Severity):
        return _refusal("severity_shown is missing.", 400)
    status = 200
    try:
        alerts.acknowledge(alert, by=user, at=timezone.now(), severity_shown=Severity(shown))
    except alerts.SeverityRisen:
        status = 409
    except WriterBusy:
        return _refusal("The database is busy. Press again.", 503)
    return HttpResponse(_present(alert, user), status=status)


def _present(alert: Alert, user: User) -> str:
    """The tile of an alert and the rail; nothing when the patient has moved out of this person's sight meanwhile."""
    if not Ward.objects.visible_to(user).filter(pk=alert.ward_id).exists():
        return ""
    beds = Placement.objects.filter(admission=alert.admission, is_open=True).values_list("bed", flat=True)
    return board.partials(board.draw(alert.ward_id, list(beds), now=timezone.now())[1])


def _refusal(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain", headers={"HX-Reswap": "none"})
