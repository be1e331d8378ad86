from django.urls import path

from accounts.views import account, door, emergency, factor, kiosk, links, presence

urlpatterns = [
    path("login/", door.SignIn.as_view(), name="login"),
    path("logout/", door.SignOut.as_view(), name="logout"),
    path("emergency/", emergency.page, name="emergency"),
    path("emergency/leave", emergency.leave, name="emergency-leave"),
    path("kiosk/", kiosk.page, name="kiosk"),
    path("kiosk/leave", kiosk.leave, name="kiosk-leave"),
    path("me/", account.me, name="account"),
    path("me/end", account.end, name="account-end"),
    path("me/end-others", account.end_others, name="account-end-others"),
    path("me/password/", account.password, name="account-password"),
    path("reset/", links.reset, name="reset"),
    path("reset/sent/", links.sent, name="reset-sent"),
    path("link/", links.choose, name="choose-password"),
    path("link/<str:token>", links.follow, name="link"),
    path("code/", factor.code, name="code"),
    path("second-factor/", factor.set_up, name="second-factor"),
    path("second-factor/remove/", factor.remove, name="second-factor-remove"),
    path("second-factor/codes/", factor.recovery_codes, name="recovery-codes"),
    path("here", presence.here, name="here"),
]
