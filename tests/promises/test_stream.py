"""What was promised of the live socket, as the systems before MedQL had it or should have had it."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async

from tests.conftest import signed_in
from tests.live.streams import heard_by
from tests.live.test_sockets import post
from tests.world import item, open_alert, unscored

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a1_26_new_vitals_and_alerts_to_all_connected_screens(noor, vera, ada, gateway, now):
    await database_sync_to_async(unscored)(ada)
    async with await heard_by(noor) as one, await heard_by(vera) as other:
        await one.begin()
        await other.begin()

        await post(gateway, item(ada, now, spo2=84))

        for screen in (one, other):
            frames = {frame["type"]: frame for frame in [await screen.next("VITAL_NEW", "ALERT_NEW") for _ in range(2)]}
            vital, alert = frames["VITAL_NEW"]["data"], frames["ALERT_NEW"]["data"]
            assert (vital["patient_id"], vital["spo2"], bool(vital["timestamp"])) == ("P-ADA", 84, True)
            assert (alert["patient_id"], alert["severity"], alert["message"]) == ("P-ADA", "critical", "SpO₂ 84 < 85 %")
            assert alert["alert_id"]


async def test_a1_26_subscribe_and_unsubscribe_by_patient_and_ping(noor, ada, ben, gateway, now):
    async with await heard_by(noor) as screen:
        await screen.begin()
        await screen.say(type="subscribe", patients=["P-ADA", "P-BEN"])
        await screen.say(type="unsubscribe", patients=["P-ADA"])
        while (await screen.next("connect"))["data"]["subscribed"] != {"wards": [], "patients": ["P-BEN"]}:
            pass
        await screen.next("present")

        await post(gateway, item(ada, now, heart_rate=70), item(ben, now, heart_rate=71))

        assert (await screen.next("VITAL_NEW"))["patient_id"] == "P-BEN"
        await screen.say(type="ping")
        assert (await screen.next())["type"] == "pong"


async def test_a1_26_who_acknowledges_is_told_to_every_screen(noor, vera, ada, gateway, now):
    await post(gateway, item(ada, now, spo2=84))
    async with await heard_by(vera) as screen:
        await screen.begin()
        alert = await database_sync_to_async(open_alert)(ada)

        browser = await database_sync_to_async(signed_in)(noor)
        answer = await database_sync_to_async(browser.post)(f"/api/v1/alerts/{alert.pk}/acknowledge", {}, "application/json")
        assert answer.status_code == 200

        told = (await screen.next("ALERT_ACK"))["data"]
        assert (told["alert_id"], told["state"], told["acknowledged_by"]) == (str(alert.pk), "acknowledged", "Noor")
