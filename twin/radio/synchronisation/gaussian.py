"""Phase error of the papers: Gaussian with a given variance, or uniform."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from twin.arrays import FloatArray
from twin.radio.channel.path import Path
from twin.radio.synchronisation.phase_error import phase_errors
from twin.registry import NoOptions, dataclass_options


@dataclass_options
class GaussianPhaseOptions:
    """One phase variance for all links."""

    phase_variance_rad2: Annotated[float, Ge(0.0)] = 0.5
    """ζ² in rad²; 0 means perfect synchronisation."""


@phase_errors.register("gaussian_phase", source="P3, Section IV-D", options=GaussianPhaseOptions)
def gaussian_phase(path: Path, *, options: GaussianPhaseOptions) -> FloatArray:
    """Gaussian phase error with one variance for all links."""
    return np.full(path.range_km.shape, options.phase_variance_rad2)


@phase_errors.register("uniform_phase", source="P1, Section II")
def uniform_phase(path: Path, *, options: NoOptions) -> FloatArray:
    """Uniform phase error: no phase alignment between satellites, non-coherent transmission."""
    return np.full(path.range_km.shape, np.inf)
