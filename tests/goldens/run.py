"""Runs a scenario of the recorded ones, in one go or cut in two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import twin


def whole(tree: dict[str, Any], out: Path) -> Any:
    """The trace of a run without interruption."""
    return twin.run(_scenario(tree), out)


def cut(tree: dict[str, Any], out: Path, epoch: int) -> Any:
    """The trace of a run that is interrupted after an epoch and resumed."""

    def stop(finished: int, _: int) -> None:
        if finished == epoch:
            raise KeyboardInterrupt

    try:
        twin.run(_scenario(tree), out, progress=stop)
    except KeyboardInterrupt:
        return twin.run(_scenario(tree), out, resume=True)
    raise AssertionError("the run was not interrupted")


def _scenario(tree: dict[str, Any]) -> Any:
    from twin.scenario import from_mapping

    return from_mapping(tree)
