from django.urls import path

from accounts.views import door, emergency, kiosk, presence

urlpatterns = [
    path("login/", door.SignIn.as_view(), name="login"),
    path("logout/", door.SignOut.as_view(), name="logout"),
    path("emergency/", emergency.page, name="emergency"),
    path("emergency/leave", emergency.leave, name="emergency-leave"),
    path("kiosk/", kiosk.page, name="kiosk"),
    path("kiosk/leave", kiosk.leave, name="kiosk-leave"),
    path("here", presence.here, name="here"),
]
