from accounts.models.audit_entry import AuditEntry, ByKind, Deed, Door
from accounts.models.audit_head import AuditHead
from accounts.models.device import Device
from accounts.models.device_key import DeviceKey
from accounts.models.emergency_access import EmergencyAccess
from accounts.models.failed_sign_in import FailedSignIn
from accounts.models.membership import Membership
from accounts.models.one_time_link import OneTimeLink
from accounts.models.second_factor import RecoveryCode, SecondFactor
from accounts.models.service_token import ServiceToken
from accounts.models.session import Session
from accounts.models.token import RefreshFamily, RefreshToken, SocketTicket, TokenSession
from accounts.models.user import User
from accounts.models.ward import Bed, Ward

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Bed",
    "ByKind",
    "Deed",
    "Device",
    "DeviceKey",
    "Door",
    "EmergencyAccess",
    "FailedSignIn",
    "Membership",
    "OneTimeLink",
    "RecoveryCode",
    "RefreshFamily",
    "RefreshToken",
    "SecondFactor",
    "ServiceToken",
    "Session",
    "SocketTicket",
    "TokenSession",
    "User",
    "Ward",
]
