"""The alarm rule under anything that can happen to it, in any sequence: readings, looks, hands, limits, clocks."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from monitoring.clinical.episode import CALLS, Event, Kind, Reading, What
from monitoring.clinical.limits import ADULT, Limits, Severity
from monitoring.clinical.signs import Sign
from tests.clinical.bedside import Bedside, when
from tests.clinical.test_alarm_properties import CONDITIONS, said

sensors = st.sampled_from(["art", "cuff"])
conditions = st.sampled_from([*CONDITIONS, "multiple_signs", "news2", "no_data"])
OTHER_LIMITS = {Sign.SPO2: Limits(80, 86, margin=2), Sign.MEAN_BP: Limits(), Sign.HEART_RATE: Limits(60, 65, 66, 140, margin=4)}


class Course(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ada, self.now, self.read = Bedside(), 0.0, 0
        self.open_ids: dict[str, object] = {}
        self.severities: dict[object, Severity] = {}

    @rule(sensor=sensors, values=said, gap=st.sampled_from([1, 5, 15, 60, 130, 700]))
    def a_reading_comes(self, sensor, values, gap):
        self.now += gap
        self.hears(sensor, self.now, values)

    @rule(sensor=sensors, values=said, every=st.sampled_from([5, 20, 60]))
    def the_same_comes_for_a_while(self, sensor, values, every):
        for _ in range(5):
            self.now += every
            self.hears(sensor, self.now, values)

    @rule(sensor=sensors, values=said, late=st.sampled_from([1, 7, 33, 299, 599, 600, 601, 1200]))
    def a_reading_comes_late(self, sensor, values, late):
        self.hears(sensor, self.now - late, values)

    @rule(sensor=sensors)
    def a_reading_comes_twice(self, sensor):
        for (sign, name), stored in list(self.ada.stored.items()):
            if name == sensor:
                sample = stored[max(stored)]
                self.happens(
                    lambda reading: self.ada.hears([reading], arrives=self.now), Reading(name, sample.at, {sign: sample.value})
                )

    @rule(gap=st.sampled_from([1, 15, 90, 600, 7200, 90000]))
    def time_passes(self, gap):
        self.now += gap
        self.look()

    @rule(condition=conditions)
    def somebody_takes(self, condition):
        self.happens(lambda name: self.ada.takes(self.now, name), condition)

    @rule(condition=conditions)
    def somebody_ends(self, condition):
        self.happens(lambda name: self.ada.dismisses(self.now, name), condition)
        assert not self.ada.is_open(condition)

    @rule(sign=st.sampled_from(sorted(OTHER_LIMITS)), shipped=st.booleans())
    def limits_change(self, sign, shipped):
        self.ada.limits[sign] = ADULT[sign] if shipped else OTHER_LIMITS[sign]

    @rule()
    def all_clocks_are_set_back_an_hour(self):
        was_open = {name for name, episode in self.ada.state.episodes.items() if episode.is_open}
        was_active = {name: self.ada.active(name) for name in CONDITIONS}
        self.now -= 3600
        self.look()
        assert was_open <= {name for name, episode in self.ada.state.episodes.items() if episode.is_open}
        assert all(self.ada.active(name) is not None for name, severity in was_active.items() if severity)

    def hears(self, sensor, second, values):
        self.comes(Reading(sensor, when(second), values))

    def comes(self, reading):
        self.happens(lambda one: self.ada.hears([one], arrives=self.now), reading)

    def look(self):
        told = self.happens(self.ada.looks, self.now)
        ended = [event.episode for event in told if event.what in (What.RESOLVED, What.RETURNED, What.EASED)]
        assert [episode for episode in ended if episode.kind is not Kind.TECHNICAL] == []

    def happens(self, deed, subject) -> list[Event]:
        before = len(self.ada.events)
        deed(subject)
        for event in self.ada.events[before:]:
            self.follows(event)
        return self.ada.events[before:]

    def follows(self, event: Event) -> None:
        """An event fits to what was told before it."""
        episode, name = event.episode, event.episode.condition
        if episode.recorded:
            assert event.what in (What.RECORDED, What.COUNTED)
            assert not episode.is_open
            return
        was_open, before = self.open_ids.get(name), self.severities.get(episode.id)
        if event.what is What.RAISED:
            assert was_open is None, "two of one condition"
            assert before is None, "raised twice"
        elif event.what is What.REOPENED:
            assert was_open is None
            assert before is not None
        elif event.what is not What.COUNTED:
            assert was_open == episode.id
        if event.what is What.RISEN:
            assert episode.severity.rank > before.rank
        if event.what is What.EASED:
            assert episode.severity.rank < before.rank
        if event.what in CALLS:
            assert episode.is_active
            assert not episode.acknowledged or (event.what is What.REOPENED and episode.severity is not Severity.CRITICAL)
        if event.what is What.RETURNED:
            assert (episode.severity, episode.acknowledged) == (Severity.CRITICAL, False)
        self.open_ids[name] = episode.id if episode.is_open else None
        self.severities[episode.id] = episode.severity

    @invariant()
    def alerts_are_what_stands_beyond(self):
        for name in CONDITIONS:
            episode, active = self.ada.state.episodes.get(name), self.ada.active(name)
            assert (episode is not None and episode.is_active) == (active is not None), name
            if active:
                assert episode.severity.rank >= active.rank
                assert episode.severity is active or not episode.acknowledged

    @invariant()
    def what_is_open_was_told_and_nothing_else(self):
        still = {name: episode.id for name, episode in self.ada.state.episodes.items() if episode.is_open}
        assert still == {name: one for name, one in self.open_ids.items() if one}

    @invariant()
    def what_only_waits_is_critical_and_untaken(self):
        for episode in self.ada.state.episodes.values():
            if episode.returned_at:
                assert (episode.is_open, episode.severity, episode.acknowledged) == (True, Severity.CRITICAL, False)


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
