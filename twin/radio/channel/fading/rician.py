"""Rician factors: constant, by elevation, or infinite (no fading)."""

from typing import Annotated

import numpy as np
from annotated_types import MinLen

from twin.arrays import FloatArray
from twin.radio.channel.fading import fadings
from twin.radio.channel.path import Path
from twin.registry import NoOptions, dataclass_options
from twin.units import from_db


@dataclass_options
class FixedKOptions:
    """One Rician factor for all links."""

    k_db: float = 25.0
    """Power ratio of line of sight to scattering in dB (P3, Fig. 4: 25 dB)."""


@dataclass_options
class KByElevationOptions:
    """Rician factors over elevation, as a table."""

    elevation_deg: Annotated[tuple[float, ...], MinLen(1)] = (10.0, 50.0, 90.0)
    """Elevations of the table, ascending."""
    k_db: Annotated[tuple[float, ...], MinLen(1)] = (5.0, 15.0, 25.0)
    """Rician factor in dB at each elevation; interpolated linearly in dB, constant beyond the table."""

    def __post_init__(self) -> None:
        ascending = all(low < high for low, high in zip(self.elevation_deg, self.elevation_deg[1:], strict=False))
        if len(self.elevation_deg) != len(self.k_db) or not ascending:
            raise ValueError("elevation_deg must be ascending and have as many values as k_db")


@fadings.register("fixed_k", source="P3, Section II", options=FixedKOptions)
def fixed_k(path: Path, *, options: FixedKOptions) -> FloatArray:
    """Rician fading with one K-factor."""
    return np.full(path.range_km.shape, float(from_db(options.k_db)))


@fadings.register("k_by_elevation", source="table of the scenario", options=KByElevationOptions)
def k_by_elevation(path: Path, *, options: KByElevationOptions) -> FloatArray:
    """Rician fading with a K-factor interpolated over elevation."""
    return from_db(np.interp(path.elevation_deg, options.elevation_deg, options.k_db))


@fadings.register("none", source="line of sight only")
def line_of_sight(path: Path, *, options: NoOptions) -> FloatArray:
    """No fading: line of sight only."""
    return np.full(path.range_km.shape, np.inf)
