"""A literal cell-free scene as the problem that the project's precoders take."""

from dataclasses import replace

import numpy as np

from tests.helpers.scene_problem import problem_of
from tests.literal.p5_precoders import pilots
from tests.literal.p5_scenes import CellFreeScene, cell_free_scenes
from twin.precoding import PrecodingProblem


def _counted_from_the_middle(scene: CellFreeScene) -> CellFreeScene:
    """The scene with phases counted from the middle of the array, on which sums over satellites depend."""
    return replace(scene, v=problem_of(scene).csi.steering())


CELL_FREE = {scene.name: _counted_from_the_middle(scene) for scene in cell_free_scenes()}
PERFECT = [name for name, scene in CELL_FREE.items() if (abs(abs(scene.phi_bar) - 1) < 1e-12).all()]
IN_TURN = [
    name
    for name in PERFECT
    if np.array_equal(CELL_FREE[name].psi, pilots(*CELL_FREE[name].psi.shape))  # the project has no other pilots
]


def cell_free_problem(scene: CellFreeScene) -> PrecodingProblem:
    """The same statistics, shares and clusters; the phase of the line of sight becomes the carrier's."""
    size = np.abs(scene.phi_bar)
    problem = problem_of(replace(scene, phi_bar=np.where(abs(size - 1) < 1e-12, 1.0, size)))
    csi = replace(problem.csi, carrier_phase_rad=np.angle(scene.phi_bar))
    return replace(problem, csi=csi, power_fraction=scene.p**2)
