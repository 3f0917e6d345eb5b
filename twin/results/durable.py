"""File operations that survive a kill: files are replaced atomically, and a directory has one writer at a time.

A kill or an error leaves temporary files behind. Their names begin with a dot, so that readers of Parquet datasets
skip them; the next writer removes them.
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
    """Replace a file atomically: after a kill the path holds the whole new file, the old one, or nothing as before."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the directory entries of a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(paths: Iterable[Path]) -> None:
    """Delete files; files that do not exist are ignored."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in sorted(folders):
        sync_folder(folder)


class DirectoryLock:
    """Exclusive lock of a directory for one writer, held until `close` or the end of the process.

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
        # A forked worker inherits the lock; it must release it, or workers that outlive a killed run would hold it.
        in_child = weakref.WeakMethod(self.close)
        os.register_at_fork(after_in_child=lambda: (close := in_child()) and close())

    def close(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
