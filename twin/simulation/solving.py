"""From a precoding task to weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from twin.errors import InputError, plugin_errors, plugin_place
from twin.precoding import AntennaWeights, Precoding, PrecodingProblem, SpannedWeights
from twin.precoding.packing import check_packable
from twin.radio.channel import StatisticalCsi
from twin.simulation.decisions import PrecodingTask
from twin.world.setup import Setup

ROUNDING: Final = 1e-5
"""Fraction by which weights may seem to exceed a budget: zero forcing of terminals close together takes differences of
numbers a billion times larger."""


def solve(setup: Setup, task: PrecodingTask, solutions: Mapping[int, Precoding]) -> Precoding:
    """Run the precoder on believed statistics.

    Parameters
    ----------
    solutions
        Precodings by number; the one to start from must be among them.

    Raises
    ------
    InputError
        If the precoder, perhaps a user's own, breaks a rule.
    """
    table = task.table
    start = None if task.start is None else solutions[task.start].weights.on(table.norad_id)
    problem = PrecodingProblem(
        csi=known_csi(setup, task),
        serving=table.member,
        master=table.master,
        power_w=np.full(len(table.norad_id), setup.power_w),
        weight=setup.terminals.weight,
        power_fraction=table.power_fraction,
        beam=table.beam if (table.beam >= 0).any() else None,
        start=start,
    )
    where = f'precoding.name: the precoder "{setup.scenario.precoding.name}"'
    with plugin_errors(setup.precoder, where):
        precoding = setup.precoder(problem)
    check_precoding(precoding, task, setup.power_w, f"{where}{plugin_place(setup.precoder)}")
    return precoding


def known_csi(setup: Setup, task: PrecodingTask) -> StatisticalCsi:
    """The statistical CSI that has reached the precoder."""
    belief, norad_id = setup.belief, task.table.norad_id
    if task.csi_ns == task.time_ns:
        return belief.csi(belief.snapshot(task.epoch), norad_id)
    return belief.csi_at(task.csi_ns, norad_id)


def check_precoding(precoding: Precoding, task: PrecodingTask, budget_w: float, where: str) -> None:
    """Refuse an answer that is no precoding, and weights of another kind or shape, not finite or above the budget.

    Parameters
    ----------
    where
        Which precoder, as the beginning of a message.

    Raises
    ------
    InputError
        Naming the precoder and the rule that it broke.
    """
    if not isinstance(precoding, Precoding):
        raise InputError(f"{where} gave {type(precoding).__name__}, must be Precoding")
    weights, table = precoding.weights, task.table
    if not isinstance(weights, SpannedWeights | AntennaWeights):
        raise InputError(f"{where} gave {type(weights).__name__}, must be SpannedWeights or AntennaWeights")
    try:
        check_packable(weights)
    except ValueError as error:
        raise InputError(f"{where} gave {error}") from None
    power_w = weights.power_w()
    if power_w.shape != table.member.shape or not np.array_equal(weights.norad_id, table.norad_id):
        raise InputError(
            f"{where} gave weights for {power_w.shape[0]} satellites and {power_w.shape[1]} terminals,"
            f" must be those of the problem: {table.member.shape[0]} and {table.member.shape[1]}"
        )
    if not np.isfinite(power_w).all():
        raise InputError(f"{where} gave weights that are not finite")
    spent_w = float((power_w * table.member).sum(axis=1).max(initial=0.0))
    if spent_w > budget_w * (1.0 + ROUNDING):
        raise InputError(f"{where} spends {spent_w:g} W at one satellite, the budget is {budget_w:g} W")
