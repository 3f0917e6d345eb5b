"""A scenario based on another one: ``base = "walker.toml"``."""

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
"""The name of a scenario file and its own content."""

_MOST_FILES: Final = 8
"""Most files in a chain of bases; a longer chain is reported as a cycle."""


def inherited(tree: Tree, file: Path, read: Callable[[Path], Tree]) -> tuple[Tree, list[Layer]]:
    """A scenario with the keys that it takes from its base, and the files of the chain from the top down.

    Tables are merged key by key; lists and values are replaced. A section that selects another model than the base
    does not take the base's options of the former model. Terminals of another kind and an element pattern of another
    name take nothing from the base.

    Parameters
    ----------
    tree
        A scenario as read, its paths absolute.
    file
        The file it was read from.
    read
        Reads a scenario file and makes its paths absolute.

    Raises
    ------
    InputError
        If the base cannot be read, or the bases form a cycle.
    """
    chain, trees = [file.absolute()], [tree]
    while "base" in trees[-1]:
        base = trees[-1].pop("base")
        if not isinstance(base, str) or not base:
            raise InputError(f"{chain[-1].name}: base: found {base!r}, must be the path of another scenario")
        chain.append(Path(absolute(base, chain[-1].parent)))
        if len(chain) > _MOST_FILES or normpath(chain[-1]) in [normpath(link) for link in chain[:-1]]:
            raise InputError(f"{file}: base: the bases form a cycle: {' -> '.join(map(str, chain))}")
        trees.append(read(chain[-1]))
    result = trees[-1]
    for own in trees[-2::-1]:  # from the lowest base up: an option that one of them removes stays removed
        result = merged(result, own)
    names = [str(link) if file.is_absolute() else relpath(link) for link in chain[1:]]
    return result, list(zip([str(file), *names], trees, strict=True))


def given_in(layers: Sequence[Layer], whole: Tree, key: str) -> str:
    """The file that gives a key (``terminals[1].count``), or else the file that gives most of the path to it.

    Parameters
    ----------
    layers
        Files and their own content, from the top down.
    whole
        The merged scenario.
    key
        A key as messages write it.
    """
    depths = [_depth(tree, whole, key) for _, tree in layers]
    return layers[depths.index(max(depths))][0]


def _depth(tree: Tree, whole: Tree, key: str) -> float:
    """How many steps of a key path a file gives; infinite if it gives the value of the key or of a table above it."""
    own, there = tree, whole
    for depth, step in enumerate(re.findall(r"[^.\[\]]+", key)):
        if step not in own or step not in there:
            return depth
        value, kept = own[step], there[step]
        if not isinstance(value, dict):
            if isinstance(value, str) and isinstance(kept, dict):
                kept = kept.get("name")  # text is the name of a model
            return float("inf") if value is kept else depth
        if not isinstance(kept, dict):
            return depth
        own, there = value, kept
    return float("inf")


def merged(base: Tree, own: Tree, place: str = "") -> Tree:
    """The keys of both; where both give a key, the value of ``own``."""
    result = dict(base)
    for key, value in own.items():
        where = f"{place}.{key}" if place else key
        below = result.get(key)
        if where in MODELS:
            below, value = ({"name": each} if isinstance(each, str) else each for each in (below, value))
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = _merged_tables(below, value, key, where)
        else:
            result[key] = value
    return result


def _merged_tables(below: Tree, own: Tree, key: str, where: str) -> Tree:
    if where in MODELS and "name" in own:
        below = without_options(below, str(own["name"]), where)
    of_another_kind = (where == "terminals" and _differs(below, own, "kind")) or (
        key == "pattern" and _differs(below, own, "name")
    )
    return own if of_another_kind else merged(below, own, where)


def _differs(below: Tree, own: Tree, key: str) -> bool:
    """Whether a table gives a key with another value than the base."""
    return key in own and own[key] != below.get(key)
