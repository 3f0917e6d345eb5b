"""Clusters of the nearest or strongest satellites, per terminal or per group of terminals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import best, leads, led
from twin.registry import dataclass_options
from twin.units import to_db


@dataclass_options
class NearestClusterOptions:
    """Cluster size, ranking and hysteresis."""

    cluster_size: Annotated[int, Ge(1)] = 5
    """S_k: satellites that jointly serve a terminal."""
    scope: Literal["terminal", "region"] = "terminal"
    """Each terminal has its own nearest satellites (terminal), or all terminals of a group have those nearest to the
    group's centre (region, P3)."""
    rank_by: Literal["range", "gain"] = "range"
    """Rank satellites by slant range, nearest first, or by mean channel power gain, strongest first."""
    hysteresis_km: Annotated[float, Ge(0.0)] = 0.0
    """A satellite replaces a member only if it is nearer by more than this; with rank_by = "range"."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A satellite replaces a member only if it is stronger by more than this; with rank_by = "gain"."""


@policies.register(
    "nearest_cluster",
    source="P3, Section V; P5's distance-based clusters",
    options=NearestClusterOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def nearest_cluster(view: AssociationView, *, options: NearestClusterOptions) -> Assignment:
    """Each terminal, or each group of terminals, is jointly served by its nearest or strongest satellites."""
    score, serves = np.empty_like(view.range_km), np.empty_like(view.visible)
    eligible = np.empty_like(view.visible)
    for terminals in _scopes(view, options.scope):
        score[:, terminals], serves[:, terminals], eligible[:, terminals] = _common(view, terminals, options)
    ranked = score + _hysteresis(options) * serves
    wanted = best(ranked, eligible, options.cluster_size, None) & view.visible
    if options.scope == "terminal":
        wanted = view.visible
    chosen = best(ranked, wanted, options.cluster_size, view.capacity)
    return led(chosen, score, score + _hysteresis(options) * leads(view))


def _scopes(view: AssociationView, scope: str) -> list[IntArray | slice]:
    """Return the sets of terminals with a common cluster; one slice of all terminals if each has its own."""
    if scope == "terminal":
        return [slice(None)]
    return [np.flatnonzero(view.region == region) for region in np.unique(view.region)]


def _common(
    view: AssociationView, terminals: IntArray | slice, options: NearestClusterOptions
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return score, current service and eligibility of each satellite for a set of J terminals, (V,J) each."""
    serving, visible = view.serving[:, terminals], view.visible[:, terminals]
    if options.rank_by == "gain":
        score = to_db(np.maximum(view.mean_gain()[:, terminals], np.finfo(float).tiny))
    else:
        score = -view.range_km[:, terminals]
    if isinstance(terminals, slice):
        return score, serving, visible
    # the mean square range to a set of points is the squared range to their centre plus a constant
    centre = score.mean(axis=1) if options.rank_by == "gain" else -np.sqrt((score**2).mean(axis=1))

    def for_each(values: NDArray[Any]) -> NDArray[Any]:
        return np.broadcast_to(values[:, None], score.shape)

    serves, eligible = np.asarray(serving.any(axis=1)), np.asarray(visible.any(axis=1))
    return for_each(np.asarray(centre)), for_each(serves), for_each(eligible)


def _hysteresis(options: NearestClusterOptions) -> float:
    return float(options.hysteresis_db if options.rank_by == "gain" else options.hysteresis_km)
