"""The event stream: what it tells of alerts and vitals, to whom, and how one comes back to it."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry
from monitoring import realtime
from monitoring.api.representations import alerts as alert_form
from monitoring.models import Alert, AlertEvent, Vital
from monitoring.services import alerts, corrections, history
from monitoring.stream import reading, socket
from tests.live.streams import heard_by
from tests.live.test_sockets import post
from tests.world import item, open_alert, unscored

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def _sql(deed: Any, *args: Any, **kwargs: Any) -> Any:
    return database_sync_to_async(deed)(*args, **kwargs)


@pytest.fixture(autouse=True)
def _scores_of_nobody(ada):
    unscored(ada)


async def test_first_who_one_is_then_the_present_state_then_what_happens(noor, ada, gateway, now):
    await post(gateway, item(ada, now, spo2=84))
    async with await heard_by(noor) as stream:
        hello = await stream.next()
        assert (hello["type"], hello["data"]) == ("connect", {"wards": ["north"], "subscribed": None})

        present = await stream.begin()
        assert (present["ward"], present["data"]["more"]) == ("north", False)
        assert [alert["condition"] for alert in present["data"]["alerts"]] == ["spo2_low"]
        assert present["id"]

        await post(gateway, item(ada, spo2=97))
        assert await stream.alert() == ("ALERT_UPDATED", "returned")


async def test_who_says_nothing_gets_the_present_state_all_the_same(noor, north, monkeypatch):
    monkeypatch.setattr(socket, "WAIT", 0.1)
    async with await heard_by(noor) as stream:
        present = await stream.next("present")

    assert present["data"]["alerts"] == []


async def test_who_asks_while_the_database_is_slow_does_not_get_it_unasked(noor, ada, gateway, now, monkeypatch):
    async with await heard_by(noor) as stream:
        await stream.begin()
    await post(gateway, item(ada, now, spo2=84))
    monkeypatch.setattr(socket, "WAIT", 0.05)
    believe, asked = reading.believe, threading.Event()

    def slowly(*told: Any) -> Any:
        asked.wait(0.5)  # seconds: longer than nobody is waited for
        return believe(*told)

    monkeypatch.setattr(reading, "believe", slowly)
    async with await heard_by(noor) as again:
        await again.say(type="resume", after=stream.last)

        assert (await again.next("ALERT_NEW", "present"))["type"] == "ALERT_NEW"
        await again.next("present")
        assert await again.silent()


async def test_an_event_is_the_alert_as_it_is_now_with_what_happened(noor, ada, gateway, now):
    async with await heard_by(noor) as stream:
        await stream.begin()

        await post(gateway, item(ada, now, spo2=84))

        frame = await stream.next("ALERT_NEW")
    alert = await _sql(open_alert, ada)
    (form,) = await _sql(alert_form.read, [alert])
    told = frame["data"]
    assert told.pop("event") == {"what": "raised", "at": _text(alert.raised_at), "by": None, "note": ""}
    assert told == json.loads(json.dumps(form, default=_text))
    assert (frame["ward"], frame["patient_id"], frame["timestamp"]) == ("north", "P-ADA", _text(alert.raised_at))


def _text(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z")


async def test_every_kind_of_event_has_its_type(noor, dora, ada, gateway, now):
    async with await heard_by(noor) as stream:
        await stream.begin()
        await post(gateway, item(ada, now, spo2=84))
        alert = await _sql(open_alert, ada)
        assert await stream.alert() == ("ALERT_NEW", "raised")
        await _sql(_escalate, alert)
        assert await stream.alert() == ("ALERT_ESCALATED", "escalated")
        await _sql(alerts.silence, alert, minutes=2, by=noor, at=timezone.now())
        assert await stream.alert() == ("ALERT_UPDATED", "silenced")
        await _sql(alerts.acknowledge, alert, by=noor, at=timezone.now())
        assert await stream.alert() == ("ALERT_ACK", "acknowledged")
        await _sql(alerts.mark_as_noise, alert, by=noor, at=timezone.now(), why="a test")
        assert await stream.alert() == ("ALERT_UPDATED", "noise")
        await _sql(alerts.resolve, alert, by=dora, at=timezone.now(), note="done")

        frame = await stream.next("ALERT_RESOLVED")
    assert frame["data"]["event"]["what"] == "resolved"
    assert (frame["data"]["event"]["by"], frame["data"]["event"]["note"]) == ("Dora", "done")


def _escalate(alert: Alert) -> None:
    with transaction.atomic():
        history.tell([alert], AlertEvent.What.ESCALATED, by=None, at=timezone.now())


async def test_vitals_come_as_they_are_stored_and_late_ones_too(noor, ada, ben, gateway, now):
    async with await heard_by(noor) as stream:
        await stream.begin()

        await post(gateway, item(ada, now, heart_rate=77))
        one = await stream.next("VITAL_NEW")
        assert (one["id"], one["ward"], one["patient_id"]) == (None, "north", "P-ADA")
        assert (one["data"]["heart_rate"], one["data"]["late"]) == (77, False)

        await post(gateway, item(ada, now - 20 * MINUTE, heart_rate=66), item(ben, now - 20 * MINUTE, heart_rate=61))
        many = await stream.next("VITAL_NEW")
    assert many["patient_id"] is None
    assert {(vital["patient_id"], vital["heart_rate"], vital["late"]) for vital in many["data"]["vitals"]} == {
        ("P-ADA", 66, True),
        ("P-BEN", 61, True),
    }


async def test_a_correction_is_told_and_that_a_vital_was_entered_in_error(noor, dora, ada, gateway, now):
    async with await heard_by(noor) as stream:
        await stream.begin()
        await post(gateway, item(ada, now, heart_rate=77))
        await stream.next("VITAL_NEW")
        vital = await _sql(Vital.objects.get)
        told = {"reason": "wrong bed", "by": dora, "at": now}

        await _sql(corrections.correct, vital, {"heart_rate": 78.0}, version_seen=1, **told)
        corrected = await stream.next("VITAL_NEW")
        await _sql(corrections.mark_in_error, vital, version_seen=2, **told)
        marked = await stream.next("VITAL_NEW")

    assert (corrected["data"]["heart_rate"], corrected["data"]["version"]) == (78, 2)
    assert "entered_in_error" not in corrected["data"]
    assert (marked["data"]["id"], marked["data"]["entered_in_error"]) == (corrected["data"]["id"], True)


async def test_a_message_names_vitals_and_never_says_them(noor, ada, gateway, now, monkeypatch):
    said: list[dict] = []
    send = realtime.get_channel_layer().group_send

    async def overheard(group: str, message: dict) -> None:
        said.append(message)
        await send(group, message)

    monkeypatch.setattr(realtime.get_channel_layer(), "group_send", overheard)
    async with await heard_by(noor) as stream:
        await stream.begin()
        await post(gateway, item(ada, now, spo2=84, heart_rate=77))
        await stream.next("VITAL_NEW")

    (message,) = said  # one publish, as before there was a stream
    assert set(message) == {"type", "ward", "beds", "number", "vitals"}
    assert "P-ADA" not in str(message) and "77" not in message["vitals"].split('"')[0]


async def test_of_a_flood_it_is_said_how_many_vitals_were_not_told(noor, ada, gateway, now, monkeypatch):
    monkeypatch.setattr(realtime, "MOST_VITALS", 3)
    async with await heard_by(noor) as stream:
        await stream.begin()
        await post(gateway, *[item(ada, now - place * SECOND, heart_rate=60 + place) for place in range(5)])

        frame = await stream.next("VITAL_NEW")
    assert (len(frame["data"]["vitals"]), frame["data"]["untold"]) == (3, 2)


class TestSubscribing:
    async def test_only_what_was_asked_for(self, root, ada, cid, gateway, south, now):
        await _sql(gateway.device.wards.add, south)
        async with await heard_by(root) as stream:
            await stream.say(type="subscribe", wards=["south"])
            await stream.next("connect")
            told = await stream.next("connect")
            assert told["data"] == {"wards": ["north", "south"], "subscribed": {"wards": ["south"], "patients": []}}
            await stream.say(type="resume")
            await stream.next("present")

            await post(gateway, item(ada, now, spo2=84), item(cid, now, spo2=83))

            assert (await stream.next("ALERT_NEW"))["patient_id"] == "P-CID"
            assert (await stream.next("VITAL_NEW"))["patient_id"] == "P-CID"

    async def test_one_patient(self, noor, ada, ben, gateway, now):
        async with await heard_by(noor) as stream:
            await stream.say(type="subscribe", patients=["P-BEN"])
            await stream.begin()

            await post(gateway, item(ada, now, spo2=84), item(ben, now, heart_rate=180))

            assert (await stream.next("ALERT_NEW"))["patient_id"] == "P-BEN"
            assert (await stream.next("VITAL_NEW"))["data"]["heart_rate"] == 180

    async def test_unsubscribing_leaves_the_others(self, root, ada, cid, north, south):
        async with await heard_by(root) as stream:
            await stream.next("connect")
            await stream.say(type="unsubscribe", wards=["south"])
            assert (await stream.next("connect"))["data"]["subscribed"] == {"wards": ["north"], "patients": []}
            await stream.say(type="unsubscribe", wards=["north"])
            assert (await stream.next("connect"))["data"]["subscribed"] == {"wards": [], "patients": []}

    @pytest.mark.parametrize("asked", [{"wards": ["south"]}, {"patients": ["P-CID"]}, {"wards": ["north", "west"]}])
    async def test_what_is_another_wards_is_not_found_and_nothing_changes(self, noor, ada, cid, asked):
        async with await heard_by(noor) as stream:
            await stream.next("connect")
            await stream.say(type="subscribe", **asked)

            error = await stream.next()
            assert (error["type"], error["data"]["code"]) == ("error", "not_found")
            assert (await stream.begin())["ward"] == "north"

    async def test_what_one_did_not_ask_for_is_behind_for_good(self, root, ada, cid, gateway, south, now):
        """The cursor moves on in every ward, so that a replay is no longer than what was asked for."""
        await _sql(gateway.device.wards.add, south)
        async with await heard_by(root) as stream:
            await stream.begin()
        await post(gateway, item(ada, now, spo2=84), item(cid, now, spo2=83))

        async with await heard_by(root) as again:
            await again.say(type="subscribe", wards=["south"])
            await again.say(type="resume", after=stream.last)
            assert (await again.next("ALERT_NEW"))["patient_id"] == "P-CID"
            await again.next("present")
            assert await again.silent()


RUBBISH = [
    "{",
    "[]",
    "null",
    "{}",
    "\0",
    '{"type": "sing"}',
    '{"type": 7}',
    '{"type": "ping", "x": 1}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "wards": "north"}',
    '{"type": "subscribe", "wards": ["\\ud800"]}',
    '{"type": "subscribe", "patients": [null]}',
    '{"type": "resume", "after": 7}',
    "[" * 20_000,
    b"\x00\xff",
]


class TestRubbish:
    async def test_it_is_answered_and_the_socket_stays(self, noor, north):
        async with await heard_by(noor) as stream:
            await stream.next("connect")
            for text in RUBBISH:
                assert await stream.answer(text) == ("error", "bad_frame"), text
            assert await stream.answer('{"type": "ping"}') == ("pong", "")

    async def test_what_is_too_large_too(self, noor, north):
        async with await heard_by(noor) as stream:
            await stream.next("connect")
            assert await stream.answer('{"type": "ping"}' + " " * 40_000) == ("error", "too_large")

    async def test_a_flood_is_answered_once_and_then_closed(self, noor, north):
        async with await heard_by(noor) as stream:
            for _ in range(2_000):  # so many that also a slow server is flooded
                await stream.say(type="ping")

            assert await stream.closed_with() == 1013

    async def test_a_cursor_that_is_none_is_said_to_be_so_and_one_begins_anew(self, noor, north):
        cursors = ["x", "e30=", "é", "A" * 20_000, "W10"]
        cursors += ["bnVsbA", "eyIxIjpbMSwyXX0", "eyIxIjpbLTEsMl19", "eyIxIjpbMWUzMDAsMl19"]
        async with await heard_by(noor) as stream:
            for cursor in cursors:
                await stream.say(type="resume", after=cursor)
            errors = [(await stream.next("error"))["data"] for _ in cursors]
            await stream.next("present")

        assert {(error["code"], error["address"]) for error in errors} == {("bad_cursor", "/api/v1/alerts?state=all")}

    async def test_a_parameter_that_nobody_knows_is_told_and_the_socket_stays(self, noor, north):
        async with await heard_by(noor, "afer=x&ward=north") as stream:
            assert (await stream.next())["type"] == "connect"
            told = (await stream.next("error"))["data"]
            await stream.begin()

        assert (told["code"], told["detail"]) == ("unknown_field", "There is no such parameter: afer, ward")

    async def test_a_cursor_of_another_ward_or_from_the_future(self, noor, eve, ada, cid, gateway, south, now):
        await _sql(gateway.device.wards.add, south)
        async with await heard_by(eve) as other:
            await other.begin()
            await post(gateway, item(cid, now, spo2=84))
            await other.alert()

        async with await heard_by(noor) as stream:
            await stream.say(type="resume", after=other.last)
            assert (await stream.next("error"))["data"]["code"] == "bad_cursor"
            await stream.begin()
            await post(gateway, item(ada, now, spo2=84))
            await stream.alert()
        await _sql(lambda: [alert.events.all().delete() for alert in Alert.objects.filter(patient=ada)])
        async with await heard_by(noor, f"after={stream.last}") as again:
            assert (await again.next("error"))["data"]["code"] == "bad_cursor"


async def test_to_open_it_is_a_look(noor, ada, now):
    async with await heard_by(noor) as stream:
        await stream.say(type="subscribe", patients=["P-ADA"])
        await stream.begin()

    await _sql(audit.flush)
    seen = await _sql(lambda: list(AuditEntry.objects.filter(what="saw").values_list("about", "patient", "ward__slug")))
    assert seen == [("page:stream", "", "north"), ("page:stream", "P-ADA", None)]


async def test_too_many_are_asked_to_come_again(noor, north, monkeypatch):
    monkeypatch.setattr("monitoring.stream.socket.MOST_HEARERS", 1)
    async with await heard_by(noor) as first:
        await first.begin()
        async with await heard_by(noor) as second:
            assert await second.closed_with() == 1013


async def test_one_client_does_not_take_every_place(noor, vera, north, monkeypatch):
    monkeypatch.setattr("monitoring.stream.socket.MOST_OF_ONE", 1)
    async with await heard_by(noor) as first:
        await first.begin()
        async with await heard_by(noor) as second, await heard_by(vera) as other:
            assert await second.closed_with() == 1013
            await other.begin()
    async with await heard_by(noor) as again:
        await again.begin()


async def test_another_wards_events_are_nobodys_here(eve, ada, south, gateway, now):
    async with await heard_by(eve) as stream:
        await stream.begin()

        await post(gateway, item(ada, now, spo2=84))

        assert await stream.silent()
