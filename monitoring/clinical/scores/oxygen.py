"""Whether a patient is given oxygen at any time, by what was said of it last: as the score takes it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.clinical.scores.inputs import Chosen, Input, choose

NAMES = ("on_oxygen", "oxygen_flow")


@dataclass(frozen=True, slots=True)
class Word:
    """What was said at a time, in a stay; None is nothing."""

    at: datetime
    stay: int
    on_oxygen: bool | None = None
    oxygen_flow: float | None = None


class Said:
    """All that was said in a time, in order. `stays`: when each began; what was said in one tells nothing of the next."""

    def __init__(self, words: Sequence[Word], stays: Mapping[int, datetime]) -> None:
        begun = dict(stays)
        for word in words:  # one may have been bound to a stay that was written down later
            begun[word.stay] = min(begun.get(word.stay, word.at), word.at)
        self._stays = sorted((at, stay) for stay, at in begun.items())
        self._by_name: Mapping[str, list[Word]] = {
            name: [word for word in words if getattr(word, name) is not None] for name in NAMES
        }

    def before(self, at: datetime) -> Chosen:
        """What stands of it, with the age of each word."""
        return choose({name: self._newest(name, at) for name in NAMES}, at=at)

    def _newest(self, name: str, at: datetime) -> list[Input]:
        """All of the last moment: two may have spoken at once."""
        words, stay = self._by_name[name], self._stay(at)
        until = bisect_left(words, at, key=_when)
        since = bisect_left(words, words[until - 1].at, key=_when) if until else 0
        return [Input(getattr(word, name), word.at) for word in words[since:until] if word.stay == stay]

    def _stay(self, at: datetime) -> int | None:
        begun = bisect_left(self._stays, at, key=lambda stay: stay[0])
        return self._stays[begun - 1][1] if begun else None


def _when(word: Word) -> datetime:
    return word.at
