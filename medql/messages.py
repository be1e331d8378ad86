"""What a page is to tell next: in a cookie bound to this host, and beyond its size in the session."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookie(CookieStorage):
    cookie_name = f"{settings.HOST_COOKIE}messages"


class Storage(FallbackStorage):
    storage_classes = (HostCookie, SessionStorage)
