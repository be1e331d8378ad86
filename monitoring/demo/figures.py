"""What a play came to: how many readings were sent and taken, how fast the answers were, what was refused."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LATE = 0.1  # seconds after it was due that a reading counts as sent late
UNANSWERED = "no answer"


def percentile(times: Mapping[float, int], share: float) -> float:
    """The smallest value that at least this share of the counted values does not exceed; 0 of nothing."""
    rank = share * sum(times.values())
    seen = 0
    for value in sorted(times):
        seen += times[value]
        if seen >= rank:
            return value
    return 0.0


@dataclass
class Tally:
    """Counts while the play runs; several threads write into it. Times are counted to 0.1 ms, so it does not grow for ever."""

    sent: int = 0  # readings: what one patient's devices send at one time
    taken: int = 0  # of them, in a POST that was answered 2xx
    late: int = 0
    unsent: int = 0  # the backlog was full, or the play was ended
    stored: int = 0  # items: one sensor's part of a reading
    duplicates: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    answers: Counter[float] = field(default_factory=Counter)  # ms from sending to the answer → count
    waits: Counter[float] = field(default_factory=Counter)  # ms from when it was due to the answer → count
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answered(self, readings: int, status: str, answer: Mapping[str, Any], *, delay: float, took: float) -> None:
        """A POST of so many readings left `delay` seconds after it was due and was answered after `took` more."""
        with self.lock:
            self.sent += readings
            self.late += readings if delay > LATE else 0
            self.statuses[status] += 1
            if status.startswith("2"):
                self.taken += readings
            if status != UNANSWERED:
                self.answers[round(took * 1000, 1)] += 1
                self.waits[round((delay + took) * 1000, 1)] += 1
            self.stored += answer.get("stored", 0)
            self.duplicates += answer.get("duplicates", 0)
            self.refusals.update(rejection["code"] for rejection in answer.get("rejected", []))

    def not_sent(self, readings: int) -> None:
        with self.lock:
            self.unsent += readings

    def progress(self, elapsed: float) -> str:
        """One line while it runs."""
        with self.lock:
            refused = sum(self.refusals.values())
            unanswered = sum(count for status, count in self.statuses.items() if not status.startswith("2"))
            p95 = percentile(self.answers, 0.95)
            return (
                f"{int(elapsed) // 60}:{int(elapsed) % 60:02} · {self.sent} readings sent · answers p95 {p95:.0f} ms"
                f" · values refused {refused} · posts failed {unanswered}"
            )

    def summary(self, *, rate: float, elapsed: float) -> list[str]:
        """The lines at the end. `rate` is the target in readings a second; achieved is what was answered 2xx."""
        achieved = self.taken / elapsed if elapsed else 0.0
        refused = sum(self.refusals.values())
        return [
            f"Sent {self.sent} readings in {elapsed:.1f} s"
            f" ({sum(self.statuses.values())} POSTs; {self.late} readings late, {self.unsent} not sent)",
            f"Achieved {achieved:.1f} readings/s, {achieved / rate:.1%} of the target {rate:g}",
            f"Answers {_spread(self.answers)}; from when due {_spread(self.waits)}",
            f"Statuses {_listed(self.statuses)}",
            f"Items stored {self.stored}, duplicates {self.duplicates}, values refused {refused}"
            + (f" ({_listed(self.refusals)})" if refused else ""),
        ]


def _spread(times: Mapping[float, int]) -> str:
    return ", ".join(f"p{share:g} {percentile(times, share / 100):.1f} ms" for share in (50, 95, 99))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) or "none"
