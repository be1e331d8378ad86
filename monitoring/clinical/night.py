"""When a ward's night is."""

from datetime import date, datetime, time, timedelta


def is_night(local: datetime, *, begins: time, ends: time) -> bool:
    """Whether a time (aware, in the ward's zone) lies in the night from `begins` until before `ends`, across midnight or not.

    A night is one stretch of time: where the clock is set back in it, an end that it shows twice is the first of the two,
    and where it is set forward, an end that the clock leaves out comes as if it had not been set.
    """
    return any(_begun(local, night, begins, ends) for night in (local.date(), local.date() - timedelta(days=1)))


def _begun(local: datetime, night: date, begins: time, ends: time) -> bool:
    first = datetime.combine(night, begins, local.tzinfo)
    last = datetime.combine(night + timedelta(days=begins >= ends), ends, local.tzinfo)
    # As instants: within one zone Python compares what the clock shows, which repeats itself in autumn.
    return first.timestamp() <= local.timestamp() < last.timestamp()


def faults(begins: time | None, ends: time | None) -> dict[str, str]:
    """What is wrong with a night: field → sentence. The day is the rest, so that the two neither overlap nor leave a hole."""
    if begins is None and ends is None:
        return {}
    if begins is None:
        return {"begins": "The night ends, but does not begin: give both times, or none."}
    if ends is None:
        return {"ends": "The night begins, but does not end: give both times, or none."}
    if begins == ends:
        return {"ends": "A night that ends when it begins would leave no day, or no night."}
    return {}
