from __future__ import annotations

import msgspec
from django.db import models

from monitoring.clinical.episode import Standing, State, Word
from monitoring.clinical.signs import Sign
from monitoring.models.admission import Admission


class _Document(msgspec.Struct):
    standings: dict[Sign, dict[str, Standing]]
    words: dict[Sign, dict[str, Word]]


_decoder = msgspec.json.Decoder(_Document)
_encoder = msgspec.json.Encoder()


class AlarmState(models.Model):
    """What each sensor of an admission last said: the alarm rule's memory between two readings, and the source of the tile.

    One row an admission, rewritten by every reading under the patient's lock.
    """

    admission = models.OneToOneField(Admission, on_delete=models.PROTECT, primary_key=True, related_name="alarm_state")
    document = models.TextField()

    def __str__(self) -> str:
        return f"sensors of {self.admission}"

    @classmethod
    def of(cls, admission_id: int, state: State) -> AlarmState:
        document = _encoder.encode(_Document(state.standings, state.words)).decode()
        return cls(admission_id=admission_id, document=document)

    @property
    def state(self) -> State:
        """Standings and statuses only: the episodes are the alerts."""
        document = _decoder.decode(self.document)
        return State(document.standings, document.words)
