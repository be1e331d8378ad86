"""The device door's answers: statuses, keys, what is kept of what was refused, and its replay."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest

from accounts import keys
from accounts.models import Device
from monitoring.models import Admission, Alert, RejectedVital, Vital
from monitoring.services import admissions, ingestion
from tests.world import Monitor, item, open_alert


def rejected(answer) -> list[tuple]:
    return [(one["code"], one.get("field"), one["stored"]) for one in answer.json()["rejected"]]


class TestStatuses:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"patient_id": "NOBODY", "spo2": 97}, 404, "unknown_patient"),
            ({"patient_id": "P-CID", "spo2": 97}, 403, "other_ward"),
            ({"patient_id": "P-ADA", "spo2": 170}, 422, "out_of_range"),
            ({"patient_id": "P-ADA"}, 422, "no_values"),
            ({"patient_id": "P-ADA", "spo2": 97, "timestamp": "2020-01-01T00:00:00Z"}, 422, "too_old"),
        ],
    )
    def test_an_object_answers_by_its_reason(self, ada, cid, gateway, body, status, code):
        answer = gateway.post(body)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["detail"]

    def test_an_object_for_a_patient_without_a_bed_is_400(self, ada, gateway, now):
        admissions.discharge(Admission.objects.get(patient=ada), by=None, at=now - timedelta(minutes=1))

        assert gateway.post(item(ada, now, spo2=97)).status_code == 400

    @pytest.mark.parametrize("body", ["", "nonsense", "7", '"text"', "null", "[]", "{", "[1, 2", b"\xff\xfe", "[" * 100_000])
    def test_what_cannot_be_decoded_is_400_and_kept(self, gateway, body):
        answer = gateway.post(body)

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        kept = RejectedVital.objects.get()
        assert kept.device == gateway.device
        assert kept.item == (body if isinstance(body, str) else body.decode("utf-8", "replace"))[: 64 * 1024]

    @pytest.mark.parametrize("thing", [7, "text", None, [], [[]], True])
    def test_an_item_that_is_no_object_costs_no_other(self, ada, gateway, now, thing):
        answer = gateway.post([thing, item(ada, now, spo2=97)])

        assert answer.status_code == 202
        assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [(0, "invalid")]

    def test_two_objects_without_a_list_are_no_json_and_nothing_of_them_is_stored(self, ada, gateway, now):
        one = json.dumps(item(ada, now, spo2=97))

        assert gateway.post(f"{one}, {one}").status_code == 400
        assert not Vital.objects.exists()
        assert RejectedVital.objects.get().item == f"{one}, {one}"

    @pytest.mark.parametrize("value", ["NaN", "Infinity", '"\\ud800"', '"a\x00b"', "1e999", "[[1]]"])
    def test_one_bad_token_costs_no_other_item(self, ada, ben, gateway, now, value):
        good = json.dumps(item(ben, now, spo2=70))
        bad = f'{{"patient_id": "P-ADA", "timestamp": "{now.isoformat()}", "heart_rate": {value}, "spo2": 96}}'

        answer = gateway.post(f"[{bad}, {good}]")

        assert answer.status_code == 202
        assert open_alert(ben).condition == "spo2_low"
        assert [one["index"] for one in answer.json()["rejected"]] == [0]

    def test_a_field_that_no_database_could_write_is_refused_like_any_other(self, ada, gateway):
        answer = gateway.post('[{"patient_id": "P-ADA", "spo2": 97, "\\ud800\\u0000": 1}]')

        assert answer.json()["stored"] == 1
        assert answer.json()["rejected"][0]["code"] == "unknown_field"

    @pytest.mark.parametrize(
        "text",
        [
            '{"patient_id": "P-ADA", "spo2": 70, "spo2": 97}',
            '{"patient_id": "P-BEN", "patient_id": "P-ADA", "spo2": 97}',
            '{"patient_id": "P-ADA", "spo2" : 70, "spo2": 97, "status": {"spo2": "ok"}}',
        ],
    )
    def test_a_name_given_twice_is_refused_rather_than_guessed(self, ada, ben, gateway, text):
        answer = gateway.post(f"[{text}]")

        assert [one["code"] for one in answer.json()["rejected"]] == ["invalid"]
        assert not Vital.objects.exists()

    def test_a_word_that_looks_like_a_name_is_no_name(self, ada, gateway):
        answer = gateway.post('[{"patient_id": "P-ADA", "spo2": 97, "note": "a\\": b"}]')

        assert answer.json()["stored"] == 1

    @pytest.mark.parametrize("headers", [{"Accept": "text/html"}, {"Accept": "application/xml"}])
    def test_a_reading_is_never_lost_to_an_accept_header(self, ada, gateway, now, headers):
        assert gateway.post([item(ada, now, spo2=97)], **headers).status_code == 202

    @pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "a/b"])
    def test_nor_to_a_content_type(self, ada, gateway, now, kind):
        body = json.dumps([item(ada, now, spo2=97)])

        answer = gateway.client.post("/api/v1/vitals", body, content_type=kind, headers={"X-API-Key": gateway.key})

        assert answer.status_code == 202

    def test_more_than_five_megabytes_is_413_as_json(self, gateway):
        answer = gateway.post("[" + " " * (5 * 1024 * 1024) + "]")

        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def test_what_is_packed_is_not_unpacked(self, ada, gateway, now):
        """A few kilobytes would be a gigabyte."""
        packed = gzip.compress(json.dumps([item(ada, now, spo2=97)], default=str).encode())

        answer = gateway.post(packed, **{"Content-Encoding": "gzip"})

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert not Vital.objects.exists()

    def test_more_than_five_thousand_items_is_413(self, gateway):
        assert gateway.post([{}] * 5001).status_code == 413

    def test_a_repeated_name_in_two_words_is_refused(self, ada, gateway, now):
        answer = gateway.post([item(ada, now, respiratory_rate=14, respiration=15)])

        assert rejected(answer) == [("invalid", "respiration", False)]

    @pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
    def test_other_methods_are_405_as_json(self, gateway, method):
        answer = getattr(gateway.client, method)("/api/v1/vitals", headers={"X-API-Key": gateway.key})

        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


class TestKeys:
    def test_no_key_is_401(self, gateway):
        answer = gateway.client.post("/api/v1/vitals", "[]", content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("key", ["x", "x.y", ".", "…"])
    def test_a_wrong_key_is_401(self, gateway, key):
        answer = Monitor(gateway.device, key.encode().decode("latin-1")).post("[]")

        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_key")

    def test_a_right_prefix_with_a_wrong_secret_is_401(self, gateway):
        prefix = gateway.key.partition(".")[0]

        assert Monitor(gateway.device, f"{prefix}.guess").post("[]").status_code == 401

    def test_a_revoked_key_is_403(self, gateway, now):
        keys.revoke(gateway.device, at=now, by=None)

        answer = gateway.post("[]")

        assert (answer.status_code, answer.json()["code"]) == (403, "revoked_key")

    def test_a_device_that_was_switched_off_is_403(self, gateway):
        Device.objects.update(is_active=False)

        assert gateway.post("[]").status_code == 403

    def test_a_wrong_key_leaves_nothing_behind(self, gateway):
        Monitor(gateway.device, "x.y").post("rubbish")

        assert not RejectedVital.objects.exists()


class TestQuarantine:
    def test_what_was_refused_is_kept_as_it_was_sent(self, ada, gateway):
        text = '{"patient_id":"P-ADA",  "spo2": 97.000, "body_temp":98.60}'

        gateway.post(f"[{text}]")

        row = RejectedVital.objects.get()
        assert (row.item, row.code, row.field, row.position, row.stored) == (text, "out_of_range", "body_temp", 0, True)

    def test_nothing_is_kept_of_what_was_right(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=97)])

        assert not RejectedVital.objects.exists()


class TestReplay:
    def test_what_was_refused_goes_in_once_its_cause_is_gone(self, cid, gateway, south, root, now):
        gateway.post([item(cid, now, spo2=84)])
        gateway.device.wards.add(south)

        outcome = ingestion.replay(RejectedVital.objects.get(), by=root, now=now)

        assert outcome.stored == 1
        assert Vital.objects.get().measured_at == now
        assert open_alert(cid).condition == "spo2_low"

    def test_what_is_refused_again_can_be_replayed_later(self, cid, gateway, root, now):
        gateway.post([item(cid, now, spo2=84)])

        outcome = ingestion.replay(RejectedVital.objects.get(), by=root, now=now)

        assert [rejection.code for rejection in outcome.rejected] == ["other_ward"]
        assert RejectedVital.objects.get().replayed_at is None

    def test_an_item_without_a_time_keeps_the_time_it_was_received(self, cid, gateway, south, root, now):
        gateway.post([item(cid, spo2=84)])
        received = RejectedVital.objects.get().received_at
        gateway.device.wards.add(south)

        ingestion.replay(RejectedVital.objects.get(), by=root, now=received + timedelta(hours=2))

        vital = Vital.objects.get()
        assert (vital.measured_at, vital.received_at, vital.late) == (received, received, True)
        assert not Alert.objects.open().exists()

    def test_twice_is_once(self, cid, gateway, south, root, now):
        gateway.post([item(cid, now, spo2=84)])
        gateway.device.wards.add(south)
        rejected = RejectedVital.objects.get()
        ingestion.replay(rejected, by=root, now=now)

        assert ingestion.replay(rejected, by=root, now=now).stored == 0
        assert Vital.objects.count() == 1
