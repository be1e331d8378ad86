"""Settings that make no sense are refused before anything starts."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from medql import required


def test_a_kind_of_device_may_be_given_another_rate():
    assert required.rates(["monitor=20"]) == required.DEVICE_RATES | {"monitor": 20}


@pytest.mark.parametrize(
    "told", ["monitor=0", "monitor=-1", "monitor=many", f"monitor={'9' * 30}", "monitor", "toaster=5", "=5", "monitor=5=5"]
)
def test_a_rate_that_makes_no_sense_is_refused_by_name(told):
    with pytest.raises(ImproperlyConfigured, match="MEDQL_DEVICE_RATES"):
        required.rates([told])
