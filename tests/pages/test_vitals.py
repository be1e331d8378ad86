"""The pages of a patient's vitals: looked at by everybody who treats, put right by a doctor."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client

from accounts import audit
from accounts.models import AuditEntry, User
from accounts.transactions import WriterBusy
from monitoring.models import Vital, VitalChange
from monitoring.services import corrections
from tests.conftest import signed_in
from tests.world import events_of, item, series, unscored


@pytest.fixture
def vital(gateway, ada, now):
    unscored(ada)
    gateway.post([item(ada, now - timedelta(minutes=1), spo2=48, heart_rate=72)])
    return Vital.objects.get()


@pytest.fixture
def doctor(dora):
    return signed_in(dora)


@pytest.fixture
def other(north):
    """Omar, another doctor of the ward."""
    other = User.objects.create_user("omar", "omar@example.org", "correct horse battery", name="Omar")
    other.memberships.create(ward=north, role="doctor")
    return other


def way(vital, more=""):
    return f"/patients/P-ADA/vitals/{vital.pk}/{more}"


def typed(vital, **values):
    """What the form sends: every value as it was read, and those that were typed over."""
    read = {name: "" if (value := getattr(vital, name)) is None else f"{value:g}" for name in ("spo2", "heart_rate")}
    was = {f"was_{name}": text for name, text in read.items()}
    return {"version": vital.version, "reason": "the wrong line", "deed": "correct"} | was | read | values


def form(answer):
    """What the form on this page sends as it stands; of a choice nothing is taken yet."""
    fields = (dict(re.findall(r'([\w-]+)="(.*?)"', tag)) for tag in re.findall(r"<input[^>]*>", answer.content.decode()))
    return {each["name"]: each.get("value", "") for each in fields if "name" in each and each.get("type") != "radio"}


def test_the_page_of_one_vital_says_what_its_device_said(doctor, gateway, ada, now):
    gateway.post([item(ada, now, spo2=50, status={"spo2": "probe_off", "heart_rate": "asystole", "device": "ok"})])

    page = doctor.get(way(Vital.objects.get())).content.decode()

    assert "spo2: probe off" in page and "heart rate: asystole" in page
    assert "device: ok" not in page


class TestList:
    def test_the_newest_first_with_what_was_changed(self, doctor, gateway, ada, vital, dora, now):
        gateway.post([item(ada, now, spo2=97)])
        corrections.mark_in_error(vital, reason="x", by=dora, at=now, version_seen=1)

        page = doctor.get("/patients/P-ADA/vitals/").content.decode()

        assert page.index("SpO₂ 97 %") < page.index("SpO₂ 48 %")
        assert "entered in error" in page

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01", "now"])
    @pytest.mark.parametrize("parameter", ["until", "before"])
    def test_a_time_that_is_none_is_passed_over(self, doctor, vital, parameter, at):
        answer = doctor.get("/patients/P-ADA/vitals/", {parameter: at, "sensor": "x"})

        assert answer.status_code == 200

    def test_in_pages_of_which_each_knows_the_next(self, doctor, gateway, ada, now, django_assert_max_num_queries):
        gateway.post(series(ada, now - timedelta(seconds=119), [{"heart_rate": 60 + place} for place in range(120)]))
        seen, query = [], ""
        for _ in range(3):
            with django_assert_max_num_queries(10):
                answer = doctor.get(f"/patients/P-ADA/vitals/{query}")
            seen += [row["vital"].heart_rate for row in answer.context["rows"]]
            query = f"?{answer.context['older']}"

        assert seen == [60.0 + place for place in range(119, -1, -1)]
        assert query == "?"

    def test_from_a_time_on_backwards_and_by_hand_alone(self, doctor, gateway, ada, vital, now):
        gateway.post([item(ada, now, spo2=97)])

        then = (now - timedelta(seconds=30)).isoformat()
        before = doctor.get("/patients/P-ADA/vitals/", {"until": then}).context["rows"]
        by_hand = doctor.get("/patients/P-ADA/vitals/", {"by": "hand"}).context["rows"]

        assert [row["vital"].pk for row in before] == [vital.pk]
        assert by_hand == []

    @pytest.mark.parametrize(
        "query",
        [
            "until=x",
            "until=9999-99-99T00:00",
            "until=0001-01-01T00:00",
            "before=x",
            "before=2026-01-01",
            "before=%00&sensor=%00",
        ],
    )
    def test_what_no_link_asks_for_is_no_error(self, doctor, vital, query):
        assert doctor.get(f"/patients/P-ADA/vitals/?{query}").status_code == 200

    def test_eve_finds_nobody(self, eve, vital):
        assert signed_in(eve).get("/patients/P-ADA/vitals/").status_code == 404
        assert signed_in(eve).get(way(vital)).status_code == 404

    def test_a_stranger_signs_in_first(self, vital):
        assert Client().get("/patients/P-ADA/vitals/").status_code == 302

    def test_who_looked_is_in_the_trail(self, doctor, vital):
        doctor.get("/patients/P-ADA/vitals/")
        audit.flush()

        assert AuditEntry.objects.filter(what="saw", who="dora", patient="P-ADA", about="page:vitals").exists()

    def test_the_tile_leads_there(self, doctor, vital):
        assert 'href="/patients/P-ADA/vitals/"' in doctor.get("/wards/north/").content.decode()


class TestVital:
    @pytest.mark.parametrize("who", ["noor", "vera"])
    def test_who_corrects_nothing_reads_the_history_without_buttons(self, request, vital, dora, now, who):
        corrections.correct(vital, {"spo2": 84.0}, reason="wrong line", by=dora, at=now, version_seen=1)
        browser = signed_in(request.getfixturevalue(who))

        page = browser.get(way(vital)).content.decode()

        assert "SpO₂ 48 → 84 %" in page
        assert "wrong line" in page
        assert 'name="deed"' not in page
        assert "a doctor of the ward can correct it here" in page
        assert browser.post(way(vital), typed(vital, spo2="90")).status_code == 403

    def test_a_doctor_corrects_and_is_told_what_was_judged_again(self, doctor, vital, ada):
        answer = doctor.post(way(vital), typed(vital, spo2="97,5"), follow=True)

        assert answer.redirect_chain == [(way(vital, "?changed=2"), 302)]
        page = answer.content.decode()
        assert "Corrected: SpO₂ 48 → 97.5 %" in page
        assert "marked: this reading had a part in it" in page
        assert "no longer stands" in page
        assert events_of(ada) == ["raised", "returned", "corrected"]

    def test_entered_in_error(self, doctor, vital):
        answer = doctor.post(way(vital), typed(vital, deed="in_error"), follow=True)

        assert "Marked as entered in error" in answer.content.decode()
        assert 'name="deed"' not in answer.content.decode()
        assert not Vital.objects.standing().exists()

    def test_an_alert_that_another_reading_had_raised_is_not_said_to_be_of_this_one(self, doctor, vital, gateway, ada, now):
        gateway.post([item(ada, now, spo2=40)])
        second = Vital.objects.latest("pk")

        page = doctor.post(way(second), typed(second, deed="in_error"), follow=True).content.decode()

        assert events_of(ada) == ["raised", "corrected"]
        assert "SpO₂ 48 &lt; 85 %" in page and "marked: this reading had a part in it" in page

    def test_of_another_sign(self, doctor, vital):
        doctor.post(way(vital), typed(vital, spo2="", respiratory_rate="48", was_respiratory_rate=""))

        vital.refresh_from_db()
        assert (vital.spo2, vital.respiratory_rate) == (None, 48)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"spo2": "101"}, "Can be measured from 0 to 100."),
            ({"spo2": "x"}, "This is no number."),
            ({"spo2": "nan"}, "Can be measured from 0 to 100."),
            ({"spo2": "", "heart_rate": ""}, "Nothing would be left"),
            ({"body_temp": "98.6", "was_body_temp": ""}, "send 37.0 °C"),
            ({"spo2": "84", "reason": " "}, "Say why"),
            ({"spo2": "84", "reason": "x" * 201}, "at most 200"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_lost(self, doctor, vital, values, sentence):
        answer = doctor.post(way(vital), typed(vital, **values))

        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        vital.refresh_from_db()
        assert vital.version == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"heart_rate": "x", "spo2": "101"}, "heart_rate"), ({"spo2": "101"}, "spo2"), ({"reason": " "}, "reason")],
    )
    def test_the_keyboard_is_where_it_is_wrong(self, doctor, vital, values, field):
        page = doctor.post(way(vital), typed(vital, **values)).content.decode()

        (tag,) = re.findall(r"<[^>]* autofocus[^>]*>", page)
        assert f'id="{field}"' in tag and 'aria-invalid="true"' in tag

    def test_while_the_database_is_busy_the_keyboard_is_at_the_sentence(self, doctor, vital, monkeypatch):
        monkeypatch.setattr(corrections, "correct", busy)

        page = doctor.post(way(vital), typed(vital, spo2="84")).content.decode()

        assert re.findall(r"<([^>]*) autofocus[^>]*>", page) == ['p class="trouble" role="alert" tabindex="-1"']

    def test_what_is_there_already_is_said_to_be(self, doctor, vital):
        answer = doctor.post(way(vital), typed(vital, spo2="48,0"), follow=True)

        assert "Nothing was changed" in answer.content.decode()
        assert not VitalChange.objects.exists()

    @pytest.mark.parametrize("done", ["?changed=2", "?unchanged"])
    def test_what_was_done_before_is_not_said_of_what_is_refused(self, doctor, vital, dora, now, done):
        corrections.correct(vital, {"spo2": 84.0}, reason="x", by=dora, at=now, version_seen=1)
        vital.refresh_from_db()

        refused = doctor.post(way(vital, done), typed(vital, spo2="101"))

        assert refused.status_code == 422
        assert 'class="done"' not in refused.content.decode()

    @pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
    def test_without_a_version_it_is_no_form_of_ours(self, doctor, vital, version):
        assert doctor.post(way(vital), typed(vital, version=version)).status_code == 400

    @pytest.mark.parametrize("key", ["0", "x", "9" * 30])
    def test_one_that_is_not_there(self, doctor, vital, key):
        assert doctor.get(f"/patients/P-ADA/vitals/{key}/").status_code == 404

    def test_another_patients_is_not_there(self, doctor, vital, ben):
        assert doctor.get(f"/patients/P-BEN/vitals/{vital.pk}/").status_code == 404


class TestConflict:
    @pytest.fixture
    def meanwhile(self, vital, other, now):
        """Omar corrects both values while Dora looks at the form."""
        corrections.correct(vital, {"spo2": 88.0, "heart_rate": 75.0}, reason="mine", by=other, at=now, version_seen=1)

    def test_she_sees_hers_theirs_and_chooses(self, doctor, vital, meanwhile):
        answer = doctor.post(way(vital), typed(vital, spo2="84"))

        page = answer.content.decode()
        assert answer.status_code == 409
        (clash,) = [each for each in answer.context["touched"] if each.clashes]
        assert (clash.name, clash.base, clash.hers, clash.theirs) == ("spo2", "48", "84", "88")
        (kept,) = [each for each in answer.context["touched"] if each.is_theirs]
        assert (kept.name, kept.merged) == ("heart_rate", "75")
        assert "kept: only they changed it" in page
        assert "Save on top of version 2" in page
        assert "Omar" in page

    def test_what_she_chose_is_saved_on_top(self, doctor, vital, meanwhile):
        doctor.post(way(vital), typed(vital, spo2="84"))
        answer = doctor.post(
            way(vital),
            {"version": 2, "reason": "the wrong line", "deed": "correct", "spo2": "84", "was_spo2": "88"}
            | {"heart_rate": "75", "was_heart_rate": "75"},
        )

        assert answer.status_code == 302
        vital.refresh_from_db()
        assert (vital.spo2, vital.heart_rate, vital.version) == (84, 75, 3)

    def test_what_only_she_changed_is_merged_already(self, doctor, vital, other, now):
        corrections.correct(vital, {"heart_rate": 75.0}, reason="mine", by=other, at=now, version_seen=1)

        answer = doctor.post(way(vital), typed(vital, spo2="84"))

        assert {each.name: each.merged for each in answer.context["touched"]} == {"spo2": "84", "heart_rate": "75"}
        assert "taken: only you changed it" in answer.content.decode()

    def test_in_error_all_the_same(self, doctor, vital, meanwhile):
        answer = doctor.post(way(vital), typed(vital, deed="in_error"))

        assert answer.status_code == 409
        assert "entered in error all the same" in answer.content.decode()

    def test_what_was_marked_meanwhile_is_not_corrected(self, doctor, vital, other, now):
        corrections.mark_in_error(vital, reason="x", by=other, at=now, version_seen=1)

        answer = doctor.post(way(vital), typed(vital, spo2="84"))

        assert answer.status_code == 409
        assert "entered in error meanwhile" in answer.content.decode()

    @pytest.mark.parametrize("wrong", [{"spo2": "940"}, {"spo2": "x"}, {"reason": " "}])
    def test_a_typing_error_between_hides_no_conflict(self, doctor, vital, meanwhile, wrong):
        refused = doctor.post(way(vital), typed(vital, spo2="84") | wrong)

        answer = doctor.post(way(vital), form(refused) | {"spo2": "84", "reason": "the wrong line", "deed": "correct"})

        assert (refused.status_code, answer.status_code) == (422, 409)
        assert "Somebody else changed this vital" in refused.content.decode()
        assert {each.name: (each.base, each.hers, each.theirs) for each in answer.context["touched"]} == {
            "spo2": ("48", "84", "88"),
            "heart_rate": ("72", "72", "75"),
        }

    def test_a_busy_database_between_hides_none_either(self, doctor, vital, meanwhile, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(corrections, "correct", busy)
            refused = doctor.post(way(vital), typed(vital, spo2="84"))

        answer = doctor.post(way(vital), form(refused) | {"deed": "correct"})

        assert (refused.status_code, answer.status_code) == (503, 409)

    def test_a_mark_in_error_without_a_reason_is_a_conflict_still(self, doctor, vital, meanwhile):
        refused = doctor.post(way(vital), typed(vital, deed="in_error", reason=" "))

        answer = doctor.post(way(vital), form(refused) | {"deed": "in_error", "reason": "wrong bed"})

        assert (refused.status_code, answer.status_code) == (422, 409)
        assert Vital.objects.standing().exists()

    def test_a_typing_error_at_what_was_marked_meanwhile(self, doctor, vital, other, now):
        corrections.mark_in_error(vital, reason="x", by=other, at=now, version_seen=1)

        page = doctor.post(way(vital), typed(vital, reason=" ")).content.decode()

        assert "entered in error meanwhile" in page
        assert 'name="deed"' not in page


def busy(*args, **kwargs):
    raise WriterBusy


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    ROUNDS = 4

    def test_nobody_writes_over_what_she_has_not_seen(self, vital, dora, other):
        """Two doctors correct the same value at the same time, each with a typing error before it."""
        begun = Barrier(2, timeout=20)

        def correct(who, first):
            browser, saw, statuses = signed_in(who), {}, []
            try:
                for value in range(first, first + self.ROUNDS):
                    told = {"reason": "the wrong line", "deed": "correct"}
                    page = browser.get(way(vital))
                    begun.wait()
                    page = browser.post(way(vital), form(page) | told | {"spo2": "940"})
                    while page.status_code != 302:
                        sent = form(page) | told | {"spo2": str(value)}
                        saw[value] = float(sent["was_spo2"])
                        page = browser.post(way(vital), sent)
                        statuses.append(page.status_code)
            finally:
                connections.close_all()
            return saw, statuses

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(correct, (dora, other), (60, 80)))

        saw = found[0][0] | found[1][0]
        changes = VitalChange.objects.order_by("version")
        assert len(changes) == 2 * self.ROUNDS
        assert [each.was["spo2"] for each in changes] == [saw[each.became["spo2"]] for each in changes]
        statuses = [status for _, each in found for status in each]
        assert (statuses.count(302), set(statuses)) == (2 * self.ROUNDS, {302, 409})
