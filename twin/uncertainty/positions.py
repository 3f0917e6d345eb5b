"""Believed positions of terminals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.arrays import IntArray, TimeArray
from twin.geometry.ephemeris.frames import itrs_to_geodetic, local_axes
from twin.geometry.terminals import Terminals, TerminalStates
from twin.uncertainty.draws import unit_errors, update_numbers
from twin.uncertainty.errors import PositionError


class BelievedTerminals:
    """Terminals at the positions that they report; same interface as `Terminals`.

    The orientation of the antenna has no error.

    Parameters
    ----------
    terminals
        The true terminals.
    error
        Standard deviations, report interval, and age of a report when it arrives.
    seed
        Key of the draws, together with the update.
    """

    def __init__(self, terminals: Terminals, error: PositionError, *, seed: int) -> None:
        self._terminals = terminals
        self._error = error
        self._seed = seed
        self._deviation_km = np.array([error.horizontal_km, error.horizontal_km, error.vertical_km])

    @property
    def count(self) -> int:
        """Number of terminals, K."""
        return self._terminals.count

    def states(self, instants: TimeArray, start: np.datetime64) -> TerminalStates:
        """Believed states at UTC instants (T,) of a run that begins at ``start``."""
        times = np.array(instants, dtype="datetime64[ns]").reshape(-1)
        every_ns = self._error.every_ns
        # the latest report that has arrived was made at or before this instant
        latest_ns = times.astype(np.int64) - self._error.latency_ns
        made_ns = latest_ns if every_ns is None else latest_ns // every_ns * every_ns
        states = replace(self._terminals.states(made_ns.astype("datetime64[ns]"), start), instant=times)
        return self._displaced(states, latest_ns) if self._deviation_km.any() else states

    def _displaced(self, states: TerminalStates, latest_ns: IntArray) -> TerminalStates:
        """States with an error added to each position."""
        numbers, update = np.unique(update_numbers(self._error, latest_ns), return_inverse=True)
        units = [
            unit_errors(self._error.law, (self.count, 3), seed=self._seed, purpose="belief position", keys=(number,))
            for number in numbers.tolist()
        ]
        errors_km = np.stack(units)[update] * self._deviation_km
        axes = (states.east, states.north, states.up)
        position = states.position_km + sum(errors_km[..., [axis]] * axes[axis] for axis in range(3))
        latitude, longitude, altitude = itrs_to_geodetic(position)
        up, east, north = local_axes(latitude, longitude)
        return replace(
            states,
            latitude_deg=latitude,
            longitude_deg=longitude,
            altitude_km=altitude,
            position_km=position,
            up=up,
            east=east,
            north=north,
        )
