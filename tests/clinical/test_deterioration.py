"""The score alert: NEWS2 over what the sensors and people say, damped."""

from __future__ import annotations

import pytest

from monitoring.clinical import deterioration
from monitoring.clinical.episode import Kind
from monitoring.clinical.limits import Severity
from monitoring.clinical.scores.observations import Observations
from tests.clinical.bedside import WELL, Bedside, when

NEWS2 = "news2"
# None of these values is beyond an alarm limit.
FIVE = {"respiratory_rate": 22, "spo2": 94, "heart_rate": 112}  # 2 + 1 + 2
SEVEN = {"respiratory_rate": 25, "spo2": 93, "heart_rate": 112}  # 3 + 2 + 2
RED = {"respiratory_rate": 26}  # a single 3
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
HOUR = 3600


@pytest.fixture
def ada() -> Bedside:
    return Bedside().watched(**WELL)


def bad(values):
    return {**WELL, **values}


class TestCalls:
    @pytest.mark.parametrize(("values", "severity"), [(FIVE, WARNING), (SEVEN, CRITICAL), (RED, WARNING)])
    def test_five_seven_and_a_single_three(self, ada, values, severity):
        ada.steadily(0, 120, **bad(values))

        episode = ada.episode(NEWS2)
        assert (ada.told(NEWS2)[0], episode.severity, episode.kind, episode.sign) == ("raised", severity, Kind.SCORE, None)

    def test_it_says_the_parts_and_what_is_missing(self, ada):
        ada.steadily(0, 120, **bad(RED))

        detail = ada.episode(NEWS2).detail
        assert detail.startswith("NEWS2 at least 3: RR 26 (3)")
        assert "missing" in detail

    def test_four_points_without_a_three_call_nobody(self, ada):
        ada.steadily(0, 120, **bad({"respiratory_rate": 22, "heart_rate": 112}))

        assert ada.told(NEWS2) == []

    def test_a_single_three_of_a_sign_that_alarms_calls_nobody_more(self, ada):
        ada.steadily(0, 120, **bad({"respiratory_rate": 31}))

        assert (ada.is_open("respiratory_rate_high"), ada.told(NEWS2)) == (True, [])

    @pytest.mark.parametrize("patient", [Observations(age_months=15 * 12), Observations(pregnant=True)])
    def test_for_whom_it_was_not_made_nothing_is_called(self, ada, patient):
        ada.patient = patient
        ada.steadily(0, 120, **bad(SEVEN)).waits(120, HOUR)

        assert ada.told(NEWS2) == []

    def test_the_second_saturation_scale_is_the_patients(self, ada):
        ada.patient = Observations(spo2_scale=2)
        ada.steadily(0, 120, **bad({"respiratory_rate": 22, "spo2": 91, "heart_rate": 112}))

        assert ada.told(NEWS2) == []


class TestDelay:
    def test_one_artefact_among_a_minute_of_values_scores_nothing(self, ada):
        ada.reads(0, **bad(SEVEN)).steadily(5, 60, **WELL)

        assert ada.told(NEWS2) == []

    def test_critical_waits_for_fifteen_seconds_from_its_first_score(self, ada):
        ada.steadily(0, 200, **bad(SEVEN))

        (begun,) = {each.since for each in ada.state.scored.excursions if each.severity is CRITICAL}
        risen = next(
            event.at for event in ada.events if event.episode.condition == NEWS2 and event.episode.severity is CRITICAL
        )
        assert (risen - begun).total_seconds() == 15

    def test_a_warning_waits_for_four_scores_too(self):
        ada = Bedside().watched(every=60, **WELL)
        ada.steadily(0, 120, every=60, **bad(FIVE))
        assert ada.told(NEWS2) == []

        assert ada.reads(180, **bad(FIVE)).told(NEWS2) == ["raised"]

    @pytest.mark.parametrize(("values", "severity"), [(FIVE, WARNING), (SEVEN, CRITICAL)])
    def test_one_set_of_observations_without_a_monitor_speaks_for_itself(self, values, severity):
        ada = Bedside().reads(0, "nurse", **bad(values))

        assert (ada.told(NEWS2), ada.episode(NEWS2).severity) == (["raised"], severity)

    def test_a_monitor_that_falls_silent_confirms_by_its_silence(self, ada):
        ada.reads(0, **bad(SEVEN)).reads(5, **bad(SEVEN)).reads(60, **bad(SEVEN))
        assert ada.told(NEWS2) == []

        ada.waits(60, 200)
        assert (ada.told(NEWS2), ada.episode(NEWS2).severity) == (["raised"], CRITICAL)


class TestEnd:
    def raised(self, values=FIVE):
        return Bedside().watched(every=60, **WELL).steadily(0, 240, every=60, **bad(values))

    @pytest.mark.parametrize(("until", "expected"), [(HOUR + 240, ["raised"]), (HOUR + 300, ["raised", "resolved"])])
    def test_it_stays_an_hour_after_the_score_fell(self, until, expected):
        assert self.raised().steadily(300, until, every=60, **WELL).told(NEWS2) == expected

    def test_a_new_call_within_the_hour_is_the_same_one_and_begins_the_hour_anew(self):
        ada = self.raised().steadily(300, 1800, every=60, **WELL).reads(1860, **bad(FIVE))
        ada.steadily(1920, 5400, every=60, **WELL)
        assert (ada.told(NEWS2), ada.is_open(NEWS2)) == (["raised"], True)

        assert ada.steadily(5460, 5520, every=60, **WELL).told(NEWS2) == ["raised", "resolved"]

    def test_critical_waits_to_be_taken(self):
        ada = self.raised(SEVEN).steadily(300, HOUR + 300, every=60, **WELL)

        assert ada.told(NEWS2)[-1] == "returned"
        assert ada.takes(2 * HOUR, NEWS2).told(NEWS2)[-1] == "resolved"

    def test_critical_that_fell_eases_when_it_is_taken(self):
        ada = self.raised(SEVEN).steadily(300, HOUR + 300, every=60, **bad(FIVE))
        assert ada.episode(NEWS2).severity is CRITICAL

        ada.takes(HOUR + 310, NEWS2)
        assert (ada.told(NEWS2)[-1], ada.episode(NEWS2).severity) == ("eased", WARNING)

    def test_called_again_by_less_while_it_waits_it_stays_critical(self):
        ada = (
            self.raised(SEVEN)
            .steadily(300, HOUR + 300, every=60, **WELL)
            .steadily(HOUR + 360, HOUR + 600, every=60, **bad(FIVE))
        )

        assert (ada.told(NEWS2)[-1], ada.episode(NEWS2).severity) == ("reraised", CRITICAL)

    def test_time_alone_ends_nothing_though_every_input_grows_too_old(self):
        ada = self.raised().waits(240, 20 * HOUR)

        assert (ada.told(NEWS2), ada.is_open(NEWS2)) == (["raised"], True)

    def test_losing_an_input_that_had_points_ends_nothing(self):
        well = {name: value for name, value in WELL.items() if name != "respiratory_rate"}
        ada = self.raised(RED).steadily(300, 3 * HOUR, every=60, **well)

        assert (ada.told(NEWS2), ada.is_open(NEWS2)) == (["raised"], True)

    def test_losing_one_of_several_eases_nothing_either(self):
        left = {"spo2": 93, "heart_rate": 112, "systolic_bp": 100, "body_temp": 37}  # 2 + 2 + 2
        ada = self.raised({**left, "respiratory_rate": 25}).takes(241, NEWS2).steadily(300, 3 * HOUR, every=60, **left)

        assert (ada.episode(NEWS2).severity, "eased" in ada.told(NEWS2)) == (CRITICAL, False)

    def test_measured_again_and_well_it_ends(self):
        well = {name: value for name, value in WELL.items() if name != "respiratory_rate"}
        ada = self.raised(RED).steadily(300, 2 * HOUR, every=60, **well)
        ada.steadily(2 * HOUR + 60, 3 * HOUR + 120, every=60, **WELL)

        assert ada.told(NEWS2) == ["raised", "resolved"]

    def test_losing_an_input_without_points_holds_nothing(self):
        ada = self.raised(RED)
        well = {name: value for name, value in WELL.items() if name != "body_temp"}
        ada.steadily(300, 6 * HOUR, every=60, **well)

        assert ada.told(NEWS2) == ["raised", "resolved"]

    def test_ended_by_hand_the_next_score_brings_it_back_untaken(self):
        ada = self.raised().takes(241, NEWS2).dismisses(250, NEWS2)
        assert ada.looks(280).told(NEWS2) == ["raised", "resolved"]

        ada.reads(300, **bad(FIVE))
        assert (ada.told(NEWS2), ada.episode(NEWS2).acknowledged) == (["raised", "resolved", "reopened"], False)

    def test_ended_by_hand_a_score_that_fell_leaves_it_ended(self):
        ada = self.raised().dismisses(250, NEWS2).steadily(300, 600, every=60, **WELL)

        assert ada.told(NEWS2) == ["raised", "resolved"]

    def test_a_child_by_a_birth_date_that_was_put_right_ends_it_for_good(self):
        ada = self.raised()
        ada.patient = Observations(age_months=12)
        ada.reads(300, **bad(FIVE)).waits(300, HOUR)

        assert (ada.told(NEWS2), deterioration.call(ada.state)) == (["raised", "resolved"], None)


def test_of_a_stay_that_is_over_no_score_is_told():
    ada = Bedside().reads(0, closed=True, **bad(SEVEN)).reads(20, closed=True, **bad(SEVEN))

    assert ada.told(NEWS2) == []


class TestInAHand:
    """Whoever has it is told soon that the score has fallen, and anew when it rises again."""

    @pytest.fixture
    def taken(self) -> Bedside:
        return Bedside().reads(0, "spot", **bad(SEVEN)).takes(10, NEWS2)

    def test_it_ends_a_quarter_of_an_hour_after_the_score_fell(self, taken):
        taken.reads(120, "spot", **WELL).reads(1019, "spot", **WELL)
        assert taken.is_open(NEWS2)

        assert taken.reads(1020, "spot", **WELL).told(NEWS2) == ["raised", "resolved"]

    def test_the_next_deterioration_calls_anew(self, taken):
        taken.reads(120, "spot", **WELL).reads(1020, "spot", **WELL).reads(1500, "spot", **bad(SEVEN))

        assert taken.told(NEWS2) == ["raised", "resolved", "raised"]
        assert not taken.episode(NEWS2).acknowledged

    def test_losing_an_input_does_not_hold_what_was_on_its_way_back(self, taken):
        taken.reads(500, "spot", **WELL).reads(1450, "spot", systolic_bp=120)

        assert taken.told(NEWS2) == ["raised", "resolved"]

    def test_a_score_that_swings_is_one_call_for_an_hour(self, taken):
        for place in range(1, 12):
            taken.reads(300 * place, "spot", **bad(FIVE if place % 2 else SEVEN))

        assert taken.told(NEWS2) == ["raised"]


class TestTheSamePointsOnceMore:
    """A sparse value is not confirmed because other things are measured beside it."""

    @staticmethod
    def ox_beside_an_ecg(ada, *saturations, begin=0):
        for place, value in enumerate(saturations):
            ada.reads(begin + 60 * place, "OX", spo2=value)
            ada.steadily(begin + 60 * place, begin + 60 * place + 55, "ECG", heart_rate=70, respiratory_rate=15)
        return ada

    def test_one_artefact_calls_nobody(self):
        ada = self.ox_beside_an_ecg(Bedside(), *[97] * 5, 91, 97, 97)

        assert ada.told(NEWS2) == []

    def test_what_stays_is_told(self):
        ada = self.ox_beside_an_ecg(Bedside(), *[97] * 5, *[91] * 4)

        assert ada.told(NEWS2) == ["raised"]

    def test_it_is_told_by_silence_too(self):
        ada = self.ox_beside_an_ecg(Bedside(), *[97] * 5, 91)
        ada.waits(355, 389)
        assert ada.told(NEWS2) == []

        assert ada.waits(389, 390).told(NEWS2) == ["raised"]


def test_two_sensors_of_a_sign_are_never_averaged():
    ada = Bedside().reads(0, "monitor", spo2=100).reads(5, "spot", spo2=84)

    assert deterioration.chosen(ada.state, ada.patient, when(6)).observations.spo2 == 84


def test_it_says_what_led_to_it_until_the_call_is_less():
    ada = Bedside().reads(0, "spot", **bad(SEVEN)).reads(300, "spot", **bad(FIVE))
    assert ada.episode(NEWS2).detail.startswith("NEWS2 at least 7")

    ada.takes(310, NEWS2).reads(4000, "spot", **bad(FIVE)).reads(4010, "spot", **bad(FIVE))
    assert (ada.episode(NEWS2).severity, ada.episode(NEWS2).detail[:16]) == (WARNING, "NEWS2 at least 5")
