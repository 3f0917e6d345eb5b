"""Ephemeris of a constellation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sgp4.api import SatrecArray

from twin.arrays import BoolArray, FloatArray, IntArray, TimeArray
from twin.geometry.ephemeris import screening
from twin.geometry.ephemeris.elements import Elements, ElementTable, propagate
from twin.geometry.ephemeris.frames import teme_to_itrs
from twin.geometry.ephemeris.masking import Masked, UsabilityCheck
from twin.geometry.ephemeris.states import UNUSABLE_POSITION_KM, UNUSABLE_VELOCITY_KM_S, SatelliteStates
from twin.geometry.ephemeris.time_scales import nanoseconds, sidereal_angle_rad

_NODE_S = 60
_NODE_NS = _NODE_S * 1_000_000_000
_NODES_KEPT = 4
_OUT_OF_BASE = 20  # rebuild the array of all satellites when one in 20 has a newer set


class Ephemeris:
    """Positions and velocities of a constellation by SGP4.

    Parameters
    ----------
    sets
        Element sets. Several sets of one satellite are its history: at each instant the newest whose epoch has passed
        is in force, or the earliest if none has.
    max_element_age_ns
        Largest distance between an instant and the epoch of the set used. None means no limit.
    lag_ns
        Delay after its epoch at which a set becomes known.

    Raises
    ------
    InputError
        If there are no sets.
    """

    def __init__(self, sets: Sequence[Elements], *, max_element_age_ns: int | None = None, lag_ns: int = 0) -> None:
        self._lag_ns = lag_ns
        self._table = ElementTable(sets)
        self._check = UsabilityCheck(self._table, max_element_age_ns)
        self._nodes: dict[int, screening.Node] = {}
        self._base: IntArray = np.empty(0, dtype=np.int64)
        self._base_array = SatrecArray([])

    @property
    def norad_ids(self) -> IntArray:
        """(S,) catalogue numbers, ascending."""
        return self._table.norad_ids

    @property
    def masked(self) -> tuple[Masked, ...]:
        """Satellites found unusable so far.

        `in_reach` checks every satellite at each whole minute, `states` only the requested ones. Therefore the
        windows of a run can change the instant of an entry by up to a minute.
        """
        return self._check.masked()

    def states(self, instants: TimeArray, norad_ids: ArrayLike) -> SatelliteStates:
        """States (T, C) of the given satellites; a row does not depend on the other satellites.

        Raises
        ------
        InputError
            If a satellite has no element set.
        """
        times = np.array(instants, dtype="datetime64[ns]").reshape(-1)
        columns = self._table.columns(np.asarray(norad_ids, dtype=np.int64))
        instant_ns = nanoseconds(times)
        sets = self._table.set_in_force(instant_ns - self._lag_ns, columns)
        error, position, velocity = self._propagated(sets, times)
        fault = self._faults(columns, sets, instant_ns, error, position)
        usable = fault == 0
        angle = sidereal_angle_rad(times)[:, None]
        position, velocity = teme_to_itrs(position, velocity, angle)
        position[~usable], velocity[~usable] = UNUSABLE_POSITION_KM, UNUSABLE_VELOCITY_KM_S
        found = self._table.norad_ids[columns]
        for array in (found, times, position, velocity, usable):
            array.flags.writeable = False
        return SatelliteStates(
            norad_id=found, instant=times, position_km=position, velocity_km_s=velocity, usable=usable
        )

    def in_reach(self, instants: TimeArray, observers_km: FloatArray, min_elevation_deg: float) -> IntArray:
        """Catalogue numbers, ascending, of every satellite that may reach an elevation for any observer.

        The result includes every usable satellite that is at or above ``min_elevation_deg`` over the geodetic horizon
        of any observer at any of the instants. It may include a few that stay just below.

        Parameters
        ----------
        instants
            (T,) UTC.
        observers_km
            (1, K, 3) or (T, K, 3) in ITRS. An observer must not move by more than the Earth's radius in a minute.
        min_elevation_deg
            Minimum elevation.
        """
        instant_ns = nanoseconds(instants).reshape(-1)
        nodes = (instant_ns + _NODE_NS // 2) // _NODE_NS
        fixed = observers_km.shape[0] == 1 or observers_km.strides[0] == 0
        found = np.zeros(len(self._table.norad_ids), dtype=np.bool_)
        for number in np.unique(nodes) if observers_km.shape[1] else ():
            at = np.flatnonzero(nodes == number)
            observers = observers_km[:1] if fixed else observers_km[at]
            middle = observers.mean(axis=0)
            moved_km = float(np.sqrt(((observers - middle) ** 2).sum(axis=-1).max()))
            offset_s = (instant_ns[at] - number * _NODE_NS) / 1e9
            node = self._node(int(number))
            span_s = float(offset_s.min()), float(offset_s.max())
            found[node.column[screening.in_reach(node, middle, moved_km, span_s, min_elevation_deg)]] = True
            found[node.always] = True
        return self._table.norad_ids[found]

    def _propagated(self, sets: IntArray, times: TimeArray) -> tuple[NDArray[np.uint8], FloatArray, FloatArray]:
        """SGP4 error (T, C), TEME position and velocity (T, C, 3) of one set for each instant and satellite."""
        if not sets.size:
            return np.zeros(sets.shape, np.uint8), np.zeros((*sets.shape, 3)), np.zeros((*sets.shape, 3))
        if (sets == sets[0]).all():
            return self._table.propagate(sets[0], times)
        needed, row = np.unique(sets, return_inverse=True)
        error, position, velocity = self._table.propagate(needed, times)
        at = np.arange(len(times))[:, None], row.reshape(sets.shape)
        return error[at], position[at], velocity[at]

    def _faults(
        self, columns: IntArray, sets: IntArray, instant_ns: IntArray, error: NDArray[np.uint8], position: FloatArray
    ) -> NDArray[np.uint8]:
        with np.errstate(invalid="ignore", over="ignore"):
            radius = np.sqrt(position[..., 0] ** 2 + position[..., 1] ** 2 + position[..., 2] ** 2)
        times = np.broadcast_to(instant_ns[:, None], sets.shape)
        fault = self._check.faults(sets, times, error, radius)
        self._check.record(columns, sets, instant_ns, fault)
        return fault

    def _node(self, number: int) -> screening.Node:
        """The node of a whole minute; the latest few are cached for the next windows."""
        if number not in self._nodes:
            while len(self._nodes) >= _NODES_KEPT:
                del self._nodes[next(iter(self._nodes))]
            self._nodes[number] = self._compute_node(number * _NODE_NS)
        return self._nodes[number]

    def _compute_node(self, at_ns: int) -> screening.Node:
        times = np.array([at_ns]).astype("datetime64[ns]")
        columns, sets, error, position, velocity = self._propagated_all(at_ns, times)
        fault = self._faults(columns, sets[None], np.array([at_ns]), error, position)
        position, velocity = teme_to_itrs(position[0], velocity[0], sidereal_angle_rad(times))
        with np.errstate(invalid="ignore", over="ignore"):
            speed = np.sqrt((velocity**2).sum(axis=-1))
            radius = np.sqrt((position**2).sum(axis=-1))
        moved = speed * _NODE_S / 2.0
        lowest, highest = self._table.lowest_km[sets] - moved, self._table.highest_km[sets] + moved
        possible = np.ones(len(sets), dtype=np.bool_)
        suspect = np.flatnonzero(fault[0] > 0)
        possible[suspect] = ~self._check.unusable_within(sets[suspect], at_ns, _NODE_NS // 2)
        tangent = possible & np.isfinite(radius) & (radius >= lowest) & (radius <= highest)
        failed = possible & ~np.isfinite(radius)
        return screening.Node(
            column=columns[tangent],
            position_km=position[tangent],
            velocity_km_s=velocity[tangent],
            speed_km_s=speed[tangent],
            slack_km=screening.slack_km(position[tangent], speed[tangent], _NODE_S / 2.0),
            always=columns[failed][self._valid_nearby(sets[failed], at_ns)],
        )

    def _valid_nearby(self, sets: IntArray, at_ns: int) -> BoolArray:
        """Whether sets for which SGP4 fails at a node are propagated at either end of its interval."""
        if not sets.size:
            return np.zeros(0, dtype=np.bool_)
        ends = np.array([at_ns - _NODE_NS // 2, at_ns + _NODE_NS // 2]).astype("datetime64[ns]")
        error, _, _ = self._table.propagate(sets, ends)
        return np.asarray(((error == 0) | (error == 6)).any(axis=0))

    def _propagated_all(
        self, at_ns: int, times: TimeArray
    ) -> tuple[IntArray, IntArray, NDArray[np.uint8], FloatArray, FloatArray]:
        """Satellite and set (R,) and SGP4's results (1, R, ...) for each set in force within the interval of a node."""
        satellites = np.arange(len(self._table.norad_ids))
        interval_ns = np.array([at_ns - _NODE_NS // 2, at_ns + _NODE_NS // 2])
        first, last = self._table.set_in_force(interval_ns - self._lag_ns, satellites)
        if not self._base.size or np.count_nonzero(self._base != last) * _OUT_OF_BASE > len(satellites):
            self._base = last.copy()
            self._base_array = SatrecArray([self._table.satrecs[index] for index in last])
        counts = last - first + 1
        columns = np.repeat(satellites, counts)
        sets = first[columns] + np.arange(len(columns)) - np.repeat(np.cumsum(counts) - counts, counts)
        other = sets != self._base[columns]
        error, position, velocity = propagate(self._base_array, times)
        valid = (self._base >= first) & (self._base <= last)
        if not other.any():
            return satellites, self._base, error, position, velocity
        more = self._table.propagate(sets[other], times)
        return (
            np.concatenate([satellites[valid], columns[other]]),
            np.concatenate([self._base[valid], sets[other]]),
            np.concatenate([error[:, valid], more[0]], axis=1),
            np.concatenate([position[:, valid], more[1]], axis=1),
            np.concatenate([velocity[:, valid], more[2]], axis=1),
        )
