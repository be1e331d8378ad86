"""What a person or a program writes down is kept under a name that no device has, and nobody else; a device's is an item."""

from __future__ import annotations

import json

from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.fields import SENSOR_ID
from accounts.models import ServiceToken, User
from monitoring.clinical.silence import BY_HAND
from monitoring.services.entries import LONGEST_FIRST, sensor_of
from monitoring.services.items import SIGNS, read

people = st.builds(User, login=st.from_regex(r"\A[a-z0-9._-]{1,50}\Z"))
programs = st.builds(ServiceToken, pk=st.integers(1, 10**9), name=st.text(min_size=1, max_size=50))
senders = st.one_of(people, programs)
sensors = st.one_of(st.none(), st.from_regex(SENSOR_ID, fullmatch=True))
types = st.sampled_from(["HR", "SpO2", "SBP"])
said = st.tuples(senders, sensors, types)


@given(said)
def test_no_device_has_it(who):
    name = sensor_of(*who)

    assert not SENSOR_ID.fullmatch(name)
    assert len(name) <= LONGEST_FIRST


@given(said, said)
def test_nobody_else_has_it(one, other):
    assume(_meant(*one) != _meant(*other))

    assert sensor_of(*one) != sensor_of(*other)


@given(said)
def test_it_says_by_hand_where_nothing_else_was_said(who):
    by, sensor, vital_type = who

    assert sensor_of(by, sensor, vital_type).startswith((sensor or BY_HAND)[:40])


values = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=1))


@given(st.sampled_from(list(SIGNS)), values, st.booleans())
def test_with_its_type_or_by_the_name_of_its_sign_a_device_says_the_same(vital_type, value, zero_is_absent):
    bodies = {"vital_type": vital_type, "value": value}, {SIGNS[vital_type].value: value}
    typed, named = (read(0, json.dumps(body).encode(), zero_is_absent=zero_is_absent) for body in bodies)

    assert typed.values == named.values
    assert [(one.code, one.field) for one in typed.refused] == [(one.code, one.field) for one in named.refused]
    assert (typed.sign, named.sign) == (SIGNS[vital_type], None)


def _meant(by, sensor, vital_type):
    return type(by), by.pk if isinstance(by, ServiceToken) else by.login, sensor or BY_HAND, vital_type
