"""Issue, rotate or revoke a device's key from a script: `issue` and `rotate` print the key alone."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts import keys
from accounts.models import Device, Ward

MINUTE = timedelta(minutes=1)
OF_A_NEW_DEVICE = {"ward": "--ward", "kind": "--kind", "zero_is_absent": "--zero-is-absent"}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["issue", "rotate", "revoke"])
        parser.add_argument("name", help="the device's name")
        new = parser.add_argument_group("of a device that issue makes")
        new.add_argument("--ward", nargs="+", default=[], metavar="WARD", help="slugs of the wards it sends from")
        new.add_argument("--kind", choices=Device.Kind.values, default=None)
        new.add_argument("--zero-is-absent", action="store_true", help="the device writes 0 when it measures nothing")
        parser.add_argument(
            "--overlap",
            type=int,
            metavar="MINUTES",
            help=f"of rotate: how long the old key goes on, {keys.OVERLAP // MINUTE} unless told; 0 ends it at once",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if options["overlap"] is not None and options["action"] != "rotate":
            raise CommandError("--overlap is of rotate alone.")
        device = Device.objects.filter(name=options["name"]).first()
        if options["action"] == "issue":
            self._issue(device, options)
        elif device is None:
            raise CommandError(f"There is no device named {options['name']}.")
        elif told := [option for name, option in OF_A_NEW_DEVICE.items() if options[name]]:
            raise CommandError(f"{', '.join(told)}: only issue takes that, for a new device.")
        elif options["action"] == "rotate":
            self._rotate(device, options["overlap"])
        else:
            count = keys.revoke(device, at=timezone.now(), by=None)
            self.stderr.write(f"{count} keys of {device} revoked.")

    def _issue(self, device: Device | None, options: dict[str, Any]) -> None:
        told = [option for name, option in OF_A_NEW_DEVICE.items() if options[name]]
        if device and told:
            raise CommandError(f"{device} exists: what {', '.join(told)} says of it is changed in the administration.")
        device = device or _new_device(options)
        try:
            self.stdout.write(keys.issue(device, at=timezone.now(), by=None))
        except keys.HasKey:
            raise CommandError(f"{device} has a key, and a device has one: rotate it, or revoke it first.") from None

    def _rotate(self, device: Device, minutes: int | None) -> None:
        longest = keys.LONGEST_OVERLAP // MINUTE
        if minutes is not None and not 0 <= minutes <= longest:
            raise CommandError(f"--overlap is 0 to {longest} minutes.")
        overlap = keys.OVERLAP if minutes is None else minutes * MINUTE
        self.stdout.write(keys.rotate(device, at=timezone.now(), by=None, overlap=overlap))


def _new_device(options: dict[str, Any]) -> Device:
    if not options["ward"]:
        raise CommandError("A new device needs at least one --ward.")
    wards = list(Ward.objects.filter(slug__in=options["ward"]))
    if missing := set(options["ward"]) - {ward.slug for ward in wards}:
        raise CommandError(f"There is no ward {', '.join(sorted(missing))}.")
    device = Device(
        name=options["name"],
        kind=options["kind"] or Device.Kind.MONITOR,
        zero_is_absent=options["zero_is_absent"],
    )
    try:
        device.full_clean()
    except ValidationError as error:
        raise CommandError("; ".join(error.messages)) from None
    device.save()
    device.wards.set(wards)
    return device
