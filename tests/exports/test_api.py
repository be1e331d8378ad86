"""GET …/export: vitals and alerts of a patient or a ward as a file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from accounts import service_tokens
from accounts.models import AuditEntry, ServiceToken
from monitoring import files
from monitoring.files import SENTENCE
from monitoring.models import Alert, Vital
from monitoring.services import admissions, alerts, corrections, exports
from tests.conftest import signed_in
from tests.exports.takers import asked, body, measured, table, taken, workbook
from tests.world import item, open_alert, unscored

ADA, NORTH = "patients/P-ADA", "wards/north"


@pytest.fixture
def alarm(ada, gateway, now):
    gateway.post([item(ada, now.replace(microsecond=0), sensor_id="hand", body_temp=41)])
    return Alert.objects.get(patient=ada, condition="body_temp_high")


class TestVitals:
    def test_a_patients_vitals_are_rows_in_the_order_of_their_time(self, ada, noor, now):
        at = now.replace(microsecond=0) - timedelta(minutes=5)
        measured(ada, at + timedelta(seconds=1), at, spo2=97.0, body_temp=36.6, on_oxygen=True)

        answer = taken(noor, ADA, now)
        rows = table(answer)

        assert [row["measured_at"] for row in rows] == [
            f"{at:%Y-%m-%dT%H:%M:%SZ}",
            f"{at + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}",
        ]
        told = {
            name: rows[0][name]
            for name in ("patient_id", "ward", "bed", "sensor_id", "spo2", "body_temp", "on_oxygen", "version")
        }
        assert list(told.values()) == ["P-ADA", "north", "N1", "M7/art", "97", "36.6", "true", "1"]
        assert rows[0]["heart_rate"] == ""  # absent is a gap
        assert answer["X-Total-Rows"] == "2"
        assert answer["Content-Disposition"].startswith('attachment; filename="vitals-P-ADA-')
        assert "no-store" in answer["Cache-Control"]

    def test_a_workbook_opens_with_numbers_times_and_words_of_their_kind(self, ada, noor, now):
        at = now.replace(microsecond=0) - timedelta(minutes=5)
        measured(ada, at, spo2=97.0, body_temp=36.6, on_oxygen=False, consciousness="A")

        book = workbook(taken(noor, ADA, now, format="xlsx"))

        heads, row = book["Vitals"].rows
        found = {head.value: cell for head, cell in zip(heads, row, strict=True)}
        assert found["measured_at (UTC)"].value == at.replace(tzinfo=None)
        assert (found["spo2 (%)"].value, found["spo2 (%)"].data_type) == (97, "n")
        assert found["body_temp (°C)"].value == 36.6
        assert found["on_oxygen"].value is False
        assert found["heart_rate (/min)"].value is None
        about = {first.value: second.value for first, second in book["About"].rows}
        assert (about["Patient"], about["Rows"], about["By"]) == ("P-ADA", 1, "noor")
        assert SENTENCE in {cell.value for row in book["About"].rows for cell in row}

    def test_what_the_device_said_beside_its_numbers_stands_beside_them(self, ada, noor, now):
        at = now.replace(microsecond=0)
        measured(ada, at - timedelta(minutes=3), heart_rate=80)
        measured(ada, at - timedelta(minutes=2), spo2=50, status={"spo2": "probe_off"})
        measured(ada, at - timedelta(minutes=1), status={"heart_rate": "asystole", "device": "ok"})

        rows = table(taken(noor, ADA, now))

        said = ["", "spo2: probe_off", "device: ok, heart_rate: asystole"]
        assert [(row["spo2"], row["status"]) for row in rows] == list(zip(["", "50", ""], said, strict=True))
        heads, *lines = workbook(taken(noor, ADA, now, format="xlsx"))["Vitals"].values
        assert [line[heads.index("status")] or "" for line in lines] == said
        assert [(line[heads.index("version")], line[heads.index("oxygen_flow (L/min)")]) for line in lines] == [(1, None)] * 3

    def test_pieces_join_without_a_gap_or_a_double(self, ada, noor, now, monkeypatch):
        """Two sensors speak at the same instants, and a piece ends between them."""
        monkeypatch.setattr(exports, "PIECE", 3)
        times = [now.replace(microsecond=0) - timedelta(seconds=each) for each in range(1, 6)]
        for sensor in ("a", "b"):
            measured(ada, *times, sensor=sensor, heart_rate=80)

        rows = table(taken(noor, ADA, now))

        assert len({(row["measured_at"], row["sensor_id"]) for row in rows}) == len(rows) == 10

    def test_what_is_stored_after_the_beginning_stays_out(self, ada, noor, now, monkeypatch):
        monkeypatch.setattr(exports, "PIECE", 1)
        times = [now - timedelta(seconds=each) for each in (30, 20)]
        measured(ada, *times, heart_rate=80)
        answer = taken(noor, ADA, now)
        leaving = iter(answer.streaming_content)
        first = next(leaving)

        measured(ada, now - timedelta(seconds=10), heart_rate=99)
        whole = first + b"".join(leaving)

        assert whole.count(b"M7/art") == 2
        assert b"End of export: 2 rows." in whole

    def test_what_was_entered_in_error_stays_out_and_what_was_corrected_says_so(self, ada, noor, now):
        measured(ada, now - timedelta(minutes=2), heart_rate=800, erroneous_at=now)
        measured(ada, now - timedelta(minutes=1), heart_rate=80, version=2)

        (row,) = table(taken(noor, ADA, now))

        assert (row["heart_rate"], row["version"]) == ("80", "2")

    def test_the_first_moment_is_in_and_the_last_is_not(self, ada, noor, now):
        since, until = now - timedelta(hours=1), now
        measured(ada, since, until, heart_rate=80)

        assert len(table(taken(noor, ADA, now, **{"from": since, "to": until}))) == 1

    def test_a_text_that_begins_like_a_formula_is_none(self, ada, noor, now):
        measured(ada, now - timedelta(minutes=1), sensor="-1+1", heart_rate=80)

        assert table(taken(noor, ADA, now))[0]["sensor_id"] == "'-1+1"
        sheet = workbook(taken(noor, ADA, now, format="xlsx"))["Vitals"]
        assert [cell.data_type for cell in sheet["E"]] == ["s", "s"]
        assert sheet["E2"].value == "-1+1"

    def test_nothing_measured_is_a_table_without_rows(self, ada, noor, now):
        answer = taken(noor, ADA, now)

        assert table(answer) == []
        assert answer["X-Total-Rows"] == "0"


class TestWard:
    def test_it_has_those_who_lay_there_while_they_did(self, ada, ben, cid, north, south, noor, now):
        """Ben moves to South an hour ago: what is measured there is no longer North's."""
        moved = now - timedelta(hours=1)
        admissions.transfer(ben.admissions.get(), bed=south.beds.get(position=2), by=None, at=moved)
        for patient in (ada, ben, cid):
            measured(patient, moved - timedelta(minutes=1), moved + timedelta(minutes=1), heart_rate=80)

        rows = table(taken(noor, NORTH, now))

        assert [(row["patient_id"], row["bed"]) for row in rows] == [("P-ADA", "N1"), ("P-ADA", "N1"), ("P-BEN", "N2")]

    def test_no_name_leaves(self, ada, noor, now, alarm):
        everything = [body(taken(noor, NORTH, now, what=what)) for what in ("vitals", "alerts")]

        assert b"Byron" not in b"".join(everything)


class TestAlerts:
    def test_an_alert_is_a_row_with_who_took_it(self, ada, noor, now, alarm):
        alerts.acknowledge(alarm, by=noor, at=now)

        for subject in (ADA, NORTH):
            rows = table(taken(noor, subject, now + timedelta(minutes=1), what="alerts"))
            row = next(row for row in rows if row["condition"] == "body_temp_high")
            told = ("patient_id", "ward", "bed", "severity", "message", "vital_value", "state", "acknowledged_by", "id")
            found = [row[name] for name in told]
            assert found[:4] == ["P-ADA", "north", "N1", "critical"]
            assert found[4:] == ["Temp 41 > 40 °C", "41", "acknowledged", "noor", str(alarm.pk)]

    @pytest.fixture
    def reading(self, ada, noor, gateway, now) -> Vital:
        """Of the wrong bed; its alert was taken and is over."""
        unscored(ada)
        gateway.post([item(ada, now - timedelta(minutes=1), sensor_id="hand", spo2=48)])
        alert = open_alert(ada)
        alerts.acknowledge(alert, by=noor, at=now)
        alerts.resolve(alert, by=noor, at=now)
        return Vital.objects.get()

    def test_one_whose_reading_was_entered_in_error_says_so(self, ada, noor, dora, now, reading):
        later = (now + timedelta(minutes=5)).replace(microsecond=0)
        corrections.mark_in_error(reading, reason="wrong bed", by=dora, at=later, version_seen=1)

        (row,) = table(taken(noor, ADA, now, what="alerts"))

        assert (row["vital_value"], row["worst_value"], row["message"]) == ("48", "48", "SpO₂ 48 < 85 %")  # as it was told
        assert row["corrected_at"] == f"{later:%Y-%m-%dT%H:%M:%SZ}"
        assert row["correction"] == "SpO₂ 48 %: entered in error, says Dora"
        heads, line = workbook(taken(noor, ADA, now, what="alerts", format="xlsx"))["Alerts"].values
        assert line[heads.index("corrected_at (UTC)")] == later.replace(tzinfo=None)
        assert line[heads.index("correction")] == row["correction"]

    def test_every_correction_of_it_is_told_and_none_where_there_was_none(self, ada, noor, dora, now, reading):
        (before,) = table(taken(noor, ADA, now, what="alerts"))
        corrections.correct(reading, {"spo2": 84.0}, reason="read again", by=dora, at=now, version_seen=1)
        corrections.mark_in_error(reading, reason="wrong bed", by=dora, at=now + timedelta(minutes=1), version_seen=2)

        after, *_ = table(taken(noor, ADA, now, what="alerts"))

        assert (before["corrected_at"], before["correction"]) == ("", "")
        assert after["correction"] == "SpO₂ 48 → 84 %, corrected by Dora; SpO₂ 84 %: entered in error, says Dora"

    def test_pieces_of_alerts_join(self, ada, noor, now, gateway, monkeypatch):
        monkeypatch.setattr(exports, "PIECE", 1)
        gateway.post([item(ada, now, body_temp=41, spo2=70)])

        rows = table(taken(noor, ADA, now + timedelta(minutes=1), what="alerts"))

        assert len(rows) == Alert.objects.filter(patient=ada).count() > 1

    def test_a_workbook_has_them_too(self, ada, noor, now, alarm):
        sheet = workbook(taken(noor, ADA, now + timedelta(minutes=1), what="alerts", format="xlsx"))["Alerts"]

        assert "Temp 41 > 40 °C" in {cell.value for row in sheet.rows for cell in row}


class TestWho:
    def test_eve_of_another_ward_finds_nothing(self, ada, eve, north, now):
        assert [taken(eve, subject, now).status_code for subject in (ADA, NORTH)] == [404, 404]

    def test_who_only_looks_on_takes_nothing_out(self, ada, vera, now):
        assert [taken(vera, subject, now).status_code for subject in (ADA, NORTH)] == [403, 403]

    def test_who_nurses_elsewhere_takes_nothing_out_where_she_looks_on(self, ada, eve, north, now):
        eve.memberships.create(ward=north, role="viewer")

        assert [taken(eve, subject, now).status_code for subject in (ADA, NORTH)] == [403, 403]

    def test_a_program_takes_nothing_out(self, ada, root, north, now):
        token = service_tokens.issue(ServiceToken(name="reader"), wards=[north], by=root, at=now)
        answer = Client(headers={"Authorization": f"Bearer {token}"}).get(f"/api/v1/{ADA}/export", asked(now))

        assert answer.status_code == 403

    def test_the_dead_and_gone_are_exported_where_they_lay(self, ada, noor, now):
        measured(ada, now - timedelta(minutes=5), heart_rate=80)
        admissions.discharge(ada.admissions.get(), by=None, at=now)

        assert len(table(taken(noor, ADA, now))) == 1

    def test_every_export_is_written_down(self, ada, noor, now):
        measured(ada, now - timedelta(minutes=5), heart_rate=80)
        for subject in (ADA, NORTH):
            body(taken(noor, subject, now))

        of_patient, of_ward = AuditEntry.objects.filter(what="exported").order_by("pk")
        assert (of_patient.patient, of_patient.about, of_ward.ward.slug) == ("P-ADA", "vitals", "north")
        assert of_patient.detail["rows"] == of_ward.detail["rows"] == 1
        assert set(of_patient.detail) == {"from", "until", "format", "rows"}


class TestRefusals:
    @pytest.mark.parametrize(
        ("told", "field"),
        [
            ({"to": None}, "to"),
            ({"from": "yesterday"}, "from"),
            ({"from": "2026-11-26T07:00:00"}, "from"),
            ({"what": "names"}, "what"),
            ({"format": "pdf"}, "format"),
            ({"pages": "1"}, "pages"),
            ({"from": datetime(2100, 1, 1, tzinfo=UTC)}, "from"),
            ({"to": datetime(2020, 1, 1, tzinfo=UTC)}, "to"),
            ({"from": datetime(2020, 1, 1, tzinfo=UTC)}, "to"),
            ({"from": "0001-01-01T00:00:00+14:00", "to": "0001-01-02T00:00:00+14:00"}, "from"),
        ],
    )
    def test_bad_input_is_named(self, ada, noor, now, told, field):
        answer = taken(noor, ADA, now, **told)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field

    def test_only_get(self, ada, noor):
        assert signed_in(noor).post(f"/api/v1/{ADA}/export").status_code == 405

    def test_a_table_too_long_for_a_spreadsheet_is_refused_before_it_leaves(self, ada, noor, now, monkeypatch):
        monkeypatch.setattr(files, "MOST_ROWS", 1)
        measured(ada, now - timedelta(minutes=5), now - timedelta(minutes=4), heart_rate=80)

        answer = taken(noor, ADA, now, format="xlsx")

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "to")
        assert not AuditEntry.objects.filter(what="exported").exists()

    def test_one_too_many_at_once_waits(self, ada, noor, now):
        under_way = [taken(noor, ADA, now) for _ in range(files.AT_ONCE)]

        refused = taken(noor, ADA, now)
        body(under_way.pop())

        assert (refused.status_code, refused["Retry-After"]) == (503, str(files.WAIT))
        assert table(taken(noor, ADA, now)) == []


def test_a_file_that_is_cut_off_says_so(ada, noor, now):
    """Without its last piece a CSV has no end, and a workbook does not open."""
    measured(ada, now - timedelta(minutes=5), heart_rate=80)

    assert b"End of export" not in b"".join(list(taken(noor, ADA, now).streaming_content)[:-1])
    with pytest.raises(Exception, match="not a zip file"):
        workbook_of(list(taken(noor, ADA, now, format="xlsx").streaming_content)[:-1])


def workbook_of(pieces: list[bytes]):
    class Answer:
        streaming_content = pieces

    return workbook(Answer())
