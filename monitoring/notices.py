"""A person's inbox: what the escalation told him inside MedQL, and which browsers may call him."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import sessions
from accounts.models import User
from accounts.views.pages import SignedIn
from monitoring.clinical.limits import Severity
from monitoring.models import Delivery
from monitoring.services import browsers, deliveries
from monitoring.services.channels import push
from monitoring.services.channels.notice import Notice, has_moved, notices, waits

SHOWN = 100  # on a page
MOST_DIGITS = 19  # of a number that the database takes as a key
COUNTED = timedelta(days=1)  # an older notice that nobody saw is no news, and counting all would grow for ever


class Keys(msgspec.Struct):
    p256dh: str
    auth: str


class Browser(msgspec.Struct):
    """What a browser's `PushSubscription.toJSON()` says."""

    endpoint: str
    keys: Keys | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as the page shows it. Of an alert that another ward has by now, no more than was told then."""

    row: Delivery
    notice: Notice

    @property
    def moved(self) -> bool:
        return has_moved(self.row)

    @property
    def severity(self) -> Severity:
        return Severity(self.row.severity if self.moved else self.notice.severity)

    @property
    def condition(self) -> str:
        return self.row.alert.condition.replace("_", " ")

    @property
    def about(self) -> tuple[str, int, bool]:
        """Notices that follow one another about the same are one entry of the list."""
        return self.row.alert.subject, self.row.ward_id, self.moved


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice, or several about the same patient or device that follow one another, the newest first."""

    told: list[Told]

    @property
    def key(self) -> int:
        """The same while newer ones come."""
        return self.told[-1].row.pk

    @property
    def severity(self) -> Severity:
        return max((told.severity for told in self.told), key=lambda severity: severity.rank)

    @property
    def unseen(self) -> int:
        return sum(1 for told in self.told if told.row.seen_at is None)

    @property
    def untaken(self) -> int:
        return 0 if self.told[0].moved else sum(1 for told in self.told if waits(told.row.alert))


@sessions.automatic
@require_GET
@never_cache
@login_required
def inbox(request: SignedIn) -> HttpResponse:
    """Notices of this person, the newest first: a page of them, or the page that goes on below `before`."""
    before = request.GET.get("before", "")
    found = _page(request.user, before).select_related("ward", "alert__ward", "alert__device", "alert__acknowledged_by")
    rows = list(found[: SHOWN + 1])
    older = len(rows) > SHOWN
    rows = rows[:SHOWN]
    listed = [Told(row, notice) for row, notice in zip(rows, notices(rows), strict=True)]
    key = push.public_key() if settings.VAPID_PRIVATE_KEY else ""
    unseen = sum(1 for row in rows if row.seen_at is None)
    entries = [Entry(list(told)) for _, told in groupby(listed, key=lambda told: told.about)]
    ends = {"newest": rows[0].pk, "oldest": rows[-1].pk} if rows else {}
    shown = {"entries": entries, "unseen": unseen, "vapid": key, "before": before, "older": older, **ends}
    return render(request, "notices.html", shown)


@require_POST
@login_required
def seen(request: SignedIn) -> HttpResponse:
    """What was listed has been seen; what came meanwhile has not."""
    newest = _key(request.POST.get("newest", ""))
    if newest is None:
        return JsonResponse({"detail": "newest is missing.", "code": "invalid"}, status=400)
    before = request.POST.get("before", "")
    keys = [row.pk for row in _page(request.user, before)[:SHOWN] if row.pk <= newest]
    deliveries.see(keys, at=timezone.now())
    return redirect(reverse("notices") + (f"?before={before}" if before else ""))


@sessions.automatic
@require_GET
@never_cache
def count(request: HttpRequest) -> HttpResponse:
    """How many notices of the last day this person has not seen."""
    if not isinstance(request.user, User):
        return JsonResponse({"detail": "Sign in again.", "code": "not_authenticated"}, status=401)
    since: datetime = timezone.now() - COUNTED
    unseen = Delivery.objects.notices_of(request.user).filter(created_at__gte=since, seen_at=None)
    return JsonResponse({"unseen": unseen.count()})


@require_http_methods(["POST", "DELETE"])
def browser(request: HttpRequest) -> HttpResponse:
    """This browser may call this person, or may no more."""
    if not isinstance(request.user, User):
        return JsonResponse({"detail": "Sign in again.", "code": "not_authenticated"}, status=401)
    try:
        wanted = msgspec.json.decode(request.body, type=Browser)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _unusable("endpoint")
    if request.method == "DELETE":
        browsers.forget(user=request.user, endpoint=wanted.endpoint)
        return HttpResponse(status=204)
    keys = wanted.keys or Keys("", "")
    try:
        browsers.allow(user=request.user, endpoint=wanted.endpoint, p256dh=keys.p256dh, auth=keys.auth)
    except browsers.Unusable as unusable:
        return _unusable(str(unusable))
    return HttpResponse(status=204)


@sessions.automatic
@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The script that shows a push while no page is open; it stands at the root, since it rules what lies below it."""
    return render(request, "push_worker.js", content_type="text/javascript")


def _page(person: User, before: str) -> QuerySet[Delivery]:
    """The notices below this one, or all; one that the person has not got has nothing below it: 404."""
    own = Delivery.objects.notices_of(person)
    below = own
    if before:
        last = get_object_or_404(own, pk=_key(before) or 0)
        below = own.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))
    return below.order_by("-created_at", "-pk")


def _key(text: str) -> int | None:
    """The number that a page sent us as a row's key, if it can be one."""
    return int(text) if text.isdecimal() and len(text) < MOST_DIGITS else None


def _unusable(field: str) -> JsonResponse:
    fault: dict[str, Any] = {field: ["This is no subscription of a push service that browsers use."]}
    return JsonResponse(
        {"detail": "The browser's subscription cannot be used.", "code": "invalid", "errors": fault}, status=422
    )
