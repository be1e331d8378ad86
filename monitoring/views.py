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
            "board": board.read(shown.pk),
            "wards": wards,
            "may_acknowledge": Permission.ACKNOWLEDGE in may,
            "now": timezone.now().timestamp(),
        },
    )


@require_POST
@login_required
def acknowledge(request: SignedIn, alert_id: str) -> HttpResponse:
    """Take an alert as it was shown; answers with its tile. 409, and the tile as it is, when it is worse by now."""
    alert = get_object_or_404(Alert.objects.visible_to(request.user), pk=alert_id)
    if Permission.ACKNOWLEDGE not in permissions(request.user, alert.ward):
        return HttpResponse("Your role may not acknowledge alerts.", status=403, content_type="text/plain")
    shown = request.POST.get("severity_shown", "")
    if shown not in set(Severity):
        return HttpResponse("severity_shown is missing.", status=400, content_type="text/plain")
    status = 200
    try:
        alerts.acknowledge(alert, by=request.user, at=timezone.now(), severity_shown=Severity(shown))
    except alerts.SeverityRisen:
        status = 409
    bed = Placement.objects.filter(admission=alert.admission, is_open=True).values_list("bed", flat=True).first()
    fragments = board.draw(alert.ward_id, [bed] if bed else [])[1]
    return HttpResponse(board.partials(fragments), status=status)
