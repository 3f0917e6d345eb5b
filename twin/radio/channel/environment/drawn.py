"""What the names of pairs of satellite and terminal fix of their random fields, for all places and times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, IntArray, KeyArray
from twin.radio.channel.environment.keys import FieldKeys, keys_for, pair_keys
from twin.radio.channel.environment.mosaic import Mosaic
from twin.radio.channel.environment.waves import WaveField

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]

_KEPT = 4
"""Sets of pairs whose fields are kept: a run asks for few, and for most of them epoch after epoch."""


@dataclass(frozen=True, kw_only=True)
class PairFields:
    """The random fields of P pairs; each is worked out when first asked for."""

    pairs: Pairs
    """Rows and columns (P,) of the pairs."""
    key: KeyArray
    """(P,) number of each pair, by which its fields are its own."""

    @staticmethod
    def of(field_keys: FieldKeys, norad_id: IntArray, chosen: BoolArray) -> PairFields:
        """The fields of chosen pairs (S,K); kept only to spare time, for they are a function of the arguments."""
        told = (
            field_keys.seed,
            field_keys.terminal.tobytes(),
            np.asarray(norad_id, dtype=np.int64).tobytes(),
            chosen.tobytes(),
        )
        return _pair_fields(*told)

    @cached_property
    def state(self) -> Mosaic:
        """By which there is a line of sight or not."""
        return Mosaic.of(keys_for("line of sight", self.key))

    @cached_property
    def los_shadowing(self) -> WaveField:
        """Shadowing in line of sight."""
        # either state has keys, and so fields, of its own
        return WaveField.of(keys_for("shadowing", self.key ^ np.uint64(1)))

    @cached_property
    def nlos_shadowing(self) -> WaveField:
        """Shadowing without."""
        return WaveField.of(keys_for("shadowing", self.key))

    @cached_property
    def rician(self) -> WaveField:
        """The Rician factor."""
        return WaveField.of(keys_for("rician factor", self.key))


@lru_cache(maxsize=_KEPT)
def _pair_fields(seed: int, terminals: bytes, satellites: bytes, chosen: bytes) -> PairFields:
    """The fields of pairs that are told by the bytes of their arrays."""
    terminal, norad_id = np.frombuffer(terminals, dtype=np.uint64), np.frombuffer(satellites, dtype=np.int64)
    rows, columns = np.nonzero(np.frombuffer(chosen, dtype=np.bool_).reshape(len(norad_id), len(terminal)))
    key = pair_keys(FieldKeys(seed=seed, terminal=terminal), norad_id)[rows, columns]
    return PairFields(pairs=(rows, columns), key=key)
