"""E-mail through Django's mail, one message to one person however many alerts."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from monitoring.clinical.escalation import Way
from monitoring.models import Delivery
from monitoring.services.channels import PATIENCE, Failed, Sending, available, in_words
from monitoring.services.channels.notice import by_urgency, name_of, notices, summary, waits

FOOT = "MedQL is not a medical device: a secondary display. Look at the bedside monitor and at the patient."


def prepare(rows: Sequence[Delivery]) -> Sending:
    """All rows are for the same person."""
    if not available(Way.EMAIL):
        raise Failed("no mail server is configured (EMAIL_URL)")
    person = rows[0].user
    assert person is not None
    if not person.email:
        raise Failed("this person has no e-mail address")
    letter = _letter(person.email, rows)
    return Sending(lambda: _send(letter))


def _letter(address: str, rows: Sequence[Delivery]) -> EmailMessage:
    said = notices(by_urgency(rows))
    first = said[0]
    more = f" and {len(said) - 1} more" if len(said) > 1 else ""
    body = [*summary(said), "", _hands(rows), "", FOOT]
    # The same for every attempt, so that a mailbox can tell a second copy; not for a bundle that has grown meanwhile.
    own_name = {"Message-ID": f"<{name_of(rows)}.{first.alert}@medql>"}
    return EmailMessage(f"{first.line}{more}", "\n".join(body), settings.DEFAULT_FROM_EMAIL, [address], headers=own_name)


def _hands(rows: Sequence[Delivery]) -> str:
    """What is known about hands on these alerts when the letter leaves: some may have been taken, or have ended."""
    waiting = sum(waits(row.alert) for row in rows)
    if waiting == len(rows):
        return "Nobody has taken this yet." if waiting == 1 else "Nobody has taken these yet."
    if waiting:
        return (
            f"{waiting} of {len(rows)} still wait for a hand." if waiting > 1 else f"1 of {len(rows)} still waits for a hand."
        )
    return "It waits for a hand no more." if len(rows) == 1 else "None of them waits for a hand any more."


def _send(letter: EmailMessage) -> None:
    try:
        letter.connection = get_connection(timeout=PATIENCE)
        letter.send()
    except smtplib.SMTPRecipientsRefused as refused:
        code, reply = next(iter(refused.recipients.values()))
        raise Failed(_reply(code, reply)) from refused
    except smtplib.SMTPAuthenticationError as refused:
        raise Failed(f"the mail server refuses our login ({refused.smtp_code})") from refused
    except smtplib.SMTPResponseException as refused:
        raise Failed(_reply(refused.smtp_code, refused.smtp_error)) from refused
    except smtplib.SMTPServerDisconnected as gone:
        cause = gone.__context__
        raise Failed(f"mail server: {in_words(cause)}" if isinstance(cause, OSError) else "the mail server hung up") from gone
    except smtplib.SMTPException as broken:
        raise Failed(f"the mail server and we do not agree: {type(broken).__name__}") from broken
    except OSError as error:
        raise Failed(f"mail server: {in_words(error)}") from error


def _reply(code: int, reply: bytes | str) -> str:
    words = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return f"the mail server says {code} {words}"
