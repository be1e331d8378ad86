"""The observation chart: what was measured, thinned honestly, and its score and alerts, as a page and as PDF."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pypdf
import pytest

from accounts.models import AuditEntry
from monitoring import files
from monitoring.files import SENTENCE
from monitoring.models import Patient, Vital
from monitoring.paper import drawing, pdf
from monitoring.services import admissions, alerts, charts, corrections, summaries
from tests.conftest import signed_in
from tests.exports.takers import called, measured
from tests.world import item, open_alert, unscored

PAGE, PDF = "/patients/P-ADA/chart/", "/patients/P-ADA/chart.pdf"
WELL = {
    "heart_rate": 72,
    "spo2": 97,
    "respiratory_rate": 14,
    "systolic_bp": 120,
    "body_temp": 36.6,
    "consciousness": "A",
    "on_oxygen": False,
}


@pytest.fixture
def hour(now) -> datetime:
    """The beginning of the last full hour."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


def drawn(patient, since, until, now):
    return charts.read(patient, since, until, now=now)


class TestThinning:
    def test_a_column_keeps_the_lowest_and_the_highest_of_what_came_every_second(self, ada, hour, now):
        measured(ada, *(hour + timedelta(seconds=each) for each in range(600)), heart_rate=80)
        measured(ada, hour + timedelta(seconds=90, milliseconds=500), heart_rate=31)
        measured(ada, hour + timedelta(seconds=95, milliseconds=500), heart_rate=199)

        (stretch,) = drawn(ada, hour, hour + timedelta(minutes=10), now).stretches[:1]

        chart = drawn(ada, hour, hour + timedelta(hours=1), now)
        assert [each.extremes.get("heart_rate") for each in chart.stretches][:2] == [(31, 199), (80, 80)]
        assert chart.readings == 602
        assert stretch.extremes["heart_rate"] == (80, 80)  # its own first minute

    def test_summed_up_or_not_it_is_the_same(self, ada, hour, now):
        measured(ada, *(hour + timedelta(seconds=7 * each) for each in range(500)), **WELL)
        before = [each.extremes for each in drawn(ada, hour, now, now).stretches]
        summaries.begin(ada, at=hour)
        while summaries.fill(now=now):
            pass

        assert [each.extremes for each in drawn(ada, hour, now, now).stretches] == before

    def test_what_was_not_measured_is_a_gap(self, ada, hour, now):
        measured(ada, hour, heart_rate=80)

        stretches = drawn(ada, hour, hour + timedelta(hours=1), now).stretches

        assert [bool(each.extremes) for each in stretches] == [True] + [False] * (len(stretches) - 1)

    def test_what_was_entered_in_error_is_not_drawn(self, ada, hour, now):
        measured(ada, hour, heart_rate=300, erroneous_at=now)

        assert not any(each.extremes for each in drawn(ada, hour, now, now).stretches)


class TestWords:
    def test_what_the_device_did_not_measure_is_not_drawn(self, ada, hour, now):
        measured(ada, hour, spo2=96)
        for place, word in enumerate(("probe_off", "no_signal", "artifact", "calibrating"), 1):
            measured(ada, hour + timedelta(seconds=place), spo2=50 + place, status={"spo2": word})

        assert drawn(ada, hour, hour + timedelta(minutes=10), now).stretches[0].extremes == {"spo2": (96, 96)}

    @pytest.mark.parametrize("waits", [True, False])
    def test_asystole_and_apnoea_are_seen(self, ada, hour, now, waits):
        status = {"heart_rate": "asystole", "respiratory_rate": "apnoea"}
        measured(ada, hour, heart_rate=80, respiratory_rate=14)
        measured(ada, hour + timedelta(seconds=30), heart_rate=80, status=status)
        if not waits:
            summaries.begin(ada, at=hour)
            while summaries.fill(now=now):
                pass

        shown = standing(drawn(ada, hour, hour + timedelta(minutes=10), now))

        assert (shown["Pulse"][0]["≤ 30"], shown["Pulse"][0]["71–80"]) == ("0", "80")
        assert (shown["Respirations"][0]["≤ 8"], shown["Respirations"][0]["12–14"]) == ("0", "14")


class TestScore:
    def test_a_column_has_the_score_of_its_end(self, ada, hour, now):
        measured(ada, hour + timedelta(minutes=1), sensor="hand", **WELL)
        measured(ada, hour + timedelta(minutes=9), sensor="hand", **WELL | {"respiratory_rate": 26})

        stretches = drawn(ada, hour, hour + timedelta(hours=1), now).stretches

        found = {each.column.since - hour: each.score for each in stretches}
        assert found[timedelta(0)].total == 0
        assert found[timedelta(minutes=5)].total == 3
        late = found[timedelta(minutes=40)]  # the rates are too old by then
        assert (late.total, late.at_least) == (None, 0)

    def test_an_artefact_of_the_last_minute_scores_nothing(self, ada, hour, now):
        measured(ada, hour + timedelta(minutes=1), sensor="hand", **WELL)
        end = hour + timedelta(minutes=5)
        measured(ada, *(end - timedelta(seconds=each) for each in range(1, 60, 2)), heart_rate=72)
        measured(ada, end - timedelta(seconds=10, milliseconds=1), heart_rate=180)

        first = drawn(ada, hour, hour + timedelta(hours=1), now).stretches[0]

        assert (first.score.total, first.extremes["heart_rate"]) == (0, (72, 180))

    def test_for_whom_the_score_was_not_made_the_chart_says_so(self, ada, noor, hour):
        unscored(ada)

        text = signed_in(noor).get(PAGE).content.decode()

        assert "No points and no score: NEWS2 is not for use in pregnancy." in text
        assert 'class="p3"' not in text


def standing(chart) -> dict[str, list[dict[str, str]]]:
    """By sign, of each column what stands in which row."""
    found: dict[str, list[dict[str, str]]] = {}
    for sheet in drawing.sheets(chart):
        for group in sheet.groups:
            columns = [
                {line.label: line.marks[place].text for line in group.lines if line.marks[place].text}
                for place in range(len(sheet.heads))
            ]
            found.setdefault(group.label, []).extend(columns)
    return found


class TestOxygen:
    @pytest.fixture
    def ada(self, ada, hour) -> Patient:
        """On scale 2, and here since long."""
        ada.admissions.update(admitted_at=hour - timedelta(days=2))
        ada.spo2_scale = 2
        ada.save()
        return ada

    def test_a_saturation_stands_where_the_oxygen_said_before_puts_it(self, ada, hour, now):
        measured(ada, hour - timedelta(hours=3), sensor="hand", on_oxygen=True, oxygen_flow=2)
        measured(ada, hour + timedelta(minutes=1), **{name: WELL[name] for name in ("heart_rate", "spo2")})

        chart = drawn(ada, hour, hour + timedelta(minutes=10), now)

        assert standing(chart)["SpO₂ scale 2"][1] == {"≥ 97 on O₂": "97"}
        assert standing(chart)["Oxygen"][1] == {"air, or L/min": "(O₂ 2)"}
        assert chart.stretches[1].score.parts["spo2"] == 3

    @pytest.mark.parametrize("hours", [0, 11, 13])
    @pytest.mark.parametrize("said", [{"on_oxygen": True}, {"on_oxygen": False}, {"oxygen_flow": 2}, {}])
    @pytest.mark.parametrize("spo2", [83, 92, 93, 95, 97])
    def test_the_points_of_its_row_are_those_of_the_score(self, ada, hour, now, spo2, said, hours):
        if said:
            measured(ada, hour - timedelta(hours=hours), sensor="hand", **said)
        measured(ada, hour + timedelta(minutes=1), heart_rate=72, spo2=spo2)

        chart = drawn(ada, hour, hour + timedelta(minutes=10), now)

        (sheet,) = drawing.sheets(chart)
        (points,) = [line.points for line in sheet.groups[1].lines if line.marks[1].text]
        assert points == chart.stretches[1].score.parts.get("spo2")
        assert chart.stretches[-1].on_oxygen is chart.stretches[-1].score.observations.has_oxygen

    def test_what_was_measured_on_oxygen_stays_there_when_it_is_taken_off(self, ada, hour, now):
        measured(ada, hour, sensor="hand", on_oxygen=True)
        measured(ada, hour + timedelta(minutes=1), spo2=98)
        measured(ada, hour + timedelta(minutes=2), spo2=91)
        measured(ada, hour + timedelta(minutes=3), sensor="hand", on_oxygen=False)
        measured(ada, hour + timedelta(minutes=4), spo2=94)
        measured(ada, hour + timedelta(minutes=5), spo2=90)

        chart = drawn(ada, hour, hour + timedelta(hours=4), now + timedelta(hours=3))

        assert standing(chart)["SpO₂ scale 2"][0] == {
            "≥ 97 on O₂": "98",
            "95–96 on O₂": "│",
            "93–94 on O₂": "│",
            "≥ 93 on air": "94",
            "88–92": "90",
        }
        assert standing(chart)["Oxygen"][0] == {"air, or L/min": "A"}

    def test_without_a_word_on_oxygen_a_high_saturation_has_no_points(self, ada, noor, hour, now):
        measured(ada, hour, spo2=97)

        chart = drawn(ada, hour, hour + timedelta(hours=1), now)

        assert standing(chart)["SpO₂ scale 2"][0] == {"≥ 93 O₂?": "97"}
        assert standing(chart)["Oxygen"][0] == {}
        text = signed_in(noor).get(PAGE).content.decode()
        assert '<b class="open">97</b>' in text and "oxygen not known: no points" in text

    def test_what_was_said_in_a_stay_before_tells_nothing(self, ada, hour, now):
        measured(ada, hour - timedelta(hours=2), sensor="hand", on_oxygen=True)
        admissions.discharge(ada.admissions.get(), by=None, at=hour - timedelta(hours=1))
        ada.admissions.create(admitted_at=hour - timedelta(minutes=30))
        measured(ada, hour, spo2=97)

        chart = drawn(ada, hour, hour + timedelta(hours=1), now)

        assert standing(chart)["SpO₂ scale 2"][0] == {"≥ 93 O₂?": "97"}
        assert "spo2" not in chart.stretches[0].score.parts

    def test_a_flow_of_before_is_not_said_again_by_who_says_only_that_oxygen_is_given(self, ada, hour, now):
        measured(ada, hour - timedelta(hours=1), sensor="hand", on_oxygen=True, oxygen_flow=2)
        measured(ada, hour, sensor="hand", on_oxygen=True)

        assert standing(drawn(ada, hour, hour + timedelta(hours=1), now))["Oxygen"][:2] == [
            {"air, or L/min": "O₂"},
            {"air, or L/min": "(O₂ 2)"},
        ]


class TestPage:
    def test_it_shows_values_points_score_and_alerts(self, ada, noor, gateway, now):
        gateway.post([item(ada, now, sensor_id="hand", **WELL | {"spo2": 84})])
        alert = open_alert(ada)
        alerts.acknowledge(alert, by=noor, at=now)

        text = signed_in(noor).get(PAGE).content.decode()

        assert '<b class="value">84</b>' in text and '<tr class="p3">' in text
        assert alert.message.replace("<", "&lt;") in text and "Noor" in text
        assert SENTENCE in text and "Royal College of Physicians" in text
        assert "Each column is 30 minutes" in text

    def test_a_name_stands_on_it_only_where_somebody_asks(self, ada, noor):
        plain, named = (signed_in(noor).get(PAGE + asked).content.decode() for asked in ("", "?name=on"))

        assert "Byron" not in plain and "Name or label" in plain
        assert "Ada Byron" in named

    def test_an_empty_chart_says_that_it_is_empty(self, ada, noor):
        text = signed_in(noor).get(f"{PAGE}?period=24h").content.decode()

        assert "There are no readings in this time." in text
        assert "No alert was raised in this time, and none stood when it began." in text

    def test_an_alert_that_stood_when_the_time_began_is_listed_in_no_column(self, ada, noor, hour):
        called(ada, hour - timedelta(hours=9), ended=hour + timedelta(minutes=5), detail="SpO₂ 78 < 85 %")
        called(ada, hour - timedelta(hours=8), ended=hour - timedelta(minutes=5), detail="over by then")

        answer = signed_in(noor).get(PAGE, {"from": hour.isoformat(), "to": (hour + timedelta(minutes=50)).isoformat()})

        text = answer.content.decode()
        assert "SpO₂ 78 &lt; 85 %" in text and "(stood when this time began)" in text
        assert "over by then" not in text
        assert [each.alerts for each in answer.context["chart"].stretches if each.alerts] == []

    @pytest.mark.parametrize(("worst", "written"), [(51.4, "51.4"), (36.0, "36"), (38.45, "38.45"), (None, "")])
    def test_the_worst_value_is_written_as_people_write_it(self, ada, noor, hour, worst, written):
        called(ada, hour, worst_value=worst)

        text = signed_in(noor).get(PAGE).content.decode()

        assert f'<td data-of="Worst">{written}</td>' in text

    def test_an_alert_whose_reading_was_entered_in_error_says_so(self, ada, noor, dora, gateway, now):
        unscored(ada)
        gateway.post([item(ada, now - timedelta(minutes=1), sensor_id="hand", spo2=48)])
        alerts.resolve(open_alert(ada), by=noor, at=now)
        before = signed_in(noor).get(PAGE).content.decode()
        corrections.mark_in_error(Vital.objects.get(), reason="wrong bed", by=dora, at=now, version_seen=1)

        after = signed_in(noor).get(PAGE).content.decode()

        assert "a reading of it was corrected" not in before
        assert "SpO₂ 48 &lt; 85 %" in after and '<td data-of="Worst">48</td>' in after
        assert "</time>: SpO₂ 48 %: entered in error, says Dora" in after

    def test_an_alert_beyond_the_list_still_has_its_number_in_its_column(self, ada, noor, hour, monkeypatch):
        monkeypatch.setattr(charts, "MOST_ALERTS", 2)
        called(ada, *(hour + timedelta(minutes=each) for each in (1, 2, 3, 41)))

        answer = signed_in(noor).get(PAGE, {"from": hour.isoformat(), "to": (hour + timedelta(minutes=50)).isoformat()})

        assert "2 more alerts are not listed" in answer.content.decode()
        assert [each.alerts for each in answer.context["chart"].stretches if each.alerts] == [[1], [2, 3], [4]]

    def test_a_time_may_be_named_with_its_offset(self, ada, noor, now):
        measured(ada, now - timedelta(hours=20), heart_rate=80)

        answer = signed_in(noor).get(PAGE, {"from": (now - timedelta(hours=21)).isoformat(), "to": now.isoformat()})

        assert "Drawn from 1 reading." in answer.content.decode()

    @pytest.mark.parametrize(
        "asked", ["?from=2026-11-26T07:00Z", "?period=own", "?period=year", "?from=2020-01-01&to=2021-01-01"]
    )
    def test_a_time_that_makes_no_sense_is_asked_again(self, ada, noor, asked):
        answer = signed_in(noor).get(PAGE + asked)

        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()

    def test_it_is_for_who_may_export(self, ada, noor, vera, eve):
        for path in (PAGE, PDF):
            assert [signed_in(each).get(path).status_code for each in (vera, eve)] == [403, 404]
            assert signed_in(noor).post(path).status_code == 405

    def test_it_is_written_down(self, ada, noor):
        signed_in(noor).get(f"{PAGE}?name=on")

        entry = AuditEntry.objects.get(what="exported")
        assert (entry.patient, entry.about, entry.detail["named"]) == ("P-ADA", "chart", True)

    def test_a_day_costs_as_many_questions_as_an_hour(self, ada, noor, hour, now, gateway, django_assert_max_num_queries):
        measured(ada, *(now - timedelta(minutes=5 * each) for each in range(200)), **WELL)
        gateway.post([item(ada, now, sensor_id="hand", spo2=70), item(ada, now, sensor_id="arm", heart_rate=180)])

        with django_assert_max_num_queries(10):
            drawn(Patient.objects.get(pk=ada.pk), now - timedelta(hours=24), now, now)


class TestPdf:
    @pytest.mark.pdf
    def test_it_is_the_same_chart_on_paper(self, ada, noor, gateway, now):
        gateway.post([item(ada, now, sensor_id="hand", **WELL | {"spo2": 84})])

        answer = signed_in(noor).get(PDF)

        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        sheet, _, alerts_of_it = pypdf.PdfReader(io.BytesIO(answer.content)).pages
        assert "P-ADA" in sheet.extract_text() and "page 1 of 3" in sheet.extract_text()
        assert "84 < 85" in alerts_of_it.extract_text() and SENTENCE in alerts_of_it.extract_text()
        assert [round(float(side)) for side in sheet.mediabox[2:]] == [595, 842]  # A4

    @pytest.mark.pdf
    def test_every_page_says_of_whom_it_is_and_which_it_is(self, ada, noor, now):
        called(ada, *(now - timedelta(minutes=each) for each in range(1, 100)), detail="SpO₂ 78 < 85 %")

        pages = pypdf.PdfReader(io.BytesIO(signed_in(noor).get(PDF).content)).pages

        texts = [page.extract_text() for page in pages]
        assert len(texts) >= 4  # two of them of the alerts
        for number, text in enumerate(texts, 1):
            assert text.count("P-ADA") == 2, text  # in the head and in the foot
            assert f"page {number} of {len(texts)}" in text
        assert sum(text.count("SpO₂ 78 < 85 %") for text in texts) == 99

    @pytest.mark.pdf
    def test_the_longest_names_leave_a_sheet_on_its_page(self, ada, noor, now):
        measured(ada, *(now - timedelta(minutes=25 * each) for each in range(1, 20)), **WELL)
        Patient.objects.filter(pk=ada.pk).update(name="Ada Augusta King-Noel " * 9, patient_id="P" * 64)

        answer = signed_in(noor).get(f"/patients/{'P' * 64}/chart.pdf?name=on&period=8h")

        pages = pypdf.PdfReader(io.BytesIO(answer.content)).pages
        assert len(pages) == 3  # two of the chart, one of the alerts
        assert "King-Noel" in pages[2].extract_text()

    def test_without_weasyprint_it_says_how_to_print(self, ada, noor, monkeypatch):
        monkeypatch.setattr(pdf, "is_there", lambda: False)

        page, answer = (signed_in(noor).get(path) for path in (PAGE, PDF))

        assert answer.status_code == 404
        assert "print it into a file" in answer.content.decode()
        assert "print this page into a file" in page.content.decode()

    def test_a_press_that_breaks_is_said_and_leaves_room_for_others(self, ada, noor, monkeypatch):
        def broken(html: str) -> bytes:
            raise pdf.Failed("no fonts")

        monkeypatch.setattr(pdf, "is_there", lambda: True)
        monkeypatch.setattr(pdf, "printed", broken)

        answers = [signed_in(noor).get(PDF).status_code for _ in range(files.AT_ONCE + 1)]

        assert set(answers) == {503}
        assert "Several exports" not in signed_in(noor).get(PDF).content.decode()
