"""Every address with and without a slash at its end."""

from django.urls import re_path

from accounts.api.auth import LoginView, LogoutView, MeView, RefreshView, RegisterView, TicketView

urlpatterns = [
    re_path(r"^register/?$", RegisterView.as_view(), name="auth_register"),
    re_path(r"^login/?$", LoginView.as_view(), name="auth_login"),
    re_path(r"^refresh-token/?$", RefreshView.as_view(), name="auth_refresh"),
    re_path(r"^logout/?$", LogoutView.as_view(), name="auth_logout"),
    re_path(r"^me/?$", MeView.as_view(), name="auth_me"),
    re_path(r"^ws-ticket/?$", TicketView.as_view(), name="auth_ws_ticket"),
]
