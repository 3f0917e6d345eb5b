"""Large-scale loss models: range and elevation in, loss in dB out."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twin.registry import Registry


class Path(Protocol):
    """What a large-scale model may know of links, arrays of one shape."""

    @property
    def range_km(self) -> NDArray[np.float64]:
        """Slant range."""

    @property
    def elevation_deg(self) -> NDArray[np.float64]:
        """Elevation of the satellite at the terminal."""


class PathLossModel(Protocol):
    """Loss in dB of each link, in the shape of the path's arrays."""

    def __call__(self, path: Path, *, carrier_hz: float, options: Any) -> NDArray[np.float64]:
        """Evaluate the model."""


path_losses: Registry[PathLossModel] = Registry("path loss")
