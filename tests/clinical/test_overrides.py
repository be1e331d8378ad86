"""What a scope may say of a sign, when a ward's night is, and what a patient's values suggest."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.clinical.bands import Bound
from monitoring.clinical.limits import ADULT, Limits
from monitoring.clinical.limits import faults as contradictions
from monitoring.clinical.night import faults as night_faults
from monitoring.clinical.night import is_night
from monitoring.clinical.overrides import Override, faults, switched_off
from monitoring.clinical.signs import Sign
from monitoring.clinical.suggestion import suggest

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WIDER = ADULT[Sign.HEART_RATE]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("override", "fields"),
    [
        (Override(40, 50, 120, 140), []),
        (Override(30, 50, 120, 180), []),
        (Override(40, 50, 120, 140, margin=0, delay=0), []),
        (Override(40, 50, 120, 140, delay=30), []),
        (Override(40, 50, 120, 140, expires_at=NOW + timedelta(seconds=1)), []),
        (Override(None, 50, 120, 140, reason="athlete"), []),
        (Override(29, 50, 120, 140), ["critical_low"]),
        (Override(40, 50, 120, 181), ["critical_high"]),
        (Override(40, 50, 120, 140, delay=31), ["delay"]),
        (Override(40, 50, 120, 140, delay=-1), ["delay"]),
        (Override(40, 50, 120, 140, margin=-0.1), ["margin"]),
        (Override(40, 50, 120, 140, margin=float("nan")), ["margin"]),
        (Override(40, 50, 120, 140, margin=350), ["margin"]),
        (Override(40, 50, 120, 140, expires_at=NOW), ["expires_at"]),
        (Override(40, 50, 120, 140, bound_low=60, bound_high=60), ["bound_high"]),
        (Override(None, 50, 120, 140), ["reason"]),
        (Override(None, 50, 120, 140, reason="  "), ["reason"]),
        (Override(50, 40, 120, 140), ["warning_low"]),
    ],
)
def test_what_an_override_may_not_say_is_named(override, fields):
    found = faults(Sign.HEART_RATE, override, wider=WIDER, bound=Bound(30, 180), now=NOW)

    assert list(found) == fields


def test_what_holds_already_is_never_too_loose():
    wider = Limits(25, 50, 120, 200)

    assert faults(Sign.HEART_RATE, Override(25, 50, 120, 200), wider=wider, bound=Bound(30, 180), now=NOW) == {}


def test_where_the_wider_limits_are_open_every_limit_is_closer():
    wider = Limits(40, 50, 120, None)

    assert faults(Sign.HEART_RATE, Override(40, 50, 120, 300), wider=wider, bound=Bound(30, 180), now=NOW) == {}


def test_an_empty_margin_or_delay_is_the_shipped_one():
    assert Override(30, 40, 120, 140).over(WIDER) == Limits(30, 40, 120, 140, WIDER.margin, WIDER.delay)
    assert Override(30, 40, 120, 140, margin=0, delay=0).over(WIDER) == Limits(30, 40, 120, 140, 0, 0)


def test_a_side_that_was_open_before_is_not_switched_off():
    assert switched_off(Limits(80, None, None, None), ADULT[Sign.SPO2]) == ("warning_low",)


@pytest.mark.parametrize(
    ("clock", "begins", "ends", "night"),
    [
        ("21:59:59", "22:00", "06:00", False),
        ("22:00:00", "22:00", "06:00", True),
        ("00:00:00", "22:00", "06:00", True),
        ("05:59:59", "22:00", "06:00", True),
        ("06:00:00", "22:00", "06:00", False),
        ("00:59:59", "01:00", "05:00", False),
        ("01:00:00", "01:00", "05:00", True),
        ("05:00:00", "01:00", "05:00", False),
        ("23:59:59", "00:00", "06:00", False),
        ("23:59:59", "22:00", "00:00", True),
        ("00:00:00", "22:00", "00:00", False),
    ],
)
def test_a_night_runs_from_its_begin_until_before_its_end(clock, begins, ends, night):
    local = datetime.combine(datetime(2026, 6, 1), time.fromisoformat(clock), BERLIN)

    assert is_night(local, begins=time.fromisoformat(begins), ends=time.fromisoformat(ends)) is night


def _instants(first: datetime, hours: int) -> list[datetime]:
    return [(first + timedelta(minutes=10 * step)).astimezone(BERLIN) for step in range(hours * 6)]


@pytest.mark.parametrize(
    ("begins", "ends", "minutes", "noon"),
    [
        ("22:00", "06:00", 9 * 60, datetime(2026, 10, 24, 10, tzinfo=UTC)),  # autumn: 02:00–03:00 comes twice
        ("22:00", "02:30", 4.5 * 60, datetime(2026, 10, 24, 10, tzinfo=UTC)),  # the first 02:30 ends it
        ("02:30", "06:00", 4.5 * 60, datetime(2026, 10, 24, 10, tzinfo=UTC)),  # the first 02:30 begins it
        ("22:00", "06:00", 7 * 60, datetime(2027, 3, 27, 11, tzinfo=UTC)),  # spring: 02:00–03:00 is left out
        ("22:00", "02:30", 4.5 * 60, datetime(2027, 3, 27, 11, tzinfo=UTC)),  # ends as if the clock had not moved
    ],
)
def test_a_night_in_which_the_clock_changes_is_one_stretch(begins, ends, minutes, noon):
    """From noon to noon, every ten minutes."""
    nights = [
        is_night(local, begins=time.fromisoformat(begins), ends=time.fromisoformat(ends)) for local in _instants(noon, 24)
    ]

    assert sum(nights) * 10 == minutes
    assert sum(now != before for before, now in pairwise(nights)) == 2


@pytest.mark.parametrize(
    ("begins", "ends", "fields"),
    [
        (time(22), time(6), []),
        (None, None, []),
        (time(22), None, ["ends"]),
        (None, time(6), ["begins"]),
        (time(6), time(6), ["ends"]),
    ],
)
def test_a_night_that_leaves_a_hole_or_no_day_is_named(begins, ends, fields):
    assert list(night_faults(begins, ends)) == fields


@pytest.mark.parametrize(
    ("sign", "value", "low", "high"),
    [
        (Sign.HEART_RATE, 100, 80, 125),
        (Sign.HEART_RATE, 45, 40, 56),  # not below 40
        (Sign.HEART_RATE, 130, 104, 140),  # not beyond the critical limit
        (Sign.RESPIRATORY_RATE, 14, 8, 21),  # 7, and not beyond the critical limit
        (Sign.RESPIRATORY_RATE, 24, 12, 30),  # not above 30
        (Sign.SYSTOLIC_BP, 150, 112, 167),
        (Sign.DIASTOLIC_BP, 70, None, 92),  # an open side stays open
        (Sign.MEAN_BP, 90, 70, 110),  # the manuals give no upper formula
    ],
)
def test_a_value_suggests_warning_limits_and_leaves_the_critical_ones(sign, value, low, high):
    limits = ADULT[sign]

    suggested = suggest(sign, value, limits)

    assert (suggested.warning_low, suggested.warning_high) == (low, high)
    assert (suggested.critical_low, suggested.critical_high) == (limits.critical_low, limits.critical_high)
    assert (suggested.margin, suggested.delay) == (limits.margin, limits.delay)


@pytest.mark.parametrize("sign", [Sign.SPO2, Sign.BODY_TEMP])
def test_where_there_is_no_formula_nothing_is_suggested(sign):
    assert suggest(sign, 97, ADULT[sign]) is None


@given(sign=st.sampled_from(Sign), value=st.floats(0, 400))
def test_no_value_suggests_limits_that_contradict_themselves(sign, value):
    suggested = suggest(sign, value, ADULT[sign])

    assert suggested is None or contradictions(sign, suggested) == {}
