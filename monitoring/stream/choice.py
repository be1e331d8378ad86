"""What somebody asked to hear, of what he may."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

MOST = 1_000  # wards and patients of one socket


@dataclass(frozen=True)
class Choice:
    """Wards and patients, id → name; or everything that one may hear."""

    is_everything: bool = True
    wards: Mapping[int, str] = field(default_factory=dict)
    patients: Mapping[int, str] = field(default_factory=dict)

    def wants(self, ward: int, patient: int | None) -> bool:
        return self.is_everything or ward in self.wards or patient in self.patients

    @property
    def takes_any_ward(self) -> bool:
        """A patient may lie in each of them."""
        return self.is_everything or bool(self.patients)

    def patients_alone(self, ward: int) -> list[str] | None:
        """Of a ward that was not chosen whole, the patients who were."""
        return None if self.is_everything or ward in self.wards else sorted(self.patients.values())

    def with_more(self, wards: Mapping[int, str], patients: Mapping[int, str]) -> Choice:
        """From everything, the first ones that are asked for are all there is."""
        return Choice(False, {**self.wards, **wards}, {**self.patients, **patients})

    def without(self, wards: Collection[int], patients: Collection[int], *, of: Mapping[int, str]) -> Choice:
        """From everything, what is left are the other wards of those that one may hear."""
        kept = of if self.is_everything else self.wards
        return Choice(
            False,
            {ward: name for ward, name in kept.items() if ward not in wards},
            {patient: name for patient, name in self.patients.items() if patient not in patients},
        )

    def within(self, wards: Collection[int]) -> Choice:
        return replace(self, wards={ward: name for ward, name in self.wards.items() if ward in wards})

    @property
    def is_too_large(self) -> bool:
        return len(self.wards) + len(self.patients) > MOST

    def as_told(self) -> dict[str, list[str]] | None:
        """Null: everything."""
        if self.is_everything:
            return None
        return {"wards": sorted(self.wards.values()), "patients": sorted(self.patients.values())}


EVERYTHING = Choice()
