"""Every address with and without a slash at its end."""

from accounts.api.addresses import door
from accounts.api.auth import LoginView, LogoutView, MeView, RefreshView, RegisterView, TicketView

urlpatterns = [
    door("register", RegisterView.as_view(), name="auth_register"),
    door("login", LoginView.as_view(), name="auth_login"),
    door("refresh-token", RefreshView.as_view(), name="auth_refresh"),
    door("logout", LogoutView.as_view(), name="auth_logout"),
    door("me", MeView.as_view(), name="auth_me"),
    door("ws-ticket", TicketView.as_view(), name="auth_ws_ticket"),
]
