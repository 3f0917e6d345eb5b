"""The state file, from which a run resumes: the plain arrays of the last durable epoch."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.results.durable import write_whole

STATES: Final = "_state"
"""Folder of the state files."""


def _state_path(directory: Path, epoch: int) -> Path:
    return directory / STATES / f"epoch-{epoch}.npz"


def other_states(directory: Path, epoch: int) -> list[Path]:
    """The state files of all epochs but one."""
    kept = _state_path(directory, epoch)
    return [path for path in kept.parent.glob("epoch-*.npz") if path != kept]


def write_state(directory: Path, epoch: int, state: Mapping[str, NDArray[Any]]) -> None:
    """Write a state; arrays of Python objects are refused."""
    arrays: dict[str, Any] = {name: np.asarray(array) for name, array in state.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject or name in ("file", "args", "kwds", "allow_pickle"):
            raise ValueError(f'the state\'s "{name}" ({array.dtype}) cannot be written: only plain arrays are allowed')
    write_whole(_state_path(directory, epoch), lambda stream: np.savez(stream, **arrays))


def read_state(directory: Path, epoch: int) -> dict[str, NDArray[Any]]:
    """The state after an epoch; empty before the first.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    if epoch < 0:
        return {}
    path = _state_path(directory, epoch)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return dict(archive)
    except FileNotFoundError:
        fault = "missing"
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        fault = f"damaged ({error})"
    raise InputError(
        f"{path}: {fault}, so the run cannot be resumed after epoch {epoch};"
        " restore it from a copy, or start a new run in another directory (the tables can still be read)"
    )
