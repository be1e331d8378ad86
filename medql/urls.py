from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import include, path


def health(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


handler400 = "medql.errors.bad_request"
handler404 = "medql.errors.not_found"
handler500 = "medql.errors.server_error"

urlpatterns = [
    path("health", health, name="health"),
    path("api/v1/", include("monitoring.api.urls")),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("", include("monitoring.urls")),
]
