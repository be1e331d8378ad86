"""E-mail to a real server: what arrives, what never leaves, and what is said when nothing does."""

from __future__ import annotations

import pytest

from monitoring.clinical.escalation import Way
from monitoring.models import Alert, Delivery
from monitoring.services.channels import email
from tests.ports import free_port
from tests.services.alerting import MINUTE, raised, take, watch
from tests.services.outbox import queued, send, send_until_it_ends
from tests.services.receivers import silent_server, use_mail_server


@pytest.fixture
def impatient(monkeypatch):
    """The same limit, sooner."""
    monkeypatch.setattr("monitoring.services.channels.PATIENCE", 0.3)
    monkeypatch.setattr(email, "PATIENCE", 0.3)


class TestEmail:
    def test_it_says_ward_bed_sign_and_value_and_never_who(self, dora, alert, mail, settings, now):
        mail.use(settings)
        row = queued(alert, now, Way.EMAIL, user=dora)

        send(now)

        (letter,) = mail.letters
        row.refresh_from_db()
        assert (row.state, row.attempts, row.last_error) == ("sent", 1, "")
        assert row.sent_at >= now
        assert letter["To"] == "dora@example.org"
        assert letter["Subject"].strip().startswith("CRITICAL North N1: SpO₂ 84 < 85 %, since ")
        assert "Ada" not in letter.as_string()
        assert "P-ADA" not in letter.as_string()
        assert "not a medical device" in letter.get_content()

    def test_a_full_mailbox_is_told_tried_again_and_then_escalated(self, noor, dora, alert, mail, settings, now):
        mail.use(settings)
        mail.refusals["dora@example.org"] = "552 5.2.2 Mailbox full"
        watch(now)  # step 1; the next is due in 5 minutes
        alert.refresh_from_db()
        row = queued(alert, now, Way.EMAIL, user=dora)

        send(now)
        row.refresh_from_db()
        assert (row.state, row.last_error) == ("failed", "the mail server says 552 5.2.2 Mailbox full")
        assert send_until_it_ends(row, now) == 5

        assert row.state == "given_up"
        alert.refresh_from_db()
        assert now < alert.next_step_at < now + 2 * MINUTE
        watch(alert.next_step_at)
        assert Delivery.objects.filter(alert=alert, user=dora, channel="in_app").exists()

    def test_a_dead_mail_server_is_told(self, dora, alert, settings, now):
        use_mail_server(settings, free_port())
        row = queued(alert, now, Way.EMAIL, user=dora)

        send(now)

        row.refresh_from_db()
        assert (row.state, row.last_error) == ("failed", "mail server: nobody listens there")

    def test_a_silent_mail_server_is_left_after_a_few_seconds(self, dora, alert, settings, now, impatient):
        row = queued(alert, now, Way.EMAIL, user=dora)

        with silent_server() as port:
            use_mail_server(settings, port)
            send(now)

        row.refresh_from_db()
        assert (row.state, row.last_error) == ("failed", "mail server: no answer within 0.3 s")

    def test_without_a_mail_server_it_says_so(self, dora, alert, settings, now):
        settings.EMAIL_URL = ""
        row = queued(alert, now, Way.EMAIL, user=dora)

        send(now)

        row.refresh_from_db()
        assert "EMAIL_URL" in row.last_error

    def test_a_flood_is_one_letter_that_counts_all(self, dora, noor, ada, mail, settings, now):
        mail.use(settings)
        for number in range(30):
            queued(raised(ada, now, condition=f"condition_{number}"), now, Way.EMAIL, user=dora)
        queued(Alert.objects.first(), now, Way.EMAIL, user=noor)

        send(now)

        assert sorted(letter["To"] for letter in mail.letters) == ["dora@example.org", "noor@example.org"]
        (doras,) = (letter for letter in mail.letters if letter["To"] == "dora@example.org")
        assert "and 29 more" in doras["Subject"]
        assert "and 20 more" in doras.get_content()
        assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}

    def test_a_second_copy_can_be_told_by_its_id(self, dora, alert, mail, settings, now):
        mail.use(settings)
        row = queued(alert, now, Way.EMAIL, user=dora)

        send(now)
        Delivery.objects.update(state="waiting", sent_at=None, next_attempt_at=now)
        send(now)

        assert len({letter["Message-ID"] for letter in mail.letters}) == 1
        assert len(mail.letters) == 2
        assert str(row.pk) in mail.letters[0]["Message-ID"]

    @pytest.mark.parametrize(
        ("taken", "ended", "of", "said"),
        [
            (0, 0, 1, "Nobody has taken this yet."),
            (0, 0, 2, "Nobody has taken these yet."),
            (1, 0, 1, "It waits for a hand no more."),
            (0, 1, 1, "It waits for a hand no more."),
            (1, 1, 2, "None of them waits for a hand any more."),
            (1, 1, 3, "1 of 3 still waits for a hand."),
            (1, 0, 3, "2 of 3 still wait for a hand."),
        ],
    )
    def test_it_says_what_waits_for_a_hand_when_it_leaves(self, noor, dora, ada, mail, settings, now, taken, ended, of, said):
        mail.use(settings)
        alerts = [raised(ada, now, condition=f"condition_{number}") for number in range(of)]
        for alert in alerts:
            queued(alert, now, Way.EMAIL, user=dora)
        for alert in alerts[:taken]:
            take(alert, noor, now)
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts[of - ended :]]).update(is_open=None, resolved_at=now)

        send(now)

        (letter,) = mail.letters
        assert said in letter.get_content()
        assert ("Nobody has taken" in letter.get_content()) == (taken + ended == 0)

    def test_the_worst_that_still_waits_is_its_head(self, noor, dora, ada, mail, settings, now):
        mail.use(settings)
        conditions = {"mild": "warning", "taken": "critical", "worst": "critical"}
        alerts = [raised(ada, now, severity, condition=name, detail=name) for name, severity in conditions.items()]
        for alert in alerts:
            queued(alert, now, Way.EMAIL, user=dora)
        take(alerts[1], noor, now)

        send(now)

        assert mail.letters[0]["Subject"].startswith("CRITICAL North N1: worst")

    def test_a_bundle_that_has_grown_is_another_letter(self, dora, ada, mail, settings, now):
        mail.use(settings)
        queued(raised(ada, now, condition="one"), now, Way.EMAIL, user=dora)
        send(now)
        Delivery.objects.update(state="waiting", sent_at=None, next_attempt_at=now)  # its sender died before it could say so
        queued(raised(ada, now, condition="other"), now, Way.EMAIL, user=dora)

        send(now)

        assert ["and 1 more" in letter["Subject"] for letter in mail.letters] == [False, True]
        assert len({letter["Message-ID"] for letter in mail.letters}) == 2

    def test_a_cry_for_help_keeps_its_words_inside(self, dora, alert, mail, settings, now):
        mail.use(settings)
        Alert.objects.update(kind="help", condition="call_for_help", detail="Ada Byron says: come")
        queued(Alert.objects.get(), now, Way.EMAIL, user=dora)

        send(now)

        assert "call for help" in mail.letters[0]["Subject"]
        assert "Ada" not in mail.letters[0].as_string()
