"""The catalogue: element sets of many satellites, each perhaps with a history."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from twin.arrays import IntArray
from twin.catalogue.elements import ElementSet
from twin.catalogue.health import CatalogueHealth, Dropped, account, in_use
from twin.catalogue.selection import Criterion, Range, criteria, refusals, unmatched
from twin.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """Element sets, and the account of where they came from."""

    sets: tuple[ElementSet, ...] = field(repr=False)
    """(N,) sorted by catalogue number, then epoch; several of one satellite are its history."""
    health: CatalogueHealth
    """What was read, used, dropped and why."""

    @property
    def norad_ids(self) -> IntArray:
        """(S,) catalogue number of each satellite, ascending."""
        norad_ids = np.unique(self.health.norad_ids)
        norad_ids.flags.writeable = False
        return norad_ids

    @property
    def names(self) -> dict[int, str]:
        """Name of each satellite by catalogue number, as its newest element set has it."""
        return {item.norad_id: item.name for item in self.sets}

    def sets_at(self, at: np.datetime64) -> tuple[ElementSet, ...]:
        """(S,) the set of each satellite at an instant (UTC): the newest before it, else its first."""
        return tuple(self.sets[index] for index in in_use(self.health.norad_ids, self.health.epochs, at))

    def select(
        self,
        *,
        names: Sequence[str] = (),
        exclude_names: Sequence[str] = (),
        norad_ids: Sequence[int] = (),
        exclude_norad_ids: Sequence[int] = (),
        perigee_km: Range | None = None,
        apogee_km: Range | None = None,
        inclination_deg: Range | None = None,
    ) -> "Catalogue":
        """Keep the satellites that meet every criterion; the others are counted as dropped, with the reason.

        A satellite is judged by its newest element set and kept or left out with its whole history.

        Parameters
        ----------
        names, exclude_names
            Patterns such as ``STARLINK-3*``; upper and lower case are alike, one match is enough.
        norad_ids, exclude_norad_ids
            Catalogue numbers.
        perigee_km, apogee_km
            Lowest and highest mean height over the equatorial radius.
        inclination_deg
            Lowest and highest mean inclination.

        Raises
        ------
        InputError
            If a range is none, or no satellite is left.
        """
        chosen = criteria(
            names=names,
            exclude_names=exclude_names,
            norad_ids=norad_ids,
            exclude_norad_ids=exclude_norad_ids,
            ranges={"perigee_km": perigee_km, "apogee_km": apogee_km, "inclination_deg": inclination_deg},
        )
        return self._keep(chosen, unmatched(names, norad_ids, self.names))

    def _keep(self, chosen: Sequence[Criterion], missing: tuple[str, ...]) -> "Catalogue":
        newest = {item.norad_id: item for item in self.sets}
        refused = refusals(chosen, newest)
        kept = tuple(item for item in self.sets if item.norad_id not in refused)
        left_out = tuple(
            Dropped(
                source=item.source,
                line=item.line,
                norad_id=item.norad_id,
                name=item.name,
                reason=refused[item.norad_id],
            )
            for item in self.sets
            if item.norad_id in refused
        )
        if not kept:
            reasons = sorted(set(refused.values()))
            raise InputError(
                f"the selection leaves none of {len(newest):,} satellites: {'; '.join([*reasons, *missing])}"
            )
        health = replace(
            self.health,
            dropped=self.health.dropped + left_out,
            unmatched=self.health.unmatched + missing,
            **account(kept),
        )
        return Catalogue(sets=kept, health=health)
