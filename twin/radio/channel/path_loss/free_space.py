"""Free-space loss."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from twin.arrays import FloatArray
from twin.constants import LIGHT_SPEED_M_S
from twin.radio.channel.path import Path
from twin.radio.channel.path_loss import path_losses
from twin.registry import dataclass_options


@dataclass_options
class FreeSpaceOptions:
    """Free-space loss and a fixed margin."""

    extra_loss_db: Annotated[float, Ge(0.0)] = 0.0
    """Additional loss of every link: polarisation, pointing, body, implementation."""


@path_losses.register("free_space", source="TR 38.811, eq. 6.6-2", options=FreeSpaceOptions)
def free_space(path: Path, *, carrier_hz: float, options: FreeSpaceOptions) -> FloatArray:
    """Free-space loss and a fixed margin."""
    return np.asarray(free_space_db(path.range_km, carrier_hz) + options.extra_loss_db)


def free_space_db(range_km: FloatArray, carrier_hz: float) -> FloatArray:
    """Free-space loss in dB, in the shape of the ranges (TR 38.811, eq. 6.6-2)."""
    distance_m = range_km * 1e3
    return np.asarray(20.0 * np.log10(4.0 * np.pi * carrier_hz / LIGHT_SPEED_M_S * distance_m))
