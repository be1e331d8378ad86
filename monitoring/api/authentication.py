from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import keys
from accounts.models import Device


class DeviceKeyAuthentication(BaseAuthentication):
    """`X-API-Key: <prefix>.<secret>` names a device: 401 for a wrong key, 403 for a revoked one."""

    def authenticate(self, request: Request) -> tuple[None, Device] | None:
        key = request.headers.get("X-API-Key")
        if not key:
            return None
        try:
            return None, keys.device_of(key)
        except keys.WrongKey:
            raise AuthenticationFailed("There is no such device key.", code="wrong_key") from None
        except keys.RevokedKey:
            raise PermissionDenied("This device key was revoked.", code="revoked_key") from None

    def authenticate_header(self, request: Request) -> str:
        return "X-API-Key"


class IsDevice(BasePermission):
    """Only a device with its key."""

    message = "Send the device's key as X-API-Key."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Device)
