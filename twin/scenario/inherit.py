"""One scenario built on another: ``base = "walker.toml"``, and what another choice of model does away with."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from os.path import normpath, relpath
from pathlib import Path
from typing import Any, Final

from twin.errors import InputError
from twin.scenario.models import MODELS, without_options
from twin.scenario.overrides import absolute

Tree = dict[str, Any]
Layer = tuple[str, Tree]
"""A scenario file's name and what it says itself."""

_DEEPEST: Final = 8
"""Scenarios that stand on each other; more are taken for a circle."""


def inherited(tree: Tree, file: Path, read: Callable[[Path], Tree]) -> tuple[Tree, list[Layer]]:
    """A scenario with everything of its base that it does not say otherwise; and the files, from the top down.

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
    result = trees[-1]
    for own in trees[-2::-1]:  # from the lowest up: what one of them leaves behind does not come back
        result = merged(result, own)
    names = [str(link) if file.is_absolute() else relpath(link) for link in chain[1:]]
    return result, list(zip([str(file), *names], trees, strict=True))


def said_by(layers: Sequence[Layer], whole: Tree, key: str) -> str:
    """The file that says a key, as ``terminals[1].count``, or else that which says most of the way to it.

    Parameters
    ----------
    layers
        Files and what they say, from the top down.
    whole
        What came of them.
    key
        A key as messages write it.
    """
    depths = [_depth(tree, whole, key) for _, tree in layers]
    return layers[depths.index(max(depths))][0]


def _depth(tree: Tree, whole: Tree, key: str) -> float:
    """How many steps of a key's way a file says; no bound if it says a value there, or one that holds the key."""
    own, there = tree, whole
    for depth, step in enumerate(re.findall(r"[^.\[\]]+", key)):
        if step not in own or step not in there:
            return depth
        value, kept = own[step], there[step]
        if not isinstance(value, dict):
            if isinstance(value, str) and isinstance(kept, dict):
                kept = kept.get("name")  # text stands for a model's name
            return float("inf") if value is kept else depth
        if not isinstance(kept, dict):
            return depth
        own, there = value, kept
    return float("inf")


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
