"""A literal scene as the problem that the project's precoders take."""

from dataclasses import replace

import numpy as np

from tests.literal.scenes import Scene, scenes
from twin.precoding import PrecodingProblem
from twin.radio.channel import PlanarArray, StatisticalCsi


def _few_in_reach(scene: Scene, name: str, reached: int, serving: int) -> Scene:
    """Each satellite has links to some terminals alone, and serves a few of these."""
    rng = np.random.default_rng(len(name))
    order = rng.random(scene.gamma.shape).argsort(axis=1).argsort(axis=1)
    gamma = np.where(order < reached, scene.gamma, 0.0)
    return replace(scene, name=name, gamma=gamma, serving=order < serving)


def named_scenes() -> dict[str, Scene]:
    """The literal scenes, and some in which most satellites do not reach most terminals."""
    known = {scene.name: scene for scene in scenes()}
    sparse = (
        _few_in_reach(known["largest"], "few_in_reach", 4, 4),
        _few_in_reach(known["partial_clusters"], "few_in_reach_fewer_served", 5, 2),
        _few_in_reach(known["more_uts_than_antennas"], "one_in_reach", 1, 1),
        replace(known["plain_0"], name="nobody_in_reach", gamma=np.zeros_like(known["plain_0"].gamma)),
    )
    return known | {scene.name: scene for scene in sparse}


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
