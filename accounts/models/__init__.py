from accounts.models.device import Device, DeviceKey
from accounts.models.membership import Membership
from accounts.models.user import User
from accounts.models.ward import Bed, Ward

__all__ = ["Bed", "Device", "DeviceKey", "Membership", "User", "Ward"]
