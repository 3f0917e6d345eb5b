"""Keys of the random fields: one for each pair of satellite and terminal, from which further keys are derived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from zlib import crc32

import numpy as np

from twin import randomness
from twin.arrays import FloatArray, IntArray, KeyArray
from twin.records import documented

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class FieldKeys:
    """Keys that determine the surroundings of all terminals over a run."""

    seed: int
    """Seed of the run."""
    terminal: KeyArray
    """(K,) key of each terminal. It depends on the name, not on the position in a list (`terminal_keys`)."""


def terminal_keys(names: Iterable[str]) -> KeyArray:
    """(K,) keys of terminals from their names."""
    digests = [blake2b(name.encode(), digest_size=8).digest() for name in names]
    return np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)


def pair_keys(field_keys: FieldKeys, norad_id: IntArray) -> KeyArray:
    """(S,K) key of each pair of satellite and terminal, independent of the other pairs."""
    satellite = _keys(field_keys.seed, "surroundings of satellite", norad_id)
    terminal = _keys(field_keys.seed, "surroundings of terminal", field_keys.terminal)
    return mixed(mixed(satellite)[:, None] + terminal)


def keys_for(purpose: str, key: KeyArray) -> KeyArray:
    """Derive from each key the key of one purpose."""
    return derived(key, crc32(purpose.encode()))


def mixed(key: KeyArray) -> KeyArray:
    """Hash each key: a flip of any input bit flips each output bit with probability 1/2.

    Finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    """
    value = np.asarray(key + _STEP)
    value ^= value >> np.uint64(30)
    value *= _FIRST
    value ^= value >> np.uint64(27)
    value *= _SECOND
    value ^= value >> np.uint64(31)
    return value


def derived(key: KeyArray, number: int) -> KeyArray:
    """Derive from each key its further key of a given number."""
    return mixed(key ^ _salt(number))


@cache
def _salt(number: int) -> np.uint64:
    return np.uint64(mixed(np.array([number], dtype=np.uint64))[0])


def uniform(key: KeyArray) -> FloatArray:
    """Uniform values in (0, 1) from the upper 52 bits of keys."""
    return ((key >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _keys(seed: int, purpose: str, numbers: IntArray | KeyArray) -> KeyArray:
    return np.array([_key(seed, purpose, int(number)) for number in numbers], dtype=np.uint64)


@lru_cache(maxsize=1 << 16)
def _key(seed: int, purpose: str, number: int) -> int:
    """Cached; a pure function of its arguments."""
    return int(randomness.stream(seed, purpose, number).integers(0, 1 << 64, dtype=np.uint64))
