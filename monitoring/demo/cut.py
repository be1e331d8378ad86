"""Cuts the demo's excerpt from challenge2009_1min.csv.gz: `MEDQL_DATA=… python -m monitoring.demo.cut`.

Kept so that anyone can make the excerpt again and see what was chosen; the demo itself needs only its result.
"""

import csv
import gzip
import io
import os
from pathlib import Path

from monitoring.demo.recordings import EXCERPT

SOURCE = "vitals/challenge2009_1min.csv.gz"
LONGEST = 360  # minutes of one patient

# Record → the minute (from T0) at which its window begins, in the order in which the demo's patients play them. The windows of
# the five with an acute hypotensive episode begin so that one after the other runs into it in the first three minutes of play.
WINDOWS = {
    "a40207n": -120,  # calm
    "a40051n": -14,  # episode from minute 11, after 25 s of play
    "a40802n": -120,  # calm
    "a40119n": -50,  # episode from minute 31, after 80 s
    "a40234n": -80,  # a few short alarms
    "a41770n": -97,  # episode from minute 24, after 2 min
    "a41495n": -120,  # calm
    "a40172n": -20,  # episode from minute 32, after 52 s
    "a40384n": -120,  # calm
    "a40099n": -150,  # episode from minute 6, after 156 s, with high values before it
    "a40473n": -120,  # calm, with short warnings
    "a40551n": -80,  # calm
}


def cut(source: Path) -> bytes:
    """The windows of the source, cell by cell as they stand there; compressed, and the same bytes every time."""
    with gzip.open(source, "rt", encoding="ascii", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader)
        rows = [row for row in reader if _inside(row)]
    order = list(WINDOWS)
    rows.sort(key=lambda row: (order.index(row[0]), int(row[1])))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode("ascii"), mtime=0)


def _inside(row: list[str]) -> bool:
    begin = WINDOWS.get(row[0])
    return begin is not None and begin <= int(row[1]) < begin + LONGEST


if __name__ == "__main__":
    EXCERPT.write_bytes(cut(Path(os.environ["MEDQL_DATA"]) / SOURCE))
    print(f"{EXCERPT}: {EXCERPT.stat().st_size} bytes")
