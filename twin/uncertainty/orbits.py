"""Believed positions and velocities of satellites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.constants import EARTH_ROTATION_RAD_S
from twin.geometry.ephemeris import Ephemeris, Masked, SatelliteStates
from twin.uncertainty.draws import largest_unit_error, unit_errors, update_numbers
from twin.uncertainty.errors import OrbitError

_NEAREST_KM: Final = 200.0
"""Lower bound of the range of a satellite in service; it bounds the angle that a position error in km subtends."""


class BelievedEphemeris:
    """An ephemeris with a position error for each satellite; same interface as `Ephemeris`.

    Parameters
    ----------
    ephemeris
        States predicted from element sets.
    error
        Standard deviations along track, across track and radially, and the update interval.
    seed
        Key of the draws, together with the satellite and the update.
    """

    def __init__(self, ephemeris: Ephemeris, error: OrbitError, *, seed: int) -> None:
        self._ephemeris = ephemeris
        self._error = error
        self._seed = seed
        self._deviation_km = np.array([error.along_track_km, error.cross_track_km, error.radial_km])

    @property
    def norad_ids(self) -> IntArray:
        """(S,) catalogue numbers, ascending."""
        return self._ephemeris.norad_ids

    @property
    def masked(self) -> Sequence[Masked]:
        """Satellites found unusable so far."""
        return self._ephemeris.masked

    def states(self, instants: TimeArray, norad_ids: ArrayLike) -> SatelliteStates:
        """States (T, C) of the given satellites, displaced by their errors."""
        states = self._ephemeris.states(instants, norad_ids)
        if not self._deviation_km.any():
            return states
        position, velocity = displaced(states.position_km, states.velocity_km_s, self._errors_km(states))
        usable = states.usable[..., None]
        position = np.where(usable, position, states.position_km)
        velocity = np.where(usable, velocity, states.velocity_km_s)
        for array in (position, velocity):
            array.flags.writeable = False
        return replace(states, position_km=position, velocity_km_s=velocity)

    def in_reach(self, instants: TimeArray, observers_km: FloatArray, min_elevation_deg: float) -> IntArray:
        """Satellites whose believed position may reach an elevation for any observer; see `Ephemeris.in_reach`."""
        error_km = largest_unit_error(self._error.law) * float(self._deviation_km.sum())
        margin_deg = float(np.degrees(error_km / _NEAREST_KM))
        return self._ephemeris.in_reach(instants, observers_km, max(min_elevation_deg - margin_deg, -90.0))

    def _errors_km(self, states: SatelliteStates) -> FloatArray:
        """(T, C, 3) along track, across track and radially."""
        updates = update_numbers(self._error, states.instant.astype(np.int64))
        numbers, update = np.unique(updates, return_inverse=True)
        units = np.empty((len(numbers), len(states.norad_id), 3))
        for column, satellite in enumerate(states.norad_id.tolist()):
            for row, number in enumerate(numbers.tolist()):
                units[row, column] = unit_errors(
                    self._error.law, (3,), seed=self._seed, purpose="belief orbit", keys=(satellite, number)
                )
        return np.asarray(units[update] * self._deviation_km)


def displaced(
    position_km: FloatArray, velocity_km_s: FloatArray, error_km: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Position and velocity (..., 3) in ITRS, displaced by errors along track, across track and radially (..., 3).

    An along-track error rotates position and velocity about the orbit normal, as if the satellite were early. A
    cross-track error is along the orbit normal; it and a radial error leave the inertial velocity unchanged.
    """
    spin = np.array([0.0, 0.0, EARTH_ROTATION_RAD_S])
    inertial = velocity_km_s + np.cross(spin, position_km)
    radius = np.sqrt((position_km**2).sum(axis=-1, keepdims=True))
    normal = np.cross(position_km, inertial)
    normal /= np.sqrt((normal**2).sum(axis=-1, keepdims=True))
    angle = error_km[..., :1] / radius
    cosine, sine = np.cos(angle), np.sin(angle)
    rotated = cosine * position_km + sine * np.cross(normal, position_km)
    believed = rotated * (1.0 + error_km[..., 2:] / radius) + error_km[..., 1:2] * normal
    rotated_velocity = cosine * inertial + sine * np.cross(normal, inertial)
    return believed, np.asarray(rotated_velocity - np.cross(spin, believed))
