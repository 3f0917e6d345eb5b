"""Draws of the channels, by which rates are scored. No decision may read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin import randomness
from twin.arrays import ComplexArray, FloatArray, IntArray
from twin.radio.channel.statistical_csi import StatisticalCsi
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDraws:
    """D draws of the channels of one epoch."""

    receive: ComplexArray
    """(D,S,B,M) g = √γ (√(κ/(κ+1)) u + √(1/(κ+1)) ũ) e^{jϱ} of the pairs in reach; the channel is g vᵀ."""

    def of(self, rows: IntArray) -> ChannelDraws:
        """Draws of the satellites of some rows. All rows in ascending order give the same record."""
        if np.array_equal(rows, np.arange(self.receive.shape[1])):
            return self
        return ChannelDraws(receive=self.receive[:, rows])


def draw_channels(
    truth: StatisticalCsi, phase_error_rad: FloatArray, *, seed: int, epoch: int, purpose: str = "fading"
) -> ChannelDraws:
    """Draw Rician fading and apply given phase errors.

    Parameters
    ----------
    truth
        True statistics of the channels.
    phase_error_rad
        (D,S,B) drawn ϱ of the pairs in reach.
    seed, epoch
        Key of the random stream, together with the NORAD id. The draws of a satellite do not depend on which other
        satellites are drawn.
    purpose
        Further key of the stream. The default is that of the draws by which rates are scored.
    """
    draws, reach = phase_error_rad.shape[0], truth.reach
    steering = reach.gather(truth.receive_steering)
    los = reach.gather(np.sqrt(truth.gain * truth.los_fraction))[..., None] * steering
    receive = np.empty((draws, *los.shape), dtype=np.complex128)
    receive[:] = los
    amplitude = reach.gather(np.sqrt(truth.gain * (1.0 - truth.los_fraction)))
    for row in np.flatnonzero(amplitude.any(axis=1)):
        rng = randomness.stream(seed, purpose, epoch, int(truth.norad_id[row]))
        scattered = _scattered(truth, int(row), draws, rng)
        if not reach.whole:
            columns = np.minimum(reach.terminal[row], reach.terminals - 1)
            scattered = scattered[:, columns]
        receive[:, row] += amplitude[row][:, None] * scattered
    receive *= _rotation(phase_error_rad)[..., None]
    return ChannelDraws(receive=receive)


def _rotation(angle_rad: FloatArray) -> ComplexArray:
    """e^{jϱ} in single precision, where sine and cosine cost a tenth; exact for a zero angle."""
    angle = angle_rad.astype(np.float32)
    rotation = np.empty(angle.shape, dtype=np.complex128)
    rotation.real, rotation.imag = np.cos(angle), np.sin(angle)
    return rotation


def _scattered(truth: StatisticalCsi, row: int, draws: int, rng: np.random.Generator) -> ComplexArray:
    """(D,K,M) draws of ũ ~ CN(0, Σ) of one satellite, for all terminals."""
    terminals, elements = truth.receive_steering.shape[1:]
    if truth.scattering is not None:
        return np.asarray(
            (_unit_complex(rng, (draws, terminals, 1, elements)) @ _roots(truth.scattering[row]))[..., 0, :]
        )
    if not truth.isotropic_scattering:
        return np.asarray(_unit_complex(rng, (draws, terminals, 1)) * truth.receive_steering[row])
    return _unit_complex(rng, (draws, terminals, elements)) * np.sqrt(truth.white_scattering)


def _roots(covariance: ComplexArray) -> ComplexArray:
    """(K,M,M) A with Aᵀ A* = Σ; Σ may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]).swapaxes(1, 2))


def _unit_complex(rng: np.random.Generator, shape: tuple[int, ...]) -> ComplexArray:
    """Circular complex Gaussian variables of unit variance."""
    pairs = rng.standard_normal((*shape, 2))
    pairs *= np.sqrt(0.5)
    return np.asarray(pairs.view(np.complex128)[..., 0])
