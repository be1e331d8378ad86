"""The bands of the printed chart say what the score says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitoring.clinical.scores import news2, paper
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.signs import Sign

STRIPS = [(scale, strip) for scale in (1, 2) for strip in paper.strips(scale)]
TOPS = {Sign.RESPIRATORY_RATE: 60, Sign.SPO2: 100, Sign.SYSTOLIC_BP: 300, Sign.HEART_RATE: 220, Sign.BODY_TEMP: 45}


@pytest.mark.parametrize("on_oxygen", [True, False, None])
@pytest.mark.parametrize(("scale", "strip"), STRIPS, ids=lambda each: getattr(each, "label", each))
def test_every_value_stands_in_a_band_with_the_points_of_the_score(scale, strip, on_oxygen):
    value = Decimal(20)
    while value <= TOPS[strip.sign]:
        seen = Observations(**{strip.sign.value: value}, spo2_scale=scale, on_oxygen=on_oxygen)

        band = strip.bands[strip.place(value, on_oxygen=on_oxygen)]

        assert band.points == news2.score(seen).parts.get(strip.sign.value), (value, band)
        value += strip.resolution


@pytest.mark.parametrize(("scale", "strip"), STRIPS, ids=lambda each: getattr(each, "label", each))
def test_labels_say_where_a_band_begins_and_ends(scale, strip):
    for row, band in enumerate(strip.bands):
        ends = [Decimal(word) for word in band.label.replace("–", " ").split() if word[0].isdigit()]
        for end in ends:
            (on_oxygen, *_) = [each for each in paper.GIVEN if band.takes(each)]
            assert strip.place(end, on_oxygen=on_oxygen) == row


def test_the_chart_of_the_college():
    breath, spo2, *_ = paper.strips(1)

    assert [(band.label, band.points) for band in breath.bands] == [
        ("≥ 25", 3),
        ("21–24", 2),
        ("18–20", 0),
        ("15–17", 0),
        ("12–14", 0),
        ("9–11", 1),
        ("≤ 8", 3),
    ]
    assert [band.label for band in spo2.bands] == ["≥ 96", "94–95", "92–93", "≤ 91"]
