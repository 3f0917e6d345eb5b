"""A literal scene as the problem that the project's precoders take."""

import numpy as np

from tests.literal.scenes import Scene
from twin.channel import PlanarArray, StatisticalCsi
from twin.precoding import PrecodingProblem


def problem_of(scene: Scene, *, master: np.ndarray | None = None) -> PrecodingProblem:
    """The same statistics, powers and clusters."""
    satellites, terminals = scene.gamma.shape
    csi = StatisticalCsi(
        norad_id=np.arange(1, satellites + 1),
        array=PlanarArray(rows=scene.shape[0], columns=scene.shape[1]),
        departure=scene.cosines[..., ::-1],
        gain=scene.gamma,
        rician=scene.kappa,
        mean_phase=scene.phi_bar,
        receive_steering=np.ones((satellites, terminals, 1), dtype=complex),
        isotropic_scattering=False,
        terminal_elements=np.ones(terminals, dtype=np.int64),
        noise_w=scene.sigma2,
    )
    if master is None:
        strongest = np.where(scene.serving, scene.gamma, -1.0).argmax(axis=0)
        master = np.where(scene.serving.any(axis=0), strongest, -1)
    return PrecodingProblem(csi=csi, serving=scene.serving, master=master, power_w=scene.P, weight=scene.beta)


def literal(problem: PrecodingProblem) -> dict[str, np.ndarray]:
    """The same problem in the letters of the literal algorithms."""
    csi = problem.csi
    return {
        "gamma": csi.gain,
        "kappa": csi.rician,
        "v": csi.steering(),
        "phi_bar": csi.mean_phase,
        "P": problem.power_w,
        "sigma2": csi.noise_w,
        "beta": problem.weight,
        "serving": problem.serving,
    }
