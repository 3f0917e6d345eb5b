"""Statistics of a few random links, and weights, draws and streams on them."""

from dataclasses import replace

import numpy as np

from twin.precoding import AntennaWeights
from twin.radio.channel import ChannelDraws, PlanarArray, StatisticalCsi, draw_channels
from twin.radio.synchronisation import draw_phase_errors
from twin.radio.waveform import Waveform
from twin.rates import Streams

WAVE = Waveform.of(carrier_hz=2e9, subcarrier_hz=30e3, bandwidth_hz=20e6)


def world(*, elements=(1, 1, 1), satellites=3, isotropic=False, kappa=None, zeta2=0.5, seed=0) -> StatisticalCsi:
    """Statistics of a few random links at about 20 dB."""
    rng = np.random.default_rng(seed)
    pairs = (satellites, len(elements))
    steering = np.zeros((*pairs, max(elements)), dtype=complex)
    for terminal, count in enumerate(elements):
        phases = 2 * np.pi * rng.random((satellites, count))
        steering[:, terminal, :count] = np.exp(1j * phases) / np.sqrt(count)
    return StatisticalCsi(
        norad_id=np.arange(7, 7 + satellites),
        array=PlanarArray(rows=2, columns=3),
        departure=rng.uniform(-0.6, 0.6, (*pairs, 2)),
        gain=10 ** rng.uniform(-12.5, -11.5, pairs),
        rician=np.full(pairs, kappa) if kappa is not None else 10 ** rng.uniform(-1, 2, pairs),
        mean_phase=np.exp(-0.5 * np.full(pairs, zeta2)),
        receive_steering=steering,
        isotropic_scattering=isotropic,
        terminal_elements=np.array(elements),
        noise_w=10 ** rng.uniform(-14.5, -13.5, len(elements)),
        # differences of up to a few symbols of 33 us, half of them within one
        delay_s=np.random.default_rng([seed, 1]).uniform(2e-3, 2e-3 + 6e-5, pairs),
    )


def random_weights(csi: StatisticalCsi, streams: int = 1, seed: int = 1) -> AntennaWeights:
    shape = (*csi.gain.shape, csi.array.elements, streams)
    real, imaginary = np.random.default_rng(seed).standard_normal((2, *shape))
    return AntennaWeights(norad_id=csi.norad_id, array=csi.array, weights=(real + 1j * imaginary) / 4)


def drawn(csi: StatisticalCsi, draws: int, zeta2: float = 0.5, seed: int = 5) -> ChannelDraws:
    variance = np.full(csi.gain.shape, zeta2)
    phases = draw_phase_errors(variance, csi.norad_id, draws=draws, seed=seed, epoch=3, reach=csi.reach)
    return draw_channels(csi, phases, seed=seed, epoch=3)


def for_all(csi: StatisticalCsi, draws: ChannelDraws) -> np.ndarray:
    """Draws (D,S,K,M) of all pairs, zero for those out of reach."""
    return np.array([csi.reach.scatter(draw) for draw in draws.receive])


def streams_of(weights, csi: StatisticalCsi) -> Streams:
    return Streams.of(weights, csi, np.ones(csi.gain.shape, dtype=bool), waveform=WAVE)


def sparse_world(**told) -> tuple[StatisticalCsi, StatisticalCsi]:
    """Statistics in which each satellite reaches two terminals of six, and the same with one that reaches all."""
    csi = world(elements=(1, 2, 1, 2, 2, 1), satellites=4, isotropic=True, **told)
    linked = np.random.default_rng(9).random(csi.gain.shape).argsort(axis=1).argsort(axis=1) < 2
    few = replace(csi, gain=np.where(linked, csi.gain, 0.0))
    linked[1] = True
    return few, replace(csi, gain=np.where(linked, csi.gain, 0.0))
