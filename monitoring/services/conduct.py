"""How a device behaves: its clock, and whether what it sends is refused again and again."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime, timedelta

from accounts.models import Device
from monitoring.clinical import clock
from monitoring.clinical.alarm import MEMORY
from monitoring.clinical.limits import Severity
from monitoring.models import DeviceState
from monitoring.models.device_state import Conduct, Refusals
from monitoring.services import technical
from monitoring.services.items import Item

TOO_MANY_REFUSED = 5  # readings of one sensor in a row


def of(device: Device) -> Conduct:
    """What is known of a device, held until commit: two batches of one gateway must not forget what the other has learned."""
    row = DeviceState.objects.select_for_update().filter(device=device).first()
    return row.conduct if row else Conduct()


def set_clocks(device: Device, conduct: Conduct, items: Sequence[Item], *, received_at: datetime, replayed: bool) -> Conduct:
    """Correct the times of sensors whose clocks are known to be wrong; the device's own time is kept beside.

    What is replayed says nothing of the clock as it is now, and is corrected only where its own time was wrong.
    """
    after = conduct if replayed else _heard(device, conduct, items, received_at)
    for item in items:
        wrong = after.clocks.get(_source(device, item))
        if item.measured_at is None or wrong is None or wrong.correction is None:
            continue
        if not (replayed and clock.is_plausible(item.measured_at, received_at)):
            item.device_time = item.measured_at
            item.measured_at += timedelta(seconds=wrong.correction)
    return after


def _heard(device: Device, conduct: Conduct, items: Sequence[Item], received_at: datetime) -> Conduct:
    after = deepcopy(conduct)
    after.clocks = {name: each for name, each in after.clocks.items() if received_at - each.heard[-1][0] < MEMORY}
    after.refused = {name: each for name, each in after.refused.items() if received_at - each.last_at < MEMORY}
    for source, said in _newest(device, items).items():
        heard = clock.hear(after.clocks.pop(source, None), said, received_at)
        if heard:
            after.clocks[source] = heard
    return after


def mind_taken_times(device: Device, before: Conduct, after: Conduct, items: Sequence[Item], *, received_at: datetime) -> None:
    """A reading whose time was taken long ago by another value is out of time; one that was only sent again says nothing."""
    for item in sorted(items, key=lambda item: item.measured_at or received_at):
        source, said = _source(device, item), item.device_time or item.measured_at
        if said and item.finds_taken:
            after.clocks[source] = clock.after(before.clocks.get(source, clock.Clock()), said, received_at)
        elif item.is_repeated and source in before.clocks:
            after.clocks.setdefault(source, before.clocks[source])


def count_refusals(device: Device, conduct: Conduct, items: Sequence[Item], *, received_at: datetime) -> None:
    """Count, sensor by sensor, the readings in a row of which something was refused."""
    for item in sorted(items, key=lambda item: item.position):
        source = _source(device, item)
        if not item.refused:
            conduct.refused.pop(source, None)
        elif any(refusal.code != "conflict" for refusal in item.refused):
            known = conduct.refused.get(source)
            conduct.refused[source] = Refusals(known.count + 1 if known else 1, received_at)


def keep(device: Device, before: Conduct, after: Conduct, *, now: datetime) -> None:
    """Store what has changed, and raise or end the alerts of this device."""
    if after == before:
        return
    DeviceState.of(device, after).save()
    findings = []
    if after.clocks != before.clocks:
        findings.append(_wrong_clocks(after))
    if after.refused != before.refused:
        findings.append(_refused(after))
    for finding in findings:
        if finding.names:
            technical.tell(device, finding, now=now)
    technical.end(device, [finding.condition for finding in findings if not finding.names], now=now)


def _wrong_clocks(conduct: Conduct) -> technical.Finding:
    wrong = {(_sensor(source), each.correction) for source, each in conduct.clocks.items() if each.correction is not None}
    sentence = "; ".join(sorted({clock.phrase(sensor, by) for sensor, by in wrong if by is not None}))
    return technical.Finding(technical.CLOCK_SKEW, Severity.WARNING, sentence, frozenset(sensor for sensor, _ in wrong))


def _refused(conduct: Conduct) -> technical.Finding:
    names = {_sensor(source) for source, each in conduct.refused.items() if each.count >= TOO_MANY_REFUSED}
    sentence = f"readings of {', '.join(sorted(names))} are refused, {TOO_MANY_REFUSED} in a row"
    return technical.Finding(technical.REFUSED_READINGS, Severity.WARNING, sentence, frozenset(names))


def _newest(device: Device, items: Sequence[Item]) -> dict[str, datetime]:
    newest: dict[str, datetime] = {}
    for item in items:
        if item.measured_at:
            source = _source(device, item)
            newest[source] = max(newest.get(source, item.measured_at), item.measured_at)
    return newest


def _source(device: Device, item: Item) -> str:
    """`P-ADA/spo2`: behind a gateway every patient may have a sensor of that name. A patient's id has no `/`."""
    return f"{item.patient_id or ''}/{item.sensor_id or device.name}"


def _sensor(source: str) -> str:
    return source.partition("/")[2]
