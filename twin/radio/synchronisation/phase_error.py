"""Phase-error models: how well the network aligns the phases of its satellites at a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

import numpy as np

from twin import randomness
from twin.arrays import FloatArray, IntArray, Reach
from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.registry import NoOptions, Registry

UNIFORM_DEVIATION_RAD = 1e3
"""A Gaussian phase of this deviation is uniform modulo a turn to better than any float can tell."""


Options = TypeVar("Options", contravariant=True)


class PhaseErrorModel(Protocol[Options]):
    """How well each link is aligned: an `Alignment`, or ζ² alone in rad², infinite for a uniform phase.

    `aligned` makes either an `Alignment`. A model that asks no more of its path than a `Path` gives may say so.
    """

    def __call__(self, path: LinkView, *, options: Options) -> FloatArray | Alignment:
        """Evaluate the model."""


class PhaseErrors(Registry[PhaseErrorModel[Any]]):
    """The phase error models, by name."""

    @overload
    def register(
        self, name: str, *, source: str
    ) -> Callable[[PhaseErrorModel[NoOptions]], PhaseErrorModel[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[PhaseErrorModel[Options]], PhaseErrorModel[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under the name that a scenario writes; see `Registry.add`."""

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
    """Draw ϱ in rad for every pair of satellite and terminal (draws,S,K), or for those in reach (draws,S,B).

    Keyed by satellite and epoch; the draws of a pair do not depend on which other satellites are asked for.
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
