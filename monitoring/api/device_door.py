"""Who comes in at the device door: a device with its key, no more often than it may; each use of a key is noted."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts import key_attempts, keys, rates
from accounts.api.authentication import IsAllowed
from accounts.api.errors import TooManyRequests
from accounts.models import Device

KEY = "X-API-Key"


class DeviceKeyAuthentication(BaseAuthentication):
    """`X-API-Key: <prefix>.<secret>` names a device: 401 for a wrong key, 429 for too many of them, 403 for a revoked one."""

    def authenticate(self, request: Request) -> tuple[None, Device] | None:
        key, now = request.headers.get(KEY), timezone.now()
        if not key:
            return None
        try:
            return None, keys.device_of(key, now=now)
        except keys.WrongKey:
            _slow_down(now)
            raise AuthenticationFailed("There is no such device key.", code="wrong_key") from None
        except keys.RevokedKey as revoked:
            key_attempts.revoked(revoked.device, at=now)
            raise PermissionDenied("This device key was revoked.", code="revoked_key") from None

    def authenticate_header(self, request: Request) -> str:
        return KEY


def _slow_down(now: datetime) -> None:
    try:
        key_attempts.wrong(at=now)
    except rates.TooFast as too_fast:
        sentence = "Too many wrong keys came from this address. A right one is taken at any time."
        raise TooManyRequests(sentence, "too_many_wrong_keys", too_fast.retry_after) from None


class IsDevice(BasePermission):
    """Only a device with its key."""

    message = f"Send the device's key as {KEY}."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Device)


class Measures(BasePermission):
    """Only a kind of device that measures: the key of a screen on the wall writes nothing."""

    message = "This kind of device sends no readings."
    code = "wrong_kind"

    def has_permission(self, request: Request, view: Any) -> bool:
        return _device(request).kind in (Device.Kind.MONITOR, Device.Kind.GATEWAY)


class MeasuresOrWritesDown(IsAllowed):
    """A device that measures; or a person or program whose role writes vitals down in some ward."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, Device):
            return super().has_permission(request, view)
        self.message, self.code = Measures.message, Measures.code
        return Measures().has_permission(request, view)


class DeviceRate(BaseThrottle):
    """No more requests than the device may send; what is sent away is kept by the device, and comes again."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Device):
            return True
        try:
            rates.take(request.auth, now=timezone.now())
        except rates.TooFast as too_fast:
            sentence = "This device sends too often. Keep what you have, and send it in lists."
            raise TooManyRequests(sentence, "rate_limited", too_fast.retry_after) from None
        return True


class DeviceDoor(APIView):
    """A view for devices."""

    authentication_classes = [DeviceKeyAuthentication]
    permission_classes = [IsDevice, Measures]
    throttle_classes = [DeviceRate]

    key = ""  # of a device that has come in

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.key = request.headers[KEY] if isinstance(request.auth, Device) else ""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """After the work is done, so that no reading waits for it."""
        if self.key:
            keys.note_use(self.key, at=timezone.now())
        return super().finalize_response(request, response, *args, **kwargs)


def _device(request: Request) -> Device:
    assert isinstance(request.auth, Device)  # nobody else gets past IsDevice
    return request.auth
