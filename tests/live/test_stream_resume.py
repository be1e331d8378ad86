"""Coming back to the event stream: what was missed, once and in order; and alerts that go to another ward."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from accounts.models import Membership
from monitoring import realtime
from monitoring.services import admissions, alerts
from monitoring.stream import cursors, listener, reading, socket
from tests.live import streams
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


class TestResume:
    async def test_what_was_missed_is_told_in_order_and_once(self, noor, ada, gateway, now):
        async with await heard_by(noor) as stream:
            await stream.begin()
            await post(gateway, item(ada, now, spo2=84))
            await stream.alert()
        await post(gateway, item(ada, spo2=97))
        alert = await _sql(open_alert, ada)
        await _sql(alerts.acknowledge, alert, by=noor, at=timezone.now())

        async with await heard_by(noor, f"after={stream.last}") as again:
            assert await again.alert() == ("ALERT_UPDATED", "returned")
            assert await again.alert() == ("ALERT_ACK", "acknowledged")
            assert await again.alert() == ("ALERT_RESOLVED", "resolved")
            assert (await again.next("present"))["data"]["alerts"] == []
            assert await again.silent()

    async def test_by_a_frame_too(self, noor, ada, gateway, now):
        async with await heard_by(noor) as stream:
            await stream.begin()
        await post(gateway, item(ada, now, spo2=84))

        async with await heard_by(noor) as again:
            await again.say(type="resume", after=stream.last)
            assert await again.alert() == ("ALERT_NEW", "raised")

    async def test_whatever_else_is_asked_meanwhile_loses_nothing(self, noor, ada, gateway, now):
        async with await heard_by(noor) as stream:
            await stream.begin()
        await post(gateway, item(ada, now, spo2=84))

        async with await heard_by(noor) as again:
            await again.say(type="resume", after=stream.last)
            for _ in range(5):
                await again.say(type="subscribe", wards=["north"])
            assert await again.alert() == ("ALERT_NEW", "raised")
            await again.next("present")
            await post(gateway, item(ada, spo2=97))
            assert await again.alert() == ("ALERT_UPDATED", "returned")

    @pytest.mark.parametrize("missed", [3, 4])
    async def test_up_to_the_bound_and_beyond_it_a_gap(self, noor, ada, gateway, now, monkeypatch, missed):
        monkeypatch.setattr(listener, "MOST_MISSED", 3)
        async with await heard_by(noor) as stream:
            await stream.begin()
        await post(gateway, item(ada, now, spo2=84))
        alert = await _sql(open_alert, ada)
        for minutes in range(1, missed):
            await _sql(alerts.silence, alert, minutes=minutes, by=noor, at=timezone.now())

        async with await heard_by(noor, f"after={stream.last}") as again:
            types = [(await again.next("ALERT_NEW", "ALERT_UPDATED", "gap", "present"))["type"] for _ in range(2)]
            if missed == 3:
                assert types == ["ALERT_NEW", "ALERT_UPDATED"]
                return
            assert types == ["gap", "present"]
            assert again.last
            await post(gateway, item(ada, spo2=97))
            assert await again.alert() == ("ALERT_UPDATED", "returned")

    async def test_a_gap_says_where_to_read_on(self, noor, ada, gateway, now, monkeypatch):
        monkeypatch.setattr(listener, "MOST_MISSED", 0)
        async with await heard_by(noor) as stream:
            await stream.begin()
        await post(gateway, item(ada, now, spo2=84))

        async with await heard_by(noor, f"after={stream.last}") as again:
            gap = await again.next("gap")
        assert gap["data"] == {"more_than": 0, "wards": ["north"], "address": "/api/v1/alerts?state=all&ward=north"}

    async def test_a_lost_message_costs_seconds_and_no_event(self, noor, ada, gateway, now, monkeypatch):
        async def lost(*args: object) -> None:
            return None

        async with await heard_by(noor) as stream:
            await stream.begin()
            monkeypatch.setattr(realtime, "_send", lost)

            await post(gateway, item(ada, now, spo2=84))

            assert (await stream.next("ALERT_NEW"))["data"]["event"]["what"] == "raised"


class TestAGapOfTwoWards:
    """Root hears North and South, three events are replayed, and one of the wards has more to tell than that."""

    @pytest.fixture(autouse=True)
    async def _three(self, ada, cid, gateway, south, monkeypatch):
        monkeypatch.setattr(listener, "MOST_MISSED", 3)
        await _sql(unscored, cid)
        await _sql(gateway.device.wards.add, south)

    @pytest.fixture
    async def cursor(self, root, north, south):
        async with await heard_by(root) as stream:
            await stream.begin()
            await stream.next("present")
        return stream.last

    @pytest.mark.parametrize("loud", ["north", "south"])
    async def test_what_happened_in_the_other_is_told(self, root, ada, cid, gateway, now, cursor, loud):
        noisy, quiet = (ada, cid) if loud == "north" else (cid, ada)
        await _raised_and_resolved(quiet, gateway, by=root)
        await _raised_and_silenced(noisy, gateway, by=root, times=5)

        async with await heard_by(root, f"after={cursor}") as again:
            told = [await again.next(*streams.ALERTS, "gap", "present") for _ in range(5)]

            assert [(frame["type"], frame["patient_id"]) for frame in told[:2]] == [
                ("ALERT_NEW", quiet.patient_id),
                ("ALERT_RESOLVED", quiet.patient_id),
            ]
            address = f"/api/v1/alerts?state=all&ward={loud}"
            assert told[2]["data"] == {"more_than": 3, "wards": [loud], "address": address}
            assert [frame["type"] for frame in told[3:]] == ["present", "present"]
        async with await heard_by(root, f"after={again.last}") as third:
            assert (await third.next(*streams.ALERTS, "gap", "present"))["type"] == "present"

    async def test_both_are_named_where_neither_fits(self, root, ada, cid, gateway, now, cursor):
        for patient in (ada, cid):
            await _raised_and_silenced(patient, gateway, by=root, times=5)

        async with await heard_by(root, f"after={cursor}") as again:
            told = [await again.next(*streams.ALERTS, "gap", "present") for _ in range(3)]

        assert [frame["type"] for frame in told] == ["gap", "present", "present"]
        assert told[0]["data"] == {"more_than": 3, "wards": ["north", "south"], "address": "/api/v1/alerts?state=all"}

    async def test_who_is_cut_before_it_is_told_of_it_again(self, root, ada, cid, gateway, now, cursor):
        await _raised_and_resolved(cid, gateway, by=root)
        await _raised_and_silenced(ada, gateway, by=root, times=5)
        async with await heard_by(root, f"after={cursor}") as cut:
            assert await cut.alert() == ("ALERT_NEW", "raised")

        async with await heard_by(root, f"after={cut.last}") as again:
            assert await again.alert() == ("ALERT_RESOLVED", "resolved")
            assert (await again.next("gap", "present"))["data"]["wards"] == ["north"]

    async def test_of_patients_it_counts_and_names_only_theirs(self, root, ada, ben, cid, gateway, now, cursor):
        await _raised_and_silenced(ben, gateway, by=root, times=5)
        await _raised_and_resolved(cid, gateway, by=root)
        async with await heard_by(root) as again:
            await again.say(type="subscribe", patients=["P-ADA", "P-CID"])
            await again.say(type="resume", after=cursor)
            told = [await again.next(*streams.ALERTS, "gap", "present") for _ in range(3)]
        assert [frame["type"] for frame in told] == ["ALERT_NEW", "ALERT_RESOLVED", "present"]

        await _raised_and_silenced(ada, gateway, by=root, times=5)
        async with await heard_by(root) as again:
            await again.say(type="subscribe", patients=["P-ADA", "P-CID"])
            await again.say(type="resume", after=cursor)
            told = [await again.next(*streams.ALERTS, "gap", "present") for _ in range(3)]
        assert [frame["type"] for frame in told] == ["ALERT_NEW", "ALERT_RESOLVED", "gap"]
        assert told[2]["data"]["wards"] == ["north"]

    async def test_the_present_state_follows_one_that_comes_late_too(self, root, ada, gateway, now, cursor, monkeypatch):
        """While the present state is read, more happens in North than is replayed."""
        read, passed = reading.present, []

        def and_then_much_happens(wards, *, choice):
            there = read(wards, choice=choice)
            if not passed:
                passed.append(there)
                gateway.post([item(ada, now, spo2=84)])
                for minutes in range(1, 6):
                    alerts.silence(open_alert(ada), minutes=minutes, by=root, at=timezone.now())
            return there

        monkeypatch.setattr(reading, "present", and_then_much_happens)
        async with await heard_by(root, f"after={cursor}") as again:
            told = [await again.next("gap", "present") for _ in range(4)]

        assert [(frame["type"], frame["ward"]) for frame in told] == [
            ("present", "north"),
            ("present", "south"),
            ("gap", None),
            ("present", "north"),
        ]
        assert len(told[3]["data"]["alerts"]) == 1


async def _raised_and_resolved(patient: Any, gateway: Any, *, by: Any) -> None:
    await post(gateway, item(patient, spo2=84))
    await _sql(alerts.resolve, await _sql(open_alert, patient), by=by, at=timezone.now())


async def _raised_and_silenced(patient: Any, gateway: Any, *, by: Any, times: int) -> None:
    await post(gateway, item(patient, spo2=84))
    alert = await _sql(open_alert, patient)
    for minutes in range(1, times + 1):
        await _sql(alerts.silence, alert, minutes=minutes, by=by, at=timezone.now())


class TestAMove:
    async def test_who_sees_only_the_old_ward_learns_that_it_left_and_no_more(self, noor, eve, ada, gateway, south, now):
        await post(gateway, item(ada, now, spo2=84))
        async with await heard_by(noor) as old, await heard_by(eve) as new:
            assert len((await old.begin())["data"]["alerts"]) == 1
            await new.begin()

            await _sql(_to, south, ada)

            left = await old.next("ALERT_UPDATED")
            alert = await _sql(open_alert, ada)
            event = left["data"].pop("event")
            assert left["data"] == {"id": str(alert.pk), "alert_id": str(alert.pk), "patient_id": "P-ADA", "left": True}
            assert (left["ward"], event["what"]) == ("north", "left")
            assert await new.alert() == ("ALERT_UPDATED", "moved")

            await _sql(alerts.acknowledge, alert, by=eve, at=timezone.now())
            assert await new.alert() == ("ALERT_ACK", "acknowledged")
            assert await old.silent()

    async def test_who_sees_both_wards_is_never_told_last_that_it_left(self, root, ada, gateway, south, now, monkeypatch):
        await post(gateway, item(ada, now, spo2=84))
        whole = realtime._send

        async def the_old_ward_is_not_heard(beds, numbers, vitals):
            await whole({ward: ids for ward, ids in beds.items() if ward == south.pk}, numbers, vitals)

        monkeypatch.setattr(realtime, "_send", the_old_ward_is_not_heard)
        async with await heard_by(root) as stream:
            await stream.begin()

            await _sql(_to, south, ada)

            assert await stream.alert() == ("ALERT_UPDATED", "left")
            assert await stream.alert() == ("ALERT_UPDATED", "moved")

    async def test_nor_does_a_replay_say_what_became_of_it(self, noor, eve, ada, gateway, south, now):
        async with await heard_by(noor) as stream:
            await stream.begin()
        await post(gateway, item(ada, now, spo2=84))
        await _sql(_to, south, ada)
        await _sql(alerts.acknowledge, await _sql(open_alert, ada), by=eve, at=timezone.now())

        async with await heard_by(noor, f"after={stream.last}") as again:
            told = [await again.next("ALERT_NEW", "ALERT_UPDATED", "present") for _ in range(3)]
        assert [frame["type"] for frame in told] == ["ALERT_NEW", "ALERT_UPDATED", "present"]
        assert all(frame["data"].get("left") for frame in told[:2])
        assert told[2]["data"]["alerts"] == []


def _to(ward: Any, patient: Any) -> None:
    admissions.transfer(patient.admissions.get(), bed=ward.beds.get(position=3), by=None, at=timezone.now())


class TestALostWard:
    """Noor works in North and South, is cut off, and comes back when she works in North alone."""

    @pytest.fixture
    async def cursor(self, noor, ada, cid, gateway, south, now):
        await _sql(gateway.device.wards.add, south)
        work = await _sql(Membership.objects.create, user=noor, ward=south, role="nurse")
        async with await heard_by(noor) as stream:
            await stream.begin()
            await post(gateway, item(ada, now, spo2=84), item(cid, now, spo2=84))
            assert {(await stream.next("ALERT_NEW"))["ward"] for _ in range(2)} == {"north", "south"}
        await _sql(Membership.objects.filter(pk=work.pk).update, ends_at=timezone.now())
        await post(gateway, item(ada, spo2=97), item(cid, spo2=97))
        return stream.last

    async def test_it_is_named_and_the_others_go_on_without_a_gap(self, noor, cursor):
        async with await heard_by(noor, f"after={cursor}") as again:
            assert (await again.next("connect"))["data"]["wards"] == ["north"]
            refused = (await again.next("error"))["data"]
            told = [await again.next(*streams.ALERTS, "present") for _ in range(2)]
            assert await again.silent()

        assert (refused["code"], refused["wards"]) == ("bad_cursor", ["south"])
        assert [(frame["type"], frame["patient_id"]) for frame in told] == [("ALERT_UPDATED", "P-ADA"), ("present", None)]

    async def test_who_then_asks_for_the_rest_alone_loses_nothing(self, noor, cursor):
        async with await heard_by(noor) as again:
            await again.say(type="resume", after=cursor)
            await again.say(type="subscribe", wards=["north"])

            assert (await again.next("error"))["data"]["wards"] == ["south"]
            assert await again.alert() == ("ALERT_UPDATED", "returned")
            assert (await again.next("present"))["ward"] == "north"
            assert await again.silent()

    async def test_the_next_cursor_has_forgotten_it(self, noor, cursor):
        async with await heard_by(noor, f"after={cursor}") as again:
            await again.next("present")

        async with await heard_by(noor, f"after={again.last}") as third:
            frames = [(await third.next("error", *streams.ALERTS, "present"))["type"]]
        assert frames == ["present"]

    @pytest.mark.parametrize("slug", ["south", "nowhere"])
    @pytest.mark.parametrize("position", [(0, 0), (1, 1), (999, 999)])
    async def test_a_cursor_tells_of_no_ward_whether_it_is_there(self, noor, ada, cid, gateway, south, now, slug, position):
        await _sql(gateway.device.wards.add, south)
        await post(gateway, item(cid, now, spo2=84))

        async with await heard_by(noor, f"after={cursors.written({slug: position})}") as stream:
            frames = [await stream.next() for _ in range(3)]
            assert await stream.silent()

        assert [frame["type"] for frame in frames] == ["connect", "error", "present"]
        assert frames[1]["data"] == {
            "code": "bad_cursor",
            "detail": socket.NOT_REPLAYED,
            "wards": [slug],
            "address": listener.CATCH_UP,
        }

    async def test_a_position_that_never_was_is_believed_of_no_ward(self, noor, ada, cursor):
        forged = cursors.written(cursors.read(cursor) | {"north": (999, 999)})

        async with await heard_by(noor, f"after={forged}") as again:
            assert (await again.next("error"))["data"]["wards"] == ["north", "south"]
            assert (await again.next(*streams.ALERTS, "present"))["type"] == "present"
