"""File operations that survive a kill: whole files or none, and one writer at a time.

Temporary files are left behind by a kill and by an error alike; their names begin with a dot, which readers
of Parquet datasets pass over, and the next writer removes them.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from twin.errors import InputError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Put a file in place so that it is either whole or, as before, old or absent."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(paths: Iterable[Path]) -> None:
    """Delete files; those that are gone already are no fault."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in sorted(folders):
        sync_folder(folder)


class DirectoryLock:
    """Keeps a second writer out of a directory, until closed or until the process ends.

    Raises
    ------
    InputError
        If another writer holds it, or the directory cannot be written to.
    """

    def __init__(self, directory: Path) -> None:
        try:
            self._descriptor: int | None = os.open(directory / "_lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"{directory}: cannot be written to ({error.strerror})") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise InputError(
                f"{directory}: another run is writing here; wait for it to end, or choose another directory"
            ) from None
        # A forked worker shares the lock: without this, workers that outlive a killed run would keep it.
        in_child = weakref.WeakMethod(self.close)
        os.register_at_fork(after_in_child=lambda: (close := in_child()) and close())

    def close(self) -> None:
        """Let go of the directory."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
