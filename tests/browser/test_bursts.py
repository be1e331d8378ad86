"""The sounds themselves against IEC 60601-1-8 (docs/alarm.md, "Sound"), and which of them is heard when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.browser.hearing import Pulse, Rendering, bursts_of

pytestmark = pytest.mark.browser
SOON = 0.06  # seconds: the page heard of it, and the tone has died away
Span = tuple[float, float]


@dataclass(frozen=True)
class Norm:
    """The norm's limits of one priority, in seconds; `middle`: the pause after the fifth of ten pulses."""

    pulses: Span
    lasts: Span
    pause: Span
    apart: Span
    middle: Span | None = None


HIGH = Norm((10, 10), (0.075, 0.2), (0.05, 0.125), (2.5, 15), middle=(0.35, 1.3))
MEDIUM = Norm((3, 3), (0.125, 0.25), (0.125, 0.25), (2.5, 30))
LOW = Norm((1, 2), (0.125, 0.25), (0.125, 0.25), (15, math.inf))
NORMS = {"critical": HIGH, "warning": MEDIUM, "technical": LOW, "board": LOW}


@pytest.fixture
def board(browser):
    return Rendering(browser)


class Heard(NamedTuple):
    """A sound on its own: what the page plans, and its bursts as they are rendered."""

    norm: Norm
    plan: dict
    bursts: list[list[Pulse]]


@pytest.fixture(scope="module", params=NORMS)
def heard(request, chrome):
    sound = request.param
    board = Rendering(chrome)
    plan = board.page.evaluate("sound => sounds.plan(sound)", sound)
    board.hide("blind", False) if sound == "board" else board.draw("a", sound)
    yield Heard(NORMS[sound], plan, board.bursts())
    board.page.close()


def within(span, value):
    least, most = span
    return least <= value <= most


class TestNorm:
    @pytest.mark.parametrize("edges", [("begins", "ends"), ("reaches90", "leaves90")])
    def test_pulses_and_pauses(self, heard, edges):
        """From silence to silence, and from 90 % of the height to 90 %: the norm's figures may be read both ways."""
        norm, burst = heard.norm, heard.bursts[0]
        times = [tuple(getattr(pulse, edge) for edge in edges) for pulse in burst]
        lasts = [end - begin for begin, end in times]
        pauses = [after[0] - before[1] for before, after in pairwise(times)]

        assert within(norm.pulses, len(burst))
        assert all(within(norm.lasts, each) for each in lasts)
        if norm.middle:
            assert within(norm.middle, pauses.pop(4))
            for place in (6, 2):  # after the third and the eighth pulse
                assert pauses.pop(place) == pytest.approx(2 * pauses[0] + lasts[0], abs=0.005)
        assert all(within(norm.pause, each) for each in pauses)

    def test_bursts_are_apart(self, heard):
        first, second, *_ = heard.bursts

        assert within(heard.norm.apart, second[0].begins - first[-1].ends)

    def test_tone(self, heard):
        peaks = [pulse.peak for pulse in heard.bursts[0]]
        assert 20 * math.log10(max(peaks) / min(peaks)) <= 10
        assert 0.8 < max(peaks) < 1  # as loud as it goes, and never clipped
        for pulse in heard.bursts[0]:
            assert 150 <= pulse.pitch <= 1000
            assert sum(300 <= frequency <= 4000 and abs(level) <= 15 for frequency, level in pulse.harmonics) >= 4
            assert 0.1 <= pulse.rises / (pulse.ends - pulse.begins) <= 0.2

    def test_what_is_planned_is_what_is_heard(self, heard):
        first, second, *_ = heard.bursts
        start, planned = first[0].begins, heard.plan["pulses"]

        assert [pulse.begins - start for pulse in first] == pytest.approx([each["at"] for each in planned], abs=0.002)
        assert [pulse.pitch for pulse in first] == pytest.approx([each["pitch"] for each in planned], abs=3)
        assert second[0].begins - start == pytest.approx(heard.plan["period"], abs=0.002)


class TestUrgency:
    def test_a_calm_ward_is_quiet(self, board):
        board.draw("a", "critical", "taken")

        assert board.pulses() == []

    @pytest.mark.parametrize("state", ["raised", "returned"])
    def test_what_calls_is_heard_at_once_and_until_somebody_takes_it(self, board, state):
        board.at(3).draw("a", "critical", state)
        board.at(24).draw("a", "critical", "taken")

        pulses = board.pulses()

        assert pulses[0].begins == pytest.approx(3, abs=SOON)
        assert len(pulses) == 30 and pulses[-1].ends == pytest.approx(3 + 2 * 8.27 + 3.27, abs=SOON)

    def test_the_most_urgent_is_heard_alone(self, board):
        board.draw("a", "technical")
        board.draw("b", "warning")
        board.at(2).draw("c", "critical")
        board.at(20).draw("c", "critical", "taken")

        pulses = board.pulses()

        assert [len(burst) for burst in bursts_of(pulses)] == [3 + 10, 10, 5 + 3, 3, 3]
        assert pulses[3].begins == pytest.approx(2, abs=SOON)
        assert pulses[28].begins == pytest.approx(20, abs=SOON)

    def test_what_gets_worse_in_the_midst_of_a_burst_does_not_wait(self, board):
        board.at(1).draw("a", "warning")
        board.at(1.3).draw("a", "critical")

        pulses = board.pulses()

        assert [pulse.begins for pulse in pulses[:2]] == pytest.approx([1, 1.3], abs=SOON)
        assert len(pulses) == 1 + 7 * 10 + 3  # no more of the warning

    def test_one_more_of_the_same_urgency_does_not_wait_for_the_next_burst(self, board):
        board.draw("a", "warning")
        board.at(6).draw("b", "warning")
        board.at(7.5).draw("c", "warning")

        assert [burst[0].begins for burst in board.bursts()][:3] == pytest.approx([0, 6, 6 + 0.93 + 2.5], abs=SOON)

    def test_within_a_burst_one_more_is_heard_already(self, board):
        board.draw("a", "warning")
        board.at(0.5).draw("b", "warning")

        assert [len(burst) for burst in board.bursts()] == [3, 3, 3, 3]

    def test_what_goes_beyond_again_is_heard_at_once(self, board):
        board.draw("a", "critical", "returned")
        board.at(7).draw("a", "critical", "raised")

        assert board.bursts()[1][0].begins == pytest.approx(7, abs=SOON)

    def test_what_is_only_back_inside_does_not_begin_anew(self, board):
        board.draw("a", "critical", "raised")
        board.at(6).draw("a", "critical", "returned")

        assert board.bursts()[1][0].begins == pytest.approx(3.27 + 5, abs=SOON)

    def test_a_sound_that_this_page_does_not_know_is_the_most_urgent(self, board):
        board.draw("a", "emergency")

        assert len(board.bursts()[0]) == 10


class TestQuiet:
    def test_taken_or_silenced_it_stops_in_the_midst_of_a_burst(self, board):
        board.draw("a", "critical")
        board.at(0.3).silence("a")

        assert board.pulses()[-1].ends < 0.3 + SOON

    def test_after_its_silence_it_is_heard_again(self, board):
        board.draw("a", "warning")
        board.at(5).silence("a")
        board.at(30).hide("a")

        first, second, *_ = board.bursts()
        assert first[-1].ends < 5 and second[0].begins == pytest.approx(30, abs=SOON)

    def test_one_that_is_silenced_quiets_no_other(self, board):
        board.draw("a", "warning")
        board.draw("b", "warning")
        board.at(0.3).silence("a")

        assert [len(burst) for burst in board.bursts()] == [3, 3, 3, 3]

    @pytest.mark.parametrize(("sound", "ended", "heard"), [("warning", 0.1, 3), ("critical", 0.1, 5), ("critical", 2.1, 10)])
    def test_what_is_over_by_itself_was_heard_all_the_same(self, board, sound, ended, heard):
        """A whole burst of a warning, half a burst of what is critical."""
        board.draw("a", sound)
        board.at(ended).end("a")

        assert len(board.pulses()) == heard

    def test_but_not_into_what_begins_meanwhile(self, board):
        board.draw("a", "warning")
        board.at(0.1).end("a")
        board.at(0.3).draw("b", "critical")

        pulses = board.pulses()
        assert [pulse.begins for pulse in pulses[:3]] == pytest.approx([0, 0.3, 0.535], abs=SOON)
        assert pulses[1].ends == pytest.approx(0.46, abs=SOON / 2)

    def test_and_gives_way_to_what_is_left(self, board):
        board.draw("a", "critical")
        board.draw("b", "warning")
        board.at(0.1).end("a")

        pulses = board.pulses()
        assert [round(pulse.pitch, -1) for pulse in pulses[:8]] == [520] * 5 + [390] * 3
        assert pulses[5].begins - pulses[4].ends == pytest.approx(0.5, abs=SOON)


def test_what_really_calls_cuts_a_trial_short(board):
    board.page.locator("#sound").click()
    board.at(1.2).draw("a", "warning")

    assert [round(pulse.pitch, -1) for pulse in board.pulses()[:7]] == [520] * 3 + [390] * 3 + [390]


class TestBoardItself:
    @pytest.mark.parametrize("banner", ["blind", "unwatched"])
    def test_a_board_that_cannot_know_says_so_until_it_can(self, board, banner):
        board.hide(banner, False)
        board.at(40).hide(banner)

        first, _ = board.bursts()
        assert first[0].begins == pytest.approx(5, abs=SOON)
        assert first[0].pitch > first[1].pitch

    def test_a_link_that_is_back_at_once_makes_no_sound(self, board):
        board.hide("blind", False)
        board.at(4.5).hide("blind")

        assert board.pulses() == []

    def test_without_a_link_the_last_known_alarm_goes_on(self, board):
        board.draw("a", "critical")
        board.at(10).hide("blind", False)

        assert {len(burst) for burst in board.bursts()[:-1]} == {10}
        assert board.pulses()[-1].ends > 55
