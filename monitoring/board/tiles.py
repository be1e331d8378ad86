"""Beds as drawn: who lies there, what the sensors say, which alerts are open, and what the board has to say beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Bed
from monitoring.board import words
from monitoring.board.cells import Cell, cells
from monitoring.board.news import News
from monitoring.board.notices import Notice
from monitoring.board.stacks import Stack, bundled, stack
from monitoring.clinical.episode import State
from monitoring.models import Patient, Placement
from monitoring.services.marks import Marks


@dataclass(slots=True)
class Tile:
    """A bed as drawn."""

    bed: Bed
    patient: Patient | None = None
    cells: Sequence[Cell] = ()
    alerts: Stack = field(default_factory=Stack)
    news: News | None = None
    marks: Sequence[str] = ()

    @property
    def fragment(self) -> str:
        return f"bed-{self.bed.pk}"

    @property
    def initials(self) -> str:
        return words.initials(self.patient.name) if self.patient else ""

    @property
    def worst(self) -> Notice | None:
        """What the frame and the header say: the worst alert, and of equals one that is still active."""
        lines = (*self.alerts.shown, *self.alerts.rest)
        return min(lines, key=lambda notice: (notice.rank, notice.is_technical), default=None)

    @property
    def severity(self) -> str:
        return self.worst.alert.severity if self.worst else ""


def tile(placement: Placement, state: State, notices: Sequence[Notice], score: News, marks: Marks, *, now: datetime) -> Tile:
    """The tile of a bed in which somebody lies; `notices` are the patient's."""
    patient, drawn = placement.admission.patient, cells(state, marks, now=now)
    return Tile(placement.bed, patient, drawn, stack(bundled(notices)), score, list(_said(patient, marks)))


def _said(patient: Patient, marks: Marks) -> list[str]:
    """What one has to know of this patient's limits."""
    why = "check the birth date" if patient.birth_date else "no birth date"
    said = [f"adult limits ({why})"] if marks.age_unknown else []
    wards: dict[str, list[str]] = {}
    for sign, ward in marks.to_confirm.items():
        wards.setdefault(ward, []).append(sign.value.replace("_", " "))
    return said + [f"limits to confirm: {', '.join(signs)} set in {ward}" for ward, signs in wards.items()]
