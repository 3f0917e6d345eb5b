"""The drawn truth: what the channels turn out to be, which no decision may see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin import randomness
from twin.arrays import ComplexArray, FloatArray, IntArray
from twin.radio.channel.statistical_csi import StatisticalCsi


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDraws:
    """D draws of the channels of one epoch."""

    receive: ComplexArray
    """(D,S,B,M) √γ (√(κ/(κ+1)) u + √(1/(κ+1)) ũ) e^{jϱ} of the terminals in reach: the channel less vᵀ."""

    def of(self, rows: IntArray) -> ChannelDraws:
        """The draws of some satellites; rows in order, and all of them, give the same record."""
        if np.array_equal(rows, np.arange(self.receive.shape[1])):
            return self
        return ChannelDraws(receive=self.receive[:, rows])


def draw_channels(
    truth: StatisticalCsi, phase_error_rad: FloatArray, *, seed: int, epoch: int, purpose: str = "fading"
) -> ChannelDraws:
    """Draw fading for given phase errors.

    Parameters
    ----------
    truth
        Statistics of the world as it is.
    phase_error_rad
        (D,S,B) drawn ϱ of the terminals in reach.
    seed, epoch
        Key of the draws, with each satellite's number: a pair's draws do not depend on which other pairs are asked for.
    purpose
        What the draws are for: those by which rates are scored unless it says otherwise.
    """
    draws, reach = phase_error_rad.shape[0], truth.reach
    steering = reach.gather(truth.receive_steering)
    along = reach.gather(np.sqrt(truth.gain * truth.los_fraction))[..., None] * steering
    receive = np.empty((draws, *along.shape), dtype=np.complex128)
    receive[:] = along
    amplitude = reach.gather(np.sqrt(truth.gain * (1.0 - truth.los_fraction)))
    for row in np.flatnonzero(amplitude.any(axis=1)):
        rng = randomness.stream(seed, purpose, epoch, int(truth.norad_id[row]))
        scattered = _scattered(truth, int(row), draws, rng)
        if not reach.whole:
            held = np.minimum(reach.terminal[row], reach.terminals - 1)
            scattered = scattered[:, held]
        receive[:, row] += amplitude[row][:, None] * scattered
    receive *= _rotation(phase_error_rad)[..., None]
    return ChannelDraws(receive=receive)


def _rotation(angle_rad: FloatArray) -> ComplexArray:
    """e^{jϱ}, to the precision of single floats, in which sines are ten times cheaper; a zero angle is exact."""
    angle = angle_rad.astype(np.float32)
    rotation = np.empty(angle.shape, dtype=np.complex128)
    rotation.real, rotation.imag = np.cos(angle), np.sin(angle)
    return rotation


def _scattered(truth: StatisticalCsi, row: int, draws: int, rng: np.random.Generator) -> ComplexArray:
    """(D,K,M) draws of ũ ~ CN(0, Σ) from one satellite, for all terminals."""
    terminals, elements = truth.receive_steering.shape[1:]
    if truth.scattering is not None:
        return np.asarray(
            (_unit_complex(rng, (draws, terminals, 1, elements)) @ _roots(truth.scattering[row]))[..., 0, :]
        )
    if not truth.isotropic_scattering:
        return np.asarray(_unit_complex(rng, (draws, terminals, 1)) * truth.receive_steering[row])
    return _unit_complex(rng, (draws, terminals, elements)) * np.sqrt(truth.white_scattering)


def _roots(covariance: ComplexArray) -> ComplexArray:
    """(K,M,M) A with Aᵀ A* = Σ, for Σ that may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]).swapaxes(1, 2))


def _unit_complex(rng: np.random.Generator, shape: tuple[int, ...]) -> ComplexArray:
    """Circular complex Gaussians of unit variance."""
    pairs = rng.standard_normal((*shape, 2))
    pairs *= np.sqrt(0.5)
    return np.asarray(pairs.view(np.complex128)[..., 0])
