"""Counting is right, late is said, and the schedule waits for nobody."""

import socket
from collections import Counter

import pytest

from monitoring.demo import player, sources
from monitoring.demo.figures import UNANSWERED, Tally, percentile
from monitoring.demo.player import Plan, Player
from monitoring.demo.sources import Source


@pytest.mark.parametrize(("share", "value"), [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (1.0, 100.0)])
def test_percentile_of_a_hundred(share, value):
    assert percentile(Counter(float(number) for number in range(1, 101)), share) == value


def test_percentile_of_nothing_and_of_one():
    assert percentile({}, 0.95) == 0
    assert percentile({7.0: 1}, 0.5) == percentile({7.0: 1}, 0.99) == 7


def test_summary_is_honest_about_refusals_and_lateness():
    tally = Tally()
    tally.answered(8, "202", {"stored": 7, "duplicates": 1, "rejected": [{"code": "out_of_range"}]}, delay=0.0, took=0.010)
    tally.answered(1, "503", {"detail": "busy"}, delay=0.5, took=0.020)
    tally.answered(1, UNANSWERED, {}, delay=0.0, took=10)
    tally.not_sent(2)

    text = "\n".join(tally.summary(rate=2, elapsed=5))

    assert "Sent 10 readings in 5.0 s (3 POSTs; 1 readings late, 2 not sent)" in text
    assert "Achieved 1.6 readings/s, 80.0% of the target 2" in text
    assert "Answers p50 10.0 ms, p95 20.0 ms, p99 20.0 ms; from when due p50 10.0 ms, p95 520.0 ms" in text
    assert "Statuses 202: 1, 503: 1, no answer: 1" in text
    assert "Items stored 7, duplicates 1, values refused 1 (out_of_range: 1)" in text


def plan(*, batch: int = 1) -> Plan:
    three = sources.of_gateway("key", patients=3, start_id=5)
    return Plan(three, lambda place, seconds: {}, rate=2.0, batch=batch, duration=2.5)


def test_schedule_takes_every_source_in_turn_at_the_rate():
    assert list(plan().posts()) == [(0.0, [0]), (0.5, [1]), (1.0, [2]), (1.5, [0]), (2.0, [1])]


def test_batches_keep_the_rate_and_the_count():
    assert list(plan(batch=2).posts()) == [(0.0, [0, 1]), (1.0, [2, 0]), (2.0, [1])]


def test_server_that_hangs_holds_nobody_up_for_long(monkeypatch):
    monkeypatch.setattr(player, "PATIENCE", 0.2)
    monkeypatch.setattr(player, "LINGER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = Plan(sources.of_gateway("key", patients=1, start_id=1), show_a_pulse, rate=100, duration=0.5)
        hung = Player(f"http://127.0.0.1:{silent.getsockname()[1]}", one)

        hung.start()

        assert not hung.wait(60)
    tally = hung.end()
    assert tally.sent + tally.unsent == 50 and tally.unsent > 0
    assert tally.statuses == {UNANSWERED: tally.sent} and not tally.taken


def show_a_pulse(place: int, seconds: float) -> dict[str, dict[str, float]]:
    return {"": {"heart_rate": 70.0}}


def test_keys_file_is_for_its_owner_only_and_reads_back(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text("{}")
    path.chmod(0o644)
    written = [Source("DEMO-01", "M-ICU-1", "a.b"), Source("DEMO-02", "M-ICU-2", "c.d")]

    sources.write(path, written)

    assert path.stat().st_mode & 0o777 == 0o600
    assert sources.read(path) == written


def test_keys_file_may_name_keys_alone(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text('{"P00001": "a.b"}')

    assert sources.read(path) == [Source("P00001", "monitor-P00001", "a.b")]
