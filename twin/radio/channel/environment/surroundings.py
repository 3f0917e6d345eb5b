"""Drawn surroundings of pairs of satellite and terminal: line-of-sight state, shadowing, Rician factor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray
from twin.radio.channel.environment.drawn import PairFields, Pairs
from twin.radio.channel.environment.field_coordinates import Triple, clutter_points_m
from twin.radio.channel.environment.keys import FieldKeys
from twin.radio.channel.environment.tables import Tables
from twin.radio.channel.path import LocatedPath
from twin.records import documented

_CACHED_GEOMETRIES = 2
"""Geometries whose surroundings are cached: path loss and fading use the same one in turn."""


@documented
@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Random fields of the P pairs above the horizon, and the points at which they are evaluated.

    The fields are fixed over a run. Values change from epoch to epoch only because the points move.
    """

    tables: Tables
    """Statistics of the environment over elevation."""
    fields: PairFields
    """The random fields of the pairs."""
    row: NDArray[np.intp]
    """(P,) row of the tables, by elevation."""
    point_m: Triple
    """(P,) coordinates of the points at which the rays pass the clutter, in m."""

    @staticmethod
    def of(path: LocatedPath, field_keys: FieldKeys, tables: Tables, *, clutter_distance_m: float) -> Surroundings:
        """The surroundings of all pairs above the horizon. Cached; a pure function of the arguments."""
        degrees = path.elevation_deg, path.azimuth_deg, path.latitude_deg, path.longitude_deg
        angles = [np.asarray(each, dtype=np.float64).tobytes() for each in degrees]
        satellites = np.asarray(path.norad_id, dtype=np.int64).tobytes()
        return _surroundings(
            tables, clutter_distance_m, field_keys.seed, field_keys.terminal.tobytes(), satellites, *angles
        )

    @property
    def pairs(self) -> Pairs:
        """Rows and columns (P,) of the pairs in arrays (S,K)."""
        return self.fields.pairs

    def scatter(self, values: FloatArray, fill: float, shape: tuple[int, ...]) -> FloatArray:
        """Scatter values (P,) of the pairs into an array (S,K), with ``fill`` for pairs below the horizon."""
        if len(values) == prod(shape):
            return values.reshape(shape)
        scattered = np.full(shape, fill)
        scattered[self.pairs] = values
        return scattered

    @cached_property
    def line_of_sight(self) -> BoolArray:
        """(P,) line-of-sight state: true where a uniform field is at most the probability of Table 6.6.1-1."""
        drawn = self.fields.state.at(self._points(self.tables.state_correlation_m))
        los = np.asarray(drawn <= self.tables.los_probability[self.row])
        los.setflags(write=False)
        return los

    def shadowing_db(self, los: BoolArray) -> FloatArray:
        """(P,) shadowing, positive for additional loss; links with and without line of sight use independent fields."""
        table = self.tables
        field = self.fields.los_shadowing.where(los, self.fields.nlos_shadowing)
        length_m = np.where(los, table.los_correlation_m, table.nlos_correlation_m)
        sigma_db = np.where(los, table.los_sigma_db[self.row], table.nlos_sigma_db[self.row])
        return np.asarray(sigma_db * field.at(self._points(length_m)))

    def rician_db(self, chosen: BoolArray) -> FloatArray:
        """Rician factor with line of sight, of the pairs set in ``chosen`` (P,)."""
        x, y, z = self._points(self.tables.k_correlation_m)
        drawn = self.fields.rician.subset(chosen).at((x[chosen], y[chosen], z[chosen]))
        row = self.row[chosen]
        return np.asarray(self.tables.k_mean_db[row] + self.tables.k_sigma_db[row] * drawn)

    def _points(self, length_m: float | FloatArray) -> Triple:
        x, y, z = self.point_m
        return x / length_m, y / length_m, z / length_m


@lru_cache(maxsize=_CACHED_GEOMETRIES)
def _surroundings(
    tables: Tables,
    clutter_distance_m: float,
    seed: int,
    terminals: bytes,
    satellites: bytes,
    *degrees: bytes,
) -> Surroundings:
    """The surroundings of a geometry, given by the bytes of its arrays so that they can be cached."""
    field_keys = FieldKeys(seed=seed, terminal=np.frombuffer(terminals, dtype=np.uint64))
    norad_id = np.frombuffer(satellites, dtype=np.int64)
    elevation_deg, azimuth_deg, latitude_deg, longitude_deg = (np.frombuffer(each) for each in degrees)
    above = elevation_deg > 0.0
    fields = PairFields.of(field_keys, norad_id, above.reshape(len(norad_id), len(field_keys.terminal)))
    elevation_deg = elevation_deg[above]
    point_m = clutter_points_m(
        elevation_deg=elevation_deg,
        azimuth_deg=azimuth_deg[above],
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        terminal=fields.pairs[1],
        clutter_distance_m=clutter_distance_m,
    )
    return Surroundings(tables=tables, fields=fields, row=tables.row(elevation_deg), point_m=point_m)
