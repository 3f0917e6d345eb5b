"""Former names of keys, which scenarios may still use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.errors import InputError

Tree = dict[str, Any]

FORMER_KEYS: Final[Mapping[str, Mapping[str, str]]] = {"channel": {"prefix_share": "cyclic_prefix_ratio"}}
"""For each section, the former and the present name of its renamed keys."""


def with_present_names(tree: Tree, origin: str) -> Tree:
    """The scenario with every former key under its present name.

    Raises
    ------
    InputError
        If a section gives both names; the message begins with ``origin``.
    """
    return {key: _section(key, value, origin) for key, value in tree.items()}


def present_name(key: str) -> str:
    """The present name of a dotted key.

    >>> present_name("channel.prefix_share"), present_name("time.epoch")
    ('channel.cyclic_prefix_ratio', 'time.epoch')
    """
    section, _, name = key.partition(".")
    present = FORMER_KEYS.get(section, {}).get(name)
    return f"{section}.{present}" if present else key


def _section(section: str, value: Any, origin: str) -> Any:
    renamed = FORMER_KEYS.get(section, {})
    if not isinstance(value, dict) or not renamed.keys() & value.keys():
        return value
    for former, present in renamed.items():
        if former in value and present in value:
            raise InputError(
                f"{origin}: {section}: both {present} and {former} are given;"
                f" {former} is the former name of {present}, give {present} alone"
            )
    return {renamed.get(key, key): item for key, item in value.items()}
