"""The list of alerts in the administration."""

from __future__ import annotations

import pytest

from monitoring.admin.alerts import StateFilter
from monitoring.models import Alert
from tests.conftest import signed_in
from tests.world import item, open_alert, unscored

LIST = "/admin/monitoring/alert/"


@pytest.mark.parametrize(
    ("state", "is_open", "returned", "taken"),
    [
        ("raised", True, False, False),
        ("acknowledged", True, False, True),
        ("returned", True, True, False),
        ("returned", True, True, True),
        ("resolved", None, False, False),
        ("resolved", None, True, True),
    ],
)
def test_the_filter_finds_an_alert_by_the_state_that_the_list_shows(
    ada, root, noor, gateway, now, state, is_open, returned, taken
):
    unscored(ada)
    gateway.post([item(ada, now, sensor_id="hand", spo2=70)])
    Alert.objects.filter(pk=open_alert(ada).pk).update(
        is_open=is_open,
        resolved_at=None if is_open else now,
        returned_at=now if returned else None,
        acknowledged_at=now if taken else None,
        acknowledged_by=noor if taken else None,
    )
    office = signed_in(root)

    found = [word for word in StateFilter.means if office.get(LIST, {"state": word}).context["cl"].result_count]

    assert found == [state]
    assert f'<td class="field-standing">critical, {state}</td>' in office.get(LIST).content.decode()
