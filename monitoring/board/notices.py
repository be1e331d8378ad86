"""An open alert as drawn, on a tile, above the tiles and in the rail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import Bed
from monitoring.board import words
from monitoring.board.epochs import epoch
from monitoring.board.news import News
from monitoring.clinical.episode import State
from monitoring.clinical.lead import holders
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import FACTS, Sign, plain
from monitoring.clinical.together import MULTIPLE_SIGNS
from monitoring.models import Alert, AlertEvent
from monitoring.services.technical import LINK_LOST

CLOCKS_DIFFER = timedelta(seconds=30)  # of two servers, and of a browser
STANDSTILL = (Sign.HEART_RATE, Sign.RESPIRATORY_RATE)  # a zero of these may be asystole or apnoea
LATEST_DEEDS = (AlertEvent.What.ACKNOWLEDGED, AlertEvent.What.UNTAKEN, AlertEvent.What.RESOLVED)


@dataclass(frozen=True, slots=True)
class Notice:
    """An open alert as drawn, on its tile and in the rail.

    `lost_at`: when the sensors that hold it are old; `is_spot`: no further value is expected of them. `came_back`: what
    somebody did who thought it was over or his. `holder`: the sensor whose value it tells. `score`: NEWS2 of the patient as it
    is now. `longest_silence`: as its ward allows it.
    """

    alert: Alert
    bed: Bed | None
    now: datetime
    came_back: AlertEvent | None = None
    lost_at: datetime | None = None
    is_spot: bool = False
    members: tuple[Notice, ...] = ()
    holder: words.Holder | None = None
    score: News | None = None
    longest_silence: timedelta = timedelta(hours=1)  # no ward may allow more

    @property
    def key(self) -> str:
        return str(self.alert.pk)

    @property
    def place(self) -> str:
        if self.bed:
            return self.bed.name
        return self.alert.device.name if self.alert.device else "Ward"

    @property
    def fragment(self) -> str:
        return f"bed-{self.bed.pk}" if self.bed else "ward-alerts"

    @property
    def since(self) -> str:
        return epoch(self.alert.raised_at)

    @property
    def look(self) -> str:
        """`raised`, `taken`, or `returned`: back inside, and it waits for a hand."""
        if self.alert.returned_at:
            return "returned"
        return "taken" if self.alert.acknowledged_at else "raised"

    @property
    def is_taken(self) -> bool:
        return self.alert.acknowledged_at is not None

    @property
    def is_technical(self) -> bool:
        return self.alert.kind == Alert.Kind.TECHNICAL

    @property
    def classes(self) -> str:
        kind = " technical" if self.is_technical else ""
        return f"{self.alert.severity} {self.look}{kind}{' link-down' if self.is_link_lost else ''}"

    @property
    def is_link_lost(self) -> bool:
        return self.alert.condition == LINK_LOST

    @property
    def message(self) -> str:
        """The present value against the limit; when it is no longer beyond, what led to the alert and what is now."""
        if self.members:
            return f"{self.signs} signs at once: " + " · ".join(member.message for member in self.members)
        if self.alert.kind == Alert.Kind.SCORE:
            return words.of_score(self.alert, self.score)
        if self.alert.condition == MULTIPLE_SIGNS and self.look == "returned":
            return f"several signs were beyond at once: {self.alert.detail}"
        sensor = self.holder.sensor if self.holder else ""
        return words.of_value(self.alert, self.present) + (f" ({sensor})" if sensor else "")

    @property
    def present(self) -> float | None:
        """The newest value: of the sensor that holds the alert, else of any."""
        return self.holder.value if self.holder else self.alert.last_value

    @property
    def brief(self) -> str:
        """On a tile, whose cells show the limits that were passed: several signs with their values only."""
        if not self.members:
            return self.message
        values = [words.of_value_alone(member.alert, member.present) for member in self.members]
        return f"{self.signs} signs at once: " + " · ".join(values)

    @property
    def signs(self) -> int:
        return len({FACTS[Sign(member.alert.sign)].group for member in self.members})

    @property
    def sound(self) -> str:
        """Which sound calls for it while nobody has it; an info has none. What is critical and technical is a lost link."""
        severity = Severity(self.alert.severity)
        if severity is Severity.INFO:
            return ""
        if not self.is_technical:
            return severity.value
        return "warning" if severity is Severity.CRITICAL else "technical"

    @property
    def silenced_until(self) -> datetime | None:
        """One that ends later than anybody could have said is of a clock that was set back since: it counts no more."""
        until = self.alert.silenced_until
        return until if until and self.now < until <= self.now + self.silence_bound else None

    @property
    def silence_bound(self) -> timedelta:
        return self.longest_silence + CLOCKS_DIFFER

    @property
    def silent_until_epoch(self) -> str:
        return epoch(self.silenced_until) if self.silenced_until else ""

    @property
    def over(self) -> str:
        return words.over(self.alert)

    @property
    def note(self) -> str:
        return words.note(self.alert, self.score) if self.score and self.look != "returned" else ""

    @property
    def lost_epoch(self) -> str:
        return epoch(self.lost_at) if self.lost_at else ""

    @property
    def is_lost(self) -> bool:
        return self.lost_at is not None and self.lost_at < self.now

    @property
    def told(self) -> int:
        """How many steps of the escalation have called somebody, while nobody has it."""
        return 0 if self.is_taken else self.alert.escalation_step

    @property
    def rank(self) -> tuple[int, bool]:
        """The worst severity first, and within it what is still active before what has returned."""
        return -Severity(self.alert.severity).rank, self.look == "returned"

    @property
    def may_be_standstill(self) -> bool:
        """It has come to a zero: by the worst value, so that one beat between two zeros moves nothing."""
        alert = self.alert
        return any(each.may_be_standstill for each in self.members) or (alert.sign in STANDSTILL and alert.worst_value == 0)

    @property
    def order(self) -> tuple[tuple[int, bool], bool, datetime, str]:
        """On a tile: a button must not come to lie under a finger that was aimed at another, so no hand changes it."""
        return self.rank, not self.may_be_standstill, self.alert.raised_at, self.alert.condition

    @property
    def urgency(self) -> tuple[tuple[int, bool], bool, bool, datetime, str]:
        """In the rail: severity first, then what nobody has taken, then a standstill, then what has waited longest."""
        alert = self.alert
        return self.rank, self.is_taken, not self.may_be_standstill, alert.raised_at, alert.condition

    @property
    def first(self) -> str:
        return "–" if self.alert.vital_value is None else plain(self.alert.vital_value)

    @property
    def worst(self) -> str:
        return "–" if self.alert.worst_value is None else plain(self.alert.worst_value)


def notices_of(
    alerts: Iterable[Alert],
    beds: Mapping[int, Bed],
    deeds: Mapping[UUID, AlertEvent],
    *,
    longest_silence: timedelta,
    now: datetime,
) -> list[Notice]:
    """The open alerts of a ward; `beds` by admission, `deeds` the newest of LATEST_DEEDS by alert."""
    return [
        Notice(
            alert,
            beds.get(alert.admission_id or 0),
            now,
            came_back=_came_back(alert, deeds.get(alert.pk)),
            longest_silence=longest_silence,
        )
        for alert in alerts
    ]


def _came_back(alert: Alert, deed: AlertEvent | None) -> AlertEvent | None:
    if deed is None or alert.acknowledged_at or deed.what == AlertEvent.What.ACKNOWLEDGED:
        return None
    return deed if deed.by or deed.what == AlertEvent.What.UNTAKEN else None


def with_state(notice: Notice, state: State, score: News) -> Notice:
    """Know when the last of the sensors that hold the alert is old, whose value it tells, and the score as it is now."""
    held = [standing for _, _, standing in holders(state, notice.alert.condition)]
    return replace(
        notice,
        lost_at=max((standing.old_at for standing in held), default=None),
        is_spot=all(standing.is_spot for standing in held),
        holder=words.holder(notice.alert, state, now=notice.now),
        score=score,
    )
