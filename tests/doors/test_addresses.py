"""Every address of the API answers with a slash at its end as it does without."""

from __future__ import annotations

import pytest
from django.urls import Resolver404, resolve, reverse

from tests.doors.addresses import every_address

API = [address for address in every_address() if address.startswith(("/api/v1/", "/auth/"))]


@pytest.mark.parametrize("address", API)
def test_a_slash_more_is_the_same_door(address):
    bare, slashed = resolve(address), resolve(f"{address}/")

    assert (bare.view_name, bare.kwargs) == (slashed.view_name, slashed.kwargs)
    assert reverse(bare.view_name, kwargs=bare.kwargs) == address


@pytest.mark.parametrize("address", API)
def test_two_slashes_are_no_door(address):
    with pytest.raises(Resolver404):
        resolve(f"{address}//")
