"""The edges of the limits: equal is inside, critical before warning, an open side never speaks."""

import pytest

from monitoring.clinical.limits import ADULT, Limits, Severity, faults, judge, phrase, shown
from monitoring.clinical.signs import FACTS, Side, Sign, condition

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


@pytest.mark.parametrize(
    ("sign", "value", "severity", "side"),
    [
        (Sign.HEART_RATE, 39.99, CRITICAL, Side.LOW),
        (Sign.HEART_RATE, 40, WARNING, Side.LOW),
        (Sign.HEART_RATE, 49.99, WARNING, Side.LOW),
        (Sign.HEART_RATE, 50, None, None),
        (Sign.HEART_RATE, 120, None, None),
        (Sign.HEART_RATE, 120.01, WARNING, Side.HIGH),
        (Sign.HEART_RATE, 140, WARNING, Side.HIGH),
        (Sign.HEART_RATE, 140.01, CRITICAL, Side.HIGH),
        (Sign.HEART_RATE, 0, CRITICAL, Side.LOW),
        (Sign.SPO2, 84.99, CRITICAL, Side.LOW),
        (Sign.SPO2, 85, WARNING, Side.LOW),
        (Sign.SPO2, 90, None, None),
        (Sign.SPO2, 100, None, None),
        (Sign.RESPIRATORY_RATE, 7, CRITICAL, Side.LOW),
        (Sign.RESPIRATORY_RATE, 35.5, CRITICAL, Side.HIGH),
        (Sign.SYSTOLIC_BP, 79, CRITICAL, Side.LOW),
        (Sign.SYSTOLIC_BP, 180.5, CRITICAL, Side.HIGH),
        (Sign.DIASTOLIC_BP, 10, None, None),
        (Sign.DIASTOLIC_BP, 120.5, CRITICAL, Side.HIGH),
        (Sign.MEAN_BP, 60, CRITICAL, Side.LOW),
        (Sign.MEAN_BP, 61, WARNING, Side.LOW),
        (Sign.MEAN_BP, 65, None, None),
        (Sign.BODY_TEMP, 34.9, CRITICAL, Side.LOW),
        (Sign.BODY_TEMP, 38.5, None, None),
        (Sign.BODY_TEMP, 40.1, CRITICAL, Side.HIGH),
    ],
)
def test_a_value_is_judged_by_the_worst_limit_it_passes(sign, value, severity, side):
    breach = judge(sign, value, ADULT[sign])

    assert (breach and breach.severity, breach and breach.side) == (severity, side)


def test_no_limits_never_speak():
    assert judge(Sign.HEART_RATE, 0, Limits()) is None


def test_the_shipped_limits_contradict_nothing():
    assert {sign: faults(sign, limits) for sign, limits in ADULT.items()} == {sign: {} for sign in Sign}


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (Limits(50, 40, 120, 140), "warning_low"),
        (Limits(40, 50, 140, 120), "critical_high"),
        (Limits(40, 120, 120, 140), "warning_high"),
        (Limits(40, 130, 120, 140), "warning_high"),
        (Limits(140, None, None, 140), "critical_high"),
        (Limits(-1, 50, 120, 140), "critical_low"),
        (Limits(40, 50, 120, 351), "critical_high"),
        (Limits(130, None, 120, None), "warning_high"),
        (Limits(None, 150, None, 140), "critical_high"),
    ],
)
def test_limits_that_contradict_themselves_are_named_by_field(limits, field):
    assert field in faults(Sign.HEART_RATE, limits)


def test_warning_and_critical_may_be_the_same():
    assert faults(Sign.HEART_RATE, Limits(50, 50, 120, 120)) == {}


def test_the_three_pressures_share_a_condition_with_its_direction():
    names = {condition(sign, Side.LOW) for sign in (Sign.SYSTOLIC_BP, Sign.MEAN_BP, Sign.DIASTOLIC_BP)}

    assert names == {"blood_pressure_low"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((Sign.SPO2, Side.LOW, 84.0, 85.0), "SpO₂ 84 < 85 %"),
        ((Sign.BODY_TEMP, Side.HIGH, 38.6, 38.5), "Temp 38.6 > 38.5 °C"),
        ((Sign.HEART_RATE, Side.LOW, 0.0, 40.0), "HR 0: asystole or sensor off, look at the patient"),
        ((Sign.RESPIRATORY_RATE, Side.LOW, 0.0, 8.0), "RR 0: apnoea or sensor off, look at the patient"),
    ],
)
def test_an_alert_reads_as_value_against_limit(args, words):
    assert phrase(*args) == words


@pytest.mark.parametrize(
    ("sign", "value", "text"),
    [
        (Sign.HEART_RATE, 72.4, "72"),
        (Sign.HEART_RATE, 120.3, "120.3"),
        (Sign.HEART_RATE, 120.6, "121"),
        (Sign.SPO2, 89.6, "89.6"),
        (Sign.SPO2, 84.9, "84.9"),
        (Sign.SPO2, 84.2, "84"),
        (Sign.BODY_TEMP, 36.61, "36.6"),
        (Sign.BODY_TEMP, 38.54, "38.54"),
        (Sign.BODY_TEMP, 37, "37.0"),
    ],
)
def test_a_shown_value_is_never_rounded_back_inside_its_limit(sign, value, text):
    assert shown(sign, value, judge(sign, value, ADULT[sign])) == text


def test_every_loinc_code_has_a_right_check_digit():
    for facts in FACTS.values():
        digits = facts.loinc.replace("-", "")
        doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
        assert sum(d // 10 + d % 10 for d in doubled) % 10 == 0, facts.loinc
