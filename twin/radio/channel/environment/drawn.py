"""Random fields of pairs of satellite and terminal, determined by their keys for all positions and times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, IntArray, KeyArray
from twin.radio.channel.environment.keys import FieldKeys, keys_for, pair_keys
from twin.radio.channel.environment.mosaic import Mosaic
from twin.radio.channel.environment.waves import WaveField
from twin.records import documented

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]

_CACHED_SETS = 4
"""Sets of pairs whose fields are cached: a run uses few sets, most of them in many epochs."""


@documented
@dataclass(frozen=True, kw_only=True)
class PairFields:
    """The random fields of P pairs, each computed on first use."""

    pairs: Pairs
    """Rows and columns (P,) of the pairs in arrays (S,K)."""
    key: KeyArray
    """(P,) key of each pair, from which its fields are drawn."""

    @staticmethod
    def of(field_keys: FieldKeys, norad_id: IntArray, chosen: BoolArray) -> PairFields:
        """The fields of the pairs set in ``chosen`` (S,K). Cached; a pure function of the arguments."""
        arguments = (
            field_keys.seed,
            field_keys.terminal.tobytes(),
            np.asarray(norad_id, dtype=np.int64).tobytes(),
            chosen.tobytes(),
        )
        return _pair_fields(*arguments)

    @cached_property
    def state(self) -> Mosaic:
        """Uniform field that decides the line-of-sight state."""
        return Mosaic.of(keys_for("line of sight", self.key))

    @cached_property
    def los_shadowing(self) -> WaveField:
        """Shadowing with line of sight."""
        # the two states have independent keys, and so independent fields
        return WaveField.of(keys_for("shadowing", self.key ^ np.uint64(1)))

    @cached_property
    def nlos_shadowing(self) -> WaveField:
        """Shadowing without line of sight."""
        return WaveField.of(keys_for("shadowing", self.key))

    @cached_property
    def rician(self) -> WaveField:
        """Variation of the Rician factor in dB."""
        return WaveField.of(keys_for("rician factor", self.key))


@lru_cache(maxsize=_CACHED_SETS)
def _pair_fields(seed: int, terminals: bytes, satellites: bytes, chosen: bytes) -> PairFields:
    """The fields of pairs, given by the bytes of their arrays so that they can be cached."""
    terminal, norad_id = np.frombuffer(terminals, dtype=np.uint64), np.frombuffer(satellites, dtype=np.int64)
    rows, columns = np.nonzero(np.frombuffer(chosen, dtype=np.bool_).reshape(len(norad_id), len(terminal)))
    key = pair_keys(FieldKeys(seed=seed, terminal=terminal), norad_id)[rows, columns]
    return PairFields(pairs=(rows, columns), key=key)
