"""Limits in force: where they come from, how they change, who hears of it, and what is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Bed, User, Ward
from monitoring.clinical.limits import Limits
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, Patient, Threshold, ThresholdChange, WardNight
from monitoring.models.threshold import Part
from monitoring.services import admissions, marks, refusals, suggestions, thresholds
from monitoring.services.layers import Scope
from tests.world import item, open_alert

SPO2 = (Sign.SPO2, Part.ALWAYS)
RATE = (Sign.HEART_RATE, Part.ALWAYS)
RATE_AT_NIGHT = (Sign.HEART_RATE, Part.NIGHT)


def sides(limits: Limits) -> tuple[float | None, ...]:
    return limits.critical_low, limits.warning_low, limits.warning_high, limits.critical_high


def limits_of(patient: Patient, ward: Ward, *, now: datetime, sign: Sign = Sign.SPO2) -> tuple[float | None, ...]:
    place = (patient.pk, ward.pk)
    return sides(thresholds.in_force([place], now=now)[place][sign])


def history(scope: Scope) -> list[str]:
    return [change.what for change in ThresholdChange.objects.filter(scope_key=scope.key).order_by("pk")]


class TestInForce:
    def test_the_narrowest_scope_holds_and_says_so(self, ada, ben, cid, north, south, root, now):
        for scope, low in ((Scope(), 80), (Scope(ward=north), 79), (Scope(patient=ada), 78)):
            thresholds.put(scope, SPO2, Override(low, 84), by=root, at=now)

        places = [(ada.pk, north.pk), (ben.pk, north.pk), (cid.pk, south.pk)]
        found = thresholds.sources(places, now=now)

        told = [(found[place][Sign.SPO2].limits.critical_low, found[place][Sign.SPO2].source) for place in places]
        assert told == [(78, "patient"), (79, "ward"), (80, "hospital")]
        assert found[places[0]][Sign.HEART_RATE].source == "default"
        assert found[places[0]][Sign.SPO2].row.set_by == root

    def test_a_child_keeps_its_ages_limits_under_the_hospitals_but_not_under_its_wards(self, ada, north, root, now):
        Patient.objects.update(birth_date=now.date() - timedelta(days=100))
        thresholds.put(Scope(), RATE, Override(41, 51, 119, 139), by=root, at=now)

        assert limits_of(ada, north, now=now, sign=Sign.HEART_RATE) == (80, 90, 169, 179)
        thresholds.put(Scope(ward=north), RATE, Override(85, 95, 165, 175), by=root, at=now)
        assert limits_of(ada, north, now=now, sign=Sign.HEART_RATE) == (85, 95, 165, 175)

    def test_a_babys_pulse_is_judged_by_its_age(self, ada, gateway, now):
        Patient.objects.update(birth_date=now.date() - timedelta(days=100))

        gateway.post([item(ada, now, heart_rate=75)])

        assert open_alert(ada).threshold_breached == 80

    def test_an_expired_override_is_out_of_force_before_anybody_tidies_it(self, ada, north, dora, now):
        soon = now + timedelta(minutes=1)
        thresholds.put(Scope(patient=ada), SPO2, Override(78, 84, expires_at=soon), by=dora, at=now)

        assert limits_of(ada, north, now=soon - timedelta(seconds=1)) == (78, 84, None, None)
        assert limits_of(ada, north, now=soon) == (85, 90, None, None)
        assert Threshold.objects.exists()

    def test_one_place_or_forty_take_two_queries(self, ada, north, root, now):
        thresholds.set_night(north, (time(22), time(6)), by=root, at=now)
        thresholds.put(Scope(ward=north), RATE_AT_NIGHT, Override(35, 42, 120, 140), by=root, at=now)
        places = [(ada.pk, north.pk)]
        for place in range(40):
            patient = Patient.objects.create(patient_id=f"P-{place}", name="")
            thresholds.put(Scope(patient=patient), SPO2, Override(78, 84), by=root, at=now)
            places.append((patient.pk, north.pk))

        for verb in (thresholds.in_force, thresholds.sources, marks.of):
            for asked in (places[:1], places):
                with CaptureQueriesContext(
                    connection,
                ) as queries:
                    verb(asked, now=now)
                assert len(queries) == 2


class TestNight:
    @pytest.fixture
    def quiet(self, north, root, settings, now):
        settings.TIME_ZONE = "Europe/Berlin"
        thresholds.set_night(north, (time(22), time(6)), by=root, at=now)
        thresholds.put(Scope(ward=north), RATE, Override(40, 50, 110, 130), by=root, at=now)
        thresholds.put(Scope(ward=north), RATE_AT_NIGHT, Override(36, 44, 110, 130), by=root, at=now)

    @pytest.mark.parametrize(
        ("at", "low"),
        [
            (datetime(2026, 11, 21, 20, 59, 59, tzinfo=UTC), 40),
            (datetime(2026, 11, 21, 21, 0, 0, tzinfo=UTC), 36),
            (datetime(2026, 11, 22, 4, 59, 59, tzinfo=UTC), 36),
            (datetime(2026, 11, 22, 5, 0, 0, tzinfo=UTC), 40),
            (datetime(2026, 7, 1, 20, 0, 0, tzinfo=UTC), 36),
            (datetime(2026, 10, 25, 4, 59, 59, tzinfo=UTC), 36),
            (datetime(2026, 10, 25, 5, 0, 0, tzinfo=UTC), 40),
        ],
    )
    def test_the_wards_clock_chooses(self, ada, north, quiet, at, low):
        place = (ada.pk, north.pk)

        standing = thresholds.sources([place], now=at)[place][Sign.HEART_RATE]

        assert (standing.limits.critical_low, standing.night) == (low, low == 36)
        assert marks.of([place], now=at)[place].night is (low == 36)

    def test_a_patients_own_holds_day_and_night(self, ada, north, dora, quiet, now):
        thresholds.put(Scope(patient=ada), RATE, Override(38, 48, 110, 130), by=dora, at=now)

        midnight = datetime(2026, 11, 21, 23, tzinfo=UTC)
        assert limits_of(ada, north, now=midnight, sign=Sign.HEART_RATE) == (38, 48, 110, 130)

    def test_night_limits_need_a_night_and_a_night_with_limits_stays(self, north, south, root, quiet, now):
        with pytest.raises(refusals.Refused) as refused:
            thresholds.put(Scope(ward=south), RATE_AT_NIGHT, Override(36, 44, 110, 130), by=root, at=now)
        assert [fault.field for fault in refused.value.faults] == ["part"]
        with pytest.raises(refusals.Refused) as refused:
            thresholds.set_night(north, None, by=root, at=now)
        assert [fault.field for fault in refused.value.faults] == ["begins"]

    def test_when_the_night_is_has_a_history_too(self, north, root, quiet, now):
        thresholds.set_night(north, (time(23), time(6)), by=root, at=now)

        change = ThresholdChange.objects.latest("pk")
        assert (change.sign, change.was["begins"], change.becomes["begins"], change.by) == ("", "22:00", "23:00", root)


class TestChanging:
    def test_every_change_is_kept_with_who_when_and_from_what(self, ada, north, dora, now):
        scope = Scope(patient=ada)
        thresholds.put(scope, SPO2, Override(78, 84, reason="COPD"), by=dora, at=now)
        thresholds.put(scope, SPO2, Override(78, 86, reason="COPD"), by=dora, at=now)
        thresholds.put(scope, SPO2, Override(78, 86, reason="COPD"), by=dora, at=now)
        thresholds.remove(scope, SPO2, by=dora, at=now)

        made, changed, removed = ThresholdChange.objects.order_by("pk")
        assert history(scope) == ["made", "changed", "removed"]
        assert (made.was, made.becomes["warning_low"], made.reason, made.by, made.at) == (None, 84, "COPD", dora, now)
        assert (changed.was["warning_low"], changed.becomes["warning_low"]) == (84, 86)
        assert (removed.was["warning_low"], removed.becomes) == (86, None)

    def test_the_board_of_the_ward_is_told(self, ada, cid, north, south, root, dora, now):
        def numbers() -> tuple[int, ...]:
            return tuple(Ward.objects.get(pk=ward.pk).change_number for ward in (north, south))

        here, there = numbers()
        thresholds.put(Scope(patient=ada), SPO2, Override(78, 84), by=dora, at=now)
        assert numbers() == (here + 1, there)
        thresholds.put(Scope(ward=south), SPO2, Override(78, 84), by=root, at=now)
        assert numbers() == (here + 1, there + 1)
        thresholds.put(Scope(), SPO2, Override(78, 84), by=root, at=now)
        assert numbers() == (here + 2, there + 2)

    def test_switching_off_needs_a_doctor_of_the_ward(self, ada, noor, dora, root, now):
        off = Override(78, None, reason="palliative")
        for person in (noor, dora, root):
            wrong = refusals.faults(Scope(patient=ada), {SPO2: off}, by=person, now=now)
            assert [fault.field for fault in wrong] == (["warning_low"] if person is noor else [])

    def test_a_nurse_may_move_what_a_doctor_left_switched_off(self, ada, noor, dora, now):
        thresholds.put(Scope(patient=ada), SPO2, Override(78, None, reason="palliative"), by=dora, at=now)

        thresholds.put(Scope(patient=ada), SPO2, Override(80, None, reason="palliative"), by=noor, at=now)

        assert Threshold.objects.get().critical_low == 80

    def test_a_refused_change_leaves_nothing(self, ada, dora, now):
        wanted = {SPO2: Override(78, 84), RATE: Override(50, 40, 120, 140)}

        with pytest.raises(refusals.Refused):
            thresholds.change(Scope(patient=ada), wanted, by=dora, at=now)

        assert not Threshold.objects.exists()
        assert not ThresholdChange.objects.exists()

    def test_what_was_removed_and_made_again_is_not_what_was_read(self, ada, dora, now):
        scope = Scope(patient=ada)
        thresholds.put(scope, SPO2, Override(78, 84), by=dora, at=now)
        read = thresholds.version(scope)
        thresholds.remove(scope, SPO2, by=dora, at=now)
        thresholds.put(scope, SPO2, Override(80, 84), by=dora, at=now)

        with pytest.raises(thresholds.Stale):
            thresholds.replace_all(scope, {}, by=dora, at=now, version_seen=read)

        assert Threshold.objects.get().critical_low == 80


class TestEnding:
    def test_what_is_due_expires_visibly_and_once(self, ada, cid, north, south, dora, root, now):
        soon = now + timedelta(minutes=1)
        thresholds.put(Scope(patient=ada), SPO2, Override(78, 84, expires_at=soon), by=dora, at=now)
        thresholds.put(Scope(ward=south), SPO2, Override(78, 84), by=root, at=now)
        before = {ward.pk: ward.change_number for ward in Ward.objects.all()}

        done = [thresholds.expire_due(now=at) for at in (now, soon, soon)]

        assert done == [False, True, False]
        assert history(Scope(patient=ada)) == ["made", "expired"]
        assert ThresholdChange.objects.latest("pk").by is None
        assert Threshold.objects.get().ward == south
        moved = {ward.pk for ward in Ward.objects.all() if ward.change_number != before[ward.pk]}
        assert moved == {north.pk}

    def test_one_that_cannot_be_closed_stands_before_no_other(self, ada, ben, dora, now, monkeypatch):
        soon = now + timedelta(minutes=1)
        for patient in (ada, ben):
            thresholds.put(Scope(patient=patient), SPO2, Override(78, 84, expires_at=soon), by=dora, at=now)
        whole = thresholds._record

        def broken(row, what, **said):
            if row.patient == ada:
                raise ValueError("broken")
            whole(row, what, **said)

        monkeypatch.setattr(thresholds, "_record", broken)
        with pytest.raises(ValueError, match="broken"):
            thresholds.expire_due(now=soon)

        assert history(Scope(patient=ben)) == ["made", "expired"]

    def test_an_override_in_the_place_of_an_expired_one_is_a_new_one(self, ada, dora, now):
        soon = now + timedelta(minutes=1)
        thresholds.put(Scope(patient=ada), SPO2, Override(78, 84, expires_at=soon), by=dora, at=now)

        thresholds.put(Scope(patient=ada), SPO2, Override(79, 84), by=dora, at=soon)

        assert history(Scope(patient=ada)) == ["made", "expired", "made"]
        assert Threshold.objects.get().version == 1

    def test_discharge_ends_a_patients_limits(self, ada, ben, dora, now):
        for patient in (ada, ben):
            thresholds.put(Scope(patient=patient), SPO2, Override(78, 84), by=dora, at=now)

        admissions.discharge(Admission.objects.get(patient=ada), by=dora, at=now)

        assert history(Scope(patient=ada)) == ["made", "discharged"]
        assert Threshold.objects.get().patient == ben

    def test_a_transfer_keeps_them_and_asks_to_confirm(self, ada, north, south, root, dora, now):
        thresholds.put(Scope(patient=ada), SPO2, Override(78, 84), by=dora, at=now)
        bed = Bed.objects.get(ward=south, position=2)
        admissions.transfer(Admission.objects.get(patient=ada), bed=bed, by=root, at=now)

        place = (ada.pk, south.pk)
        asked = marks.of([place], now=now)[place]
        thresholds.put(Scope(patient=ada), SPO2, Override(78, 84), by=root, at=now)

        assert asked.to_confirm == {Sign.SPO2: "North"}
        assert limits_of(ada, south, now=now) == (78, 84, None, None)
        assert marks.of([place], now=now)[place].to_confirm == {}
        assert history(Scope(patient=ada)) == ["made", "confirmed"]


class TestMarks:
    def test_a_side_that_is_off_is_marked_and_an_open_one_is_not(self, ada, ben, north, dora, now):
        Patient.objects.filter(pk=ben.pk).update(birth_date=date(1950, 1, 1))
        thresholds.put(Scope(patient=ada), SPO2, Override(78, None, reason="palliative"), by=dora, at=now)

        found = marks.of([(ada.pk, north.pk), (ben.pk, north.pk)], now=now)

        hers, his = found[ada.pk, north.pk], found[ben.pk, north.pk]
        assert hers.off == {Sign.SPO2: ("warning_low",)}
        assert (hers.overrides, hers.age_unknown) == ((Sign.SPO2,), True)
        assert (his.off, his.overrides, his.age_unknown, his.to_confirm) == ({}, (), False, {})


class TestSuggestions:
    def test_the_median_of_the_last_quarter_of_an_hour_or_the_newest(self, ada, gateway, now):
        gateway.post([item(ada, now - timedelta(minutes=at), heart_rate=rate) for at, rate in ((1, 90), (5, 100), (9, 180))])
        gateway.post([item(ada, now - timedelta(hours=2), systolic_bp=150), item(ada, now, spo2=93)])
        gateway.post([item(ada, now - timedelta(minutes=30), heart_rate=60)])

        found = {one.sign: one for one in suggestions.for_patient(ada, now=now + timedelta(seconds=1))}

        assert set(found) == {Sign.HEART_RATE, Sign.SYSTOLIC_BP}
        assert (found[Sign.HEART_RATE].value, found[Sign.HEART_RATE].count) == (100, 3)
        assert sides(found[Sign.SYSTOLIC_BP].limits) == (80, 112, 167, 180)

    def test_a_value_that_the_device_takes_back_suggests_nothing(self, ada, gateway, now):
        gateway.post([item(ada, now, heart_rate=100, status={"heart_rate": "artifact"})])

        assert suggestions.for_patient(ada, now=now) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_at_once_one_wins_and_one_is_told(ada: Patient, dora: User, now: datetime) -> None:
    scope = Scope(patient=ada)

    def write(low: float) -> str:
        try:
            thresholds.replace_all(scope, {SPO2: Override(low, 84)}, by=dora, at=now, version_seen=0)
        except thresholds.Stale:
            return "told"
        finally:
            connections.close_all()
        return "won"

    with ThreadPoolExecutor(4) as pool:
        outcome = sorted(pool.map(write, (76, 77, 78, 79)))

    assert outcome == ["told", "told", "told", "won"]
    assert history(scope) == ["made"]


@pytest.mark.django_db(transaction=True)
def test_two_who_set_the_hospitals_limits_at_once_do_not_undo_each_other(north: Ward, root: User, now: datetime) -> None:
    def write(key: refusals.Key) -> str:
        try:
            thresholds.replace_all(Scope(), {key: Override(80, 90, reason="no upper end")}, by=root, at=now, version_seen=0)
        except thresholds.Stale:
            return "told"
        finally:
            connections.close_all()
        return "won"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(write, [SPO2, (Sign.SYSTOLIC_BP, Part.ALWAYS)])) == ["told", "won"]

    assert Threshold.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_watchers_at_once_one_closes_what_expired(ada: Patient, dora: User, now: datetime) -> None:
    soon = now + timedelta(minutes=1)
    thresholds.put(Scope(patient=ada), SPO2, Override(78, 84, expires_at=soon), by=dora, at=now)

    def watch(_: int) -> bool:
        try:
            return thresholds.expire_due(now=soon)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(watch, range(2))) == [False, True]

    assert history(Scope(patient=ada)) == ["made", "expired"]


@pytest.mark.parametrize(
    "fields",
    [
        {"delay": 31},
        {"margin": -1},
        {"part": "night"},
        {"part": "noon"},
        {"bound_low": 90, "bound_high": 80},
    ],
)
def test_the_database_refuses_what_makes_no_sense(db: None, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Threshold.objects.create(sign="spo2", **fields)


def test_the_database_lets_no_patient_set_a_bound(ada: Patient) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Threshold.objects.create(sign="spo2", scope_key=f"patient:{ada.pk}", patient=ada, bound_low=60)


def test_the_database_lets_no_night_fill_the_day(north: Ward) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        WardNight.objects.create(ward=north, begins=time(6), ends=time(6))
