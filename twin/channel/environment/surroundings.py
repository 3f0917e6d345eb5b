"""The drawn surroundings of pairs of satellite and terminal: line of sight, shadowing, Rician factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from twin.channel.environment.keys import Keys, World, keys_for, pair_keys
from twin.channel.environment.mosaic import mosaic_field
from twin.channel.environment.places import Real, Triple, clutter_points_m
from twin.channel.environment.tables import Tables
from twin.channel.environment.waves import gaussian_field

if TYPE_CHECKING:
    from twin.channel.path_loss import LocatedPath

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """P pairs that are above the horizon, and where they look into the random fields.

    Nothing is drawn anew from epoch to epoch: every value is that of a fixed field at the present geometry.
    """

    tables: Tables
    pairs: Pairs
    """Rows and columns (P,) of the pairs."""
    key: Keys
    """(P,) number of each pair, by which its fields are its own."""
    row: NDArray[np.intp]
    """(P,) row of the tables."""
    point_m: Triple
    """(P,) coordinates of the points at which the rays pass the clutter."""

    @classmethod
    def of(cls, path: LocatedPath, world: World, tables: Tables, *, clutter_distance_m: float) -> Self:
        """The pairs of a path that are above the horizon."""
        satellite, terminal = np.nonzero(path.elevation_deg > 0.0)
        pairs = satellite, terminal
        elevation_deg = path.elevation_deg[pairs]
        point_m = clutter_points_m(
            elevation_deg=elevation_deg,
            azimuth_deg=path.azimuth_deg[pairs],
            latitude_deg=path.latitude_deg,
            longitude_deg=path.longitude_deg,
            terminal=terminal,
            clutter_distance_m=clutter_distance_m,
        )
        key = pair_keys(world, path.norad_id)[pairs]
        return cls(tables=tables, pairs=pairs, key=key, row=tables.row(elevation_deg), point_m=point_m)

    def line_of_sight(self) -> NDArray[np.bool_]:
        """(P,) whether there is a line of sight: a uniform field at most the probability of Table 6.6.1-1."""
        drawn = mosaic_field(self._points(self.tables.state_correlation_m), keys_for("line of sight", self.key))
        return np.asarray(drawn <= self.tables.los_probability[self.row])

    def shadowing_db(self, los: NDArray[np.bool_]) -> Real:
        """(P,) shadowing, positive where more is lost, from one field in line of sight and another without."""
        table = self.tables
        # either state has keys, and so fields, of its own
        key = keys_for("shadowing", self.key ^ los.astype(np.uint64))
        length_m = np.where(los, table.los_correlation_m, table.nlos_correlation_m)
        sigma_db = np.where(los, table.los_sigma_db[self.row], table.nlos_sigma_db[self.row])
        return np.asarray(sigma_db * gaussian_field(self._points(length_m), key))

    def rician_db(self) -> Real:
        """(P,) Rician factor in line of sight."""
        drawn = gaussian_field(self._points(self.tables.k_correlation_m), keys_for("rician factor", self.key))
        return np.asarray(self.tables.k_mean_db[self.row] + self.tables.k_sigma_db[self.row] * drawn)

    def some(self, chosen: NDArray[np.bool_]) -> Surroundings:
        """Some of the pairs."""
        x, y, z = self.point_m
        return Surroundings(
            tables=self.tables,
            pairs=(self.pairs[0][chosen], self.pairs[1][chosen]),
            key=self.key[chosen],
            row=self.row[chosen],
            point_m=(x[chosen], y[chosen], z[chosen]),
        )

    def _points(self, length_m: float | Real) -> Triple:
        x, y, z = self.point_m
        return x / length_m, y / length_m, z / length_m
