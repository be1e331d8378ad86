"""The device door and its keys: what a key opens, what it costs, and what becomes of those that open nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import keys, rates
from accounts.models import AuditEntry, Device
from monitoring.models import RejectedVital, Vital
from tests.world import Monitor, item

WRONG = f"{'0' * 12}.{'A' * 43}"


def statements(deed) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        deed()
    return [one["sql"] for one in captured]


@pytest.fixture
def knock(client, now):
    """Somebody shows a key; all that is counted happens in one minute, unless a test travels itself."""

    def knock(key: str, address: str = "203.0.113.7", body: str = "[]"):
        shown = {"X-API-Key": key}
        return client.post("/api/v1/vitals", body, content_type="application/json", headers=shown, REMOTE_ADDR=address)

    with time_machine.travel(now.replace(second=20), tick=False):
        yield knock


class TestCost:
    def test_with_a_warm_memory_the_door_asks_nothing_of_keys(self, ada, gateway, now):
        cold = statements(lambda: gateway.post([item(ada, now, spo2=97)]))
        warm = statements(lambda: gateway.post([item(ada, now + timedelta(seconds=1), spo2=97)]))

        assert sum("accounts_devicekey" in sql for sql in cold) == 2  # asked for, and its use noted
        assert not any("accounts_devicekey" in sql for sql in warm)

    def test_nor_does_whether_it_may_come_in(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=97)])

        asked = statements(lambda: gateway.post("[]"))

        assert [sql for sql in asked if "INSERT INTO" not in sql] == []  # what it sent is kept, and that is all


class TestWhatAKeyOpens:
    @pytest.mark.parametrize("kind", ["kiosk", "pillbox"])
    def test_a_device_that_measures_nothing_sends_no_readings(self, ada, north, now, kind):
        device = Device.objects.create(name="WALL", kind=kind)
        device.wards.add(north)

        answer = Monitor(device, keys.issue(device)).post([item(ada, now, spo2=97)])

        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_kind")
        assert not Vital.objects.exists()

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/thresholds",
            "/api/v1/wards/north/thresholds",
            "/api/v1/patients/P-ADA/thresholds",
            "/wards/north/",
            "/admin/",
        ],
    )
    @pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
    def test_nothing_but_its_door(self, ada, gateway, path, method):
        answer = getattr(gateway.client, method)(path, headers={"X-API-Key": gateway.key})

        assert answer.status_code in (302, 401, 403, 404, 405)

    def test_it_signs_nobody_in(self, ada, gateway):
        gateway.post([item(ada, spo2=97)])

        assert gateway.client.get(reverse("notices-count")).status_code == 401


class TestKeysThatOpenNothing:
    @pytest.mark.parametrize(
        "key",
        [
            "x",
            ".",
            "a" * 12 + ".",
            WRONG + "\0",
            "\0" * 56,
            "0" * 12 + "\0." + "A" * 43,
            WRONG.replace("A", "Ä"),
            "٣" * 12 + "." + "A" * 43,
            "x" * 1_000_000,
            f"{'0' * 12}.{'A' * 1_000_000}",
            WRONG + "\n",
        ],
    )
    def test_what_cannot_be_a_key_is_401_and_asks_the_database_nothing(self, gateway, knock, key):
        knock("x")  # the first of an address is written down

        with CaptureQueriesContext(connection) as captured:
            answer = knock(key)

        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_key")
        assert answer["WWW-Authenticate"] == "X-API-Key"
        assert len(captured) == 0

    def test_a_wrong_key_leaves_nothing_but_a_line_in_the_trail(self, knock, gateway):
        knock(WRONG)

        entry = AuditEntry.objects.get(what="key_refused")
        assert (entry.by_kind, entry.address, entry.door) == ("nobody", "203.0.113.7", "api")
        assert entry.detail == {"why": "wrong_key"}
        assert not RejectedVital.objects.exists()

    def test_a_revoked_one_names_its_device(self, knock, gateway, now):
        keys.revoke(gateway.device, at=now, by=None)

        assert knock(gateway.key).status_code == 403
        assert AuditEntry.objects.get(what="key_refused").about == "device:GW-NORTH"

    def test_too_many_from_one_address_are_429_until_the_minute_is_over(self, knock, gateway, now):
        with time_machine.travel(now.replace(second=20, microsecond=0), tick=False) as clock:
            codes = [knock(WRONG).status_code for _ in range(31)]
            answer = knock(WRONG)
            clock.shift(40)
            later = knock(WRONG)

        assert codes == 30 * [401] + [429]
        assert (answer.json()["code"], answer["Retry-After"]) == ("too_many_wrong_keys", "40")
        assert later.status_code == 401

    def test_a_right_key_from_the_same_address_is_never_shut_out(self, knock, ada, gateway, now):
        for _ in range(40):
            knock(WRONG)

        assert knock(WRONG).status_code == 429
        assert knock(gateway.key, body='[{"patient_id": "P-ADA", "spo2": 97}]').status_code == 202

    def test_nor_is_another_address(self, knock, gateway):
        for _ in range(31):
            knock(WRONG)

        assert knock(WRONG, "203.0.113.8").status_code == 401

    def test_an_ipv6_host_has_one_network_to_try_from(self, knock, gateway):
        for place in range(30):
            knock(WRONG, f"2001:db8:1:2::{place:x}")

        assert knock(WRONG, "2001:db8:1:2:ffff::1").status_code == 429
        assert knock(WRONG, "2001:db8:1:3::1").status_code == 401

    def test_the_trail_is_not_flooded(self, knock, gateway, now):
        with time_machine.travel(now, tick=False):
            for _ in range(100):
                knock(WRONG)
            for place in range(200):
                knock(WRONG, f"198.51.100.{place}")

        refused = AuditEntry.objects.filter(what="key_refused")
        of_one = refused.filter(address="203.0.113.7").values_list("detail__why", flat=True)
        assert sorted(of_one) == ["too_many_wrong_keys", "wrong_key"]
        assert refused.filter(detail__why="wrong_key").count() == 60

    def test_a_revoked_device_that_goes_on_is_told_so_each_time(self, knock, gateway, now):
        keys.revoke(gateway.device, at=now, by=None)

        assert {knock(gateway.key).status_code for _ in range(50)} == {403}
        assert AuditEntry.objects.filter(what="key_refused").count() == 1


class TestRate:
    def test_beyond_its_rate_it_is_429_and_comes_again(self, ada, gateway, now):
        Device.objects.update(requests_per_second=2)
        with time_machine.travel(now.replace(second=13, microsecond=0), tick=False) as clock:
            codes = [gateway.post([item(ada, spo2=97)]).status_code for _ in range(20)]
            answer = gateway.post([item(ada, spo2=97)])
            clock.shift(7)
            again = gateway.post([item(ada, spo2=97)])

        assert codes == 20 * [202]
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "rate_limited", "7")
        assert again.status_code == 202
        assert rates.counted["device_requests_limited"] >= 1

    def test_one_device_does_not_slow_another(self, ada, gateway, monitor, now):
        Device.objects.filter(name="GW-NORTH").update(requests_per_second=1)
        with time_machine.travel(now, tick=False):
            assert [gateway.post([item(ada, spo2=97)]).status_code for _ in range(11)][-1] == 429
            assert monitor.post([item(ada, spo2=97)]).status_code == 202

    def test_while_its_key_is_changed_over_a_device_has_one_rate(self, ada, gateway, now):
        Device.objects.update(requests_per_second=1)
        new = Monitor(gateway.device, keys.rotate(gateway.device, at=now, by=None))
        with time_machine.travel(now, tick=False):
            codes = [who.post([item(ada, spo2=97)]).status_code for _ in range(6) for who in (gateway, new)]

        assert codes == 10 * [202] + 2 * [429]

    @pytest.mark.parametrize(("kind", "a_second"), [("monitor", 50), ("gateway", 1000)])
    def test_a_device_without_its_own_has_that_of_its_kind(self, north, now, kind, a_second):
        device = Device.objects.create(name="D", kind=kind)

        for _ in range(a_second * rates.WINDOW):
            rates.take(device, now=now)

        with pytest.raises(rates.TooFast):
            rates.take(device, now=now)

    def test_a_gateway_of_forty_beds_and_its_backlog_of_a_night_are_taken(self, north, now):
        """Each sign of each bed by itself every second, and beside it eight hours that were kept, in lists of 5,000."""
        gateway = Device.objects.create(name="GW", kind="gateway")
        live, backlog = 40 * 7, 8 * 3600 * 40 * 7 // 5000

        for second in range(60):
            for _ in range(live + backlog // 60 + 1):
                rates.take(gateway, now=now + timedelta(seconds=second))

    def test_a_clock_that_is_set_back_shuts_nobody_out(self, north, now):
        device = Device.objects.create(name="D", requests_per_second=1)
        with time_machine.travel(now, tick=False) as clock:
            for _ in range(10):
                rates.take(device, now=now)
            clock.shift(-3600)

            for seconds in range(0, 600, 2):
                clock.move_to(now + timedelta(seconds=seconds - 3600))
                rates.take(device, now=now + timedelta(seconds=seconds - 3600))
