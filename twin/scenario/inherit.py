"""One scenario built on another: ``base = "walker.toml"``, and what another choice of model does away with."""

from __future__ import annotations

from collections.abc import Callable
from os.path import normpath
from pathlib import Path
from typing import Any, Final

from twin.errors import InputError
from twin.scenario.models import MODELS, without_options
from twin.scenario.overrides import absolute

Tree = dict[str, Any]

_DEEPEST: Final = 8
"""Scenarios that stand on each other; more are taken for a circle."""


def inherited(tree: Tree, file: Path, read: Callable[[Path], Tree]) -> Tree:
    """A scenario with everything of its base that it does not say otherwise.

    Tables are merged key by key, lists and values replaced. Where a section selects another model than the base's,
    the base's options of that model are left behind; where terminals or an
    element pattern are of another kind, all of the base's.

    Parameters
    ----------
    tree
        A scenario as it was read, its paths absolute.
    file
        Where it was read from.
    read
        Reads a scenario file, paths made absolute.

    Raises
    ------
    InputError
        If the base cannot be read, or scenarios stand on each other in a circle.
    """
    chain, trees = [file.absolute()], [tree]
    while "base" in trees[-1]:
        base = trees[-1].pop("base")
        if not isinstance(base, str) or not base:
            raise InputError(f"{chain[-1].name}: base: found {base!r}, must be the path of another scenario")
        chain.append(Path(absolute(base, chain[-1].parent)))
        if len(chain) > _DEEPEST or normpath(chain[-1]) in [normpath(link) for link in chain[:-1]]:
            raise InputError(f"{file}: base: scenarios stand on each other in a circle: {' on '.join(map(str, chain))}")
        trees.append(read(chain[-1]))
    result = trees.pop()
    while trees:  # from the lowest up: what one of them leaves behind does not come back
        result = merged(result, trees.pop())
    return result


def merged(base: Tree, own: Tree, place: str = "") -> Tree:
    """The keys of both, one's own before the base's."""
    result = dict(base)
    for key, value in own.items():
        where = f"{place}.{key}" if place else key
        under = result.get(key)
        if where in MODELS:
            under, value = ({"name": each} if isinstance(each, str) else each for each in (under, value))
        if isinstance(under, dict) and isinstance(value, dict):
            if where in MODELS and "name" in value:
                under = without_options(under, str(value["name"]), where)
            anew = (where == "terminals" and _of_another(under, value, "kind")) or (
                key == "pattern" and _of_another(under, value, "name")
            )
            result[key] = value if anew else merged(under, value, where)
        else:
            result[key] = value
    return result


def _of_another(under: Tree, own: Tree, key: str) -> bool:
    """Whether a table is told apart from the base's by its kind or name."""
    return key in own and own[key] != under.get(key)
