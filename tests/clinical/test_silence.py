"""Sensors that fall silent: said as "cannot measure", never as normal."""

from __future__ import annotations

import pytest

from monitoring.clinical import alarm
from monitoring.clinical.alarm import MEMORY
from monitoring.clinical.episode import Kind, Reading, Word
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Sign
from monitoring.models.alarm_state import FURTHEST
from tests.clinical.bedside import Bedside, when

NO_DATA = "no_data"
DAY = MEMORY.total_seconds()


@pytest.fixture
def ada() -> Bedside:
    return Bedside()


class TestRaised:
    @pytest.mark.parametrize(("every", "after"), [(5, 120), (30, 120), (40, 160), (60, 240)])
    def test_after_two_minutes_or_four_rhythms_of_our_clock(self, ada, every, after):
        ada.watched(every=every).reads(0, spo2=97).looks(after - 0.001)
        assert ada.told(NO_DATA) == []
        assert alarm.next_look(ada.state, ada.limits, when(1)) == when(after)

        ada.looks(after)
        assert (ada.told(NO_DATA), ada.episode(NO_DATA).kind) == (["raised"], Kind.TECHNICAL)
        assert (ada.episode(NO_DATA).severity, ada.episode(NO_DATA).sign) == (Severity.WARNING, None)

    def test_a_backlog_is_no_silence(self, ada):
        ada.watched().reads(0, arrives=100, spo2=97).looks(219)
        assert ada.told(NO_DATA) == []

        assert ada.looks(220).told(NO_DATA) == ["raised"]

    def test_a_sensor_that_never_was_continuous_is_not_missed(self, ada):
        ada.reads(0, "cuff", mean_bp=85).reads(1800, "cuff", mean_bp=85).waits(1800, 86400)

        assert ada.events == []

    def test_it_names_signs_sensors_and_what_those_say_instead(self, ada):
        ada.watched().watched("ecg", heart_rate=70).reads(0, said={"spo2": "probe_off"}).looks(120)

        assert ada.episode(NO_DATA).detail == "cannot measure: HR (ecg, no data); SpO₂ (M7, probe off)"

    def test_one_alert_names_what_is_lost_later_too(self, ada):
        ada.watched().watched("ecg", heart_rate=70).steadily(0, 180, "ecg", heart_rate=70).looks(400)

        assert ada.told(NO_DATA) == ["raised"]
        assert ada.episode(NO_DATA).detail == "cannot measure: HR (ecg, no data); SpO₂ (M7, no data)"


class TestGroups:
    def test_who_is_measured_by_another_sensor_is_not_missed(self, ada):
        ada.watched("art", mean_bp=85).watched("line", systolic_bp=120).steadily(0, 600, "line", systolic_bp=120)

        assert ada.told(NO_DATA) == []

    @staticmethod
    def with_a_cuff(ada, minutes) -> float:
        """A cuff that has measured at set times, the last time now; until then a line measured too."""
        for place in range(3):
            ada.reads(60 * minutes * place, "cuff", mean_bp=85)
        now = 180 * minutes
        ada.steadily(now - 200, now, "art", mean_bp=85).reads(now, "cuff", mean_bp=85)
        return now

    @pytest.mark.parametrize("minutes", [5, 15])
    def test_a_cuff_that_measures_often_stands_in_for_a_line(self, ada, minutes):
        now = self.with_a_cuff(ada, minutes)
        ada.waits(now, now + 120 * minutes - 1)
        assert ada.told(NO_DATA) == []

        assert ada.waits(now, now + 120 * minutes).told(NO_DATA) == ["raised"]

    @pytest.mark.parametrize("minutes", [16, 60])
    def test_a_rare_cuff_does_not(self, ada, minutes):
        now = self.with_a_cuff(ada, minutes)

        assert ada.waits(now, now + 120).episode(NO_DATA).detail == "cannot measure: MAP (art, no data)"

    @pytest.mark.parametrize("minutes", [15, 60, 360])
    def test_nor_do_rounds_by_hand(self, ada, minutes):
        for place in range(4):
            ada.reads(60 * minutes * place, "manual", spo2=97)
        now = 180 * minutes
        ada.steadily(now - 200, now, spo2=97).reads(now + 60, "manual", spo2=97).waits(now + 60, now + 120)

        assert ada.told(NO_DATA) == ["raised"]
        assert ada.reads(now + 60 * minutes, "manual", spo2=97).told(NO_DATA) == ["raised"]

    def test_nor_does_a_spot_check(self, ada):
        ada.watched().reads(0, spo2=97).reads(110, "spot", spo2=97).waits(110, 120)

        assert ada.told(NO_DATA) == ["raised"]

    def test_a_sensor_that_has_begun_to_send_steadily_does(self, ada):
        ada.watched().reads(0, spo2=97).steadily(60, 600, "new", every=20, spo2=97).waits(600, 629)

        assert ada.told(NO_DATA) == []

    def test_each_group_is_missed_at_its_own_time(self, ada):
        ada.watched().watched("ecg", heart_rate=70).reads(20, spo2=97).reads(0, "ecg", heart_rate=70).waits(20, 120)
        assert ada.episode(NO_DATA).detail == "cannot measure: HR (ecg, no data)"

        assert ada.waits(120, 140).episode(NO_DATA).detail == "cannot measure: HR (ecg, no data); SpO₂ (M7, no data)"

    def test_while_a_cuff_speaks_time_is_looked_at_every_few_minutes(self, ada):
        now = self.with_a_cuff(ada, 15)

        assert alarm.next_look(ada.state, ada.limits, when(now)) < when(now) + FURTHEST

    def test_a_look_back_from_long_ago_still_finds_the_silence(self, ada):
        ada.watched().reads(0, spo2=97)

        assert alarm.next_look(ada.state, ada.limits, when(-DAY)) == when(120)

    def test_time_is_not_looked_at_while_another_sensor_speaks(self, ada):
        ada.watched().watched("other").reads(0, spo2=97).reads(60, "other", spo2=97)

        assert alarm.next_look(ada.state, ada.limits, when(60)) == when(180)


class TestCuffs:
    @staticmethod
    def measures(ada, *times) -> Bedside:
        for minute in times:
            ada.reads(60 * minute, "cuff", mean_bp=85)
        return ada

    @pytest.mark.parametrize("every", [2, 15, 120])
    def test_one_that_measures_at_set_times_is_missed_after_two_of_its_intervals(self, ada, every):
        self.measures(ada, 0, every, 2 * every, 3 * every).waits(180 * every, 300 * every - 1)
        assert ada.told(NO_DATA) == []

        ada.waits(300 * every - 1, 300 * every)
        assert (ada.told(NO_DATA), ada.episode(NO_DATA).detail) == (["raised"], "cannot measure: MAP (cuff, cuff overdue)")

    @pytest.mark.parametrize("times", [(0, 15, 30), (0, 15, 30, 49), (0, 121, 242, 363), (0, 15, 30, 31, 46)])
    def test_one_without_regular_times_is_not(self, ada, times):
        self.measures(ada, *times).waits(60 * times[-1], 60 * times[-1] + DAY)

        assert ada.told(NO_DATA) == []

    def test_one_is_not_missed_while_a_line_measures(self, ada):
        self.measures(ada, 0, 15, 30, 45).watched("art", mean_bp=85).steadily(2700, 7200, "art", every=30, mean_bp=85)

        assert ada.waits(7200, 7300).told(NO_DATA) == []

    @pytest.mark.parametrize("sensor", ["manual", "manual:M7:MBP", "manual:@noor:MBP", "cuff-1:@noor"])
    def test_what_is_entered_by_hand_at_set_times_is_never_missed(self, ada, sensor):
        for at in (0, 900, 1800, 2700):
            ada.reads(at, sensor, mean_bp=85)

        assert ada.waits(2700, DAY).told(NO_DATA) == []

    def test_other_signs_are_not_missed_by_their_times(self, ada):
        for at in (0, 900, 1800, 2700):
            ada.reads(at, "spot", spo2=97)

        assert ada.waits(2700, DAY).told(NO_DATA) == []

    def test_one_that_measures_again_ends_it_and_needs_new_times(self, ada):
        self.measures(ada, 0, 15, 30, 45).waits(2700, 4600)
        self.measures(ada, 80).waits(4800, DAY)

        assert ada.told(NO_DATA) == ["raised", "resolved"]

    def test_who_ended_it_by_hand_is_not_told_again(self, ada):
        self.measures(ada, 0, 15, 30, 45).waits(2700, 4600).dismisses(4700, NO_DATA)

        assert ada.reads(4800, heart_rate=70).waits(4800, DAY).told(NO_DATA) == ["raised", "resolved"]


class TestEnded:
    def test_it_ends_when_its_sign_is_measured_again(self, ada):
        ada.watched().looks(200).reads(201, "other", spo2=97)
        assert ada.told(NO_DATA) == ["raised"]

        assert ada.reads(206, "other", spo2=97).told(NO_DATA) == ["raised", "resolved"]

    def test_it_ends_no_alert_of_a_sign(self, ada):
        ada.watched().steadily(0, 20, spo2=84).takes(21).looks(300).steadily(301, 306, "other", spo2=97)

        assert (ada.told(NO_DATA), ada.told(), ada.active()) == (["raised", "resolved"], ["raised"], Severity.CRITICAL)

    def test_another_sign_does_not_end_it(self, ada):
        ada.watched().looks(200).reads(201, heart_rate=70)

        assert ada.told(NO_DATA) == ["raised"]

    def test_who_ended_it_by_hand_is_not_told_again_until_it_sent_steadily_once_more(self, ada):
        ada.watched().looks(200).dismisses(210, NO_DATA).reads(220, heart_rate=70).looks(1000)
        assert ada.told(NO_DATA) == ["raised", "resolved"]

        ada.steadily(1000, 1200, spo2=97).looks(1400)
        assert ada.told(NO_DATA) == ["raised", "resolved", "raised"]

    def test_a_sensor_that_was_taken_off_is_not_missed(self, ada):
        ada.watched()
        ada.state, _ = alarm.release(ada.state, ["M7"], ada.limits, now=when(5))

        assert ada.waits(5, 3600).events == []

    def test_what_a_sensor_held_ends_when_it_is_taken_off(self, ada):
        ada.watched().steadily(0, 20, spo2=88)
        ada.state, events = alarm.release(ada.state, ["M7"], ada.limits, now=when(30))

        assert [(event.what.value, event.episode.condition) for event in events] == [("resolved", "spo2_low")]

    def test_after_a_day_it_is_still_told_as_it_was(self, ada):
        ada.watched().reads(0, said={"spo2": "probe_off"}).looks(200)
        ada.reads(DAY + 1, "cuff", mean_bp=85).reads(2 * DAY, "cuff", mean_bp=85)

        assert (ada.told(NO_DATA), ada.is_open(NO_DATA)) == (["raised"], True)
        assert ada.episode(NO_DATA).detail == "cannot measure: SpO₂ (M7, probe off)"

    def test_after_a_day_who_is_not_missed_is_forgotten(self, ada):
        ada.watched().reads(0, said={"spo2": "probe_off"}).looks(200).dismisses(210, NO_DATA)
        ada.reads(DAY + 1, "cuff", mean_bp=85)

        assert (ada.state.standings[Sign.SPO2], ada.state.words[Sign.SPO2]) == ({}, {})
        assert not ada.is_open(NO_DATA)

    def test_after_a_day_who_is_missed_goes_with_the_alert(self, ada):
        ada.watched().looks(200).reads(DAY + 1, "cuff", mean_bp=85).steadily(DAY + 2, DAY + 7, "other", spo2=97)

        assert ada.told(NO_DATA) == ["raised", "resolved"]
        assert list(ada.state.standings[Sign.SPO2]) == ["other"]


class TestDeclared:
    """A sensor of a device that was declared as continuous is missed though it sends less often than once a minute."""

    def test_it_is_missed_after_four_of_its_rhythms(self, ada):
        for at in range(-450, 1, 90):
            ada.reads(at, declared=True, spo2=97)
        assert ada.waits(0, 359).told(NO_DATA) == []

        assert ada.waits(359, 360).told(NO_DATA) == ["raised"]

    def test_its_values_wait_for_the_delay_from_the_first_on(self, ada):
        assert ada.reads(0, declared=True, spo2=84).told() == []

        assert ada.reads(15, declared=True, spo2=84).told() == ["raised"]

    def test_out_of_order_it_stays_so(self, ada):
        ada.reads(0, declared=True, spo2=97).reads(180, declared=True, spo2=97).reads(90, arrives=181, declared=True, spo2=97)

        assert ada.standing().continuous


class TestMoreIsLost:
    """Who took the loss of one sign has not taken the loss of another."""

    @pytest.fixture
    def ben(self) -> Bedside:
        """His temperature is lost and taken; the rest is measured."""
        ben = Bedside().watched("T", body_temp=37).watched("ECG", heart_rate=70).watched("OX", spo2=97)
        for at in range(0, 601, 20):
            ben.reads(at, "ECG", heart_rate=70).reads(at, "OX", spo2=97).looks(at + 1)
        return ben.takes(602, NO_DATA)

    def test_it_calls_again_and_names_all(self, ben):
        ben.waits(602, 800)

        assert ben.told(NO_DATA) == ["raised", "reraised"]
        assert not ben.episode(NO_DATA).acknowledged
        assert ben.episode(NO_DATA).detail == "cannot measure: HR (ECG, no data); SpO₂ (OX, no data); Temp (T, no data)"

    def test_less_is_no_news(self, ben):
        ben.waits(602, 800).takes(801, NO_DATA).steadily(810, 900, "ECG", heart_rate=70)

        assert ben.told(NO_DATA) == ["raised", "reraised"]
        assert ben.episode(NO_DATA).acknowledged

    def test_before_it_was_taken_it_only_says_more(self):
        ada = Bedside().watched("T", body_temp=37).watched("OX", spo2=97).steadily(0, 200, "OX", spo2=97)
        ada.looks(201).waits(201, 400)

        assert ada.told(NO_DATA) == ["raised"]
        assert "SpO₂" in ada.episode(NO_DATA).detail

    def test_a_second_device_with_a_fault_calls_again(self, ada):
        ada.hears([Reading("pump", when(0), {}, device="fault")], arrives=0).takes(10, "device_fault")
        ada.hears([Reading("M7", when(20), {}, device="fault")], arrives=20)

        assert ada.told("device_fault") == ["raised", "reraised"]


class TestOldValuesOnly:
    def test_a_stream_of_old_values_is_silence_of_the_patient_now(self, ada):
        ada.watched()
        for at in range(0, 400, 5):
            ada.reads(at - 900, arrives=at, spo2=97).looks(at + 1)

        assert ada.told(NO_DATA) == ["raised"]


class TestDevices:
    def test_who_ended_it_by_hand_hears_of_it_when_the_device_says_so_anew(self, ada):
        ada.hears([Reading("M7", when(0), {}, device="fault")], arrives=0).dismisses(5, "device_fault")
        assert ada.reads(60, spo2=97).told("device_fault") == ["raised", "resolved"]

        ada.hears([Reading("M7", when(70), {}, device="fault")], arrives=70)
        assert ada.told("device_fault") == ["raised", "resolved", "reopened"]

    @pytest.mark.parametrize(("word", "condition"), [("fault", "device_fault"), ("standby", "standby")])
    def test_what_a_device_never_took_back_is_told_for_more_than_a_day(self, ada, word, condition):
        ada.hears([Reading("pump", when(0), {}, device=word)], arrives=0).reads(DAY + 1, "cuff", mean_bp=85)
        assert (ada.told(condition), ada.is_open(condition)) == (["raised"], True)

        ada.hears([Reading("pump", when(DAY + 2), {}, device="ok")], arrives=DAY + 2)
        assert ada.told(condition) == ["raised", "resolved"]

    def test_a_word_that_holds_no_alert_is_forgotten_after_a_day(self, ada):
        ada.hears([Reading("pump", when(0), {}, device="ok")], arrives=0).reads(DAY + 1, "cuff", mean_bp=85)

        assert ada.state.devices == {}


class TestApart:
    def test_a_lost_link_is_told_once_for_all_and_not_here(self, ada):
        ada.watched()
        state, events = alarm.look(ada.state, ada.limits, now=when(300), link_lost=True)
        assert events == []

        _, events = alarm.look(state, ada.limits, now=when(301))
        assert [event.what.value for event in events] == ["raised"]

    def test_a_device_on_standby_is_not_missed(self, ada):
        ada.watched().hears([Reading("M7", when(0), {}, device="standby")], arrives=0)
        assert ada.state.devices["M7"] == Word(when(0), "standby")

        assert ada.looks(600).told(NO_DATA) == []

    def test_a_signal_that_is_lost_does_not_hide_what_waits(self, ada):
        ada.watched().reads(0, spo2=84).waits(0, 600)

        assert (ada.told(), ada.told(NO_DATA)) == (["raised"], ["raised"])

    def test_a_word_without_a_value_is_kept_with_its_time(self, ada):
        ada.reads(10, said={"spo2": "probe_off"}).reads(5, arrives=11, said={"spo2": "signal_poor"})

        assert ada.state.words[Sign.SPO2]["M7"] == Word(when(10), "probe_off")
