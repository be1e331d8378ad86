"""Somebody is there: what a page says of the person before it, who may look for long and press nothing."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST


@require_POST
@never_cache
def here(request: HttpRequest) -> HttpResponse:
    """A person moved a pointer or pressed a key; that this was asked by hand is all that counts (static/here.js)."""
    if not request.user.is_authenticated:
        return JsonResponse({"detail": "Sign in again.", "code": "not_authenticated"}, status=401)
    return HttpResponse(status=204)
