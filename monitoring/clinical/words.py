"""What a device says in words, beside a number or instead of one."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.clinical.signs import Sign

# Instead of a number, and the number that it means.
SPOKEN = {(Sign.HEART_RATE, "asystole"): 0.0, (Sign.RESPIRATORY_RATE, "apnoea"): 0.0}

NO_SIGNAL = "no_signal"
# Beside a number: it is not the patient's. Monitors give no limit alarm for it either (docs/clinical.md).
NO_MEASUREMENT = {"probe_off", NO_SIGNAL, "artifact", "calibrating"}


def measured(numbers: Mapping[Sign, float], words: Mapping[Sign, str]) -> dict[Sign, float]:
    """The numbers that are the patient's, by the words beside them (`sql.Measured` is the same for databases).

    A word that means a number goes before the one beside it, which is an average and lags behind. A number of which its own
    device says that it measured nothing is none.
    """
    spoken = {sign: SPOKEN[sign, word] for sign, word in words.items() if (sign, word) in SPOKEN}
    return {sign: number for sign, number in numbers.items() if words.get(sign) not in NO_MEASUREMENT} | spoken
