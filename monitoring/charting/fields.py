"""The values of a vital as a person sees and types them, and the merge where two have changed the same vital."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitoring.clinical.signs import FACTS, plain
from monitoring.models import Vital
from monitoring.services import corrections
from monitoring.services.corrections import CORRECTABLE, LABELS, UNITS
from monitoring.services.items import RANGES, Refused

WORDS = {"consciousness": {"A": "A alert", "C": "C confused", "V": "V voice", "P": "P pain", "U": "U unresponsive"}} | {
    "on_oxygen": {"yes": "yes", "no": "no"}
}
FLAGS = {"yes": True, "no": False}
LONGEST = 40  # letters of a value


@dataclass(slots=True)
class Field:
    """One value in a form. `base` is what was read, `hers` what the person wants, `theirs` what is there by now: as text."""

    name: str
    hers: str
    base: str = ""
    theirs: str = ""
    error: str = ""
    label: str = field(init=False)
    unit: str = field(init=False)

    def __post_init__(self) -> None:
        self.label, self.unit = LABELS[self.name], UNITS.get(self.name, "")

    @property
    def words(self) -> Mapping[str, str]:
        return WORDS.get(self.name, {})

    @property
    def span(self) -> str:
        if self.name not in RANGES:
            return ""
        lowest, highest = RANGES[self.name]
        return f"{plain(lowest)}–{plain(highest)}"

    @property
    def is_hers(self) -> bool:
        """She alone has changed it, or as they have."""
        return self.hers != self.base and (self.theirs in (self.base, self.hers))

    @property
    def is_theirs(self) -> bool:
        return self.theirs != self.base and self.hers == self.base

    @property
    def clashes(self) -> bool:
        """Both have changed it, and not to the same: somebody has to choose."""
        return self.hers != self.base and self.theirs not in (self.base, self.hers)

    @property
    def merged(self) -> str:
        return self.theirs if self.is_theirs else self.hers

    @property
    def is_touched(self) -> bool:
        return self.is_hers or self.is_theirs or self.clashes

    def shown(self, text: str) -> str:
        return self.words.get(text, text) or "–"

    @property
    def base_shown(self) -> str:
        return self.shown(self.base)

    @property
    def hers_shown(self) -> str:
        return self.shown(self.hers)

    @property
    def theirs_shown(self) -> str:
        return self.shown(self.theirs)


def of(vital: Vital) -> list[Field]:
    """As it is, to be changed."""
    return [Field(name, text, base=text, theirs=text) for name, text in _texts(vital).items()]


def sent(posted: Mapping[str, Any], vital: Vital) -> list[Field]:
    """As they were sent, beside what is there; what was not sent stays as it was read."""
    fields = []
    for name, theirs in _texts(vital).items():
        base = _text(posted.get(f"was_{name}", theirs))
        fields.append(Field(name, _text(posted.get(name, base)), base=base, theirs=theirs))
    return fields


def values(fields: list[Field]) -> dict[str, Any]:
    """What the person changed, by column; what is wrong is said at its field. Raises corrections.Invalid."""
    wanted = {each.name: _typed(each.name, each.hers) for each in fields if each.hers != each.base}
    try:
        return corrections.read(wanted)
    except corrections.Invalid as invalid:
        blame(fields, invalid.faults)
        raise


def blame(fields: list[Field], faults: list[Refused]) -> None:
    by_name = {each.name: each for each in fields}
    for fault in faults:
        by_name[fault.field].error = fault.detail


def measured(vital: Vital) -> Iterator[str]:
    """`HR 72 /min`, each value of it."""
    for name, text in _texts(vital).items():
        if text:
            shown = WORDS.get(name, {}).get(text, text)
            yield f"{LABELS[name]} {shown} {UNITS.get(name, '')}".rstrip()


def said(name: str, value: Any) -> str:
    return _plain(value) or "–"


def _texts(vital: Vital) -> dict[str, str]:
    return {name: _plain(getattr(vital, name)) for name in CORRECTABLE}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value in (None, "") else plain(value) if isinstance(value, int | float) else str(value)


def _text(sent: Any) -> str:
    return str(sent).strip()[:LONGEST]


def _typed(name: str, text: str) -> Any:
    """A value as the rule takes it: a comma is a point, and what is no number is left for the rule to refuse."""
    if not text:
        return None
    if name == "on_oxygen":
        return FLAGS.get(text, text)
    if name not in FACTS and name != "oxygen_flow":
        return text
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text
