"""What the board says of each state of an alert, of the limits, and of the score."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Device
from monitoring import board
from monitoring.clinical.limits import Severity
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Alert, WardRules
from monitoring.models.threshold import Part
from monitoring.services import admissions, alerts, escalation, technical, thresholds
from monitoring.services.layers import Scope
from tests.conftest import signed_in
from tests.world import item, one_after_the_other, open_alert, series, unscored

FULL = {"respiratory_rate": 25, "spo2": 93, "systolic_bp": 120, "heart_rate": 70, "body_temp": 37, "consciousness": "A"}


@pytest.fixture
def look(noor, north):
    """The whole board, its tiles, or its rail, as Noor sees it, without the blanks."""

    def look(part: str = "tiles") -> str:
        page = re.sub(r"\s+", " ", signed_in(noor).get("/wards/north/").content.decode())
        tiles, rail = page.split('id="rail"')
        return {"page": page, "tiles": tiles, "rail": rail}[part]

    return look


@pytest.fixture
def low(ada, gateway, now):
    """Ada's saturation is critical."""
    gateway.post([item(ada, now, spo2=84)])
    return open_alert(ada)


class TestAnAlert:
    def test_raised_flashes_and_waits_for_a_hand(self, low, look):
        assert 'class="alert critical raised"' in look()
        assert 'data-state="raised"' in look()
        assert "Acknowledge SpO₂ 84 &lt; 85 %" in look()

    def test_taken_says_by_whom_and_has_no_button(self, low, noor, look, now):
        alerts.acknowledge(low, by=noor, at=now)

        assert 'class="alert critical taken"' in look()
        assert "taken by Noor" in look() and "taken by Noor" in look("rail")
        assert "Acknowledge SpO₂" not in look()

    def test_returned_stays_and_is_calm(self, low, ada, gateway, look, now):
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=97)])

        assert 'class="alert critical returned"' in look()
        assert "no longer low: take it to end it" in look()
        assert "Acknowledge SpO₂ was 84 &lt; 85, now 97 %" in look() and "SpO₂ was 84 &lt; 85, now 97 %" in look("rail")

    def test_silenced_says_until_when_and_no_longer(self, low, noor, look, now):
        alerts.silence(low, minutes=5, by=noor, at=now)

        assert "sound off until" in look() and "sound off until" in look("rail")
        assert f'data-silenced-until="{(now + timedelta(minutes=5)).timestamp():.3f}"' in look()
        with time_machine.travel(now + timedelta(minutes=5, seconds=1)):
            assert "sound off until" not in look()

    def test_a_silence_is_over_when_our_clock_was_set_back_beyond_it(self, low, noor, north, now):
        alerts.silence(low, minutes=10, by=noor, at=now)

        def silent(after: timedelta) -> bool:
            return board.read(north.pk, now=now + after).notices[0].silenced_until is not None

        assert silent(timedelta(0)) and silent(timedelta(minutes=9))
        assert silent(timedelta(seconds=-20))  # by the clock of another server
        assert not silent(timedelta(minutes=-40))

    def test_a_silence_lasts_no_longer_than_its_ward_allows(self, low, noor, north, now):
        alerts.silence(low, minutes=10, by=noor, at=now)
        WardRules.objects.create(ward=north, longest_silence=2)

        assert board.read(north.pk, now=now).notices[0].silenced_until is None

    def test_unconfirmed_says_that_the_signal_was_lost(self, low, look):
        Alert.objects.update(unconfirmed=True)

        assert "signal lost before it was confirmed" in look()

    def test_whose_sign_is_old_knows_since_when(self, low, ada, look, now):
        lost = f'data-lost-at="{(now + timedelta(seconds=30)).timestamp():.3f}"'

        assert f"{lost} hidden" in look()
        with time_machine.travel(now + timedelta(seconds=31)):
            assert lost in look() and f"{lost} hidden" not in look()

    def test_of_a_spot_value_nothing_was_lost(self, low, look, now):
        with time_machine.travel(now + timedelta(seconds=31)):
            assert "not measured again since" in look() and "signal lost" not in look()
            assert "sign spo2 critical spot" in look()

    def test_of_a_monitor_the_signal_was(self, ada, noor, gateway, look, now):
        gateway.post(series(ada, now - timedelta(seconds=300), [{"spo2": 84}] * 61, every=5))
        with time_machine.travel(now + timedelta(seconds=31)):
            assert "signal lost, its value is old" in look() and "not measured again" not in look()
            assert " spot" not in look()

    def test_escalated_says_which_step(self, low, noor, look, now):
        assert "told: step" not in look()
        for minutes in (0, 6):
            escalation.advance(now=timezone.now() + timedelta(minutes=minutes))

        assert "told: step 2" in look()
        alerts.acknowledge(open_alert(low.patient), by=noor, at=now)
        assert "told: step" not in look()

    def test_marked_as_noise_says_by_whom_and_why(self, low, dora, look, now):
        alerts.mark_as_noise(low, by=dora, at=now, why="artefact")

        assert "not actionable, says Dora: artefact" in look()

    def test_resolved_and_back_says_so_until_it_is_taken(self, low, ada, noor, gateway, look, now):
        alerts.resolve(low, by=noor, at=now)
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=83)])
        assert f"resolved by Noor at {now:%H:%M}, but it is still there" in look()

        alerts.acknowledge(open_alert(ada), by=noor, at=now)

        assert "resolved by Noor" not in look()

    def test_back_in_the_queue_says_why(self, low, noor, look):
        at = timezone.now()
        alerts.acknowledge(low, by=noor, at=at)
        escalation.advance(now=at + timedelta(minutes=31))

        assert "back in the queue: not solved 30 min after it was taken" in look()

    def test_a_technical_one_is_never_drawn_as_a_patients(self, ada, gateway, look, now):
        gateway.post([item(ada, now, heart_rate=70, status={"device": "fault"})])

        assert 'class="alert warning raised technical"' in look()
        assert "GW-NORTH: device fault" in look() and 'class="severity warning technical"' in look()

    def test_one_of_a_device_stands_above_the_tiles_and_in_the_rail(self, gateway, look, now):
        technical.tell(
            gateway.device, technical.Finding(technical.CLOCK_SKEW, Severity.WARNING, "clock of M7 is 61 min behind"), now=now
        )

        above = look().split("<main")[0]
        assert "clock of M7 is 61 min behind" in above
        assert "clock of M7" in look("rail") and 'href="#ward-alerts"' in look("rail")

    def test_a_lost_link_is_a_banner(self, gateway, look, now):
        technical.tell(
            gateway.device, technical.Finding(technical.LINK_LOST, Severity.CRITICAL, "no data from any of 9 patients"), now=now
        )

        banner = look().split("lost-links")[1].split("</ul>")[0]
        assert "link-down" in banner and "no data from any of 9 patients" in banner

    def test_a_name_is_written_and_never_run(self, ada, gateway, look, now):
        gateway.post([item(ada, now, sensor_id="x<b>", status={"device": "fault"}), item(ada, now, spo2=80)])

        assert "<b>:" not in look("page")


class TestSeveral:
    def test_signs_beyond_together_are_one_line_with_their_members(self, ada, gateway, look, now):
        unscored(ada)
        gateway.post(series(ada, now - timedelta(seconds=40), [{"spo2": 82, "heart_rate": 150}] * 40))

        tile = look()
        assert "2 signs at once: HR 150 · SpO₂ 82" in tile
        assert tile.count('class="acknowledge"') == 1
        assert "HR 150 &gt; 140 /min" in tile.split('class="members"')[1]
        assert "2 signs at once: HR 150 &gt; 140 /min · SpO₂ 82 &lt; 85 %" in look("rail")

    def test_a_member_that_got_worse_stands_alone_again(self, ada, noor, gateway, north, now):
        unscored(ada)
        gateway.post(series(ada, now - timedelta(seconds=40), [{"spo2": 88, "heart_rate": 150}] * 40))
        alerts.acknowledge(Alert.objects.get(condition="multiple_signs"), by=noor, at=now)
        gateway.post(series(ada, now + timedelta(seconds=1), [{"spo2": 70, "heart_rate": 150}]))

        shown = board.read(north.pk, now=now).tiles[0].alerts.shown
        assert [(each.alert.condition, each.look, len(each.members)) for each in shown] == [
            ("multiple_signs", "taken", 1),
            ("spo2_low", "raised", 0),
        ]

    def test_a_flood_is_folded_and_counted(self, ada, gateway, north, look, now):
        gateway.post([*one_after_the_other(ada, now), item(ada, now, status={"device": "fault"})])

        drawn = board.read(north.pk, now=now)
        stack, total = drawn.tiles[0].alerts, Alert.objects.open().count()
        assert len(stack.shown) == 3 and stack.count == total - 3 == len(stack.rest)
        assert f"+ {stack.count} more" in look()
        assert len(drawn.rail) == 1 and drawn.rail[0].stack.count == total - 1
        assert sum(drawn.counts.values()) == total
        assert all(str(alert.pk) in look() for alert in Alert.objects.open())

    def test_the_fold_flashes_while_nobody_has_what_is_in_it(self, ada, noor, gateway, north, now):
        gateway.post(one_after_the_other(ada, now))
        stack = board.read(north.pk, now=now).tiles[0].alerts
        assert stack.classes == "critical raised"

        for notice in stack.rest:
            alerts.acknowledge(notice.alert, by=noor, at=now)

        stack = board.read(north.pk, now=now).tiles[0].alerts
        assert (stack.classes, stack.tally.split("; ")[1]) == ("critical taken", "all taken")


class TestScore:
    @pytest.mark.parametrize(
        ("values", "text", "tone"),
        [
            ({**FULL, "on_oxygen": True}, "7", "high"),
            ({**FULL, "on_oxygen": False}, "5", "medium"),
            ({**FULL, "spo2": 98, "on_oxygen": False}, "3", "low-medium"),
            ({**FULL, "respiratory_rate": 15, "spo2": 95, "on_oxygen": False}, "1", "low"),
            (FULL, "≥ 5", "medium"),
            ({"spo2": 95}, "≥ 1", "incomplete"),
        ],
    )
    def test_it_stands_on_the_tile_in_the_colour_of_its_band(self, ada, gateway, look, now, values, text, tone):
        gateway.post([item(ada, now, **values)])

        assert f'class="news {tone}"' in look()
        assert f"NEWS2 <b>{text}</b>" in look()

    def test_its_panel_has_the_parts_with_values_ages_band_and_response(self, ada, gateway, look, now):
        gateway.post([item(ada, now, **FULL, on_oxygen=True)])

        panel = look().split('class="panel"')[1].split("</details>")[0]
        assert "<b>high</b>: Emergency assessment" in panel
        assert '<th>RR</th> <td>25</td> <td>3</td> <td> <span class="since" data-since="' in panel
        assert "<td>oxygen</td> <td>2</td>" in panel and "<td>alert</td> <td>0</td>" in panel
        assert "Royal College of Physicians 2017" in panel

    def test_what_is_missing_or_too_old_is_said(self, ada, gateway, look, now):
        gateway.post([item(ada, now, **FULL)])
        assert "missing oxygen" in look()

        with time_machine.travel(now + timedelta(minutes=11)):
            panel = look().split('class="panel"')[1].split("</details>")[0]
        assert "<th>RR</th> <td>too old</td> <td>–</td>" in panel

    def test_it_knows_when_it_will_be_too_old(self, ada, gateway, look, now):
        gateway.post([item(ada, now, **FULL)])

        assert f'data-until="{(now + timedelta(minutes=10)).timestamp():.3f}"' in look()

    def test_scale_2_is_marked(self, ada, gateway, look, now):
        ada.spo2_scale = 2
        ada.save()
        gateway.post([item(ada, now, **FULL | {"spo2": 90}, on_oxygen=True)])

        assert "SpO₂ scale 2" in look() and "NEWS2 <b>5</b>" in look()

    @pytest.mark.parametrize(("field", "value", "why"), [("pregnant", True, "pregnancy"), ("birth_date", "child", "under 16")])
    def test_for_whom_it_was_not_made_it_says_so(self, ada, gateway, look, now, field, value, why):
        setattr(ada, field, date(now.year - 5, 1, 1) if value == "child" else value)
        ada.save()
        gateway.post([item(ada, now, **FULL)])

        assert f"no NEWS2: {why}" in look()
        assert "NEWS2 <b>" not in look()

    def test_its_alert_says_what_it_is_made_of(self, ada, gateway, look, now):
        for second in range(0, 40, 5):
            with time_machine.travel(now + timedelta(seconds=second)):
                gateway.post([item(ada, now + timedelta(seconds=second), **FULL, on_oxygen=True)])

        assert "NEWS2 7: RR 25 (3), SpO₂ 93 (2), oxygen (2)" in look()


class TestLimits:
    def test_a_switched_off_side_is_a_crossed_bell_in_words(self, ada, dora, look, now):
        off = Override(40, 50, None, None, reason="paced")
        thresholds.put(Scope(patient=ada), (Sign.HEART_RATE, Part.ALWAYS), off, by=dora, at=now)

        assert 'aria-label="Alarm switched off: HR warning high, critical high"' in look()

    def test_without_a_birth_date_it_says_whose_limits_they_are(self, ada, look):
        assert "adult limits (no birth date)" in look()
        ada.birth_date = date(1950, 1, 1)
        ada.save()
        assert "adult limits" not in look()

    def test_a_birth_date_that_cannot_be_right_is_to_be_checked(self, ada, look):
        type(ada).objects.filter(pk=ada.pk).update(birth_date=date(196, 5, 1))

        assert "adult limits (check the birth date)" in look()

    def test_limits_of_another_ward_are_to_be_confirmed(self, ada, dora, south, north, look, now):
        own = Override(40, 50, 110, 130)
        thresholds.put(Scope(patient=ada), (Sign.HEART_RATE, Part.ALWAYS), own, by=dora, at=now)
        stay = ada.admissions.get()
        admissions.transfer(stay, bed=south.beds.get(position=2), by=None, at=now)

        marks = board.read(south.pk, now=now).tiles[1].marks
        assert "limits to confirm: heart rate set in North" in marks

    def test_a_value_beyond_that_waits_for_its_delay_is_coloured_though_nobody_is_called(self, ada, gateway, look, now):
        gateway.post(series(ada, now - timedelta(seconds=200), [{"heart_rate": 70}] * 40, every=5))
        gateway.post([item(ada, now, heart_rate=150)])

        assert "sign heart_rate critical quiet" in look()
        assert "confirming" in look()
        assert not Alert.objects.open().exists()

    def test_one_that_hovers_inside_while_its_delay_runs_is_not_called_confirming(self, ada, dora, gateway, look, now):
        gateway.post(series(ada, now - timedelta(seconds=200), [{"spo2": 97}] * 39, every=5))
        limits = Override(85, 85, reason="no warning apart")
        thresholds.change(Scope(patient=ada), {(Sign.SPO2, Part.ALWAYS): limits}, by=dora, at=now)
        gateway.post(series(ada, now - timedelta(seconds=5), [{"spo2": 84}, {"spo2": 86}], every=5))

        assert "confirming" not in look()


def test_one_bed_or_twenty_four_take_the_same_number_of_queries(noor, north, ada, ben, gateway, now):
    client = signed_in(noor)
    gateway.post([item(ada, now, **FULL | {"spo2": 70})])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/wards/north/")
        return len(captured)

    queries()  # the first look also notes which board this browser shows
    first = queries()
    for place in range(10, 30):
        bed = north.beds.create(name=f"X{place}", position=place)
        patient = type(ada).objects.create(patient_id=f"P-{place}", name=f"Nr {place}")
        admissions.admit(patient, bed=bed, by=None, at=now - timedelta(days=1))
        gateway.post([item(patient, now, **FULL | {"spo2": 70, "heart_rate": 150, "body_temp": 41})])
    other = Device.objects.create(name="M9")
    other.wards.add(north)
    technical.tell(other, technical.Finding(technical.CLOCK_SKEW, Severity.WARNING, "clock of M9 is 61 min behind"), now=now)

    assert queries() == first
    with CaptureQueriesContext(connection) as captured:
        board.read(north.pk, now=now)
    assert len(captured) == 8


class TestSingleThree:
    """In the score; it calls nobody apart when its sign has an alert."""

    def test_it_is_noted_on_the_alert_of_its_sign_alone(self, ada, gateway, look, now):
        gateway.post([item(ada, now - timedelta(minutes=1), respiratory_rate=36)])
        gateway.post([item(ada, now, sensor_id="cuff", diastolic_bp=125)])

        assert not Alert.objects.filter(kind="score").exists()
        alerts = re.findall(r'<li id="alert-.*?</li>', look())
        assert {"DBP" in each: "NEWS2: RR 36 (3)" in each for each in alerts} == {True: False, False: True}

    def test_what_has_returned_is_not_noted(self, ada, gateway, look, now):
        gateway.post([item(ada, now - timedelta(seconds=60), respiratory_rate=36)])
        gateway.post([item(ada, now - timedelta(seconds=30), respiratory_rate=16), item(ada, now, spo2=91)])

        assert Alert.objects.get(condition="respiratory_rate_high").returned_at
        assert "NEWS2: RR" not in look()
