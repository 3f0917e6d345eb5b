"""Phase-error models, and the draws of the phase error ϱ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

import numpy as np

from twin import randomness
from twin.arrays import FloatArray, IntArray, Reach
from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.registry import NoOptions, Registry

UNIFORM_DEVIATION_RAD = 1e3
"""A Gaussian phase of this standard deviation is uniform modulo 2π within float precision."""


Options = TypeVar("Options", contravariant=True)


class PhaseErrorModel(Protocol[Options]):
    """Alignment of each link: an `Alignment`, or only ζ² in rad², infinite for a uniform phase.

    `aligned` converts both to an `Alignment`. A model that reads only the attributes of a `Path` may declare `Path`.
    """

    def __call__(self, path: LinkView, *, options: Options) -> FloatArray | Alignment:
        """Evaluate the model."""


class PhaseErrors(Registry[PhaseErrorModel[Any]]):
    """Registry of phase-error models."""

    @overload
    def register(
        self, name: str, *, source: str
    ) -> Callable[[PhaseErrorModel[NoOptions]], PhaseErrorModel[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[PhaseErrorModel[Options]], PhaseErrorModel[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under its name in a scenario; see `Registry.add`."""

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            return model

        return keep


phase_errors = PhaseErrors("phase error")


def draw_phase_errors(
    variance_rad2: FloatArray,
    norad_id: IntArray,
    *,
    draws: int,
    seed: int,
    epoch: int,
    reach: Reach | None = None,
) -> FloatArray:
    """Draw the phase error ϱ ~ N(0, ζ²) in rad.

    The streams are keyed by satellite and epoch: the draws of a satellite do not depend on which other satellites are
    drawn.

    Parameters
    ----------
    variance_rad2
        (S,K) ζ²; infinite for a uniform phase.
    norad_id
        (S,) NORAD ids of the satellites.
    draws
        Number D of draws.
    seed, epoch
        Key of the random streams, together with the NORAD id.
    reach
        Pairs to draw; None means all pairs.

    Returns
    -------
    FloatArray
        (D,S,K) for all pairs, or (D,S,B) for those in reach.
    """
    deviation = np.minimum(np.sqrt(variance_rad2), UNIFORM_DEVIATION_RAD)
    terminals = variance_rad2.shape[1]
    if reach is not None:
        deviation = reach.gather(deviation)
    errors = np.empty((draws, *deviation.shape))
    for row, satellite in enumerate(norad_id):
        drawn = randomness.stream(seed, "phase", epoch, int(satellite)).standard_normal((draws, terminals))
        if reach is not None and not reach.whole:
            drawn = drawn[:, np.minimum(reach.terminal[row], terminals - 1)]
        np.multiply(drawn, deviation[row], out=errors[:, row])
    return errors
