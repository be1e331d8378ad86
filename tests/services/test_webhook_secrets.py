"""The secrets of webhooks: sealed, also those that were there before, and no message leaves unsigned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Ward
from monitoring.models import WebhookEndpoint
from tests.services.alerting import raised
from tests.services.outbox import SECRET, endpoint, send, to_hook

IN_CLEAR, SEALED = ("monitoring", "0017_dossier"), ("monitoring", "0020_webhook_secret_in_clear_gone")


def test_the_secret_of_another_endpoint_signs_nothing(north, south, ada, now, caplog):
    delivery = to_hook(raised(ada, now), north, "http://127.0.0.1:9/", now)
    other = endpoint(south, "http://127.0.0.1:9/other")
    WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(sealed_secret=other.sealed_secret)

    send(now)

    delivery.refresh_from_db()
    assert delivery.last_error == "the secret of this webhook cannot be read: type it in anew"
    assert SECRET not in caplog.text


def test_the_secret_is_in_no_column(north):
    endpoint(north, "http://127.0.0.1:9/")

    assert SECRET not in str(list(WebhookEndpoint.objects.values_list()))


@pytest.fixture
def in_clear(transactional_db: None) -> Iterator[MigrationExecutor]:
    """A database of before the secrets were sealed, brought back to the present afterwards."""
    executor = MigrationExecutor(connection)
    executor.migrate([IN_CLEAR])
    yield executor
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_what_was_kept_in_clear_is_sealed_and_can_be_opened_again(in_clear):
    others = [leaf for leaf in in_clear.loader.graph.leaf_nodes() if leaf[0] != "monitoring"]  # which stayed as they are
    before = in_clear.loader.project_state([IN_CLEAR, *others]).apps
    north = before.get_model("accounts", "Ward").objects.create(slug="north", name="North")
    for name in ("pager", "bleep"):
        before.get_model("monitoring", "WebhookEndpoint").objects.create(
            ward=north, name=name, url="http://127.0.0.1:9/", secret=f"{SECRET} {name}"
        )

    MigrationExecutor(connection).migrate([SEALED])
    sealed = {row.name: row for row in WebhookEndpoint.objects.all()}
    assert {name: row.secret() for name, row in sealed.items()} == {name: f"{SECRET} {name}" for name in ("pager", "bleep")}
    assert len({row.mark for row in sealed.values()}) == 2

    MigrationExecutor(connection).migrate([IN_CLEAR])
    secrets = before.get_model("monitoring", "WebhookEndpoint").objects.order_by("name").values_list("secret", flat=True)
    assert list(secrets) == [f"{SECRET} bleep", f"{SECRET} pager"]
    before.get_model("monitoring", "WebhookEndpoint").objects.all().delete()
    Ward.objects.all().delete()
