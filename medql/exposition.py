"""The figures of /metrics, read from the database when they are asked for: a fixed, small number of queries.

A family of figures is a function in FAMILIES that yields Prometheus metrics; what is not built yields none, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import Case, CharField, Count, Max, Min, Q, Value, When
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts import looks, rates
from accounts.models import AuditEntry, AuditHead, Ward
from monitoring import feeds
from monitoring.models import Alert, Delivery, Fault, Vital, WatcherBeat
from monitoring.services import escalation
from monitoring.services.watching import MISSED_AFTER
from monitoring.stream import feed

Family = Callable[[], Iterator[Metric]]


def open_alerts() -> Iterator[Metric]:
    state = Case(
        When(returned_at__isnull=False, then=Value("returned")),
        When(acknowledged_at__isnull=False, then=Value("acknowledged")),
        default=Value("raised"),
        output_field=CharField(),
    )
    # By ward, although every ward counts: that is where the index of open alerts lies.
    rows = Alert.objects.open().filter(ward__in=Ward.objects.values("pk")).values("severity", "kind", state_now=state)
    gauge = GaugeMetricFamily("medql_alerts_open", "Open alerts.", labels=["severity", "kind", "state"])
    for row in rows.annotate(number=Count("pk")).order_by():
        gauge.add_metric([row["severity"], row["kind"], row["state_now"]], row["number"])
    yield gauge


def watchers() -> Iterator[Metric]:
    """`alive` counts those that have beaten in the last 15 s; the age is that of the youngest beat of all."""
    alive = GaugeMetricFamily("medql_watchers_alive", "Watchers that have beaten within 15 s.")
    age = GaugeMetricFamily("medql_watcher_beat_age_seconds", "Seconds since a watcher last beat; absent: never.")
    turns = CounterMetricFamily("medql_watcher_turns", "Turns that a watcher has completed.", labels=["watcher"])
    failures = CounterMetricFamily("medql_watcher_step_failures", "Steps of a watcher that failed.", labels=["watcher"])
    failing = GaugeMetricFamily("medql_watcher_step_failing", "A step that failed when last tried.", labels=["watcher", "step"])
    beats = list(WatcherBeat.objects.aged().order_by("age"))
    living = [beat for beat in beats if beat.age <= MISSED_AFTER]
    alive.add_metric([], len(living))
    for beat in beats[:1]:
        age.add_metric([], beat.age.total_seconds())
    for beat in living:
        turns.add_metric([beat.name], beat.turns)
        failures.add_metric([beat.name], beat.failures)
        for step in filter(None, f"{beat.failing},{beat.failing_in_house}".split(",")):
            failing.add_metric([beat.name, step], 1)
    yield from (alive, age, turns, failures, failing)


def vitals() -> Iterator[Metric]:
    stored = CounterMetricFamily("medql_vitals_stored", "Vitals stored, by the highest id given: gaps count.")
    stored.add_metric([], Vital.objects.aggregate(newest=Max("pk"))["newest"] or 0)
    yield stored


def viewers() -> Iterator[Metric]:
    sockets = GaugeMetricFamily("medql_board_viewers", "Boards that this web process serves.")
    sockets.add_metric([], feeds.viewers())
    yield sockets
    streams = GaugeMetricFamily("medql_stream_hearers", "Event streams that this web process serves.")
    streams.add_metric([], feed.hearers())
    yield streams


def escalations() -> Iterator[Metric]:
    lost = GaugeMetricFamily(
        "medql_alerts_without_next_step",
        "Open alerts that escalation has lost: no next step, one overdue, or nobody was reached.",
    )
    lost.add_metric([], len(escalation.audit(now=timezone.now())))
    yield lost


def sendings() -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "medql_deliveries",
        "Messages by state; sent and withdrawn ones: of those written in the last day.",
        labels=["state"],
    )
    for state, number in _ended_lately().items():
        gauge.add_metric([state], number)
    unsent = Delivery.objects.filter(state__in=[Delivery.State.WAITING, Delivery.State.FAILED, Delivery.State.GIVEN_UP])
    for row in unsent.values("state").annotate(number=Count("pk")).order_by():
        gauge.add_metric([row["state"]], row["number"])
    yield gauge


def _ended_lately() -> dict[str, int]:
    """By the index of the times alone: that of the states would read everything ever sent."""
    written = Delivery.objects.filter(created_at__gte=timezone.now() - timedelta(days=1))
    ended = {state.value: Count("pk", filter=Q(state=state)) for state in (Delivery.State.SENT, Delivery.State.WITHDRAWN)}
    return written.aggregate(**ended)


def faults() -> Iterator[Metric]:
    gauge = GaugeMetricFamily("medql_faults_open", "Faults of MedQL itself that last.", labels=["name"])
    for name in Fault.objects.open().values_list("name", flat=True):
        gauge.add_metric([name], 1)
    yield gauge


def trail() -> Iterator[Metric]:
    waiting = GaugeMetricFamily("medql_audit_unsealed", "Audit entries that wait for their seal.")
    age = GaugeMetricFamily(
        "medql_audit_unsealed_age_seconds", "Seconds that the oldest of them has waited; absent: none waits."
    )
    sealed = CounterMetricFamily("medql_audit_sealed", "Audit entries sealed, by the head of the chain.")
    found = AuditEntry.objects.filter(number=None).aggregate(number=Count("pk"), oldest=Min("written_at"))
    waiting.add_metric([], found["number"])
    if found["oldest"]:
        age.add_metric([], (timezone.now() - found["oldest"]).total_seconds())
    sealed.add_metric([], AuditHead.objects.values_list("number", flat=True).first() or 0)
    unwritten = GaugeMetricFamily("medql_audit_unwritten", "Looks that wait in this web process to be written.")
    unwritten.add_metric([], len(looks.buffer))
    lost = CounterMetricFamily("medql_audit_lost", "Audit entries that this web process could only tell its log.")
    lost.add_metric([], looks.buffer.lost)
    yield from (waiting, age, sealed, unwritten, lost)


def device_door() -> Iterator[Metric]:
    """Of the web process that answers, since it began."""
    told = {
        "device_requests_limited": "Requests of devices that sent more often than they may, answered 429.",
        "wrong_device_keys": "Requests with a device key that nobody has.",
        "revoked_device_keys": "Requests with a device key that was revoked, or of a device that is switched off.",
        "requests_counted_alone": "Requests that were counted by this process alone, since Redis did not answer.",
    }
    for name, sentence in told.items():
        total = CounterMetricFamily(f"medql_{name}", sentence)
        total.add_metric([], rates.counted[name])
        yield total


FAMILIES: tuple[Family, ...] = (open_alerts, watchers, escalations, sendings, vitals, viewers, faults, trail, device_door)


class _Collector(Collector):
    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            yield from family()


def text() -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collector())
    return generate_latest(registry)
