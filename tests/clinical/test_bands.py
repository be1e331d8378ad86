"""The shipped limits by age: PEWS 4 is critical, PEWS 2 a warning; no birth date is an adult, and said."""

from datetime import date

import pytest

from monitoring.clinical.bands import ADULTS, BANDS, bound, defaults
from monitoring.clinical.limits import ADULT, Limits, Severity, faults, judge
from monitoring.clinical.signs import Sign

ON = date(2026, 11, 21)
HR, RR, SBP = Sign.HEART_RATE, Sign.RESPIRATORY_RATE, Sign.SYSTOLIC_BP

# From the published chart, by band: from which figure PEWS scores 2 and 4 on the way up, and below which on the way down.
PEWS = {
    "0–11 months": {HR: (80, 90, 170, 180), RR: (10, 20, 60, 70), SBP: (50, 60, 100, 110)},
    "1–4 years": {HR: (60, 70, 150, 170), RR: (10, 20, 50, 60), SBP: (50, 60, 120, 130)},
    "5–12 years": {HR: (60, 70, 140, 160), RR: (10, 15, 40, 50), SBP: (70, 80, 120, 130)},
    "13–15 years": {HR: (50, 60, 120, 130), RR: (10, 10, 30, 40), SBP: (80, 90, 130, 140)},
}
EDGES = [
    (band, sign, *edges)
    for band in BANDS
    if band is not ADULTS
    for sign, edges in PEWS[band.name].items()
]  # fmt: skip


@pytest.mark.parametrize(
    ("born", "name", "known"),
    [
        (ON, "0–11 months", True),
        (date(2025, 11, 22), "0–11 months", True),
        (date(2025, 11, 21), "1–4 years", True),
        (date(2021, 11, 22), "1–4 years", True),
        (date(2021, 11, 21), "5–12 years", True),
        (date(2013, 11, 22), "5–12 years", True),
        (date(2013, 11, 21), "13–15 years", True),
        (date(2010, 11, 22), "13–15 years", True),
        (date(2010, 11, 21), "adult", True),
        (date(1930, 1, 1), "adult", True),
        (date(1896, 11, 21), "adult", True),
        (date(1896, 10, 21), "adult", False),
        (date(196, 5, 1), "adult", False),
        (None, "adult", False),
        (date(2026, 11, 22), "adult", False),
    ],
)
def test_the_age_on_the_day_chooses_the_limits(born, name, known):
    shipped = defaults(born, on=ON)

    assert (shipped.band.name, shipped.age_known) == (name, known)


@pytest.mark.parametrize(("on", "name"), [(date(2025, 2, 28), "0–11 months"), (date(2025, 3, 1), "1–4 years")])
def test_who_was_born_on_29_february_turns_one_on_1_march(on, name):
    assert defaults(date(2024, 2, 29), on=on).band.name == name


@pytest.mark.parametrize(("band", "sign", "four_below", "two_below", "two_from", "four_from"), EDGES)
def test_every_whole_number_is_judged_as_pews_scores_it(band, sign, four_below, two_below, two_from, four_from):
    for value in range(0, 250 if sign is not RR else 150):
        breach = judge(sign, value, band.limits[sign])
        expected = None
        if value < two_below or value >= two_from:
            expected = Severity.WARNING
        if value < four_below or value >= four_from:
            expected = Severity.CRITICAL
        assert (breach and breach.severity) == expected, value


@pytest.mark.parametrize("band", BANDS[:-1], ids=lambda band: band.name)
def test_a_childs_saturation_is_critical_where_pews_scores_4(band):
    assert judge(Sign.SPO2, 91, band.limits[Sign.SPO2]).severity is Severity.CRITICAL
    assert judge(Sign.SPO2, 92, band.limits[Sign.SPO2]) is None


@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.name)
def test_the_shipped_limits_name_every_sign_and_contradict_nothing(band):
    assert set(band.limits) == set(Sign)
    assert {sign: faults(sign, limits) for sign, limits in band.limits.items()} == {sign: {} for sign in Sign}


@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.name)
@pytest.mark.parametrize("sign", Sign)
def test_the_outer_bound_lies_outside_the_critical_limits(band, sign):
    limits = band.limits[sign]
    outer = bound(sign, limits)

    assert (outer.low is None) == (limits.critical_low is None)
    assert (outer.high is None) == (limits.critical_high is None)
    assert outer.low is None or outer.low < limits.critical_low
    assert outer.high is None or outer.high > limits.critical_high


def test_adults_have_the_limits_as_shipped():
    assert defaults(date(1980, 1, 1), on=ON).limits is ADULT
    assert ADULT[HR] == Limits(40, 50, 120, 140, margin=4)
