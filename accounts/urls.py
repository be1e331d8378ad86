from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from accounts.forms import LoginForm
from accounts.views import emergency, kiosk, presence

sign_in = LoginView.as_view(
    authentication_form=LoginForm, redirect_authenticated_user=True, extra_context={"demo": settings.DEMO}
)

urlpatterns = [
    path("login/", sign_in, name="login"),
    path("emergency/", emergency.page, name="emergency"),
    path("emergency/leave", emergency.leave, name="emergency-leave"),
    path("kiosk/", kiosk.page, name="kiosk"),
    path("kiosk/leave", kiosk.leave, name="kiosk-leave"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("here", presence.here, name="here"),
]
