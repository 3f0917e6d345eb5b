"""On what rows are equal bit for bit: the libraries, and the kernel that BLAS chooses for a processor."""

from __future__ import annotations

import importlib.metadata
import platform

import numpy as np
import threadpoolctl


def fingerprint() -> dict[str, str]:
    """Libraries, machine, BLAS kernels and numpy's vector extensions."""
    libraries = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "sgp4", "skyfield")}
    kernels = sorted({str(pool.get("architecture")) for pool in threadpoolctl.threadpool_info()})
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]["found"]  # type: ignore[index]
    return libraries | {
        "python": platform.python_version_tuple()[1],
        "machine": platform.machine(),
        "blas": ",".join(kernels),
        "simd": ",".join(extensions),
    }
