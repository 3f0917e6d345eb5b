"""Input and output of an association policy, and the registry of policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.offline import ContactPlan
from twin.radio.channel import StatisticalCsi
from twin.records import documented
from twin.registry import NoOptions, Registry

Memory = Mapping[str, NDArray[Any]]
Score = Literal["elevation", "rate"]
"""How contacts are scored: by elevation in degrees, or by the spectral efficiency in bit/s/Hz that a satellite's full
power gives over noise alone."""


class Contacts(Protocol):
    """Computes the contacts of all terminals over the whole run."""

    def __call__(self, score: Score = "elevation") -> Sequence[ContactPlan]:
        """Return one plan per terminal (K), whose rows are NORAD ids, with scores."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationView:
    """What the network knows at a decision: V satellites, each visible to some terminal, and K terminals."""

    norad_id: IntArray
    """(V,) NORAD ids, ascending."""
    elevation_deg: FloatArray
    """(V,K) elevation that the network predicts."""
    range_km: FloatArray
    """(V,K) slant range that the network predicts."""
    visible: BoolArray
    """(V,K) pairs that may serve: at or above the minimum elevation, and available."""
    mean_gain: Callable[[], FloatArray]
    """Computes (V,K) γ, the mean channel power gain."""
    serving: BoolArray
    """(V,K) pairs that serve now and are still visible."""
    master: IntArray
    """(K,) row of the master of each terminal's cluster now, -1 without a master."""
    region: IntArray
    """(K,) number of each terminal's group."""
    terminal_latitude_deg: FloatArray
    """(K,) geodetic latitude of each terminal."""
    terminal_longitude_deg: FloatArray
    """(K,) longitude of each terminal, within [-180, 180]."""
    instant_ns: int
    """Time since the start of the run."""
    every_ns: int
    """Time from one decision to the next."""
    member_since_ns: IntArray
    """(V,K) time at which each serving satellite joined the terminal's cluster; 0 for pairs that do not serve."""
    capacity: int | None
    """Most terminals that one satellite may serve. None means no limit."""
    power_w: float
    """Power budget of each satellite on one subcarrier."""
    noise_w: FloatArray
    """(K,) noise power on one subcarrier."""
    remaining_s: Callable[[], FloatArray]
    """Computes (V,K) predicted time for which each pair stays at or above the minimum elevation; at most the
    prediction horizon, 0 for pairs below."""
    ground_distance_km: Callable[[], FloatArray]
    """Computes (V,K) distance along the ground from each terminal to each sub-satellite point."""
    statistics: Callable[[], StatisticalCsi]
    """Computes the statistical CSI of all V satellites."""
    contacts: Contacts
    """Computes the contacts of each of K terminals at all decisions of the whole run, with scores. No network knows
    them in advance; they are for bounds."""
    memory: Memory = field(default_factory=dict)
    """The memory that the policy returned at its last decision; empty at the first."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Decision of a policy."""

    serving: BoolArray
    """(V,K) pairs that are to serve, a subset of the visible ones."""
    master: IntArray
    """(K,) row of each cluster's master, -1 where no satellite serves."""
    power_fraction: FloatArray | None = None
    """(V,K) fraction of its power budget that each satellite spends on each terminal it serves. None means equal
    fractions.

    Precoders with beams of fixed power (`smrt`, `szf`, `slnr`, `imrt`) follow it.
    """
    beam: IntArray | None = None
    """(K,) beam of the master that covers each terminal, -1 without a beam. None means that the policy has no beams.

    Numbers from `twin.radio.channel.beam_numbers.FIRST_CELL` on are those of earth-fixed cells.
    """
    score: FloatArray | None = None
    """(V,K) score that satellites were ranked by, higher is better; for the table of candidates."""
    reason: NDArray[np.str_] | None = None
    """(K,) why each terminal's service changes, in a word or two for the trace; not used where it does not change.

    Where the text is empty, or the field is None, the reason is the policy's name.
    """
    memory: Memory = field(default_factory=dict)
    """Plain arrays that the policy gets at its next decision. They are part of a checkpoint."""


Options = TypeVar("Options", contravariant=True)


class Policy(Protocol[Options]):
    """An association policy."""

    def __call__(self, view: AssociationView, *, options: Options) -> Assignment:
        """Decide which satellites serve each terminal."""


class Policies(Registry[Policy[Any]]):
    """The policies by name."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._largest_cluster: dict[str, Callable[[Any], int | None]] = {}

    @overload
    def register(
        self, name: str, *, source: str, largest_cluster: int | None = None
    ) -> Callable[[Policy[NoOptions]], Policy[NoOptions]]: ...

    @overload
    def register(
        self,
        name: str,
        *,
        source: str,
        options: type[Options],
        largest_cluster: int | Callable[[Options], int | None] | None = None,
    ) -> Callable[[Policy[Options]], Policy[Options]]: ...

    def register(
        self,
        name: str,
        *,
        source: str,
        options: type = NoOptions,
        largest_cluster: int | Callable[[Any], int | None] | None = None,
    ) -> Callable[[Any], Any]:
        """Register a function under the name that a scenario writes; see `Registry.add`.

        Parameters
        ----------
        largest_cluster
            Most satellites that serve one terminal: a number, or a function of the options. None means that the policy
            declares no limit.
        """

        def keep(model: Any) -> Any:
            self.add(name, model, source=source, options=options)
            declared = largest_cluster if callable(largest_cluster) else lambda _: largest_cluster
            self._largest_cluster[name] = declared
            return model

        return keep

    def largest_cluster(self, name: str, options: Any) -> int | None:
        """Most satellites that a policy with these options lets serve one terminal; None if it declares no limit."""
        return self._largest_cluster[self[name].name](options)


policies = Policies("policy")
