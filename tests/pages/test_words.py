"""What the board says of an alert as things change, which alert it says first, and of which sensor."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Bed
from monitoring import board
from monitoring.board import words
from monitoring.board.news import News
from monitoring.board.notices import Notice
from monitoring.board.stacks import bundled, rail
from monitoring.clinical.limits import Severity
from monitoring.models import Alert
from tests.world import item, unscored


@pytest.fixture
def notice(now):
    """An open alert as drawn, from its fields."""

    def notice(condition="blood_pressure_low", *, severity="critical", age=0, returned=False, **fields) -> Notice:
        at = now - timedelta(seconds=age)
        alert = Alert(subject="patient:1", condition=condition, severity=severity, raised_at=at, **fields)
        alert.returned_at = at if returned else None
        return Notice(alert, Bed(name="N1"), now)

    return notice


def zero(sign="heart_rate"):
    return {"sign": sign, "side": "low", "vital_value": 0, "worst_value": 0, "last_value": 0, "threshold_breached": 40}


class TestOrder:
    def test_what_is_active_comes_before_what_has_returned(self, notice):
        older, newer = notice("a", age=60, returned=True), notice("b", age=1)

        assert bundled([older, newer]) == [newer, older]
        assert [entry.lead for entry in rail([older, newer])] == [newer, older]

    def test_a_returned_critical_one_still_comes_before_an_active_warning(self, notice):
        returned, active = notice("a", returned=True), notice("b", severity="warning", age=60)

        assert bundled([active, returned]) == [returned, active]

    @pytest.mark.parametrize("sign", ["heart_rate", "respiratory_rate"])
    def test_a_standstill_comes_before_what_has_waited_longer(self, notice, sign):
        older, still = notice("a", age=60), notice("z", **zero(sign))

        assert bundled([older, still]) == [still, older]
        assert [entry.lead for entry in rail([older, still])] == [still, older]

    def test_a_beat_between_two_zeros_moves_nothing(self, notice):
        older, still = notice("a", age=60), notice("z", **zero() | {"last_value": 30})

        assert bundled([older, still]) == [still, older]

    def test_a_fold_hides_no_active_one_behind_returned_ones(self, ada, gateway, north, now):
        unscored(ada)
        back = {"spo2": 84, "heart_rate": 150, "body_temp": 41}
        gateway.post([item(ada, now, **back)])
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=97, heart_rate=70, body_temp=37, systolic_bp=60)])

        drawn = board.read(north.pk, now=now + timedelta(seconds=1))

        assert drawn.tiles[0].alerts.shown[0].alert.condition == "blood_pressure_low"
        assert drawn.rail[0].lead.alert.condition == "blood_pressure_low"


class TestValues:
    def pressure(self, notice, **fields):
        known = {"sign": "mean_bp", "side": "low", "vital_value": 43.7, "threshold_breached": 61, "last_value": 43.7}
        return notice(**known | fields)

    def test_beyond_the_limit_it_says_the_present_value(self, notice):
        assert self.pressure(notice, last_value=40).message == "MAP 40 < 61 mmHg"

    @pytest.mark.parametrize("present", [61, 64.6])
    def test_no_longer_beyond_it_says_both(self, notice, present):
        assert self.pressure(notice, last_value=present).message == f"MAP was 43.7 < 61, now {present} mmHg"

    def test_a_zero_that_is_over_is_said_to_be_over(self, notice):
        assert notice(**zero() | {"last_value": 66}).message == "HR was 0 < 40, now 66 /min"

    def test_several_at_once_say_which_of_them_is_on_its_way_back(self, notice):
        back = self.pressure(notice, kind="physiological", last_value=64.6)
        head = notice("multiple_signs")

        line = bundled([head, back])[0]

        assert line.brief == "1 signs at once: MAP was 43.7, now 64.6"

    def test_the_value_of_a_sensor_that_is_not_drawn_bears_its_name(self, ada, gateway, north, now):
        gateway.post([item(ada, now - timedelta(minutes=9), sensor_id="M7/art", spo2=84)])
        gateway.post([item(ada, now, sensor_id="M7/new", spo2=97)])

        drawn = board.read(north.pk, now=now)

        assert drawn.tiles[0].alerts.shown[0].message == "SpO₂ 84 < 85 % (art)"
        assert drawn.rail[0].lead.message == "SpO₂ 84 < 85 % (art)"

    def test_the_value_of_the_drawn_sensor_bears_none(self, ada, gateway, north, now):
        gateway.post([item(ada, now, sensor_id="M7/art", spo2=84), item(ada, now, sensor_id="M7/new", spo2=97)])

        assert board.read(north.pk, now=now).tiles[0].alerts.shown[0].message == "SpO₂ 84 < 85 %"

    def test_a_redraw_of_another_bed_says_the_same_in_the_rail(self, ada, ben, gateway, north, now):
        gateway.post([item(ada, now - timedelta(minutes=9), sensor_id="old", spo2=84)])
        gateway.post([item(ada, now, sensor_id="new", spo2=97)])

        whole = board.read(north.pk, now=now)
        part = board.read(north.pk, [bed.pk for bed in north.beds.filter(position=2)], now=now)

        assert [each.lead.message for each in part.rail] == [each.lead.message for each in whole.rail]

    def test_of_silent_sensors_the_newest_is_drawn_though_an_older_one_was_beyond(self, ada, gateway, north, now):
        gateway.post([item(ada, now - timedelta(minutes=20), sensor_id="spot", body_temp=38.2)])
        gateway.post([item(ada, now - timedelta(minutes=20, seconds=-1), sensor_id="spot", body_temp=36.9)])
        gateway.post([item(ada, now - timedelta(minutes=2), sensor_id="core", body_temp=37.0)])

        cell = next(each for each in board.read(north.pk, now=now).tiles[0].cells if each.name == "body_temp")

        assert (cell.source, cell.text) == ("core", "37.0")


class TestScores:
    SAID = "NEWS2 at least 7: RR 25 (3), SpO₂ 91 (3), consciousness V (3), missing oxygen and temperature"

    def score(self, severity="critical", detail=SAID):
        return Alert(kind=Alert.Kind.SCORE, severity=severity, condition="news2", detail=detail)

    def test_only_parts_with_points_are_named(self):
        present = News(text="≥ 7", severity=Severity.CRITICAL)

        assert words.of_score(self.score(), present) == "NEWS2 ≥ 7: RR 25 (3), SpO₂ 91 (3), consciousness V (3)"

    @pytest.mark.parametrize(
        ("severity", "detail", "present", "said"),
        [
            ("critical", SAID, News(text="≥ 2"), "NEWS2 was ≥ 7, now ≥ 2"),
            ("critical", "NEWS2 5: RR 25 (3)", News(text="5", severity=Severity.WARNING), "NEWS2 was ≥ 7, now 5"),
            ("warning", "NEWS2 5: RR 25 (3), SpO₂ 93 (2)", News(text="0"), "NEWS2 was 5, now 0"),
            ("warning", "NEWS2 5", News(text="–"), "NEWS2 was 5, now not known"),
        ],
    )
    def test_one_that_calls_for_less_by_now_says_both(self, severity, detail, present, said):
        assert words.of_score(self.score(severity, detail), present) == said

    def test_a_patient_whose_score_is_refused_keeps_the_sentence(self):
        assert words.of_score(self.score(detail="NEWS2 7"), News(refusal="pregnancy")) == "NEWS2 7"
