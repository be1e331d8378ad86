from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from accounts.api.addresses import door
from accounts.api.auth import MeView
from medql import health
from medql.schema import SchemaView, docs

handler400 = "medql.errors.bad_request"
handler403 = "medql.errors.refused"
handler404 = "medql.errors.not_found"
handler500 = "medql.errors.server_error"

urlpatterns = [
    path("health", health.health, name="health"),
    path("ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", docs, name="docs"),
    path("docs", require_safe(RedirectView.as_view(pattern_name="docs"))),
    path("auth/", include("accounts.api.urls")),
    door("api/v1/staff/me", MeView.as_view(), name="staff_me"),
    path("api/v1/", include("monitoring.api.urls")),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("", include("monitoring.urls")),
]
