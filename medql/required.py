"""What the environment must say, or MedQL does not start: settings that make no sense are refused by name."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

DEVICE_RATES = {"monitor": 50, "gateway": 500, "kiosk": 5, "pillbox": 5}
HIGHEST_RATE = 10_000


def rates(told: Sequence[str]) -> dict[str, int]:
    """Requests a second by kind of device: those told, each as `kind=rate`, over those of MedQL itself."""
    found = dict(DEVICE_RATES)
    for each in told:
        kind, _, rate = each.partition("=")
        if kind not in DEVICE_RATES or not (rate.isdecimal() and 1 <= int(rate[:6]) <= HIGHEST_RATE):
            raise ImproperlyConfigured(
                f"MEDQL_DEVICE_RATES says {each}: write kind=requests a second, of {', '.join(DEVICE_RATES)}, "
                f"each 1 to {HIGHEST_RATE}, with commas between."
            )
        found[kind] = int(rate)
    return found
