"""What is wrong with MedQL itself, from its beginning to its end, told to those who run it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.timezone import localtime

from accounts.models import User
from accounts.transactions import retried
from monitoring.clinical.escalation import Way
from monitoring.models import Fault
from monitoring.models.fault import TOLD_EVERY
from monitoring.services.channels import available

log = logging.getLogger(__name__)

TRY_AGAIN = timedelta(minutes=1)  # after a letter that did not leave


def is_open(name: str) -> bool:
    return Fault.objects.open().filter(name=name).exists()


@retried
def begin(name: str, sentence: str, *, now: datetime) -> bool:
    """This is wrong from now on; says whether that is news."""
    _, is_new = Fault.objects.get_or_create(name=name, is_open=True, defaults={"sentence": sentence, "began_at": now})
    if is_new:
        log.error("%s", sentence)
    return is_new


@retried
def end(name: str, *, now: datetime) -> bool:
    """This is right again; says whether it was wrong."""
    ended = Fault.objects.open().filter(name=name).update(is_open=None, ended_at=now)
    if ended:
        log.warning("%s is right again", name)
    return bool(ended)


def tell(*, now: datetime) -> bool:
    """A step of the watcher: write to the administrators of a fault that began, still lasts or ended. One letter a call.

    Claimed before it is sent, so that two watchers write once; a letter that did not leave is written again in a minute.
    """
    fault = Fault.objects.to_tell(now).order_by("pk").first() if available(Way.EMAIL) else None
    if fault is None:
        return False
    field = "told_at" if fault.is_open else "end_told_at"
    before = getattr(fault, field)
    mine = Fault.objects.filter(pk=fault.pk)
    if not mine.filter(**{field: before}).update(**{field: now}):
        return True
    try:
        _letter(fault).send()
    except Exception:
        mine.update(**{field: now - TOLD_EVERY + TRY_AGAIN if fault.is_open else None})
        raise
    return True


def _letter(fault: Fault) -> EmailMessage:
    people = User.objects.filter(is_active=True, is_superuser=True).values_list("email", flat=True)
    addresses = sorted(email for email in people if email)
    since = f"since {localtime(fault.began_at):%Y-%m-%d %H:%M}"
    if fault.is_open:
        subject, body = f"MedQL: {fault.sentence}", f"{fault.sentence}\nIt is so {since}."
    else:
        assert fault.ended_at is not None
        subject = f"MedQL is right again: {fault.name}"
        body = f"{fault.sentence}\nIt was so {since}, until {localtime(fault.ended_at):%Y-%m-%d %H:%M}."
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, addresses)
