"""Element sets as arrays: the set in force at an instant, and the plausible range of its radius."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sgp4.api import Satrec, SatrecArray

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.constants import EARTH_RADIUS_KM, EARTH_RADIUS_WGS72_KM
from twin.errors import InputError
from twin.geometry.ephemeris.time_scales import julian_date, nanoseconds

LOWEST_ALTITUDE_KM: Final = 80.0
"""Lowest altitude above the equatorial radius at which a satellite can orbit."""

_APOGEE_MARGIN_KM = 200.0  # orbit raising between two sets: Starlink satellites rise by up to 65 km
_NEAR_EARTH_MARGIN = 0.02
_DEEP_SPACE_MARGIN = 0.10  # Sun and Moon change the eccentricity of deep-space orbits over months
_LOWEST_PERIGEE_RATIO = 0.8


class Elements(Protocol):
    """Attributes of an element set that the ephemeris needs."""

    @property
    def norad_id(self) -> int:
        """Catalogue number."""

    @property
    def name(self) -> str:
        """Name; may be empty."""

    @property
    def epoch(self) -> np.datetime64:
        """UTC instant of the elements."""

    @property
    def satrec(self) -> Satrec:
        """SGP4's model of the orbit."""


class ElementTable:
    """All element sets, sorted by satellite and then by epoch.

    Raises
    ------
    InputError
        If there are no sets.
    """

    def __init__(self, sets: Sequence[Elements]) -> None:
        if not len(sets):
            raise InputError("no element sets to propagate: the constellation is empty")
        ordered = sorted(sets, key=lambda one: (one.norad_id, one.epoch))
        self.satrecs: list[Satrec] = [one.satrec for one in ordered]
        self.epoch_ns: IntArray = nanoseconds(np.array([one.epoch for one in ordered]))
        owners = np.array([one.norad_id for one in ordered], dtype=np.int64)
        self.norad_ids, self.first, counts = np.unique(owners, return_index=True, return_counts=True)
        self.norad_ids.flags.writeable = False
        self.names = [ordered[first].name for first in self.first]
        self.depth = int(counts.max())
        self._epochs = np.full((len(self.norad_ids), self.depth), np.iinfo(np.int64).max)
        column = np.repeat(np.arange(len(counts)), counts)
        self._epochs[column, np.arange(len(owners)) - self.first[column]] = self.epoch_ns
        self.lowest_km, self.highest_km = self._plausible_radii()

    def _plausible_radii(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest radius (N,) in km of the orbit of each set."""
        perigee = np.array([1.0 + satrec.altp for satrec in self.satrecs]) * EARTH_RADIUS_WGS72_KM
        apogee = np.array([1.0 + satrec.alta for satrec in self.satrecs]) * EARTH_RADIUS_WGS72_KM
        deep = np.array([satrec.method == "d" for satrec in self.satrecs])
        margin = np.where(deep, _DEEP_SPACE_MARGIN, _NEAR_EARTH_MARGIN)
        lowest = np.maximum(EARTH_RADIUS_KM + LOWEST_ALTITUDE_KM, _LOWEST_PERIGEE_RATIO * perigee)
        return lowest, apogee * (1.0 + margin) + _APOGEE_MARGIN_KM

    def columns(self, norad_ids: IntArray) -> IntArray:
        """Index in the table (C,) of each catalogue number.

        Raises
        ------
        InputError
            If a satellite has no element set.
        """
        wanted = np.asarray(norad_ids, dtype=np.int64).reshape(-1)
        found = np.minimum(np.searchsorted(self.norad_ids, wanted), len(self.norad_ids) - 1)
        missing = wanted[self.norad_ids[found] != wanted]
        if missing.size:
            raise InputError(f"satellite {missing[0]} has no element set in this constellation")
        return found

    def set_in_force(self, instant_ns: IntArray, columns: IntArray) -> IntArray:
        """Index (T, C) of the set in force: the newest with epoch <= instant, or the earliest if there is none."""
        if self.depth == 1:
            return np.broadcast_to(self.first[columns], (len(instant_ns), len(columns)))
        known = np.count_nonzero(self._epochs[columns] <= instant_ns[:, None, None], axis=-1)
        return np.asarray(self.first[columns] + np.maximum(known - 1, 0))

    def propagate(self, sets: IntArray, instants: TimeArray) -> tuple[NDArray[np.uint8], FloatArray, FloatArray]:
        """SGP4 error (T, R), TEME position [km] and velocity [km/s] (T, R, 3) of some sets, without checks."""
        return propagate(SatrecArray([self.satrecs[index] for index in sets]), instants)


def propagate(array: SatrecArray, instants: TimeArray) -> tuple[NDArray[np.uint8], FloatArray, FloatArray]:
    """SGP4 error (T, R), TEME position [km] and velocity [km/s] (T, R, 3) of an array of satellites."""
    error, position, velocity = array.sgp4(*julian_date(instants))
    return error.T, position.transpose(1, 0, 2), velocity.transpose(1, 0, 2)
