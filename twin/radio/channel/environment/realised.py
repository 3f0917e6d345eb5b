"""Models that know a mean and a truth: the mean is what is registered, the truth stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Model = TypeVar("Model", bound=Callable[..., Any])

_truths: dict[Callable[..., Any], Callable[..., Any]] = {}


def realised_by(truth: Callable[..., Any]) -> Callable[[Model], Model]:
    """Give a model of what can be known the function that draws what is.

    The truth takes what the model takes, of a path with places (`LocatedPath`), and ``field_keys``.
    """

    def keep(model: Model) -> Model:
        _truths[model] = truth
        return model

    return keep


def realised(bound: Callable[..., Any]) -> Callable[..., Any] | None:
    """The truth of a model with its options filled in; None where there is nothing to draw and the mean is true."""
    model = bound.func if isinstance(bound, partial) else bound
    truth = _truths.get(model)
    if truth is None or not isinstance(bound, partial):
        return truth
    return partial(truth, **bound.keywords)
