"""Whatever is sent to the API, it answers as it describes itself: Schemathesis tries every operation of /api/schema."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi import checks

from accounts import rates, service_tokens, tokens
from accounts.models import ServiceToken
from medql.schema import document
from monitoring.models import Vital
from monitoring.services import thresholds
from monitoring.services.layers import Scope
from tests.services.alerting import raised

load_all_checks()
api = schemathesis.openapi.from_dict(document())
api.app = WSGIHandler()
api.config.seed = 4
refusing = api.config.checks.negative_data_rejection
refusing.expected_statuses = [*refusing.expected_statuses, "413"]  # too large is wrong too

TAKES_SEVERAL = ("POST /api/v1/vitals",)  # kinds of credentials: a device's key opens it, whatever token stands beside
# One bad value of a reading costs no other; who shows an access token signs out whatever the body says; and a heartbeat has
# no fields, so that no body is as good as an empty one.
TAKES_WHAT_IS_WRONG = ("POST /api/v1/vitals", "POST /auth/logout", "POST /api/v1/devices/heartbeat")


@dataclass
class World:
    """Who knocks, and whom they may name."""

    keys: dict[str, dict[str, str]]
    names: dict[str, Any]

    def heads(self, case: Case) -> list[dict[str, str]]:
        """The credentials of each kind of caller that this operation knows; a program only reads."""
        kinds = [kind for one in case.operation.definition.raw["security"] for kind in one]
        kinds += ["program"] if "bearer" in kinds and case.operation.method == "get" else []
        return [self.keys[kind] for kind in kinds if kind in self.keys] or [{}]

    def name(self, case: Case) -> bool:
        """Let the case be of a patient and a ward that are there, of now, and with the version that was read."""
        found = False
        case.body = deepcopy(case.body)  # an example is the document's own
        for parameters in (case.path_parameters, *_objects(case.body)):
            for name in parameters.keys() & self.names.keys():
                if type(parameters[name]) is type(self.names[name]):
                    parameters[name], found = self.names[name], True
        return found


def _objects(body: Any) -> list[dict[str, Any]]:
    return [one for one in (body if isinstance(body, list) else [body]) if isinstance(one, dict)]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's own test client has it: the end of a request is not the end of the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def world(ada, north, gateway, root, now):
    pair = tokens.sign_in(root, at=now)
    program = service_tokens.issue(ServiceToken(name="fuzz"), wards=[north], by=root, at=now)
    keys = {"bearer": pair.access_token, "program": program}
    heads = {kind: {"Authorization": f"Bearer {token}"} for kind, token in keys.items()} | {
        "device_key": {"X-API-Key": gateway.key}
    }
    names = {"patient_id": ada.patient_id, "slug": north.slug, "ward": north.slug, "refresh_token": pair.refresh_token}
    stay = ada.admissions.get()
    vital = Vital.objects.create(patient=ada, admission=stay, sensor_id="M7", measured_at=now, received_at=now, spo2=97)
    names |= {"vital_id": str(vital.pk), "vital_type": "HR"}
    names |= {"version": thresholds.version(Scope(patient=ada)), "timestamp": now.isoformat(), "recorded_at": now.isoformat()}
    names |= {"device_id": gateway.device.pk, "alert_id": str(raised(ada, now).pk)}
    return World(heads, names)


def _try(case: Case, head: dict[str, str], excluded: list[Any]) -> None:
    """Whatever it changed is taken back, so that every case finds the same world."""
    with transaction.atomic():
        case.call_and_validate(headers=head, excluded_checks=excluded)
        transaction.set_rollback(True)
    rates.alone().storage.reset()


@api.parametrize()
@settings(max_examples=8, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_answers_as_it_says(world, case):
    by_meaning = [checks.positive_data_acceptance]  # what is well formed may still be refused for what it means
    by_meaning += [checks.negative_data_rejection] if case.operation.label in TAKES_WHAT_IS_WRONG else []
    by_meaning += [checks.ignored_auth] if case.operation.label in TAKES_SEVERAL else []
    if case.meta.phase.name is not TestPhase.COVERAGE:
        for head in world.heads(case):
            _try(case, head, by_meaning)
    if world.name(case):
        by_meaning.append(checks.negative_data_rejection)
    for head in world.heads(case):
        _try(case, head, by_meaning)
