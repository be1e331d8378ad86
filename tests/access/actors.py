"""Everybody who may knock, and every door: the matrix test lets each of them try each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http.cookies import SimpleCookie
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import keys, service_tokens
from accounts.admin.keeping import OfVisibleWards
from accounts.models import Device, ServiceToken, User, Ward
from monitoring.models import Alert, Patient, Vital
from tests.conftest import PASSWORD, signed_in

ACTORS = ("anonymous", "device", "kiosk", "patient", "viewer", "service", "elsewhere", "nurse", "doctor", "administrator")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LOGIN = ("/accounts/login/", "/admin/login/")


@dataclass(frozen=True, slots=True)
class Door:
    """A route of the URL configuration."""

    route: str
    view: Callable[..., Any]

    @property
    def group(self) -> str:
        """Routes of one noun of the administration are tried together."""
        parts = self.route.split("/")
        return "/".join(parts[:3]) if parts[0] == "admin" else self.route

    @property
    def methods(self) -> tuple[str, ...]:
        return METHODS[:2] if self.route.startswith("admin/") else METHODS


def doors() -> Iterator[Door]:
    """Every route there is, in whichever file it was written."""
    yield from _walk(get_resolver().url_patterns, "")


def _walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[Door]:
    for each in patterns:
        route = before + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, route)
        else:
            yield Door(route, each.callback)


class World:
    """One of every actor with what he carries, and a row of Ada's ward for every door that names one."""

    def __init__(self, people: dict[str, User], ada: Patient, north: Ward, now: datetime) -> None:
        for name in ("viewer", "elsewhere", "nurse", "doctor"):
            people[name].is_staff = True  # the door of the administration is open to them: their role decides
            people[name].save()
        self.north, self.ada = north, ada
        self.clients = {name: signed_in(person) for name, person in people.items()}
        self.clients["anonymous"] = Client()
        self.clients["device"] = Client(headers={"X-API-Key": self._key("GW-MATRIX", Device.Kind.GATEWAY)})
        self.clients["kiosk"] = Client()
        self.clients["kiosk"].cookies[settings.KIOSK_COOKIE_NAME] = self._key("WALL-MATRIX", Device.Kind.KIOSK)
        token = service_tokens.issue(ServiceToken(name="matrix"), wards=[north], by=people["administrator"], at=now)
        self.clients["service"] = Client(headers={"Authorization": f"Bearer {token}"})

    def _key(self, name: str, kind: str) -> str:
        device = Device.objects.create(name=name, kind=kind)
        device.wards.add(self.north)
        return keys.issue(device)

    def outcome(self, actor: str, method: str, path: str) -> str:
        """What became of the attempt, as one letter; whatever it changed is taken back."""
        client = self.clients[actor]
        cookies = SimpleCookie({name: morsel.value for name, morsel in client.cookies.items()})
        body: dict[str, Any] = {} if method == "GET" else {"data": {}, "content_type": "application/json"}
        if method == "POST" and not path.startswith(("/api/", "/auth/")):
            body = {"data": {}}
        with transaction.atomic():
            answer = client.generic(method, path) if method == "GET" else getattr(client, method.lower())(path, **body)
            if answer.status_code == 302 and answer.headers["Location"].endswith("/change/"):  # the page has a longer address
                answer = client.get(answer.headers["Location"])
            transaction.set_rollback(True)
        client.cookies = cookies
        return _letter(answer)


def _letter(answer: HttpResponseBase) -> str:
    """`-` say who you are; `3` forbidden; `4` not there, or not yours to know of; `5` no such method; `x` let in."""
    where = answer.headers.get("Location", "")
    if answer.status_code == 401 or (answer.status_code == 302 and where.startswith(LOGIN)):
        return "-"
    if answer.status_code == 302 and where == "/admin/":
        return "4"  # of a row that is not there the administration says so on its first page
    assert answer.status_code < 500, answer.status_code
    return {403: "3", 404: "4", 405: "5"}.get(answer.status_code, "x")


def patient_herself(ada: Patient) -> User:
    user = User.objects.create_user("ada", "ada@example.org", PASSWORD, name="Ada Byron")
    Patient.objects.filter(pk=ada.pk).update(user=user)
    return user


def path_of(door: Door, world: World) -> str:
    """A real address: whatever a route names is a row of Ada's ward."""
    route = "/" + door.route.replace("\\Z", "").rstrip("$")
    for placeholder, value in {
        "<slug:slug>": world.north.slug,
        "<str:patient_id>": world.ada.patient_id,
        "(?P<app_label>auth|accounts|monitoring)": "monitoring",
        "(?P<app_label>accounts|monitoring)": "monitoring",
        "(?P<url>.*)": "nothing/here",
        "<path:content_type_id>/<path:object_id>": f"{ContentType.objects.get_for_model(Patient).pk}/{world.ada.pk}",
    }.items():
        route = route.replace(placeholder, value)
    if "<str:vital_id>" in route:
        route = route.replace("<str:vital_id>", str(Vital.objects.filter(patient=world.ada).latest("pk").pk))
    if "<uuid:alert_id>" in route:
        route = route.replace("<uuid:alert_id>", str(Alert.objects.open().filter(patient=world.ada).earliest("raised_at").pk))
    if "<int:device_id>" in route:
        route = route.replace("<int:device_id>", str(Device.objects.filter(wards=world.north).earliest("pk").pk))
    for placeholder in ("<path:object_id>", "<id>"):
        if placeholder in route:
            route = route.replace(placeholder, str(_row(door, world)))
    return route


def _row(door: Door, world: World) -> Any:
    """The newest row of Ada's ward of the noun that this page of the administration is about."""
    _, app, noun, *_ = door.route.split("/")
    pages = admin.site.get_model_admin(apps.get_model(app, noun))
    rows = pages.model._default_manager.all()
    if isinstance(pages, OfVisibleWards):
        rows = pages.within(rows, Ward.objects.filter(pk=world.north.pk))
    return rows.order_by("-pk").values_list("pk", flat=True)[0]
