from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_only_middleware


@sync_only_middleware
def one_hop(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Innermost, it makes the chain above it synchronous, as the views are: one hop to a thread a request, not one a middleware.

    Delete it when Django hops once by itself (ticket 37177).
    """
    return get_response
