"""What an association policy gets and gives, and the registry of policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.offline import ContactPlan
from twin.radio.channel import StatisticalCsi
from twin.registry import NoOptions, Registry

Memory = Mapping[str, NDArray[Any]]
Score = Literal["elevation", "rate"]
"""What contacts are worth: degrees of elevation, or the bit/s/Hz of a satellite's whole power over the noise alone."""


class Contacts(Protocol):
    """Tells who will be visible when."""

    def __call__(self, score: Score = "elevation") -> Sequence[ContactPlan]:
        """For each of K terminals, all visible satellites by NORAD id and what they are worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationView:
    """What a policy may know at a decision: V satellites in view of someone, K terminals."""

    norad_id: IntArray
    """(V,) satellites, rising."""
    elevation_deg: FloatArray
    """(V,K) elevation as the network predicts it."""
    range_km: FloatArray
    """(V,K) slant range."""
    visible: BoolArray
    """(V,K) at or above the minimum elevation; nobody may be served from elsewhere."""
    mean_gain: Callable[[], FloatArray]
    """Computes (V,K) γ, the mean channel power, for policies that rank by it."""
    serving: BoolArray
    """(V,K) who serves whom now, of those that are still visible."""
    master: IntArray
    """(K,) row of the satellite that leads each terminal's cluster now, -1 for none."""
    region: IntArray
    """(K,) group of each terminal."""
    terminal_latitude_deg: FloatArray
    """(K,) geodetic latitude of each terminal."""
    terminal_longitude_deg: FloatArray
    """(K,) longitude of each terminal, in [-180, 180]."""
    instant_ns: int
    """Time since the start of the run."""
    every_ns: int
    """Time from one decision to the next."""
    member_since_ns: IntArray
    """(V,K) when each serving satellite joined the terminal's cluster; 0 for those that do not serve."""
    capacity: int | None
    """Most terminals that one satellite may serve; none is no limit."""
    power_w: float
    """Budget of each satellite on one subcarrier."""
    noise_w: FloatArray
    """(K,) noise power on one subcarrier."""
    remaining_s: Callable[[], FloatArray]
    """Computes (V,K) for how long each pair will stay at or above the minimum elevation, as the network predicts it;
    at most the horizon of the prediction, 0 for pairs below."""
    ground_distance_km: Callable[[], FloatArray]
    """Computes (V,K) distance along the ground from each terminal to the point below each satellite."""
    statistics: Callable[[], StatisticalCsi]
    """Computes the statistical CSI of all V satellites."""
    contacts: Contacts
    """Computes, for each of K terminals, who is visible at each decision of the whole run, by NORAD id and with a
    score: what no network knows, for bounds."""
    memory: Memory = field(default_factory=dict)
    """What the policy asked to be given again at its next decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a policy wants."""

    serving: BoolArray
    """(V,K) who shall serve whom, among the visible."""
    master: IntArray
    """(K,) row of each cluster's master, -1 where nobody serves."""
    power_fraction: FloatArray | None = None
    """(V,K) share of its budget that each satellite spends on each terminal it serves; equal shares if none is given.

    Precoders with beams of fixed power (`smrt`, `szf`, `slnr`, `imrt`) follow it.
    """
    beam: IntArray | None = None
    """(K,) beam of the master that covers each terminal, -1 without one; none for policies that know no beams.

    From `twin.radio.channel.beam_numbers.FIRST_CELL` on a number is that of a cell on the Earth.
    """
    score: FloatArray | None = None
    """(V,K) what the satellites were ranked by, the higher the better, for the log of candidates."""
    reason: NDArray[np.str_] | None = None
    """(K,) why each terminal's service changes, in a word or two for the trace; of no account where it does not change.

    Where it is empty, or none is given, the reason is the policy's name.
    """
    memory: Memory = field(default_factory=dict)
    """Plain arrays to be given again; they survive a resumed run."""


Options = TypeVar("Options", contravariant=True)


class Policy(Protocol[Options]):
    """Decides who serves whom."""

    def __call__(self, view: AssociationView, *, options: Options) -> Assignment:
        """Take one decision."""


class Policies(Registry[Policy[Any]]):
    """The policy models, by name."""

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
            sets no limit, or does not say.
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
