"""A literal scene of P2 as the problem that the project's precoders take, and back."""

import numpy as np

from tests.literal.p2_scenes import Scene, scenes
from twin.precoding import PrecodingProblem
from twin.precoding.beamspace.codebook import ActiveBeams, Codebook, Subspace
from twin.radio.channel import PlanarArray, StatisticalCsi
from twin.solvers.span import Span

SCENES = {scene.name: scene for scene in scenes()}


def problem_of(scene: Scene) -> PrecodingProblem:
    """The same statistics, powers and clusters; the phases of the means go into the steering vectors of the UTs."""
    satellites, terminals, elements = scene.u.shape
    size = np.abs(scene.phi_bar)
    turn = np.where(size > 0.0, scene.phi_bar / np.where(size > 0.0, size, 1.0), 1.0)
    csi = StatisticalCsi(
        norad_id=np.arange(1, satellites + 1),
        array=PlanarArray(rows=scene.shape[0], columns=scene.shape[1]),
        departure=scene.cosines[..., ::-1],
        gain=scene.gamma,
        rician=scene.kappa,
        mean_phase=size,
        receive_steering=scene.u * turn[..., None],
        isotropic_scattering=False,
        scattering=scene.Sigma,
        terminal_elements=np.full(terminals, elements),
        noise_w=scene.sigma2,
    )
    strongest = np.where(scene.o, scene.gamma, -1.0).argmax(axis=0)
    master = np.where(scene.o.any(axis=0), strongest, -1)
    return PrecodingProblem(csi=csi, serving=scene.o, master=master, power_w=scene.P, weight=scene.beta)


def codebook_of(scene: Scene) -> Codebook:
    """The scene's codebook; both axes of the scenes are sampled alike."""
    return Codebook(
        array=PlanarArray(rows=scene.shape[0], columns=scene.shape[1]), oversampling=max(scene.oversampling)
    )


def active_of(scene: Scene) -> ActiveBeams:
    """The scene's beams, padded to one length."""
    index = np.full((len(scene.beams), max(len(beams) for beams in scene.beams)), -1)
    for row, beams in enumerate(scene.beams):
        index[row, : len(beams)] = beams
    return ActiveBeams.of(codebook_of(scene), index)


def space_of(scene: Scene) -> Subspace:
    """What the scene's beams can radiate."""
    return Subspace.of(problem_of(scene).csi, active_of(scene))


def told(scene: Scene) -> dict[str, object]:
    """The scene for the literal algorithms: our phases of v, and an orthonormal basis of the active beams for F A."""
    problem, active = problem_of(scene), active_of(scene)
    beams = problem.csi.array.steering(active.departure).conj().swapaxes(1, 2)
    basis = Span.of(active.gram(problem.csi.array)).basis if max(scene.oversampling) > 1 else None
    F, A = [], []
    for row, held in enumerate(active.index >= 0):
        own = beams[row][:, held] if basis is None else beams[row] @ basis[row]
        F.append(own)
        A.append(np.eye(own.shape[1]))
    return scene.problem() | {"v": problem.csi.steering(), "F": F, "A": A}
