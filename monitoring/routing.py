from django.urls import path

from monitoring.consumers import NoSuchSocket, WardBoard

websocket_urlpatterns = [
    path("ws/wards/<slug:slug>/", WardBoard.as_asgi()),
    path("<path:unknown>", NoSuchSocket.as_asgi()),
]
