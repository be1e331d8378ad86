"""The doors to the limits: who reads them, who sets them, what is refused by name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Ward
from monitoring.api import limits_body
from monitoring.clinical.limits import ADULT, Limits
from monitoring.clinical.signs import Sign
from monitoring.models import Alert, Patient, Threshold, ThresholdChange
from tests.conftest import signed_in
from tests.world import item, open_alert

ADA = "/api/v1/patients/P-ADA/thresholds"
NORTH = "/api/v1/wards/north/thresholds"
HOSPITAL = "/api/v1/thresholds"
SPO2 = {"sign": "spo2", "critical_low": 78, "warning_low": 84}


def put(client: Client, address: str, *limits: Any, **body: Any) -> Any:
    """Set limits as they were read just now, unless the body names a version."""
    version = client.get(address).json().get("version")
    return client.put(address, {"limits": list(limits), "version": version} | body, content_type="application/json")


def of(answer: Any, sign: str, part: str | None = None) -> dict[str, Any]:
    return next(one for one in answer.json()["limits"] if one["sign"] == sign and one.get("part") == part)


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [error["field"] for error in answer.json()["errors"]]


class TestReading:
    def test_every_sign_comes_with_its_source(self, ada: Patient, noor: User) -> None:
        answer = signed_in(noor).get(ADA)

        assert answer.status_code == 200
        assert len(answer.json()["limits"]) == 7
        assert answer.json()["version"] == 0
        assert answer.json()["birth_date_known"] is False
        spo2 = {"critical_low": 85, "warning_low": 90, "warning_high": None, "critical_high": None}
        assert of(answer, "spo2") == {"sign": "spo2", "source": "default", "delay_s": 15, "margin": 2} | spo2

    @pytest.mark.parametrize("address", [ADA, NORTH, HOSPITAL, f"{ADA}/suggestion"])
    def test_a_stranger_is_401(self, ada: Patient, address: str) -> None:
        answer = Client().get(address)

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("address", [ADA, NORTH, f"{ADA}/suggestion"])
    def test_eve_of_another_ward_gets_404(self, ada: Patient, eve: User, address: str) -> None:
        assert signed_in(eve).get(address).status_code == 404
        if not address.endswith("suggestion"):
            assert signed_in(eve).put(address, {}, content_type="application/json").status_code == 404

    @pytest.mark.parametrize("address", [ADA, NORTH, HOSPITAL, f"{ADA}/suggestion"])
    @pytest.mark.parametrize("method", ["post", "delete", "patch"])
    def test_other_methods_are_405(self, ada: Patient, root: User, address: str, method: str) -> None:
        assert getattr(signed_in(root), method)(address).status_code == 405

    def test_a_suggestion_is_only_told(self, ada: Patient, gateway, dora: User, now) -> None:
        gateway.post([item(ada, now - timedelta(minutes=place), heart_rate=100) for place in range(3)])

        answer = signed_in(dora).get(f"{ADA}/suggestion")

        (rate,) = answer.json()["limits"]
        told = {name: rate[name] for name in ("sign", "critical_low", "warning_low", "warning_high", "critical_high")}
        assert list(told.values()) == ["heart_rate", 40, 80, 125, 140]
        assert (rate["value"], rate["count"]) == (100, 3)
        assert not Threshold.objects.exists()

    def test_a_child_is_suggested_nothing(self, ada: Patient, gateway, dora: User, now) -> None:
        Patient.objects.update(birth_date=now.date() - timedelta(days=400))
        gateway.post([item(ada, now, heart_rate=100)])

        assert signed_in(dora).get(f"{ADA}/suggestion").json()["limits"] == []


class TestSetting:
    def test_a_doctors_limit_judges_the_next_vital(self, ada: Patient, gateway, dora: User, now) -> None:
        answer = put(signed_in(dora), ADA, SPO2, reason="COPD")

        spo2 = of(answer, "spo2")
        assert answer.status_code == 200
        assert (spo2["source"], spo2["reason"], spo2["by"], spo2["warning_low"]) == ("patient", "COPD", "Dora", 84)
        gateway.post([item(ada, now, spo2=77)])
        assert open_alert(ada).threshold_breached == 78

    def test_what_was_read_may_be_sent_back_and_changes_nothing(self, ada: Patient, dora: User, root: User) -> None:
        browser = signed_in(dora)
        put(signed_in(root), NORTH, {"sign": "body_temp", "warning_high": 38, "critical_high": 41, "reason": "no low end"})
        put(browser, ADA, SPO2)
        before = browser.get(ADA).json()

        answer = browser.put(ADA, before, content_type="application/json")

        assert answer.json() == before
        assert ThresholdChange.objects.filter(patient=ada).count() == 1

    def test_one_item_changed_in_what_was_read_becomes_the_patients(self, ada: Patient, dora: User) -> None:
        browser = signed_in(dora)
        limits = browser.get(ADA).json()["limits"]
        limits[0]["warning_low"] = 55

        put(browser, ADA, *limits)

        assert Threshold.objects.get().override.warning_low == 55
        assert Threshold.objects.get().delay == 15

    def test_what_is_left_out_is_taken_out(self, ada: Patient, dora: User) -> None:
        browser = signed_in(dora)
        put(browser, ADA, SPO2)

        answer = put(browser, ADA)

        assert of(answer, "spo2")["source"] == "default"
        assert [change.what for change in ThresholdChange.objects.order_by("pk")] == ["made", "removed"]

    def test_a_stale_version_is_409_with_the_present_limits(self, ada: Patient, dora: User) -> None:
        browser = signed_in(dora)
        put(browser, ADA, SPO2)

        answer = put(browser, ADA, SPO2 | {"warning_low": 80}, version=0)

        assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
        assert answer.json()["expected_version"] == 0
        assert answer.json()["current_version"] == answer.json()["current"]["version"]
        assert Threshold.objects.get().warning_low == 84

    def test_if_match_is_taken_for_a_version(self, ada: Patient, dora: User) -> None:
        body = {"limits": [SPO2]}

        assert signed_in(dora).put(ADA, body, content_type="application/json", headers={"If-Match": '"0"'}).status_code == 200

    @pytest.mark.parametrize("tag", ["9" * 5000, "9" * 20, "-1", "x", "²"])
    def test_an_if_match_that_is_no_version_is_refused_by_name(self, ada: Patient, dora: User, tag: str) -> None:
        answer = signed_in(dora).put(ADA, {"limits": []}, content_type="application/json", headers={"If-Match": tag})

        assert fields(answer) == ["If-Match"]

    def test_they_come_with_their_version_as_etag(self, ada: Patient, dora: User) -> None:
        browser = signed_in(dora)
        first = browser.get(ADA).headers["ETag"]

        answer = browser.put(ADA, {"limits": [SPO2]}, content_type="application/json", headers={"If-Match": first})

        assert (first, answer.headers["ETag"]) == ('"0"', f'"{answer.json()["version"]}"')
        assert browser.get(ADA).headers["ETag"] == answer.headers["ETag"]
        assert signed_in(dora).get(NORTH).headers["ETag"] == '"0"'

    def test_a_body_that_says_another_version_than_if_match_is_refused(self, ada: Patient, dora: User) -> None:
        body = {"limits": [SPO2], "version": 0}

        answer = signed_in(dora).put(ADA, body, content_type="application/json", headers={"If-Match": '"8"'})

        assert fields(answer) == ["version"]
        assert not Threshold.objects.exists()

    def test_a_version_that_nobody_says_is_required(self, ada: Patient, dora: User) -> None:
        answer = signed_in(dora).put(ADA, {"limits": [SPO2]}, content_type="application/json")

        assert (fields(answer), answer.json()["code"]) == (["version"], "required")

    @pytest.mark.parametrize("version", ["9" * 5000, "9" * 20])
    def test_a_version_beyond_all_counting_is_no_fault_of_the_server(self, ada: Patient, dora: User, version: str) -> None:
        body = f'{{"limits": [], "version": {version}}}'

        answer = signed_in(dora).put(ADA, body, content_type="application/json")

        assert answer.status_code in (400, 409, 422)

    @pytest.mark.parametrize("who", ["noor", "vera"])
    def test_who_may_not_set_limits_is_403(self, request: pytest.FixtureRequest, ada: Patient, who: str) -> None:
        answer = put(signed_in(request.getfixturevalue(who)), ADA, SPO2)

        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert not Threshold.objects.exists()

    def test_a_nurse_may_where_the_ward_allows_but_switches_nothing_off(self, ada: Patient, noor: User) -> None:
        Ward.objects.update(nurses_set_limits=True)

        off = put(signed_in(noor), ADA, {"sign": "spo2", "critical_low": 80, "reason": "quiet please"})
        narrower = put(signed_in(noor), ADA, {"sign": "spo2", "critical_low": 86, "warning_low": 92})

        assert fields(off) == ["warning_low"]
        assert narrower.status_code == 200

    @pytest.mark.parametrize("address", [NORTH, HOSPITAL])
    def test_wards_and_hospital_are_an_administrators(self, north: Ward, dora: User, root: User, address: str) -> None:
        assert put(signed_in(dora), address, SPO2).status_code == 403
        assert of(put(signed_in(root), address, SPO2), "spo2")["warning_low"] == 84

    def test_a_page_of_another_site_cannot_set_limits(self, ada: Patient, dora: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(dora)

        assert browser.put(ADA, {"limits": [], "version": 0}, content_type="application/json").status_code == 403

    def test_a_night_and_its_limits_come_and_go_together(self, north: Ward, root: User) -> None:
        browser = signed_in(root)
        night = {"from": "22:00", "until": "06:00"}
        rate = {"sign": "heart_rate", "critical_low": 35, "warning_low": 42, "warning_high": 120, "critical_high": 140}

        made = put(browser, NORTH, rate | {"part": "night"}, night=night)

        assert made.json()["night"] == night
        assert of(made, "heart_rate", "night")["warning_low"] == 42
        assert of(made, "heart_rate")["source"] == "default"
        assert browser.put(NORTH, made.json(), content_type="application/json").json() == made.json()
        gone = put(browser, NORTH, night=None)
        assert gone.json()["night"] is None
        assert not Threshold.objects.exists()


def test_a_body_becomes_limits_for_a_rule() -> None:
    wanted = limits_body.read([SPO2, {"sign": "heart_rate", "critical_low": 30, "delay_s": 5}])

    limits = wanted.limits(ADULT)

    assert not wanted.problems
    assert limits == {Sign.SPO2: Limits(78, 84, margin=2), Sign.HEART_RATE: Limits(30, margin=4, delay=5)}


class TestRefusals:
    @pytest.mark.parametrize(
        ("limits", "named"),
        [
            ({"sign": "spo2", "critical_low": 90, "warning_low": 85}, "warning_low"),
            ({"sign": "heart_rate", "critical_low": 40, "warning_low": 130, "warning_high": 120}, "warning_high"),
            ({"sign": "spo2", "critical_low": 85, "warning_low": 101}, "warning_low"),
            ({"sign": "spo2", "critical_low": 85}, "reason"),
            ({"sign": "spo2", "critical_low": 69, "warning_low": 75}, "critical_low"),
            (SPO2 | {"delay_s": 31}, "delay_s"),
            (SPO2 | {"delay_s": -1}, "delay_s"),
            (SPO2 | {"delay_s": 1.5}, "delay_s"),
            (SPO2 | {"margin": -1}, "margin"),
            (SPO2 | {"margin": "wide"}, "margin"),
            (SPO2 | {"critical_low": True}, "critical_low"),
            (SPO2 | {"critical_low": 10**400}, "critical_low"),
            (SPO2 | {"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
            (SPO2 | {"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
            (SPO2 | {"expires_at": 7}, "expires_at"),
            (SPO2 | {"reason": "x" * 201}, "reason"),
            (SPO2 | {"bound_low": 60}, "bound_low"),
            (SPO2 | {"part": "night"}, "part"),
            (SPO2 | {"part": "noon"}, "part"),
            (SPO2 | {"colour": "red"}, "colour"),
            ({"sign": "mood"}, "sign"),
            ({"sign": ["spo2"]}, "sign"),
            ({}, "sign"),
            (7, "limits"),
        ],
    )
    def test_what_is_wrong_is_named(self, ada: Patient, dora: User, limits: Any, named: str) -> None:
        answer = put(signed_in(dora), ADA, limits)

        assert named in fields(answer)
        assert answer.json()["errors"][0]["index"] == 0
        assert not Threshold.objects.exists()

    def test_a_wards_bound_beyond_the_hospitals_is_named(self, north: Ward, root: User) -> None:
        browser = signed_in(root)
        put(browser, HOSPITAL, SPO2 | {"bound_low": 75})

        answer = put(browser, NORTH, SPO2 | {"bound_low": 74}, {"sign": "body_temp", "bound_high": 42, "reason": "heat"})

        assert fields(answer) == ["bound_low", "bound_high"]
        assert not Threshold.objects.filter(ward=north).exists()

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({"version": None}, "version"),
            ({"version": "1"}, "version"),
            ({"version": True}, "version"),
            ({"limits": None}, "limits"),
            ({"limits": {}}, "limits"),
            ({"reason": 7}, "reason"),
            ({"night": {"from": "22:00", "until": "06:00"}}, "night"),
            ({"nihgt": None}, "nihgt"),
        ],
    )
    def test_a_wrong_body_is_named(self, ada: Patient, dora: User, body: dict[str, Any], named: str) -> None:
        assert named in fields(put(signed_in(dora), ADA, **body))

    @pytest.mark.parametrize("body", ["", "nonsense", "[]", "7", "null", '"\\ud800"', "[" * 100_000])
    def test_what_is_no_object_is_400(self, ada: Patient, dora: User, body: str) -> None:
        assert signed_in(dora).put(ADA, body, content_type="application/json").status_code == 400

    def test_a_sign_given_twice_is_refused(self, ada: Patient, dora: User) -> None:
        assert fields(put(signed_in(dora), ADA, SPO2, SPO2)) == ["sign"]

    @pytest.mark.parametrize(
        ("night", "named"),
        [
            ({"from": "22:00", "until": "22:00"}, "night.until"),
            ({"from": "22:00"}, "night.until"),
            ({"from": "25:00", "until": "06:00"}, "night.from"),
            ({"from": "22:00+01:00", "until": "06:00"}, "night"),
            ("always", "night.from"),
        ],
    )
    def test_a_night_with_a_hole_is_refused_by_name(self, north: Ward, root: User, night: Any, named: str) -> None:
        assert named in fields(put(signed_in(root), NORTH, night=night))

    def test_nothing_of_a_refused_body_is_kept(self, ada: Patient, dora: User) -> None:
        wrong = {"sign": "heart_rate", "critical_low": 60, "warning_low": 50}

        assert put(signed_in(dora), ADA, SPO2, wrong).status_code == 422
        assert not Threshold.objects.exists()
        assert not ThresholdChange.objects.exists()
        assert not Alert.objects.exists()

    def test_a_child_has_the_limits_and_the_bound_of_its_age(self, ada: Patient, dora: User) -> None:
        Patient.objects.update(birth_date=date.today() - timedelta(days=100))
        rate = {"sign": "heart_rate", "critical_low": 69, "warning_low": 90, "warning_high": 169, "critical_high": 179}

        answer = put(signed_in(dora), ADA, rate)

        assert signed_in(dora).get(ADA).json()["age_band"] == "0–11 months"
        assert fields(answer) == ["critical_low"]
