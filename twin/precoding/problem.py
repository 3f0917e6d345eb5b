"""A precoder's input and output, and the registry of precoders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, overload

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.precoding.rule import Weights
from twin.radio.channel import StatisticalCsi
from twin.records import documented
from twin.registry import NoOptions, Registry


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PrecodingProblem:
    """What a precoder may know: statistics and the serving pairs, never a draw."""

    csi: StatisticalCsi
    """Statistical CSI of S satellites and K terminals, as the network assumes it."""
    serving: BoolArray
    """(S,K) o: whether satellite s serves terminal k. Only serving pairs may get power."""
    master: IntArray
    """(K,) row of the master satellite of the terminal's cluster; -1 without service."""
    power_w: FloatArray
    """(S,) P_s: power budget of each satellite on one subcarrier, in W."""
    weight: FloatArray
    """(K,) β: weight of each terminal in the sum rate."""
    power_fraction: FloatArray | None = None
    """(S,K) fraction of its budget that each satellite spends on each terminal that it serves.

    None means equal fractions. Beams of given power (`smrt`, `szf`, `slnr`, `spot_beam`, `imrt`) use it; precoders that
    optimise powers ignore it.
    """
    beam: IntArray | None = None
    """(K,) beam of the master that covers each terminal, -1 without one; None if the policy assigns no beams."""
    start: Weights | None = None
    """Weights of the same satellites and terminals for a warm start, zero for pairs that did not serve.

    None means a cold start.
    """

    def beam_power_w(self) -> FloatArray:
        """(S,K) p_sk² P_s: power of each serving pair's beam in W (P5, eq. 13)."""
        equal = self.serving / np.maximum(self.serving.sum(axis=1, keepdims=True), 1)
        power_fraction = equal if self.power_fraction is None else np.where(self.serving, self.power_fraction, 0.0)
        return np.asarray(power_fraction * self.power_w[:, None])

    def alone(self) -> PrecodingProblem:
        """The same problem with each terminal served by the master of its cluster alone."""
        serving = np.arange(len(self.serving))[:, None] == self.master
        return replace(self, serving=serving, power_fraction=None, start=None)

    def terminal_power_w(self) -> FloatArray:
        """(K,) P_k in W: the sum of equal fractions of the budgets of the satellites that serve the terminal.

        If every satellite serves every terminal, this is Σ_s P_s / K (P3, Algorithm 1, step 4).
        """
        load = np.maximum(self.serving.sum(axis=1), 1)
        return np.asarray((self.power_w / load) @ self.serving)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Precoding:
    """The result of a precoder."""

    weights: Weights
    """Weights of S satellites and K terminals."""
    iterations: int
    """Iterations done; 0 for a closed form."""
    converged: bool
    """Whether the stop criterion was met; always true for a closed form."""


Options = TypeVar("Options", contravariant=True)


class Precoder(Protocol[Options]):
    """A transmission scheme: a function from a problem and its options to weights."""

    def __call__(self, problem: PrecodingProblem, *, options: Options) -> Precoding:
        """Solve one problem."""


class Precoders(Registry[Precoder[Any]]):
    """The precoders by name."""

    @overload
    def register(self, name: str, *, source: str) -> Callable[[Precoder[NoOptions]], Precoder[NoOptions]]: ...

    @overload
    def register(
        self, name: str, *, source: str, options: type[Options]
    ) -> Callable[[Precoder[Options]], Precoder[Options]]: ...

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Any], Any]:
        """Register a function under the name that a scenario uses; see `Registry.add`."""

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            return model

        return keep


precoders = Precoders("precoder")
