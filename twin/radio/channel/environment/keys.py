"""Keys of the drawn surroundings: one number for each pair of satellite and terminal, and more numbers from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from zlib import crc32

import numpy as np

from twin import randomness
from twin.arrays import FloatArray, IntArray, KeyArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldKeys:
    """What fixes the surroundings of every terminal over a whole run."""

    seed: int
    """The scenario's seed."""
    terminal: KeyArray
    """(K,) a number for each terminal that goes by its name, so that its place in a list does not matter."""


def terminal_keys(names: Iterable[str]) -> KeyArray:
    """A number (K,) for each terminal's name."""
    digests = [blake2b(name.encode(), digest_size=8).digest() for name in names]
    return np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)


def pair_keys(field_keys: FieldKeys, norad_id: IntArray) -> KeyArray:
    """A number (S,K) for each pair of satellite and terminal, which depends on no other pair."""
    satellite = _keys(field_keys.seed, "surroundings of satellite", norad_id)
    terminal = _keys(field_keys.seed, "surroundings of terminal", field_keys.terminal)
    return mixed(mixed(satellite)[:, None] + terminal)


def keys_for(purpose: str, key: KeyArray) -> KeyArray:
    """The key of one purpose for each key."""
    return derived(key, crc32(purpose.encode()))


def mixed(key: KeyArray) -> KeyArray:
    """Another number for each key: every bit of the one changes every bit of the other with even odds.

    The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    """
    value = np.asarray(key + _STEP)
    value ^= value >> np.uint64(30)
    value *= _FIRST
    value ^= value >> np.uint64(27)
    value *= _SECOND
    value ^= value >> np.uint64(31)
    return value


def derived(key: KeyArray, number: int) -> KeyArray:
    """The number-th further key of each key."""
    return mixed(key ^ _salt(number))


@cache
def _salt(number: int) -> np.uint64:
    return np.uint64(mixed(np.array([number], dtype=np.uint64))[0])


def uniform(key: KeyArray) -> FloatArray:
    """Numbers in (0, 1) from the upper 52 bits of keys."""
    return ((key >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _keys(seed: int, purpose: str, numbers: IntArray | KeyArray) -> KeyArray:
    return np.array([_key(seed, purpose, int(number)) for number in numbers], dtype=np.uint64)


@lru_cache(maxsize=1 << 16)
def _key(seed: int, purpose: str, number: int) -> int:
    """Kept only to spare time: it is a function of its arguments."""
    return int(randomness.stream(seed, purpose, number).integers(0, 1 << 64, dtype=np.uint64))
