"""The door to risk inference: what a strategy says of values that are sent along, and what it refuses to guess."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from accounts import audit, service_tokens
from accounts.models import AuditEntry, ServiceToken
from monitoring.models import Patient, Vital
from tests.conftest import signed_in
from tests.doors.staff import fields, send

RISK = "/api/v1/inference/vital-risk"
AT = "2026-03-01T12:00:00Z"
WELL = {"HR": 80, "RR": 16, "SBP": 120, "SpO2": 98, "BT": 37, "consciousness": "A", "on_oxygen": False}


def ask(person, *records, **body):
    told = [{"recorded_at": AT, "vitals": vitals} for vitals in records]
    return send(signed_in(person), RISK, {"patient_id": "P-ADA", "records": told} | body)


def told(answer, *names):
    assert answer.status_code == 200, answer.content
    return tuple(answer.json()[name] for name in names)


class TestFixedRules:
    @pytest.mark.parametrize(
        ("vitals", "score", "level", "rules"),
        [
            ({"HR": 120, "SBP": 90, "SpO2": 90}, 0.2, "LOW", []),
            ({"HR": 121, "SBP": 90, "SpO2": 90}, 0.5, "MEDIUM", ["HR > 120"]),
            ({"HR": 80, "SBP": 89, "SpO2": 89}, 0.7, "MEDIUM", ["SBP < 90", "SpO2 < 90"]),
            ({"SpO2": 89, "SBP": 89, "HR": 121}, 0.9, "HIGH", ["HR > 120", "SBP < 90", "SpO2 < 90"]),
        ],
    )
    def test_each_rule_that_is_met_raises_the_risk(self, ada, noor, vitals, score, level, rules):
        answer = ask(noor, vitals)

        assert told(answer, "risk_score", "risk_level", "checked_rules") == (score, level, rules)
        assert told(answer, "patient_id", "strategy", "missing", "at_least") == ("P-ADA", "rule_based", [], score)

    def test_what_is_missing_meets_no_rule_and_is_named(self, ada, noor):
        answer = ask(noor, {"SBP": 89})

        assert told(answer, "risk_score", "checked_rules", "missing") == (0.5, ["SBP < 90"], ["HR", "SpO2"])

    def test_the_highest_record_counts_and_of_equals_the_first(self, ada, noor):
        first, second = "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"
        records = [
            {"recorded_at": "2026-03-01T11:00:00Z", "vitals": {"HR": 80}},
            {"recorded_at": first, "vitals": {"HR": 130}},
            {"recorded_at": second, "vitals": {"SBP": 80}},
        ]

        answer = send(signed_in(noor), RISK, {"patient_id": "P-ADA", "records": records})

        assert told(answer, "checked_rules", "recorded_at") == (["HR > 120"], first)

    @pytest.mark.parametrize(
        ("vitals", "warning"),
        [
            ({"HR": 0}, "HR 0: asystole or sensor off, look at the patient (critical), for which rule_based gives no points."),
            ({"HR": 30}, "HR 30 < 40 /min (critical), for which rule_based gives no points."),
            ({"SBP": 240}, "SBP 240 > 180 mmHg (critical), for which rule_based gives no points."),
        ],
    )
    def test_to_what_the_rules_are_blind_it_says_so(self, ada, noor, vitals, warning):
        answer = ask(noor, {"SpO2": 97}, vitals)

        assert told(answer, "risk_score", "warnings") == (0.2, [{"index": 1, "detail": warning}])


class TestOtherStrategies:
    def test_news2_with_all_inputs(self, ada, noor):
        answer = ask(noor, WELL, WELL | {"RR": 25, "on_oxygen": True}, strategy="news2")

        assert told(answer, "risk_score", "risk_level", "missing") == (5, "MEDIUM", [])
        assert told(answer, "checked_rules") == (["RR: 3", "on_oxygen: 2"],)

    def test_news2_without_all_of_them_has_no_total_but_at_least(self, ada, noor):
        answer = ask(noor, {"RR": 25}, strategy="news2")

        assert told(answer, "risk_score", "risk_level", "at_least") == (None, None, 3)
        assert told(answer, "missing") == (["SpO2", "on_oxygen", "SBP", "HR", "consciousness", "BT"],)

    def test_it_is_refused_for_whom_it_was_not_made(self, ada, noor):
        Patient.objects.update(birth_date=date.today().replace(year=date.today().year - 3, day=1))

        answer = ask(noor, WELL, strategy="news2")

        assert fields(answer) == ["strategy"] and answer.json()["code"] == "not_applicable"

    def test_a_name_of_the_device_door_is_as_good_as_a_type(self, ada, noor):
        assert told(ask(noor, {"heart_rate": 130}), "checked_rules") == (["HR > 120"],)


class TestRefusals:
    @pytest.mark.parametrize(
        ("vitals", "field"),
        [
            ({"hr": 130}, "records[0].vitals.hr"),
            ({"HR": 130, "heart_rate": 130}, "records[0].vitals.heart_rate"),
            ({"SpO2": 101}, "records[0].vitals.SpO2"),
            ({"HR": "130"}, "records[0].vitals.HR"),
            ({"HR": True}, "records[0].vitals.HR"),
            ({"HR": 10**400}, "records[0].vitals.HR"),
            ({"HR": []}, "records[0].vitals.HR"),
            ({"on_oxygen": 2}, "records[0].vitals.on_oxygen"),
            ({"consciousness": "X"}, "records[0].vitals.consciousness"),
            ({"consciousness": ["A"]}, "records[0].vitals.consciousness"),
            ({"HR": None}, "records[0].vitals"),
            ({}, "records[0].vitals"),
        ],
    )
    def test_a_value_that_cannot_be_is_named(self, ada, noor, vitals, field):
        assert fields(ask(noor, vitals)) == [field]

    def test_all_that_is_wrong_is_named_at_once(self, ada, noor):
        assert fields(ask(noor, {"hr": 1}, {"SpO2": 101}, strategy="guess")) == [
            "strategy",
            "records[0].vitals.hr",
            "records[1].vitals.SpO2",
        ]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"records": []}, "records"),
            ({"records": [{"vitals": {"HR": 80}}]}, "records"),
            ({"records": [{"recorded_at": "2026-03-01T12:00:00", "vitals": {"HR": 80}}]}, "records"),
            ({"strategy": "guess"}, "strategy"),
            ({"strategies": []}, "strategies"),
        ],
    )
    def test_a_body_that_is_none_is_named(self, ada, noor, body, field):
        assert fields(ask(noor, {"HR": 80}, **body)) == [field]

    def test_a_time_that_is_none_is_named(self, ada, noor):
        record = {"recorded_at": "0001-01-01T00:00:00+14:00", "vitals": WELL}

        answer = send(signed_in(noor), RISK, {"patient_id": "P-ADA", "records": [record]})

        assert answer.status_code == 422
        assert fields(answer) == ["records[0].recorded_at"]

    def test_of_a_patient_of_another_ward_nobody_asks(self, ada, eve, noor):
        assert ask(eve, {"HR": 80}).status_code == 404
        assert ask(noor, {"HR": 80}, patient_id="NOBODY").status_code == 404

    def test_other_methods_are_405_and_a_stranger_401(self, ada, noor):
        assert signed_in(noor).get(RISK).status_code == 405
        assert send(Client(), RISK, {}).status_code == 401


def test_a_program_may_ask(ada, north, root, now):
    token = service_tokens.issue(ServiceToken(name="research"), wards=[north], by=root, at=now)
    body = {"patient_id": "P-ADA", "records": [{"recorded_at": AT, "vitals": {"HR": 80}}]}

    assert send(Client(), RISK, body, Authorization=f"Bearer {token}").status_code == 200


def test_nothing_is_stored_but_that_somebody_asked(ada, noor):
    ask(noor, {"HR": 130})
    audit.flush()

    assert not Vital.objects.exists()
    assert AuditEntry.objects.get(about="page:api/risk").patient == "P-ADA"


def test_a_time_is_answered_in_utc(ada, noor):
    record = {"recorded_at": "2026-03-01T14:00:00+02:00", "vitals": WELL}

    answer = send(signed_in(noor), RISK, {"patient_id": "P-ADA", "records": [record]})

    assert told(answer, "recorded_at") == (AT,)
