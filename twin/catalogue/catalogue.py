"""The catalogue: element sets of many satellites, with one or several sets for each."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from twin.arrays import IntArray
from twin.catalogue.elements import ElementSet
from twin.catalogue.health import CatalogueHealth, Dropped, health_fields, in_use
from twin.catalogue.selection import Criterion, Range, criteria, rejections, unmatched
from twin.errors import InputError
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """Element sets and the report on the files they come from."""

    sets: tuple[ElementSet, ...] = field(repr=False)
    """(N,) sorted by catalogue number, then by epoch; several sets of one satellite are its history."""
    health: CatalogueHealth
    """Counts of records read, used and dropped, with reasons."""

    @property
    def norad_ids(self) -> IntArray:
        """(S,) catalogue number of each satellite, ascending."""
        norad_ids = np.unique(self.health.norad_ids)
        norad_ids.flags.writeable = False
        return norad_ids

    @property
    def names(self) -> dict[int, str]:
        """Name of each satellite in its newest element set, by catalogue number."""
        return {item.norad_id: item.name for item in self.sets}

    def sets_at(self, at: np.datetime64) -> tuple[ElementSet, ...]:
        """(S,) the set of each satellite in use at a UTC instant: the newest before it, otherwise the first."""
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
        """Keep the satellites that meet every criterion; the others are reported as dropped, with the reason.

        The newest element set of a satellite decides whether its whole history is kept.

        Parameters
        ----------
        names, exclude_names
            Patterns such as ``STARLINK-3*``, not case-sensitive; a name must match at least one.
        norad_ids, exclude_norad_ids
            Catalogue numbers.
        perigee_km, apogee_km
            Lowest and highest mean altitude above the equatorial radius.
        inclination_deg
            Lowest and highest mean inclination.

        Raises
        ------
        InputError
            If a range is not a valid interval, or no satellite remains.
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
        reasons = rejections(chosen, newest)
        kept = tuple(item for item in self.sets if item.norad_id not in reasons)
        dropped = tuple(
            Dropped(
                source=item.source,
                line=item.line,
                norad_id=item.norad_id,
                name=item.name,
                reason=reasons[item.norad_id],
            )
            for item in self.sets
            if item.norad_id in reasons
        )
        if not kept:
            causes = [*sorted(set(reasons.values())), *missing]
            raise InputError(f"the selection leaves none of {len(newest):,} satellites: {'; '.join(causes)}")
        health = replace(
            self.health,
            dropped=self.health.dropped + dropped,
            unmatched=self.health.unmatched + missing,
            **health_fields(kept),
        )
        return Catalogue(sets=kept, health=health)
