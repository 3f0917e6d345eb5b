"""Models with a drawn part: the registered function gives the expectation, a second one the realisation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Model = TypeVar("Model", bound=Callable[..., Any])

_realisations: dict[Callable[..., Any], Callable[..., Any]] = {}


def realised_by(realisation: Callable[..., Any]) -> Callable[[Model], Model]:
    """Decorate a model of expectations with the function that computes its realisation.

    The realisation has the parameters of the model and ``field_keys``; its path is a `LocatedPath`.
    """

    def keep(model: Model) -> Model:
        _realisations[model] = realisation
        return model

    return keep


def realised(bound: Callable[..., Any]) -> Callable[..., Any] | None:
    """The realisation of a model, with the same bound options. None means that the model draws nothing."""
    model = bound.func if isinstance(bound, partial) else bound
    realisation = _realisations.get(model)
    if realisation is None or not isinstance(bound, partial):
        return realisation
    return partial(realisation, **bound.keywords)
