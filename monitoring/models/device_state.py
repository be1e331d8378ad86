from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.db import models

from accounts.models import Device
from monitoring.clinical.clock import Clock


@dataclass(frozen=True)
class Refusals:
    """Readings in a row of which something was refused, and when the last one came."""

    count: int
    last_at: datetime


@dataclass
class Conduct:
    """How the sensors behind a device behave, by `patient/sensor`: wrong clocks, how many readings in a row were refused."""

    clocks: dict[str, Clock] = field(default_factory=dict)
    refused: dict[str, Refusals] = field(default_factory=dict)


_decoder = msgspec.json.Decoder(Conduct)
_encoder = msgspec.json.Encoder()


class DeviceState(models.Model):
    """What is wrong with a device's readings. No row: nothing is."""

    device = models.OneToOneField(Device, on_delete=models.PROTECT, primary_key=True, related_name="state")
    document = models.TextField()

    def __str__(self) -> str:
        return f"conduct of {self.device}"

    @classmethod
    def of(cls, device: Device, conduct: Conduct) -> DeviceState:
        return cls(device=device, document=_encoder.encode(conduct).decode())

    @property
    def conduct(self) -> Conduct:
        return _decoder.decode(self.document)
