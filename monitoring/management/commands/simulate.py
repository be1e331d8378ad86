"""Play recorded or written patients into a MedQL, here or anywhere, as bedside devices would.

A reading is what one patient's devices send at one time. --rate counts readings a second over all patients; without it every
patient sends one a second (recordings: one a recorded minute). The schedule does not wait for answers: what leaves late is
counted as late. With --create it makes its patients and a gateway key in the local database; otherwise give --key or --keys.
"""

import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from monitoring.demo import recordings, scenarios, simulation, sources
from monitoring.demo.figures import Tally
from monitoring.demo.player import Plan, Player
from monitoring.demo.recordings import Script
from monitoring.demo.sources import Source

ASSIGN_SECONDS = 180.0


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []  # it may run where there is no database

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--url", default="http://127.0.0.1:8000", help="of the MedQL that is sent to")
        add("--scenario", choices=["recordings", *scenarios.SCENARIOS, "assign"], default="recordings")
        add("--patients", type=int, help="how many (default 5; assign 2; with --keys all of the file)")
        add("--start-id", type=int, default=1, help="number of the first patient: 1 is P00001")
        add("--rate", type=float, help="readings a second over all patients")
        add("--batch", type=int, default=1, help="readings in one POST (a gateway's key)")
        add("--duration", type=float, default=0, help="seconds; 0 is until Ctrl-C (assign: 180)")
        add("--speed", type=float, default=1.0, help="recorded minutes a second; how fast a scenario's clock runs")
        add("--seed", type=int, default=42, help="of the written scenarios")
        add("--key", default=os.environ.get("MEDQL_DEVICE_KEY"), help="a gateway's key (or MEDQL_DEVICE_KEY)")
        add("--keys", type=Path, metavar="FILE", help='monitors\' keys: {"P00001": "…"} or as load_demo --keys writes them')
        add("--create", action="store_true", help="make a simulation ward, its patients and a key in the local database")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        moving = options["scenario"] == "assign"
        if moving:
            options["patients"] = options["patients"] or 2
            options["duration"] = options["duration"] or ASSIGN_SECONDS
        senders = _senders(options)
        each = options["speed"] if options["scenario"] == "recordings" else 1.0
        rate = options["rate"] or len(senders) * each
        plan = Plan(senders, _script(options), rate, options["batch"], options["duration"])
        player = Player(options["url"], plan)
        began_at = timezone.now()
        player.start()
        try:
            if moving:
                self._move(player, options)
            player.wait()
        except KeyboardInterrupt:
            self.stdout.write("Ended by Ctrl-C.")
        finally:
            tally = player.end()
        self._report(player, tally)
        if moving:
            self._say_who_received(senders[0], options, began_at)
        if not tally.taken:
            raise CommandError("Nothing was taken: see the statuses above.")

    def _move(self, player: Player, options: dict[str, Any]) -> None:
        """One monitor, equal parts of the time on each patient."""
        (monitor,) = player.plan.sources
        for number in range(options["start_id"] + 1, options["start_id"] + options["patients"]):
            player.wait(options["duration"] / options["patients"])
            simulation.move(monitor.device, sources.patient_id(number), at=timezone.now())
            self.stdout.write(f"The monitor {monitor.device} is on {sources.patient_id(number)} now.")

    def _report(self, player: Player, tally: Tally) -> None:
        for line in tally.summary(rate=player.plan.rate, elapsed=player.elapsed):
            self.stdout.write(line)

    def _say_who_received(self, monitor: Source, options: dict[str, Any], since: datetime) -> None:
        ids = [sources.patient_id(options["start_id"] + place) for place in range(options["patients"])]
        counts = simulation.received(monitor.device, ids, since=since)
        self.stdout.write("Stored of " + ", ".join(f"{patient_id}: {count}" for patient_id, count in counts.items()))


def _check(options: dict[str, Any]) -> None:
    """Raises CommandError where options make no sense, before anything is sent or made."""
    for name in ("patients", "start_id", "rate", "batch", "speed"):
        if options[name] is not None and options[name] <= 0:
            raise CommandError(f"--{name.replace('_', '-')} must be more than 0.")
    if options["duration"] < 0:
        raise CommandError("--duration must not be less than 0.")
    if not options["url"].startswith(("http://", "https://")):
        raise CommandError("--url begins with http:// or https://.")
    if options["scenario"] == "assign" and not options["create"]:
        raise CommandError("assign moves a monitor in the local database, which it needs: add --create.")
    if not (options["create"] or options["keys"] or options["key"]):
        raise CommandError("Say with which key to send: --key, --keys, or --create for a new one in the local database.")
    if options["batch"] > 1 and (options["keys"] or options["scenario"] == "assign"):
        raise CommandError("--batch is for a gateway: a monitor sends for its own patient only.")
    if options["create"] and options["start_id"] + (options["patients"] or 5) > simulation.HIGHEST:
        raise CommandError(f"--create numbers patients up to {simulation.HIGHEST}.")


def _senders(options: dict[str, Any]) -> list[Source]:
    if options["keys"] and not options["create"]:
        return sources.read(options["keys"])[: options["patients"]]
    ward = {"patients": options["patients"] or 5, "start_id": options["start_id"]}
    if options["batch"] > ward["patients"]:
        raise CommandError("--batch may not be more than --patients: a reading of one patient has one time.")
    if not options["create"]:
        return sources.of_gateway(options["key"].strip(), **ward)
    try:
        if options["scenario"] == "assign":
            return simulation.prepare_monitor(**ward, at=timezone.now())
        # The recordings write 0 for "not measured"; in a written arrest 0 is what it says.
        return simulation.prepare(**ward, zero_is_absent=options["scenario"] == "recordings", at=timezone.now())
    except simulation.NotSimulated as fault:
        raise CommandError(f"{fault} exists and is not in the simulation ward: choose another --start-id.") from None


def _script(options: dict[str, Any]) -> Script:
    if options["scenario"] == "recordings":
        return recordings.played(recordings.load(), speed=options["speed"])
    name = "stable" if options["scenario"] == "assign" else options["scenario"]
    return scenarios.written(name, seed=options["seed"], speed=options["speed"])
