"""Administrators read the audit, filter it and take it away; nobody else does, and nobody changes it."""

import csv
import io
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from accounts import audit, origin
from accounts.admin import audit as page
from accounts.models import AuditEntry, Deed, Door, Membership, User
from monitoring.services import auditing
from tests.admin.pages import address
from tests.audit.trail import trail
from tests.conftest import signed_in

LIST = "/admin/accounts/auditentry/"
EXPORT = f"{LIST}export/"
HOUR = timedelta(hours=1)


@pytest.fixture
def some(north, south, noor, eve, gateway, now):
    """Three hours ago, two and one."""
    audit.record(Deed.ACKNOWLEDGED, by=noor, at=now - 3 * HOUR, patient="P-ADA", ward=north, about="alert:1")
    audit.record(Deed.SILENCED, by=eve, at=now - 2 * HOUR, patient="P-CID", ward=south, about="alert:2", detail={"minutes": 2})
    with origin.told(origin.Origin("203.0.113.7", Door.API)):
        audit.record(Deed.REFUSED, by=gateway.device, at=now - HOUR, about="POST /api/v1/vitals")


def listed(office, **asked):
    answer = office.get(LIST, asked)
    assert answer.status_code == 200, answer["Location"]
    return [entry.what for entry in answer.context["cl"].result_list]


def exported(office, **asked):
    answer = office.get(EXPORT, asked)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


class TestList:
    def test_the_newest_is_first_with_all_that_matters(self, office, some):
        assert listed(office)[:3] == ["refused", "silenced", "acknowledged"]

        text = office.get(LIST).content.decode()
        for word in ("GW-NORTH", "203.0.113.7", "P-CID", "alert:1", "minutes: 2", "South"):
            assert word in text

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"what__exact": "silenced"}, ["silenced"]),
            ({"who": "noor"}, ["acknowledged"]),
            ({"who": " Noor "}, ["acknowledged"]),
            ({"who": "GW-NORTH"}, ["refused"]),
            ({"who": "nobody-here"}, []),
            ({"q": "P-ADA"}, ["acknowledged"]),
            ({"q": "p-ada"}, []),
            ({"q": "P-AD"}, []),
            ({"door__exact": "api"}, ["refused"]),
            ({"by_kind__exact": "device"}, ["refused"]),
            ({"who": "eve", "what__exact": "silenced", "q": "P-CID"}, ["silenced"]),
        ],
    )
    def test_it_is_filtered(self, office, some, asked, found):
        assert listed(office, **asked) == found

    def test_by_ward_and_by_time(self, office, some, south, now, settings):
        settings.TIME_ZONE = "Asia/Kolkata"

        def clock(at):
            return f"{at + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S}"

        assert listed(office, ward__id__exact=south.pk) == ["silenced"]
        assert listed(office, since=clock(now - 2.5 * HOUR), until=clock(now - 1.5 * HOUR)) == ["silenced"]
        assert listed(office, since=f"{now - 1.5 * HOUR:%Y-%m-%dT%H:%M:%S}Z", until=clock(now)) == ["refused"]

    @pytest.mark.parametrize("typed", ["yesterday", "2026-13-45T99:99", "2026-01-01' OR 1=1"])
    def test_what_is_no_time_is_said_to_be_none(self, office, some, typed):
        answer = office.get(LIST, {"since": typed})

        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")
        assert office.get(EXPORT, {"since": typed})["Location"] == LIST

    def test_a_typed_filter_keeps_the_others(self, office, some):
        text = office.get(LIST, {"what__exact": "silenced", "q": "P-CID", "who": "eve"}).content.decode()

        assert '<input type="hidden" name="what__exact" value="silenced">' in text
        assert '<input type="hidden" name="q" value="P-CID">' in text
        assert 'name="who" value="eve"' in " ".join(text.split())
        assert "?what__exact=silenced&amp;q=P-CID&amp;who=eve" in text  # the export asks for the same

    def test_one_entry_shows_its_seal(self, office, some, now):
        auditing.seal(now=now)
        entry = AuditEntry.objects.latest("pk")

        assert entry.seal in office.get(address(AuditEntry, "change", entry.pk)).content.decode()

    def test_millions_are_not_counted(self, office, some):
        with CaptureQueriesContext(connection) as asked:
            listed(office)

        counts = [query["sql"] for query in asked if "COUNT(*)" in query["sql"] and "auditentry" in query["sql"]]
        assert counts
        assert all("LIMIT 1000" in count for count in counts)

    @pytest.mark.parametrize(
        "asked", [{}, {"q": "P-ADA"}, {"what__exact": "acknowledged"}, {"who": "noor"}, {"who": "GW-NORTH"}]
    )
    def test_it_is_read_by_an_index(self, office, some, noor, gateway, now, monkeypatch, asked):
        monkeypatch.setattr(page.AuditAdmin, "list_per_page", 1)
        audit.record(Deed.ACKNOWLEDGED, by=noor, at=now, patient="P-ADA")
        audit.record(Deed.REFUSED, by=gateway.device, at=now)
        with CaptureQueriesContext(connection) as seen:
            office.get(LIST, asked)
        of_list = [each["sql"] for each in seen if "auditentry" in each["sql"] and "COUNT" not in each["sql"]]
        (query,) = [sql for sql in of_list if " ORDER BY " in sql and " LIMIT " in sql]

        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query}")
            plan = str(cursor.fetchall())
        assert "audit_" in plan

    def test_opening_it_is_written_down_too(self, office, db):
        office.get(LIST)

        assert trail("who", "what", "about") == [("root", "saw", "page:admin/auditentry/list")]


class TestExport:
    def test_all_of_it_with_its_seals(self, office, some, now):
        auditing.seal(now=now)

        rows = exported(office)[1:]

        assert [row["what"] for row in rows] == ["refused", "silenced", "acknowledged"]
        assert [row["ward"] for row in rows] == ["", "south", "north"]
        assert rows[1]["detail"] == '{"minutes": 2}'
        assert rows[1]["at"] == (now - 2 * HOUR).isoformat()
        assert [row["number"] for row in rows] == ["3", "2", "1"]
        assert {len(row["seal"]) for row in rows} == {64}

    def test_as_filtered(self, office, some):
        assert [row["what"] for row in exported(office, who="eve")] == ["silenced"]

    def test_taking_it_away_is_written_down_before_it_leaves(self, office, some):
        office.get(EXPORT, {"q": "P-ADA", "who": "noor"})  # of which nobody reads a line

        entry = AuditEntry.objects.get(what="exported")
        assert (entry.who, entry.patient, entry.about, entry.detail) == (
            "root", "P-ADA", "audit", {"asked": "q=P-ADA&who=noor"},
        )  # fmt: skip

    @pytest.mark.parametrize("piece", [1, 2, 3, 100])
    def test_in_pieces_no_entry_is_left_out_or_told_twice(self, office, noor, now, monkeypatch, piece):
        monkeypatch.setattr(page, "PIECE", piece)
        for number in range(7):
            audit.record(Deed.ADMITTED, by=noor, at=now - HOUR * (number // 3), about=f"alert:{number}")

        rows = exported(office, what__exact="admitted")

        assert [row["about"] for row in rows] == [f"alert:{number}" for number in (2, 1, 0, 5, 4, 3, 6)]

    @pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "  =1"])
    def test_no_cell_is_a_formula(self, office, noor, now, formula):
        audit.record(Deed.REFUSED, by=noor, at=now, patient=formula, about=formula)

        (row,) = exported(office, what__exact="refused")

        for cell in (row["patient"], row["about"]):
            assert cell[0] == "'" or cell.startswith("\\u000")

    def test_no_text_forges_a_line_of_the_table(self, office, noor, now):
        audit.record(Deed.REFUSED, by=noor, at=now, about='x"\r\n1,2026-01-01,,silenced,person,eve')

        answer = office.get(EXPORT, {"what__exact": "refused"})
        assert len(b"".join(answer.streaming_content).splitlines()) == 2

    @pytest.mark.django_db(transaction=True)
    async def test_behind_the_asynchronous_entrance_it_streams(self, root, noor, now, monkeypatch):
        monkeypatch.setattr(page, "PIECE", 2)
        for _ in range(5):
            await sync_to_async(audit.record)(Deed.ADMITTED, by=noor, at=now)
        browser = AsyncClient()
        await browser.aforce_login(root)

        answer = await browser.get(EXPORT)
        parts = [part async for part in answer.streaming_content]

        assert answer.is_async
        assert [len(part.splitlines()) for part in parts] == [1, 2, 2, 2]


class TestNobodyElse:
    @pytest.mark.parametrize("role", Membership.Role.values)
    def test_staff_of_a_ward_do_not_see_it(self, noor, some, role):
        Membership.objects.filter(user=noor).update(role=role)
        User.objects.filter(pk=noor.pk).update(is_staff=True)
        browser = signed_in(User.objects.get(pk=noor.pk))
        entry = AuditEntry.objects.first()

        for path in (LIST, EXPORT, address(AuditEntry, "change", entry.pk), address(AuditEntry, "history", entry.pk)):
            assert browser.get(path).status_code == 403
        assert "auditentry" not in browser.get("/admin/").content.decode()
        assert trail("about")[-4:] == [
            f"GET {path}" for path in (LIST, EXPORT, f"{LIST}{entry.pk}/change/", f"{LIST}{entry.pk}/history/")
        ]

    def test_a_stranger_is_asked_who_he_is(self, client, some):
        for path in (LIST, EXPORT):
            assert client.get(path).status_code == 302

    def test_administrators_change_nothing_either(self, office, some):
        entry = AuditEntry.objects.first()

        assert office.get(address(AuditEntry, "add")).status_code == 403
        assert office.post(address(AuditEntry, "change", entry.pk), {"who": "eve"}).status_code == 403
        assert office.post(address(AuditEntry, "delete", entry.pk), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [str(entry.pk)], "post": "yes"}
        office.post(LIST, chosen)
        assert AuditEntry.objects.filter(pk=entry.pk, who="noor").exists()
