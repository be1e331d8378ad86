"""What the systems before MedQL did wrong, each with its number (docs/weaknesses.md): here is what no other test holds."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from django.test import Client

from accounts import tokens
from accounts.models import User
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Alert, Patient, Threshold
from monitoring.models.threshold import Part
from monitoring.services import thresholds
from monitoring.services.layers import Scope
from tests.conftest import signed_in
from tests.live.test_sockets import Viewer
from tests.world import item, unscored

ROOT = Path(__file__).parents[2]
SPO2 = (Sign.SPO2, Part.ALWAYS)


def test_a8_4_a_patient_of_another_ward_is_nowhere_to_be_found(ada, eve):
    """Not only in lists: whatever names her answers as if she were not there."""
    User.objects.filter(pk=eve.pk).update(is_staff=True)
    browser = signed_in(eve)
    pages = [f"/admin/monitoring/patient/{ada.pk}/{page}" for page in ("change/", "history/", "dossier/")]

    answers = [browser.get("/api/v1/patients/P-ADA/thresholds"), *(browser.get(page, follow=True) for page in pages)]

    assert [answer.status_code for answer in answers if "Byron" in answer.content.decode()] == []
    assert answers[0].status_code == 404


def test_a8_6_a_key_in_the_address_opens_nothing(ada, gateway, now):
    """Addresses are logged."""
    body = json.dumps([item(ada, now.replace(microsecond=0), spo2=97)], default=str)

    for name in ("key", "api_key", "X-API-Key", "token"):
        answer = Client().post(f"/api/v1/vitals?{name}={gateway.key}", body, content_type="application/json")
        assert answer.status_code == 401


def test_a8_7_a_sign_without_limits_borrows_none(ada, gateway, now):
    """SpO₂ is far below its limits; the diastolic pressure beside it has no lower one."""
    unscored(ada)

    gateway.post([item(ada, now, spo2=84, diastolic_bp=30)])

    assert {alert.condition for alert in Alert.objects.open().filter(patient=ada)} == {"spo2_low"}


def test_a8_9_the_hospitals_limits_leave_a_patients_own(ada, root, now):
    thresholds.put(Scope(patient=ada), SPO2, Override(70, 75), by=root, at=now)

    thresholds.put(Scope(), SPO2, Override(80, 88), by=root, at=now)

    row = Threshold.objects.get(patient=ada)
    assert (row.critical_low, row.warning_low) == (70, 75)


def test_a8_11_in_one_batch_each_patient_has_his_own_limits(ada, ben, gateway, root, now):
    for patient in (ada, ben):
        unscored(patient)
    thresholds.put(Scope(patient=ada), SPO2, Override(80, 82), by=root, at=now)

    gateway.post([item(ada, now, spo2=83), item(ben, now, spo2=83), item(ada, now.replace(microsecond=1), heart_rate=70)])

    assert [alert.patient for alert in Alert.objects.open()] == [ben]


def test_a8_12_who_was_never_measured_has_no_alert_and_no_zero(ada, noor):
    page = signed_in(noor).get("/wards/north/").content.decode()

    assert "Ada Byron" in page
    assert ">0<" not in page
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    "sign",
    [
        {"heart_rate": 180},
        {"spo2": 70},
        {"respiratory_rate": 45},
        {"systolic_bp": 60},
        {"diastolic_bp": 140},
        {"mean_bp": 40},
        {"body_temp": 41.5},
    ],
    ids=lambda sign: next(iter(sign)),
)
def test_a8_12_every_sign_that_is_critical_says_so(ada, noor, gateway, now, sign):
    """Not the pulse and the saturation alone."""
    unscored(ada)
    gateway.post([item(ada, now, **sign)])

    assert Alert.objects.open().get(patient=ada).severity == "critical"
    assert 'class="severity critical"' in signed_in(noor).get("/wards/north/").content.decode()


def test_a8_30_the_image_runs_no_development_server():
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert "runserver" not in dockerfile
    assert "reload" not in dockerfile
    assert "DEBUG" not in dockerfile


def test_b5_12_gender_has_four_values():
    assert set(Patient.Gender.values) == {"male", "female", "other", "unknown"}


def test_c6_2_nothing_that_somebody_sent_is_run():
    """No source of MedQL evaluates text, or unpacks an object from bytes."""
    told = {"eval", "exec", "compile", "__import__", "pickle", "marshal", "shelve", "yaml"}
    found = set()
    for folder in ("medql", "monitoring", "accounts"):
        for source in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text())):
                names = [node.func.id] if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else []
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                found |= {(str(source.relative_to(ROOT)), name) for name in names if name.split(".")[0] in told}

    assert found == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["token", "access_token", "ticket"])
async def test_c6_4_an_access_token_in_the_address_opens_no_socket(noor, now, name):
    pair = await database_sync_to_async(tokens.sign_in)(noor, at=now)

    async with Viewer({}, f"north/?{name}={pair.access_token}") as socket:
        assert await socket.closed_with() == 4401
