"""What a precoder gets and gives, and the registry of precoders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, overload

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.precoding.weights import Weights
from twin.radio.channel import StatisticalCsi
from twin.registry import NoOptions, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecodingProblem:
    """What a precoder may know: statistics and who serves whom, never a draw."""

    csi: StatisticalCsi
    """Statistics of S satellites and K terminals as the network believes them."""
    serving: BoolArray
    """(S,K) o: whether satellite s serves terminal k; serving pairs alone may get power."""
    master: IntArray
    """(K,) row of the satellite that leads the terminal's cluster, -1 where nobody serves it."""
    power_w: FloatArray
    """(S,) P_s: power budget of each satellite on one subcarrier."""
    weight: FloatArray
    """(K,) β: weight of each terminal in the sum rate."""
    power_fraction: FloatArray | None = None
    """(S,K) share of its budget that each satellite spends on each terminal it serves; equal shares if none is given.

    Beams of fixed power (`smrt`, `szf`, `slnr`) use it; precoders that find their powers do not.
    """
    beam: IntArray | None = None
    """(K,) beam of the master that covers each terminal, -1 for none, where the policy thinks in beams."""
    start: Weights | None = None
    """Weights of the same satellites and terminals to start from, zero for pairs that did not serve."""

    def beam_power_w(self) -> FloatArray:
        """(S,K) p_sk² P_s: power of each serving pair's beam (P5, eq. 13)."""
        equal = self.serving / np.maximum(self.serving.sum(axis=1, keepdims=True), 1)
        power_fraction = equal if self.power_fraction is None else np.where(self.serving, self.power_fraction, 0.0)
        return np.asarray(power_fraction * self.power_w[:, None])

    def alone(self) -> PrecodingProblem:
        """The same problem with each terminal served by the master of its cluster alone."""
        serving = np.arange(len(self.serving))[:, None] == self.master
        return replace(self, serving=serving, power_fraction=None, start=None)

    def terminal_power_w(self) -> FloatArray:
        """(K,) P_k: an equal share of the budget of each satellite that serves the terminal.

        With every satellite serving everyone this is Σ_s P_s / K (P3, Algorithm 1, step 4).
        """
        load = np.maximum(self.serving.sum(axis=1), 1)
        return np.asarray((self.power_w / load) @ self.serving)


@dataclass(frozen=True, slots=True, kw_only=True)
class Precoding:
    """What a precoder found."""

    weights: Weights
    iterations: int
    """Iterations used; 0 for a closed form."""
    converged: bool
    """Whether the stop criterion was met; a closed form always converges."""


Options = TypeVar("Options", contravariant=True)


class Precoder(Protocol[Options]):
    """A transmission scheme: statistical CSI in, weights out."""

    def __call__(self, problem: PrecodingProblem, *, options: Options) -> Precoding:
        """Solve one problem."""


class Precoders(Registry[Precoder[Any]]):
    """The precoder models, by name."""

    @overload
    def register(self, name: str, *, source: str) -> Callable[[Precoder[NoOptions]], Precoder[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[Precoder[Options]], Precoder[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under the name that a scenario writes; see `Registry.add`."""

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            return model

        return keep


precoders = Precoders("precoder")
