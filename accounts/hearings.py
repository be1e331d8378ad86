"""Who may hear the event stream: people and programs, of the wards whose records they may read.

A person is let in by his token, a ticket or his browser's session, a program by its own token or a ticket. Walls and devices
hear nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from accounts import access, sessions, tokens, visits
from accounts.access import Permission
from accounts.models import ServiceToken, Session, TokenSession, User
from accounts.visits import NotSignedIn, NotYours


@dataclass(frozen=True, slots=True)
class Hearing:
    """By what somebody was let in, exactly one of the three ids, and the wards (ids) that he may hear."""

    who: User | ServiceToken
    wards: frozenset[int] = frozenset()
    session_id: int | None = None
    token_id: int | None = None
    service_id: int | None = None


def by_socket(scope: dict[str, Any], *, now: datetime) -> Hearing:
    """How whoever opens this socket is let in. Raises NotSignedIn, NotYours where he may hear no ward."""
    return again(_asked(scope, now), now=now)


def again(hearing: Hearing, *, now: datetime) -> Hearing:
    """The same, with the wards of now. Raises NotSignedIn, NotYours."""
    wards = _wards([hearing], now).get(hearing)
    if wards is None:
        raise NotSignedIn
    if not wards:
        raise NotYours(hearing.who)
    return replace(hearing, wards=wards)


def fallen(hearings: Collection[Hearing], *, now: datetime) -> set[Hearing]:
    """Those that are over, or whose wards are others by now: few queries however many there are."""
    wards = _wards(hearings, now)
    return {each for each in hearings if wards.get(each) != each.wards}


def _asked(scope: dict[str, Any], now: datetime) -> Hearing:
    holder = visits.holder(scope, now, token_in_address=True)
    if isinstance(holder, ServiceToken):
        return Hearing(holder, service_id=holder.pk)
    if isinstance(holder, TokenSession):
        return Hearing(holder.user, token_id=holder.pk)
    request = visits.as_request(scope)
    row = sessions.of(request).row
    if not isinstance(request.user, User) or row is None:
        raise NotSignedIn
    return Hearing(request.user, session_id=row.pk)


def _wards(hearings: Collection[Hearing], now: datetime) -> dict[Hearing, frozenset[int]]:
    """What each may hear now; those that are over are missing."""
    people = _people(hearings, now)
    roles = access.roles_of({person.pk for person in people.values()}, now=now)
    theirs: dict[int, set[int]] = defaultdict(set)
    for (person, ward), has in roles.items():
        if access.holds(has, Permission.READ_RECORD):
            theirs[person].add(ward)
    found = {each: frozenset(theirs[person.pk]) for each, person in people.items()}
    programs = _programs([each.service_id for each in hearings if each.service_id], now)
    return found | {each: programs[each.service_id] for each in hearings if each.service_id in programs}


def _people(hearings: Collection[Hearing], now: datetime) -> dict[Hearing, User]:
    """Whose these are, of the sessions that live."""
    browsers = {each.session_id for each in hearings if each.session_id}
    rows = Session.objects.judged(now).select_related("user").in_bulk(browsers) if browsers else {}
    living = {pk: row.user for pk, row in rows.items() if row.user and not row.is_over and row.why_over(now) is None}
    with_token = {each.token_id for each in hearings if each.token_id}
    by_token = tokens.living(with_token, now=now) if with_token else {}
    found = {each: living.get(each.session_id or 0) or by_token.get(each.token_id or 0) for each in hearings}
    return {each: person for each, person in found.items() if person}


def _programs(services: Collection[int], now: datetime) -> dict[int | None, frozenset[int]]:
    if not services:
        return {}
    found: dict[int | None, set[int]] = {pk: set() for pk in _living(services, now)}
    for service, ward in ServiceToken.wards.through.objects.filter(servicetoken__in=found).values_list("servicetoken", "ward"):
        found[service].add(ward)
    return {service: frozenset(wards) for service, wards in found.items()}


def _living(services: Collection[int], now: datetime) -> list[int]:
    return list(ServiceToken.objects.living(now).filter(pk__in=services).values_list("pk", flat=True))
