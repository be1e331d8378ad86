"""What the page tells its sound: every open alert that has one, once, with what keeps it quiet."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from monitoring import board
from monitoring.clinical.limits import Severity
from monitoring.models import Alert
from monitoring.services import alerts, technical
from tests.conftest import signed_in
from tests.world import item, one_after_the_other, open_alert, series, unscored


@pytest.fixture
def sounds(noor):
    """The list as Noor's page has it: of each alert its sound and its state, and whether it is silenced."""

    def listed():
        page = signed_in(noor).get("/wards/north/").content.decode()
        (drawn,) = re.findall(r'<ul id="sounds" hidden>(.*?)</ul>', page, re.S)
        rows = re.findall(r'id="sound-([^"]+)"\s+data-sound="(\w+)"\s+data-state="(\w+)"\s+(data-ends)?', drawn)
        assert len(rows) == drawn.count("<li")
        return {key: (sound, state, bool(ends)) for key, sound, state, ends in rows}

    return listed


def test_a_quiet_ward_lists_nothing(ada, sounds):
    assert sounds() == {}


@pytest.mark.parametrize(("spo2", "sound"), [(84, "critical"), (88, "warning")])
def test_an_alert_sounds_by_its_severity(ada, gateway, sounds, now, spo2, sound):
    gateway.post([item(ada, now, spo2=spo2)])

    assert sounds() == {f"{open_alert(ada).pk}": (sound, "raised", False)}


def test_one_that_is_taken_stays_listed_as_taken(ada, gateway, noor, sounds, now):
    gateway.post([item(ada, now, spo2=84)])
    alerts.acknowledge(open_alert(ada), by=noor, at=now)

    assert sounds() == {f"{open_alert(ada).pk}": ("critical", "taken", False)}


def test_one_that_waits_for_a_hand_goes_on(ada, gateway, sounds, now):
    gateway.post([item(ada, now, spo2=84), item(ada, now + timedelta(seconds=1), spo2=97)])

    assert sounds() == {f"{open_alert(ada).pk}": ("critical", "returned", False)}


def test_a_silence_says_when_it_ends(ada, gateway, noor, sounds, now):
    gateway.post([item(ada, now, spo2=84)])
    alert = open_alert(ada)
    alerts.silence(alert, minutes=5, by=noor, at=now)

    assert sounds() == {f"{alert.pk}": ("critical", "raised", True)}
    Alert.objects.update(silenced_until=now - timedelta(seconds=1))
    assert sounds() == {f"{alert.pk}": ("critical", "raised", False)}


def test_what_the_rail_bundles_or_folds_sounds_too(ada, gateway, sounds, now):
    unscored(ada)
    gateway.post(series(ada, now - timedelta(seconds=40), [{"spo2": 82, "heart_rate": 150}] * 40))
    gateway.post(one_after_the_other(ada, now))

    assert set(sounds()) == {f"{pk}" for pk in Alert.objects.open().values_list("pk", flat=True)}
    assert len(sounds()) > 4


@pytest.mark.parametrize(("severity", "sound"), [("critical", "warning"), ("warning", "technical"), ("info", None)])
def test_what_is_technical_sounds_less(gateway, sounds, now, severity, sound):
    technical.tell(gateway.device, technical.Finding("device_fault", Severity(severity), "fault"), now=now)

    assert sounds() == ({f"{Alert.objects.get().pk}": (sound, "raised", False)} if sound else {})


def test_the_list_comes_with_the_rail(ada, ben, north, gateway, now):
    """Whichever bed is drawn anew: the sound is of the whole ward."""
    gateway.post([item(ada, now, spo2=84)])

    _, fragments = board.draw(north.pk, [ben.admissions.get().placements.get().bed_id], now=now)

    assert f'id="sound-{open_alert(ada).pk}"' in fragments["rail"]
