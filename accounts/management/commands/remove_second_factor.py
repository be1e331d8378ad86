"""Take a lost second factor off, where no administrator can sign in to do it: the person's password alone signs in again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import factors
from accounts.models import User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("login")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(login=options["login"]).first()
        if person is None:
            raise CommandError(f"There is nobody with the login {options['login']}.")
        if not factors.remove(person, by=None, at=timezone.now()):
            raise CommandError(f"{person.login} has no second factor.")
        self.stdout.write(f"{person.login} has no second factor any more.")
