"""Whatever is opened or saved in the administration leaves its trail, and no page is slower for it."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import audit
from accounts.admin.trail import Trailed
from accounts.models import AuditEntry, Bed, Device, Membership, User, Ward
from monitoring.models import Admission, Alert, Patient, Shift, Threshold, Vital, WebhookEndpoint
from tests.admin.pages import act, address, lines, patient_page, split, ward_page
from tests.audit.trail import trail
from tests.world import item

FIRST = "a long first password"
LOOK = ("who", "what", "patient", "about", "door")
SAVED = ("who", "what", "patient", "about", "detail")


@pytest.fixture
def alert(ada, gateway, now):
    gateway.post([item(ada, now, spo2=84)])
    return Alert.objects.get()


def deeds(*names):
    """What was saved, without what was looked at on the way."""
    audit.flush()
    rows = AuditEntry.objects.exclude(what="saw").exclude(by_kind="medql").order_by("pk")
    return list(rows.values_list(*(names or SAVED)))


def test_every_page_of_ours_leaves_a_trail():
    ours = [page for noun, page in admin.site._registry.items() if noun._meta.app_label in ("accounts", "monitoring")]

    assert ours
    assert [page for page in ours if not isinstance(page, Trailed)] == []


class TestLooking:
    @pytest.mark.parametrize("noun", [Admission, Alert, Patient, Vital])
    def test_a_patients_pages_name_him(self, office, alert, ada, noun):
        row = noun.objects.get(**({} if noun is Patient else {"patient": ada}))
        for page in ("change", "history"):
            office.get(address(noun, page, row.pk))

        name = noun._meta.model_name
        assert trail(*LOOK) == [
            ("root", "saw", "P-ADA", f"page:admin/{name}/{row.pk}", "admin"),
            ("root", "saw", "P-ADA", f"page:admin/{name}/{row.pk}/history", "admin"),
        ]

    def test_a_list_is_one_look(self, office, ada, ben):
        office.get(address(Patient))
        office.get(address(Patient), {"q": "P-"})

        assert trail(*LOOK) == [("root", "saw", "", "page:admin/patient/list", "admin")]

    def test_what_a_field_offers_while_one_types(self, office, ada):
        asked = {"app_label": "monitoring", "model_name": "admission", "field_name": "patient", "term": "P-"}
        assert office.get("/admin/autocomplete/", asked).json()["results"]

        assert trail("about") == ["page:admin/patient/choices"]

    def test_the_page_that_asks_before_a_discharge(self, office, ada):
        stay = Admission.objects.get()
        office.get(address(Admission, "discharge", stay.pk))

        assert trail("patient", "about") == [("P-ADA", f"page:admin/admission/{stay.pk}/discharge")]

    def test_who_may_not_see_it_has_not_seen_it(self, noor, ada, client):
        User.objects.filter(pk=noor.pk).update(is_staff=True)
        client.force_login(noor)
        client.get(address(Device))
        client.get(address(Patient, "change", 9_999))

        assert "P-ADA" not in trail("patient")
        assert f"page:admin/patient/{ada.pk}" not in trail("about")

    @pytest.mark.parametrize("noun", [Admission, Alert, Patient, Vital, Threshold, User, Ward, Device])
    def test_no_page_asks_the_database_more_for_it(self, office, root, alert, gateway, monkeypatch, noun):
        row = noun.objects.first() or Threshold.objects.create(sign="spo2", critical_low=80, warning_low=88, set_by=root)
        pages = [address(noun), address(noun, "change", row.pk), address(noun, "history", row.pk)]

        def queries():
            with CaptureQueriesContext(connection) as asked:
                assert {office.get(page).status_code for page in pages} == {200}
            return len(asked)

        queries()
        with_it = queries()
        monkeypatch.setattr(Trailed, "saw", lambda *args: None)

        assert queries() == with_it


class TestSaving:
    def test_a_patient_by_the_fields_and_never_by_their_values(self, office, ada):
        office.post(address(Patient, "change", ada.pk), patient_page(ada, name="Ada Lovelace", birth_date="1985-12-10"))

        assert deeds() == [("root", "changed", "P-ADA", "patient:P-ADA", {"fields": ["name", "birth_date"]})]
        assert "Lovelace" not in str(list(AuditEntry.objects.values()))

    def test_a_new_patient(self, office, db):
        office.post(address(Patient, "add"), {"patient_id": "P-EDA", "name": "Eda", "gender": "female"} | lines("thresholds"))

        assert deeds("who", "what", "patient", "about") == [("root", "added", "P-EDA", "patient:P-EDA")]

    def test_what_a_verb_has_written_is_not_written_twice(self, office, ada, root):
        stay = Admission.objects.get()
        office.post(address(Admission, "discharge", stay.pk), {"notes": ""})
        act(office, Patient, "archive", ada)
        act(office, Patient, "archive", ada)
        act(office, Patient, "bring_back", ada)

        assert [what for (what,) in deeds("what")] == ["discharged", "archived", "brought_back"]

    def test_limits_on_a_patients_page_are_the_verbs_to_tell(self, office, ada):
        limit = {"sign": "spo2", "critical_low": 82, "warning_low": 88, "reason": "COPD"}
        office.post(address(Patient, "change", ada.pk), patient_page(ada) | lines("thresholds", limit))

        assert Threshold.objects.exists()
        assert deeds("what", "detail") == [("limits_changed", {"signs": {"spo2": "made"}})]

    def test_a_person_with_his_wards_and_powers(self, office, north):
        person = {"login": "nina", "email": "nina@example.org", "name": "Nina", "usable_password": "true"}
        passwords = {"password1": FIRST, "password2": FIRST}
        office.post(address(User, "add"), person | passwords | lines("memberships", {"ward": north.pk, "role": "nurse"}))
        membership = Membership.objects.get()

        (_, added, _, about, facts), (_, made, _, of, told) = sorted(deeds(), key=lambda entry: entry[3], reverse=True)
        assert (added, about) == ("added", "user:nina")
        assert facts | {"administrator": False, "staff": False, "active": True} == facts
        assert (made, of) == ("added", f"membership:{membership.pk}")
        assert (told["person"], told["role"]) == ("nina", "nurse")
        assert FIRST not in str(deeds()) and "example.org" not in str(deeds())

    def test_a_membership_that_ends(self, office, noor):
        membership = noor.memberships.get()
        office.post(address(Membership, "delete", membership.pk), {"post": "yes"})

        ((_, what, _, about, told),) = deeds()
        assert (what, about, told["person"], told["role"]) == ("removed", f"membership:{membership.pk}", "noor", "nurse")
        assert AuditEntry.objects.get(what="removed").ward.slug == "north"

    def test_who_leaves_and_whose_password_is_new(self, office, noor, dora):
        act(office, User, "deactivate", noor)
        office.post(
            f"/admin/accounts/user/{dora.pk}/password/", {"usable_password": "true", "password1": FIRST, "password2": FIRST}
        )

        told = {about: detail.get("said") for _, _, _, about, detail in deeds()}
        assert told["user:noor"] == "Deactivated."
        assert ("changed", "user:dora") in deeds("what", "about")
        assert FIRST not in str(deeds())

    def test_a_ward_and_its_beds(self, office, north):
        beds = [{"id": bed.pk, "name": bed.name, "position": bed.position} for bed in north.beds.order_by("position")]
        beds[0]["name"] = "window"
        office.post(address(Ward, "change", north.pk), ward_page(north, beds=beds) | {"name": "Far North"})

        bed = Bed.objects.get(name="window")
        assert set(deeds("what", "about", "ward__slug")) == {
            ("changed", "ward:north", "north"),
            ("changed", f"bed:{bed.pk}", "north"),
        }

    def test_a_webhook_and_never_its_secret(self, office, north):
        page = {"ward": north.pk, "name": "pager", "url": "http://pager.example.org/", "secret": "between us two only"}
        office.post(address(WebhookEndpoint, "add"), page | {"is_active": "on"})

        endpoint = WebhookEndpoint.objects.get()
        assert deeds("what", "about", "ward__slug") == [("added", f"webhookendpoint:{endpoint.pk}", "north")]
        assert "between us" not in str(deeds())

    def test_a_shift(self, office, north, noor, now):
        page = {"user": noor.pk, "ward": north.pk} | split("starts_at", now) | split("ends_at", now + timedelta(hours=8))
        office.post(address(Shift, "add"), page)

        ((_, what, _, _, told),) = deeds()
        assert (what, told["person"]) == ("added", "noor")

    def test_a_vital_written_by_hand(self, office, ada, now):
        office.post(address(Vital, "add"), {"patient": ada.pk, "sensor": "manual", "spo2": 97} | split("measured_at", now))

        vital = Vital.objects.get()
        assert deeds("who", "what", "patient", "about") == [("root", "added", "P-ADA", f"vital:{vital.pk}")]

    def test_a_page_that_is_refused_or_changes_nothing_is_no_deed(self, office, ada):
        office.post(address(Patient, "change", ada.pk), patient_page(ada, name=""))
        office.post(address(Patient, "change", ada.pk), patient_page(ada))

        assert deeds() == []

    def test_what_is_saved_and_its_entry_stand_or_fall_together(self, office, ada, monkeypatch):
        def broken(*args, **kwargs):
            raise RuntimeError

        monkeypatch.setattr(audit, "record", broken)
        with pytest.raises(RuntimeError):
            office.post(address(Patient, "change", ada.pk), patient_page(ada, name="Ada Lovelace"))

        ada.refresh_from_db()
        assert ada.name == "Ada Byron"


class TestLoad:
    def test_the_page_is_seen_and_the_table_exported(self, office, north):
        office.get("/load/", {"ward": "north"})
        answer = office.get("/load/", {"ward": "north", "csv": "1"})

        assert answer["Content-Type"].startswith("text/csv")
        looks = trail("who", "what", "ward__slug", "about", "door")
        assert sorted(looks, key=lambda look: look[1]) == [
            ("root", "exported", "north", "load", "admin"),
            ("root", "saw", "north", "page:load", "admin"),
        ]


class TestApi:
    def test_a_patients_limits_suggestion_and_dry_run(self, dora, ada, client):
        client.force_login(dora)
        client.get("/api/v1/patients/P-ADA/thresholds")
        client.get("/api/v1/patients/P-ADA/thresholds/suggestion")
        for subject in ({"patient_id": "P-ADA"}, {"ward": "north"}):
            client.post("/api/v1/thresholds/preview", subject | {"limits": []}, content_type="application/json")

        assert trail("who", "patient", "ward__slug", "about", "door") == [
            ("dora", "P-ADA", None, "page:api/limits", "api"),
            ("dora", "P-ADA", None, "page:api/suggestion", "api"),
            ("dora", "P-ADA", None, "page:api/dry-run", "api"),
            ("dora", "", "north", "page:api/dry-run", "api"),
        ]
