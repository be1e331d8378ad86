"""The score alert through the real door."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from monitoring.models import Alert
from tests.services.continuous import MINUTE, SECOND, steady, told, watch
from tests.world import events_of, item

WELL = {"respiratory_rate": 16, "spo2": 97, "systolic_bp": 120, "heart_rate": 70, "body_temp": 37, "consciousness": "A"}
WELL |= {"on_oxygen": False, "mean_bp": 85, "diastolic_bp": 70}
FIVE = WELL | {"respiratory_rate": 21, "spo2": 92, "heart_rate": 95}  # 2 + 2 + 1, no sign beyond its limits
SEVEN = FIVE | {"on_oxygen": True}


def score() -> Alert:
    return Alert.objects.open().get(kind="score")


class TestSpotObservations:
    """A nurse goes round and enters what she saw, once."""

    @pytest.mark.parametrize(("seen", "severity"), [(FIVE, "warning"), (SEVEN, "critical")])
    def test_one_set_of_observations_is_enough(self, ada, gateway, clock, seen, severity):
        gateway.post([item(ada, **seen)])

        assert told() == [("news2", severity)]

    def test_the_alert_names_the_parts_and_what_is_missing(self, ada, gateway, clock):
        seen = {name: value for name, value in SEVEN.items() if name != "body_temp"}

        gateway.post([item(ada, **seen)])

        assert score().message == "NEWS2 at least 7: RR 21 (2), SpO₂ 92 (2), oxygen (2), HR 95 (1), missing temperature"

    def test_a_single_three_calls(self, ada, gateway, clock):
        gateway.post([item(ada, **(WELL | {"consciousness": "C"}))])

        assert told() == [("news2", "warning")]
        assert "consciousness C (3)" in score().message

    def test_a_single_three_of_a_sign_with_an_alert_calls_nobody_twice(self, ada, gateway, clock):
        gateway.post([item(ada, **(WELL | {"heart_rate": 135}))])

        assert told() == [("heart_rate_high", "warning")]

    def test_well_is_not_told(self, ada, gateway, clock):
        gateway.post([item(ada, **WELL)])

        assert events_of(ada) == []

    def test_inputs_come_together_from_several_sensors(self, ada, gateway, clock):
        gateway.post([item(ada, sensor_id="thermometer", body_temp=37, consciousness="A")])
        clock.shift(600)
        gateway.post(
            [item(ada, sensor_id="round", **{name: FIVE[name] for name in ("respiratory_rate", "spo2", "heart_rate")})]
        )

        assert told() == [("news2", "warning")]
        assert score().message.startswith("NEWS2 at least 5")

    def test_the_next_round_that_is_well_ends_it_after_an_hour(self, ada, gateway, clock):
        gateway.post([item(ada, **FIVE)])
        for _ in range(5):
            clock.shift(20 * 60)
            gateway.post([item(ada, **WELL)])

        assert events_of(ada) == ["raised", "resolved"]


class TestMonitored:
    def test_a_monitor_is_not_believed_at_once(self, ada, gateway, clock, now):
        gateway.post(steady(ada, now, **WELL))
        gateway.post([item(ada, now + SECOND, **SEVEN)])
        assert told() == []

        for _ in range(6):
            clock.shift(10)
            gateway.post([item(ada, **SEVEN)])
        assert told() == [("news2", "critical")]

    def test_the_watcher_raises_it_when_no_further_reading_comes(self, ada, gateway, clock, now):
        """The monitor that showed the last change is silent; consciousness was entered by hand."""
        gateway.post(
            steady(ada, now, sensor_id="monitor", **{name: SEVEN[name] for name in ("respiratory_rate", "heart_rate")})
        )
        clock.shift(1)
        gateway.post([item(ada, sensor_id="round", **(SEVEN | {"consciousness": "V"}))])
        assert told(kind="score") == []

        watch(now + 2 * MINUTE)

        assert told(kind="score") == [("news2", "critical")]


class TestForWhom:
    def test_on_scale_two_a_low_saturation_is_what_was_prescribed(self, ada, ben, gateway, clock):
        type(ada).objects.filter(pk=ada.pk).update(spo2_scale=2)
        seen = WELL | {"spo2": 90, "respiratory_rate": 21, "on_oxygen": True}  # scale 1: 3 + 2 + 2, scale 2: 0 + 2 + 2

        gateway.post([item(ada, **seen), item(ben, **seen)])

        assert told(patient=ada) == []
        assert told(patient=ben) == [("news2", "critical")]

    def test_on_scale_two_too_much_oxygen_calls(self, ada, gateway, clock):
        type(ada).objects.filter(pk=ada.pk).update(spo2_scale=2)

        gateway.post([item(ada, **(WELL | {"spo2": 98, "on_oxygen": True}))])

        assert told() == [("news2", "warning")]

    @pytest.mark.parametrize(
        "change",
        [{"pregnant": True}, {"birth_date": date.today() - timedelta(days=365 * 15)}],
        ids=["pregnant", "under 16"],
    )
    def test_nobody_is_scored_for_whom_it_was_not_made(self, ada, gateway, clock, change):
        type(ada).objects.filter(pk=ada.pk).update(**change)

        gateway.post([item(ada, **SEVEN)])

        assert told(kind="score") == []

    def test_who_is_no_longer_scored_keeps_no_score_alert(self, ada, gateway, clock, noor):
        gateway.post([item(ada, **FIVE)])
        type(ada).objects.filter(pk=ada.pk).update(pregnant=True)
        clock.shift(60)

        gateway.post([item(ada, **FIVE)])

        assert told(kind="score") == []
        assert timezone.now() == Alert.objects.get().resolved_at
