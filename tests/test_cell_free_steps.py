"""Are the steps of the max-min search what they say: exact to first order, and to second where they are corrected?"""

import numpy as np
import pytest

from tests.helpers.p5_problem import CELL_FREE, cell_free_problem
from twin.association.cell_free import coefficients_of
from twin.solvers.max_min.interior_point import DualVariables, InteriorPoint
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets
from twin.solvers.max_min.line_search import LineSearch
from twin.solvers.max_min.newton import CentringTarget, Newton
from twin.solvers.max_min.targets import LinearisedSinr, Sinr

SCENES = ("plain_0", "largest", "kappa_mixed", "powers_unequal")


def inside(name: str, goal: str) -> tuple[InteriorPoint, DualVariables]:
    """A point inside all limits, and multipliers that are not central."""
    scene, rng = CELL_FREE[name], np.random.default_rng(12)
    problem = cell_free_problem(scene)
    coefficients = coefficients_of(problem.csi, problem.power_w, beams="smrt")
    blocks = Blocks.of(coefficients, coefficients.useful(np.ones(scene.gamma.shape, bool)))
    weight = rng.uniform(0.5, 3.0, blocks.held.shape)
    budgets = Budgets.of(blocks, load=weight / 2, cluster=weight / 3)
    amplitude = budgets.within(rng.uniform(0.1, 1.0, blocks.held.shape) * blocks.held, 0.6)
    wanted = (blocks.signal * amplitude).sum(axis=1)
    least = float(blocks.sinr(amplitude).min())
    aim = Sinr() if goal == "sinr" else LinearisedSinr(y=wanted / least)
    point = InteriorPoint.at(blocks, budgets, aim, amplitude, 0.6 * least)
    central = DualVariables.central(point)
    held = DualVariables(
        terminals=central.terminals * rng.uniform(0.5, 2.0, central.terminals.shape),
        limits=central.limits * rng.uniform(0.5, 2.0, central.limits.shape),
        pairs=central.pairs * rng.uniform(0.5, 2.0, central.pairs.shape),
    ).normal(point)
    return point, held


def conditions(point: InteriorPoint, held: DualVariables) -> np.ndarray:
    """What must vanish for the amplitudes and for the target, and all products, written out from the inequalities."""
    blocks, budgets, slack = point.blocks, point.budgets, point.slack
    own = (held.terminals * slack.by_wanted)[:, None] * blocks.signal
    price = (budgets.weight * budgets.at_pairs(held.limits)).sum(axis=0)
    weighted_response = np.einsum("k,jka->ja", 2 * held.terminals * slack.by_unwanted, point.turned)
    amplitudes = own + weighted_response - 2 * price * point.amplitude + held.pairs * blocks.held
    target = point.goal.objective(point.target)[0] + held.terminals @ slack.by_target
    return np.concatenate([amplitudes[blocks.held], [target], held.products(point)])


def laid(force, pull, products: DualVariables, held) -> np.ndarray:
    return np.concatenate([force[held], [pull], products.terminals, products.limits, products.pairs[held]])


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("goal", ["sinr", "linearised"])
def test_a_step_meets_its_aim_as_far_as_first_derivatives_go(name, goal):
    point, held = inside(name, goal)
    aim = CentringTarget.even(point, 0.3 * float(held.products(point).mean()))
    step = Newton.at(point, held).step(aim)
    wanted = laid(np.zeros_like(point.amplitude), 0.0, aim.products, point.blocks.held)
    before, share = conditions(point, held), 1e-6
    after = conditions(point.moved(share * step.amplitude, share * step.target), held.moved(step.multipliers, share))
    moved = np.linalg.norm(after - before - share * (wanted - before))
    # the rest is of second order: a millionth of a step leaves a millionth of it, times how long the step is
    assert moved < 1e-3 * np.linalg.norm(share * (wanted - before))


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("goal", ["sinr", "linearised"])
def test_the_corrector_knows_all_second_derivatives(name, goal):
    """What a share of the greedy step leaves over is the corrector's, to an error that falls with the share."""
    point, held = inside(name, goal)
    greedy = Newton.at(point, held).greedy()
    aim = LineSearch.of(point, greedy.amplitude).beyond(held, greedy, 0.0)
    beyond = laid(aim.force, aim.pull, aim.products, point.blocks.held)
    count = len(held.products(point))
    beyond[-count:] *= -1.0  # products are aimed lower by what bending would add
    parts = [point.blocks.held.sum(), len(beyond) - count]
    before, left = conditions(point, held), []
    for share in (1e-2, 1e-3):
        moved = point.moved(share * greedy.amplitude, share * greedy.target)
        after = conditions(moved, held.moved(greedy.multipliers, share))
        rest = (after - (1.0 - share) * before) / share**2 - beyond
        left.append(np.array([np.linalg.norm(part) for part in np.split(rest, parts)]))
    size = np.array([np.linalg.norm(part) for part in np.split(beyond, parts)])
    assert (size[[0, 2]] > 0.0).all()
    # of third order: a tenth of the share leaves a tenth; 1e-6 is the rounding of differences over its square
    assert (left[1] < 0.2 * left[0] + 1e-6 * size.max()).all()
