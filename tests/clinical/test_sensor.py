"""One sensor's excursions: when they are confirmed, and when they are over."""

from __future__ import annotations

import pytest

from monitoring.clinical.limits import ADULT, Limits, Severity
from monitoring.clinical.sensor import Sample, carry_on, confirm, confirms_at, path
from monitoring.clinical.signs import Side, Sign
from tests.clinical.bedside import when

SPO2 = ADULT[Sign.SPO2]


def fold(*points, sign=Sign.SPO2, limits=None, start=None):
    """The standing after (second, value) pairs."""
    samples = [Sample(when(at), value) for at, value in points]
    return list(path(start, sign, samples, limits or ADULT[sign]))[-1]


def steady(value, begin=-200, end=0, every=5):
    return [(at, value) for at in range(begin, end, every)]


def low(standing):
    return standing.active(Side.LOW)


class TestContinuous:
    @pytest.mark.parametrize(("gap", "end", "expected"), [(60, 180, True), (60, 120, False), (66, 198, True), (67, 201, False)])
    def test_a_sensor_is_continuous_after_three_minutes_of_a_value_a_minute(self, gap, end, expected):
        standing = fold(*[(at, 97) for at in range(0, end + 1, gap)])

        assert standing.continuous is expected

    def test_once_continuous_a_gap_does_not_change_it(self):
        assert fold(*steady(97), (7200, 97)).continuous

    def test_a_gap_before_that_begins_the_three_minutes_anew(self):
        assert not fold((0, 97), (60, 97), (120, 97), (300, 97), (360, 97)).continuous

    def test_the_rhythm_is_known_and_a_gap_lengthens_it_at_most_twice(self):
        assert fold((0, 97), (1, 97), (601, 97)).interval == 2


class TestBeforeItIsContinuous:
    def test_a_value_beyond_speaks_at_once_and_one_inside_ends_it(self):
        assert low(fold((0, 84))) is Severity.CRITICAL
        assert low(fold((0, 84), (60, 97))) is None

    def test_a_warning_waits_for_no_four_values(self):
        assert low(fold((0, 88))) is Severity.WARNING

    def test_inside_without_the_margin_ends_nothing(self):
        assert low(fold((0, 84), (600, 86))) is Severity.CRITICAL


class TestDelay:
    @pytest.mark.parametrize(("last", "expected"), [(14.999, None), (15, Severity.CRITICAL)])
    def test_critical_holds_from_the_delay_on(self, last, expected):
        assert low(fold(*steady(97), (0, 84), (last, 84))) is expected

    @pytest.mark.parametrize(
        ("times", "expected"),
        [((0, 20, 40), None), ((0, 20, 40, 60), Severity.WARNING), ((0, 4, 8, 14), None), ((0, 4, 8, 15), Severity.WARNING)],
    )
    def test_a_warning_needs_four_values_and_the_delay(self, times, expected):
        assert low(fold(*steady(97), *[(at, 88) for at in times])) is expected

    @pytest.mark.parametrize("between", [87, 97])
    def test_a_value_inside_by_the_margin_begins_the_delay_anew(self, between):
        assert low(fold(*steady(97), (0, 84), (10, between), (20, 84))) is None

    @pytest.mark.parametrize("between", [85, 86])
    def test_a_critical_value_that_hovers_about_its_limit_does_not(self, between):
        assert low(fold(*steady(97), (0, 84), (10, between), (20, 84))) is Severity.CRITICAL

    @pytest.mark.parametrize("between", [85, 86])
    def test_one_that_is_not_beyond_confirms_nothing(self, between):
        standing = fold(*steady(97), (0, 84), (20, between))

        assert low(standing) is None
        assert not any(each.waits for each in standing.excursions if each.severity is Severity.CRITICAL)

    @pytest.mark.parametrize("between", [90, 91, 97])
    def test_a_warning_begins_anew_by_any_value_that_is_not_beyond_and_equal_is_not(self, between):
        assert low(fold(*steady(97), (0, 88), (5, 88), (10, between), (15, 88), (20, 88))) is None

    def test_a_warning_without_a_delay_waits_for_no_further_value(self):
        assert low(fold(*steady(97), (0, 88), limits=Limits(85, 90, None, None, margin=2, delay=0))) is Severity.WARNING

    @pytest.mark.parametrize("gap", [15, 60, 590, 7200])
    def test_a_gap_resets_nothing(self, gap):
        assert low(fold(*steady(97), (0, 84), (gap, 84))) is Severity.CRITICAL

    def test_critical_values_count_for_the_warning_too(self):
        standing = fold(*steady(97), (0, 88), (5, 84), (10, 88), (15, 84))

        assert low(standing) is Severity.WARNING

    def test_a_longer_delay_waits_longer(self):
        limits = Limits(85, 90, None, None, margin=2, delay=30)

        assert low(fold(*steady(97), (0, 84), (29, 84), limits=limits)) is None
        assert low(fold(*steady(97), (0, 84), (30, 84), limits=limits)) is Severity.CRITICAL

    @pytest.mark.parametrize(
        ("sign", "normal", "value", "expected"),
        [
            (Sign.SPO2, 97, 80, None),
            (Sign.SPO2, 97, 79.9, Severity.CRITICAL),
            (Sign.HEART_RATE, 70, 0, Severity.CRITICAL),
            (Sign.HEART_RATE, 70, 1, None),
            (Sign.RESPIRATORY_RATE, 15, 0, Severity.CRITICAL),
            (Sign.RESPIRATORY_RATE, 15, 1, None),
            (Sign.SYSTOLIC_BP, 120, 0, None),
        ],
    )
    def test_a_deep_desaturation_and_a_rate_of_zero_wait_for_nothing(self, sign, normal, value, expected):
        assert low(fold(*steady(normal), (0, value), sign=sign)) is expected


class TestClearing:
    def beyond(self):
        return [*steady(97), (0, 84), (15, 84)]

    @pytest.mark.parametrize(("last", "expected"), [(319.9, Severity.CRITICAL), (320, None)])
    def test_inside_by_the_margin_for_the_clear_time_ends_it(self, last, expected):
        back = [(at, 97) for at in range(20, 320, 10)]

        assert low(fold(*self.beyond(), *back, (last, 97))) is expected

    @pytest.mark.parametrize(("value", "expected"), [(86.9, Severity.CRITICAL), (87, None)])
    def test_the_margin_itself_is_inside(self, value, expected):
        limits = Limits(85, None, None, None, margin=2)

        assert low(fold(*self.beyond(), (20, value), (320, value), limits=limits)) is expected

    def test_a_value_within_the_margin_begins_the_clear_time_anew(self):
        limits = Limits(85, None, None, None, margin=2)

        assert low(fold(*self.beyond(), (20, 97), (200, 86), (210, 97), (320, 97), limits=limits)) is Severity.CRITICAL
        assert low(fold(*self.beyond(), (20, 97), (200, 86), (210, 97), (510, 97), limits=limits)) is None

    def test_a_value_beyond_begins_it_anew_and_waits_for_no_second_delay(self):
        assert low(fold(*self.beyond(), (20, 97), (310, 84), (320, 97), (500, 97))) is Severity.CRITICAL

    def test_silence_ends_nothing_though_it_is_long(self):
        assert low(fold(*self.beyond(), (7200, 97))) is Severity.CRITICAL

    def test_critical_ends_while_the_warning_goes_on(self):
        assert low(fold(*steady(97), (0, 84), (15, 84), (20, 88), (25, 88), (320, 88), (330, 88))) is Severity.WARNING

    def test_the_margin_asks_for_no_more_room_than_there_is(self):
        """A limit near the end of the scale, or near its counterpart, can still be cleared."""
        near_the_top = Limits(None, 99, None, None, margin=2)
        narrow = Limits(None, 60, 66, None, margin=10)

        assert low(fold((0, 98), (60, 100), limits=near_the_top)) is None
        assert low(fold((0, 55), (60, 63), sign=Sign.HEART_RATE, limits=narrow)) is None
        assert low(fold((0, 55), (60, 62), sign=Sign.HEART_RATE, limits=narrow)) is Severity.WARNING


class TestLate:
    def test_what_came_late_calls_nobody_and_the_next_live_value_does(self):
        late = carry_on(None, Sign.SPO2, Sample(when(0), 84, live=False), SPO2, seen_at=when(3600))
        assert low(late) is None

        assert low(carry_on(late, Sign.SPO2, Sample(when(3600), 84), SPO2, seen_at=when(3600))) is Severity.CRITICAL

    def test_a_late_value_goes_on_holding_what_was_live(self):
        held = fold((0, 84))

        assert low(carry_on(held, Sign.SPO2, Sample(when(60), 84, live=False), SPO2, seen_at=when(3600))) is Severity.CRITICAL


class TestSilence:
    @pytest.mark.parametrize(("every", "wait"), [(1, 15), (5, 15), (20, 30), (60, 90)])
    def test_confirms_after_the_delay_or_one_and_a_half_rhythms_at_most_90_seconds(self, every, wait):
        standing = fold(*steady(97, begin=-300, every=every), (0, 84))

        assert confirms_at(standing, SPO2) == when(wait)
        assert low(confirm(standing)) is Severity.CRITICAL

    def test_is_capped_at_90_seconds_for_a_long_delay(self):
        limits = Limits(85, 90, None, None, delay=600)

        assert confirms_at(fold(*steady(97), (0, 84), limits=limits), limits) == when(90)

    @pytest.mark.parametrize("points", [[(0, 97)], [(0, 84), (15, 84), (30, 84), (45, 84)], [(0, 84), (5, 97)]])
    def test_confirms_nothing_where_nothing_waits(self, points):
        assert confirms_at(fold(*steady(97), *points), SPO2) is None


class TestMedians:
    def test_of_each_five_seconds_one_value_is_kept_for_a_minute(self):
        standing = fold(*[(at, 90 + at % 7) for at in range(120)])

        assert len(standing.recent) <= 13
        assert standing.recent[-1] == (when(119), 90 + 119 % 7)
        assert standing.recent[0][0] > when(119 - 60)
