"""Read and write whole files; every failure becomes an `InputError` with one message."""

import contextlib
import os
import tempfile
from pathlib import Path

from twin.errors import InputError, did_you_mean


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    InputError
        If the file does not exist, is a directory or cannot be read.
    """
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory, expected a file of element sets (TLE or OMM)") from None
    except FileNotFoundError:
        folder = path.parent
        hint = did_you_mean(path.name, [entry.name for entry in folder.iterdir()] if folder.is_dir() else [])
        raise InputError(f"{path}: no such file{hint}") from None
    except (OSError, ValueError) as fault:
        raise InputError(f"{path}: cannot be read: {getattr(fault, 'strerror', None) or fault}") from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically (temporary name, fsync, rename): on failure the old file is unchanged.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp creates files that only their owner can read
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as fault:
        raise InputError(f"{path}: cannot be written: {fault.strerror or fault}") from None
    finally:
        if temporary:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
