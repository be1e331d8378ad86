from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests.conftest import signed_in


@pytest.fixture
def office(root: User) -> Client:
    """The administrator's browser."""
    return signed_in(root)
