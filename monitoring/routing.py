from django.urls import path, re_path

from monitoring.consumers import NoSuchSocket, WardBoard
from monitoring.stream.socket import EventStream

websocket_urlpatterns = [
    re_path(r"^ws/?$", EventStream.as_asgi()),
    path("ws/wards/<slug:slug>/", WardBoard.as_asgi()),
    path("<path:unknown>", NoSuchSocket.as_asgi()),
]
