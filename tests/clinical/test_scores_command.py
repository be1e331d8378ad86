"""`manage.py score`: rows in, rows out, and nothing that cannot be read is scored."""

import csv
import gzip
import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).parents[2]
HEADER = "id,respiratory_rate,spo2,spo2_scale,on_oxygen,systolic_bp,pulse,consciousness,temperature,note"
WELL = "16,98,1,0,120,70,A,37.0,"


@pytest.fixture
def score(tmp_path):
    """Score lines of CSV; what was answered stays in `score.answer`, also where the command fails."""

    def run(*lines: str, strategy: str = "news2") -> list[dict[str, str]]:
        file, out = tmp_path / "sets.csv", io.StringIO()
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            call_command("score", strategy, str(file), stdout=out)
        finally:
            run.answer = rows_of(out.getvalue())
        return run.answer

    return run


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def manage(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "manage.py", "score", *arguments], check=False, cwd=ROOT, input=given, capture_output=True
    )


def test_each_row_is_answered_with_its_id_parts_total_and_band(score):
    (well, ill) = score(HEADER, f"a,{WELL}", "b,28,91,1,true,88,132,V,39.4,moved")

    assert well | {"id": "a", "row": "1", "total": "0", "band": "routine", "missing": ""} == well
    assert [ill[name] for name in ("respiratory_rate_score", "spo2_score", "air_or_oxygen_score", "systolic_bp_score")] == [
        "3",
        "3",
        "2",
        "3",
    ]
    assert [ill[name] for name in ("pulse_score", "consciousness_score", "temperature_score", "total", "band")] == [
        "3",
        "3",
        "2",
        "19",
        "high",
    ]
    assert (ill["single_parameter_3"], ill["error"]) == ("1", "")


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("vector,id,spo2", ["vector", "row"]),
        ("pulse,id,spo2", ["id", "row"]),
        ("subject_id,spo2", ["subject_id", "row"]),
        ("spo2,pulse", ["row"]),
    ],
)
def test_the_answer_begins_with_the_id_if_there_is_one_and_the_number(score, header, first):
    (row,) = score(header, ",".join(["50"] * len(header.split(","))))

    assert list(row)[: len(first)] == first
    assert row["row"] == "1"
    assert list(row)[len(first)] == "respiratory_rate_score"


def test_an_empty_cell_and_an_absent_column_are_missing_and_named_as_the_file_does(score):
    (row,) = score("id,spo2,heart_rate,body_temp", "a,91,,37")

    assert (row["total"], row["band"], row["at_least"], row["single_parameter_3"]) == ("", "", "3", "1")
    assert row["missing"] == "respiratory_rate on_oxygen systolic_bp heart_rate consciousness"
    assert row["pulse_score"] == ""


def test_other_strategies_have_other_parts(score):
    (row,) = score("age_years,pulse,sbp", "6,125,1", strategy="pews")

    assert (row["pulse_score"], row["capillary_refill_score"]) == ("1", "")
    assert "systolic_bp" in row["missing"].split()


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("a,abc,98,1,0,120,70,A,37.0,", "respiratory_rate: 'abc' is no number."),
        (
            "a,16,98,1,0,120,70,A,98.6,",
            "temperature: 98.6 cannot be measured: from 20 to 45. 98.6 looks like °F; send 37.0 °C.",
        ),
        ("a,16,98,1,0,120,-1,A,37.0,", "pulse: -1 cannot be measured: from 0 to 350."),
        ("a,nan,98,1,0,120,70,A,37.0,", "respiratory_rate: 'nan' is no number."),
        ("a,1_6,98,1,0,120,70,A,37.0,", "respiratory_rate: '1_6' is no number."),
        ("a,16,98,3,0,120,70,A,37.0,", "spo2_scale: '3' is neither 1 nor 2."),
        ("a,16,98,1,maybe,120,70,A,37.0,", "on_oxygen: 'maybe' is none of 0, 1, true, false."),
        ("a,16,98,1,0,120,70,X,37.0,", "consciousness: X is none of A, C, V, P, U."),
        ("a,16,98,1,0,120", "6 cells under a header of 10."),
        (f"a,{WELL},,,", "13 cells under a header of 10."),
    ],
)
def test_a_row_that_cannot_be_read_is_not_scored_and_says_why(score, row, error):
    with pytest.raises(CommandError, match=r"1 of 3 rows were not scored"):
        score(HEADER, f"x,{WELL}", row, f"z,{WELL}")

    before, bad, after = score.answer
    assert bad["error"] == error
    assert {bad[name] for name in bad if name.endswith("_score") or name in {"total", "band", "missing", "at_least"}} == {""}
    assert (before["total"], after["total"], bad["id"], bad["row"]) == ("0", "0", "a", "2")


def test_every_fault_of_a_row_is_named(score):
    with pytest.raises(CommandError):
        score(HEADER, "a,x,101,1,0,120,70,A,37.0,")

    assert "respiratory_rate: 'x'" in score.answer[0]["error"] and "spo2: 101" in score.answer[0]["error"]


def test_the_terminal_hears_of_a_bad_row_by_its_line(score, capsys):
    with pytest.raises(CommandError):
        score(HEADER, f"x,{WELL}", "", "a,x,98,1,0,120,70,A,37.0,")

    assert "Row 2 (line 4): respiratory_rate: 'x' is no number." in capsys.readouterr().err


def test_who_the_strategy_is_not_for_is_not_scored(score):
    with pytest.raises(CommandError):
        score("age_years,spo2", "15,98", strategy="news2")

    assert score.answer[0]["error"] == "NEWS2 is not for patients under 16 years."


def test_rubbish_in_columns_that_the_strategy_does_not_read_costs_nothing(score):
    (row,) = score("pulse,systolic_bp,spo2,consciousness,total", "121,89,98,???,high", strategy="rule_based")

    assert (row["total"], row["band"]) == ("0.7", "medium")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["a,b,c", "1,2,3"], "names no column that news2 reads"),
        (["respiratory_rate;spo2", "16;98"], "names no column that news2 reads"),
        ([""], "names no column that news2 reads"),
        (["pulse,heart_rate", "70,71"], "both give heart_rate"),
        (["spo2,id", '98,"never closed'], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(score, lines, reason):
    with pytest.raises(CommandError, match=reason):
        score(*lines)


def test_an_unknown_strategy_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(CommandError, match=r"sofa.*mews, news2, pews, qsofa, rule_based, shock_index"):
        call_command("score", "sofa", "-")
    with pytest.raises(CommandError, match="No such file"):
        call_command("score", "news2", str(tmp_path / "nothing.csv"))
    with pytest.raises(CommandError, match="Is a directory"):
        call_command("score", "news2", str(tmp_path))


def test_gzip_is_read_by_its_bytes_also_from_standard_input():
    sets = f"{HEADER}\na,{WELL}\n".encode()

    plain, packed = manage("news2", "-", given=sets), manage("news2", "-", given=gzip.compress(sets))

    assert (plain.returncode, packed.returncode) == (0, 0)
    assert packed.stdout == plain.stdout
    assert rows_of(plain.stdout.decode())[0]["total"] == "0"


@pytest.mark.parametrize(
    "damaged", [lambda whole: whole[: len(whole) // 2], lambda whole: whole[:30] + b"\x00" * 20 + whole[50:]]
)
def test_damaged_gzip_is_an_error_and_not_a_shorter_answer(tmp_path, damaged):
    sets = "\n".join([HEADER, *(f"{number},{WELL}" for number in range(500))])
    (tmp_path / "sets.csv.gz").write_bytes(damaged(gzip.compress(sets.encode())))

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("score", "news2", str(tmp_path / "sets.csv.gz"), stdout=io.StringIO())


def test_text_that_is_not_utf_8_is_refused_and_a_byte_order_mark_is_none_of_the_name(tmp_path):
    (tmp_path / "latin.csv").write_bytes(f"{HEADER}\nÄ,{WELL}\n".encode("latin-1"))
    (tmp_path / "mark.csv").write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\na,{WELL}\n".encode())
    out = io.StringIO()

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("score", "news2", str(tmp_path / "latin.csv"), stdout=io.StringIO())
    call_command("score", "news2", str(tmp_path / "mark.csv"), stdout=out)
    assert rows_of(out.getvalue())[0]["id"] == "a"


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path):
    (tmp_path / "endless.csv.gz").write_bytes(gzip.compress(b"spo2\n" + b"9" * 2_000_000))

    with pytest.raises(CommandError, match="letters"):
        call_command("score", "news2", str(tmp_path / "endless.csv.gz"), stdout=io.StringIO())


def test_rows_are_answered_as_they_are_read_and_a_reader_may_leave(tmp_path):
    (tmp_path / "many.csv").write_text(f"{HEADER}\n" + f"a,{WELL}\n" * 20_000)

    with subprocess.Popen(
        [sys.executable, "manage.py", "score", "news2", str(tmp_path / "many.csv")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        first = command.stdout.readline()
        command.stdout.close()  # far more is to come than a pipe holds
        told = command.stderr.read()

    assert first.startswith(b"id,row,")
    assert b"Traceback" not in told and b"Exception" not in told
    assert command.returncode == 1
