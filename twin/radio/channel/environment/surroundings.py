"""The drawn surroundings of pairs of satellite and terminal: line of sight, shadowing, Rician factor."""

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

_KEPT = 2
"""Geometries whose surroundings are kept: path loss and fading ask one after the other for the same."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """P pairs that are above the horizon, and where they look into the random fields.

    Nothing is drawn anew from epoch to epoch: every value is that of a fixed field at the present geometry.
    """

    tables: Tables
    fields: PairFields
    """The random fields of the pairs."""
    row: NDArray[np.intp]
    """(P,) row of the tables."""
    point_m: Triple
    """(P,) coordinates of the points at which the rays pass the clutter."""

    @staticmethod
    def of(path: LocatedPath, field_keys: FieldKeys, tables: Tables, *, clutter_distance_m: float) -> Surroundings:
        """The pairs of a path that are above the horizon; kept only to spare time, a function of the arguments."""
        degrees = path.elevation_deg, path.azimuth_deg, path.latitude_deg, path.longitude_deg
        told = [np.asarray(each, dtype=np.float64).tobytes() for each in degrees]
        satellites = np.asarray(path.norad_id, dtype=np.int64).tobytes()
        return _surroundings(
            tables, clutter_distance_m, field_keys.seed, field_keys.terminal.tobytes(), satellites, *told
        )

    @property
    def pairs(self) -> Pairs:
        """Rows and columns (P,) of the pairs."""
        return self.fields.pairs

    def scatter(self, values: FloatArray, otherwise: float, shape: tuple[int, ...]) -> FloatArray:
        """Values (P,) of the pairs in an array of all, (S,K), with another number below the horizon."""
        if len(values) == prod(shape):
            return values.reshape(shape)
        everywhere = np.full(shape, otherwise)
        everywhere[self.pairs] = values
        return everywhere

    @cached_property
    def line_of_sight(self) -> BoolArray:
        """(P,) whether there is a line of sight: a uniform field at most the probability of Table 6.6.1-1."""
        drawn = self.fields.state.at(self._points(self.tables.state_correlation_m))
        los = np.asarray(drawn <= self.tables.los_probability[self.row])
        los.setflags(write=False)
        return los

    def shadowing_db(self, los: BoolArray) -> FloatArray:
        """(P,) shadowing, positive where more is lost, from one field in line of sight and another without."""
        table = self.tables
        field = self.fields.los_shadowing.either(los, self.fields.nlos_shadowing)
        length_m = np.where(los, table.los_correlation_m, table.nlos_correlation_m)
        sigma_db = np.where(los, table.los_sigma_db[self.row], table.nlos_sigma_db[self.row])
        return np.asarray(sigma_db * field.at(self._points(length_m)))

    def rician_db(self, chosen: BoolArray) -> FloatArray:
        """Rician factor in line of sight of chosen pairs (P,)."""
        x, y, z = self._points(self.tables.k_correlation_m)
        drawn = self.fields.rician.some(chosen).at((x[chosen], y[chosen], z[chosen]))
        row = self.row[chosen]
        return np.asarray(self.tables.k_mean_db[row] + self.tables.k_sigma_db[row] * drawn)

    def _points(self, length_m: float | FloatArray) -> Triple:
        x, y, z = self.point_m
        return x / length_m, y / length_m, z / length_m


@lru_cache(maxsize=_KEPT)
def _surroundings(
    tables: Tables,
    clutter_distance_m: float,
    seed: int,
    terminals: bytes,
    satellites: bytes,
    *degrees: bytes,
) -> Surroundings:
    """The surroundings of a geometry that is told by the bytes of its arrays."""
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
