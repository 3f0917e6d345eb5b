"""Terminals where the network takes them to be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import IntArray, TimeArray
from twin.geometry.ephemeris.frames import itrs_to_geodetic, local_axes
from twin.geometry.terminals import Terminals, TerminalStates
from twin.uncertainty.draws import unit_errors, updates

if TYPE_CHECKING:
    from twin.scenario.belief import PositionErrorSection


class BelievedTerminals:
    """Terminals by the positions that they report; asked like `Terminals`.

    The antenna's orientation is the terminal's own and is not mistaken.

    Parameters
    ----------
    terminals
        The terminals as they are.
    error
        Standard deviations, how often a position is reported, and how old it is when it arrives.
    seed
        Key of the draws, with the update.
    """

    def __init__(self, terminals: Terminals, error: PositionErrorSection, *, seed: int) -> None:
        self._terminals = terminals
        self._error = error
        self._seed = seed
        self._deviation_km = np.array([error.horizontal_km, error.horizontal_km, error.vertical_km])

    @property
    def count(self) -> int:
        """How many terminals there are."""
        return self._terminals.count

    def states(self, instants: TimeArray, start: np.datetime64) -> TerminalStates:
        """Where they are believed to be at UTC instants (T,) of a run that begins at ``start``."""
        times = np.array(instants, dtype="datetime64[ns]").reshape(-1)
        latency_ns, every = int(self._error.latency), self._error.every
        known_ns = times.astype(np.int64) - latency_ns
        # the report that has arrived last, and where its terminal was when it was made
        made_ns = known_ns if every is None else known_ns // int(every) * int(every)
        states = replace(self._terminals.states(made_ns.astype("datetime64[ns]"), start), instant=times)
        return self._mistaken(states, known_ns) if self._deviation_km.any() else states

    def _mistaken(self, states: TerminalStates, known_ns: IntArray) -> TerminalStates:
        numbers, place = np.unique(updates(self._error, known_ns), return_inverse=True)
        units = [
            unit_errors(self._error.law, (self.count, 3), seed=self._seed, purpose="belief position", keys=(number,))
            for number in numbers.tolist()
        ]
        errors_km = np.stack(units)[place] * self._deviation_km
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
