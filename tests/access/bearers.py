"""What a test says of tokens: a person signs in as a program does, and shows what he was given."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.conftest import PASSWORD


def post(address: str, body: Any = None, *, bearer: str = "") -> Any:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return Client().post(f"/auth/{address}", "" if body is None else body, content_type="application/json", headers=headers)


def get(address: str, *, bearer: str) -> Any:
    return Client().get(address, headers={"Authorization": f"Bearer {bearer}"})


def login(id: str, password: str = PASSWORD) -> Any:
    return post("login", {"id": id, "password": password})


def refresh(token: str) -> Any:
    return post("refresh-token", {"refresh_token": token})


def me(bearer: str) -> Any:
    return get("/auth/me", bearer=bearer)


def refused(answer: Any) -> tuple[int, str]:
    """Status and code of an error, which has a sentence besides."""
    assert answer.json()["detail"]
    return answer.status_code, answer.json()["code"]


def fields(answer: Any) -> list[str]:
    """Which fields a 422 names."""
    assert answer.status_code == 422
    return [error["field"] for error in answer.json()["errors"]]
