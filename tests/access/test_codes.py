"""Codes of an authenticator and recovery codes: each good once, and few wrong ones are looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from accounts import factors
from accounts.factors import TooMany, WrongCode
from accounts.models import AuditEntry, RecoveryCode, SecondFactor
from tests.access.authenticator import STEP, set_up

MINUTE = timedelta(minutes=1)


def deeds() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("what", flat=True))


class TestCodes:
    def test_the_code_of_now_is_good_once(self, noor, now):
        phone, _ = set_up(noor, now)

        factors.show(noor, phone.code(now), at=now)

        with pytest.raises(WrongCode):
            factors.show(noor, phone.code(now), at=now)

    @pytest.mark.parametrize("off", [-1, 0, 1])
    def test_a_clock_may_be_half_a_minute_off(self, noor, now, off):
        phone, _ = set_up(noor, now)

        factors.show(noor, phone.code(now + off * STEP), at=now)

    @pytest.mark.parametrize("off", [-2, 2])
    def test_and_no_more(self, noor, now, off):
        phone, _ = set_up(noor, now)

        with pytest.raises(WrongCode):
            factors.show(noor, phone.code(now + off * STEP), at=now)

    def test_no_older_one_is_good_after_a_newer(self, noor, now):
        phone, _ = set_up(noor, now)
        factors.show(noor, phone.code(now + STEP), at=now)

        with pytest.raises(WrongCode):
            factors.show(noor, phone.code(now), at=now)

    def test_a_clock_that_was_ahead_and_is_set_back_locks_nobody_out(self, noor, now):
        phone, _ = set_up(noor, now)
        later = now + timedelta(days=1)
        factors.show(noor, phone.code(later), at=later)

        factors.show(noor, phone.code(now), at=now)

    def test_spaces_do_no_harm(self, noor, now):
        phone, _ = set_up(noor, now)
        code = phone.code(now)

        factors.show(noor, f" {code[:3]} {code[3:]} ", at=now)

    @pytest.mark.parametrize("code", ["", "0", "000 00", "abcdef", "١٢٣٤٥٦", "9" * 40, "'; drop"])
    def test_what_is_no_code_is_wrong(self, noor, now, code):
        set_up(noor, now)

        with pytest.raises(WrongCode):
            factors.show(noor, code, at=now)

    def test_the_secret_is_kept_sealed(self, noor, now):
        phone, _ = set_up(noor, now)

        kept = SecondFactor.objects.values().get()
        assert phone.totp.secret not in str(kept)
        assert str(kept["secret"]).startswith("v1.")

    def test_after_ten_wrong_ones_none_is_looked_at_for_a_while(self, noor, now):
        phone, _ = set_up(noor, now)
        for _ in range(9):
            with pytest.raises(WrongCode):
                factors.show(noor, phone.wrong(now), at=now)
        with pytest.raises(TooMany):
            factors.show(noor, phone.wrong(now), at=now)

        with pytest.raises(TooMany) as refusal:
            factors.show(noor, phone.code(now), at=now)
        assert refusal.value.until == now + factors.PAUSE
        later = now + 16 * MINUTE
        factors.show(noor, phone.code(later), at=later)

    def test_a_right_one_makes_the_wrong_ones_good(self, noor, now):
        phone, _ = set_up(noor, now)
        for round_ in range(3):
            for _ in range(9):
                with pytest.raises(WrongCode):
                    factors.show(noor, phone.wrong(now), at=now)
            at = now + round_ * STEP
            factors.show(noor, phone.code(at), at=at)

    def test_an_authenticator_that_nobody_can_read_leaves_the_recovery_codes(self, noor, now, caplog):
        phone, codes = set_up(noor, now)
        SecondFactor.objects.update(secret="v1.lost.AAAA")

        with pytest.raises(WrongCode):
            factors.show(noor, phone.code(now), at=now)
        factors.show(noor, codes[0], at=now)

        assert "only recovery codes help" in caplog.text


class TestRecoveryCodes:
    def test_each_is_good_once(self, noor, now):
        _, codes = set_up(noor, now)
        assert len(set(codes)) == 10

        for code in codes:
            factors.show(noor, code, at=now)
        for code in codes:
            with pytest.raises((WrongCode, TooMany)):
                factors.show(noor, code, at=now)
        assert factors.codes_left(noor) == 0

    def test_however_it_is_typed(self, noor, now):
        _, codes = set_up(noor, now)

        factors.show(noor, codes[0].upper().replace("-", " "), at=now)

    def test_they_are_kept_as_hashes(self, noor, now):
        _, codes = set_up(noor, now)

        kept = " ".join(RecoveryCode.objects.values_list("digest", flat=True))
        assert not [code for code in codes if code in kept or code.replace("-", "") in kept]

    def test_nobody_elses_opens(self, noor, dora, now):
        set_up(noor, now)
        _, doras = set_up(dora, now)

        with pytest.raises(WrongCode):
            factors.show(noor, doras[0], at=now)

    def test_new_ones_end_the_old(self, noor, now):
        _, old = set_up(noor, now)

        new = factors.renew_codes(noor, at=now)

        with pytest.raises(WrongCode):
            factors.show(noor, old[0], at=now)
        factors.show(noor, new[0], at=now)
        assert deeds()[-3:] == ["recovery_codes_renewed", "second_factor_refused", "recovery_code_used"]


class TestCommand:
    def test_it_takes_a_lost_factor_off_where_nobody_can_sign_in_to_do_it(self, root, now, capsys):
        set_up(root, now)

        call_command("remove_second_factor", "root")

        assert not SecondFactor.objects.exists()
        assert "root has no second factor any more" in capsys.readouterr().out
        assert AuditEntry.objects.get(what="second_factor_removed").by_kind == "medql"

    @pytest.mark.parametrize(("login", "fault"), [("root", "has no second factor"), ("nobody", "nobody with the login")])
    def test_and_says_when_there_is_none(self, root, login, fault):
        with pytest.raises(CommandError, match=fault):
            call_command("remove_second_factor", login)
