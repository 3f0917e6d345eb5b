"""A scene of P1 as the problem that the project's precoders take, and back into the letters of the literal version."""

import numpy as np

from tests.literal import p1_streamwise
from tests.literal.p1_scenes import Scene, scenes
from twin.precoding import PrecodingProblem
from twin.precoding.noncoherent.constraints import PowerConstraints
from twin.radio.channel import PlanarArray, StatisticalCsi

SCENES = {scene.name: scene for scene in scenes()}
CAPPED = [name for name, scene in SCENES.items() if scene.rho is not None]
MANY = [name for name in SCENES if name not in CAPPED]
STREAMWISE = [name for name in CAPPED if SCENES[name].serving.sum(axis=0).min() >= SCENES[name].S]


def linear(elements: int) -> PlanarArray:
    return PlanarArray(rows=1, columns=elements)


def problem_of(scene: Scene) -> PrecodingProblem:
    """The same statistics, caps and clusters; phases from the middle of the arrays instead of their corners."""
    satellites, terminals = scene.beta.shape
    departure = np.zeros((satellites, terminals, 2))
    departure[..., 0] = -scene.sin_phi  # phases fall along our arrays and rise along P1's
    arrival = np.zeros_like(departure)
    arrival[..., 0] = -scene.sin_theta
    csi = StatisticalCsi(
        norad_id=np.arange(1, satellites + 1),
        array=linear(scene.N),
        departure=departure,
        gain=scene.beta * scene.M * scene.N,
        rician=scene.kappa,
        mean_phase=np.zeros((satellites, terminals)),
        receive_steering=linear(scene.M).steering(arrival),
        isotropic_scattering=False,
        terminal_elements=np.full(terminals, scene.M),
        noise_w=scene.sigma2,
    )
    strongest = np.where(scene.serving, scene.beta, -1.0).argmax(axis=0)
    return PrecodingProblem(
        csi=csi,
        serving=scene.serving,
        master=np.where(scene.serving.any(axis=0), strongest, -1),
        power_w=np.array([min(rho for _, rho in caps) for caps in scene.constraints]),
        weight=np.ones(terminals),
    )


def constraints_of(scene: Scene) -> list[PowerConstraints]:
    """The scene's constraints, diagonals alone where there is no more to them."""
    return [_constraints(caps) for caps in scene.constraints]


def _constraints(caps: list) -> PowerConstraints:
    forms = np.array([A for A, _ in caps])
    diagonals = np.einsum("xnn->xn", forms)
    only = all(np.array_equal(A, np.diag(d)) for A, d in zip(forms, diagonals, strict=True))
    return PowerConstraints(forms=diagonals.real if only else forms, cap_w=np.array([rho for _, rho in caps], float))


def effective(problem: PrecodingProblem) -> np.ndarray:
    """H~ (L,K,M,N)."""
    csi = problem.csi
    return np.sqrt(csi.gain)[..., None, None] * csi.receive_steering[..., :, None] * csi.steering()[..., None, :]


def literal(scene: Scene, problem: PrecodingProblem) -> dict:
    """The same problem in the letters of `p1_joint.joint`."""
    return scene.problem() | {"H": effective(problem), "omega": problem.weight}


def literal_streamwise(scene: Scene, problem: PrecodingProblem) -> dict:
    """The same problem in the letters of `p1_streamwise.streamwise`."""
    return {
        "H": effective(problem),
        "sigma2": scene.sigma2,
        "rho": scene.rho,
        "S": scene.S,
        "serving": scene.serving,
        "omega": problem.weight,
    }


def mask_of(pi: np.ndarray, satellites: int) -> np.ndarray:
    """(L,K,S) of an association (K,S)."""
    return p1_streamwise.stream_mask(pi, satellites)
