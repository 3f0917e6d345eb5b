"""The nearest satellites together."""

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
    """How clusters are formed."""

    cluster_size: Annotated[int, Ge(1)] = 5
    """S_k: satellites that serve a terminal together."""
    scope: Literal["terminal", "region"] = "terminal"
    """Each terminal has its own nearest satellites, or a group of terminals those nearest to its centre (P3)."""
    rank_by: Literal["range", "gain"] = "range"
    """Nearest by slant range, or strongest by mean channel power."""
    hysteresis_km: Annotated[float, Ge(0.0)] = 0.0
    """By so much a satellite must be nearer to take a member's place; with rank_by = "range"."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """By so much it must be stronger; with rank_by = "gain"."""


@policies.register(
    "nearest_cluster",
    source="P3, Section V; P5's distance-based clusters",
    options=NearestClusterOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def nearest_cluster(view: AssociationView, *, options: NearestClusterOptions) -> Assignment:
    """Each terminal, or each group of them, is served by its nearest or strongest satellites together."""
    score, stays = np.empty_like(view.range_km), np.empty_like(view.visible)
    eligible = np.empty_like(view.visible)
    for members in _scopes(view, options.scope):
        score[:, members], stays[:, members], eligible[:, members] = _common(view, members, options)
    ranked = score + _hysteresis(options) * stays
    wanted = best(ranked, eligible, options.cluster_size, None) & view.visible
    if options.scope == "terminal":
        wanted = view.visible
    chosen = best(ranked, wanted, options.cluster_size, view.capacity)
    return led(chosen, score, score + _hysteresis(options) * leads(view))


def _scopes(view: AssociationView, scope: str) -> list[IntArray | slice]:
    """Sets of terminals that share a cluster; in scope ``terminal`` all are scored at once, each by itself."""
    if scope == "terminal":
        return [slice(None)]
    return [np.flatnonzero(view.region == region) for region in np.unique(view.region)]


def _common(
    view: AssociationView, members: IntArray | slice, options: NearestClusterOptions
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Score (V,members) of each satellite, whether it serves already, and whether it may be chosen."""
    serving, visible = view.serving[:, members], view.visible[:, members]
    if options.rank_by == "gain":
        score = to_db(np.maximum(view.mean_gain()[:, members], np.finfo(float).tiny))
    else:
        score = -view.range_km[:, members]
    if isinstance(members, slice):
        return score, serving, visible
    # the mean square of the ranges to a set of points is the square of that to their centre, plus a constant
    centre = score.mean(axis=1) if options.rank_by == "gain" else -np.sqrt((score**2).mean(axis=1))

    def all_alike(values: NDArray[Any]) -> NDArray[Any]:
        return np.broadcast_to(values[:, None], score.shape)

    serves, seen = np.asarray(serving.any(axis=1)), np.asarray(visible.any(axis=1))
    return all_alike(np.asarray(centre)), all_alike(serves), all_alike(seen)


def _hysteresis(options: NearestClusterOptions) -> float:
    return float(options.hysteresis_db if options.rank_by == "gain" else options.hysteresis_km)
