"""Coefficients b, c and d (P5, eq. 28) of the use-and-forget SINR (P5, eq. 27), from statistical CSI."""

from __future__ import annotations

from typing import Literal

import numpy as np

from twin.arrays import FloatArray, NumberArray
from twin.errors import InputError
from twin.radio.channel import StatisticalCsi
from twin.solvers.max_min.coefficients import Coefficients
from twin.solvers.pseudo_inverse import ONE_DIRECTION, pseudo_inverse

Beams = Literal["smrt", "szf"]
Interference = Literal["coherent", "independent"]


def coefficients_of(
    csi: StatisticalCsi, power_w: FloatArray, *, beams: Beams, interference: Interference = "coherent"
) -> Coefficients:
    """Return the coefficients of sMRT or sZF beams (P5, eq. 28 with the root over ν and κν, and c = 0 at sZF's nulls).

    The variance of imperfect phases adds to that of the fading. A terminal with several antennas is treated as one
    antenna with the gain of its array.

    Parameters
    ----------
    csi
        Statistics of S satellites and K terminals; its carrier phases, if any, apply to the leakage.
    power_w
        (S,) power of each satellite.
    beams
        ``smrt``: matched to the terminal; ``szf``: nulls at all other terminals in reach (by the pseudo-inverse where
        directions coincide, so that terminals at one position share a beam).
    interference
        ``coherent``: the mean interference amplitudes of several satellites add up, with the current carrier phases
        (P5); ``independent``: their powers add up, which is the average over independent phases.

    Raises
    ------
    InputError
        If a power is negative or not finite, or a noise power is not positive.
    """
    _check(csi, power_w)
    reach, response = csi.reach, _beam_response(csi.gram, beams)
    mean = reach.gather(csi.mean_amplitude) * np.sqrt(power_w)[:, None]
    variance = np.maximum(csi.gain - csi.mean_amplitude**2, 0.0) * power_w[:, None]
    leak: NumberArray = mean[:, :, None] * response
    deviation = np.sqrt(reach.gather(variance))[:, :, None] * np.abs(response)
    if interference == "independent":
        others = ~np.eye(leak.shape[1], dtype=np.bool_)
        deviation, leak = np.hypot(deviation, leak * others), leak * ~others
    elif csi.carrier_phase_rad is not None:
        phasor = np.exp(1j * reach.gather(csi.carrier_phase_rad))
        leak = leak * (phasor[:, :, None] * phasor.conj()[:, None, :])
    return Coefficients(
        reach=reach,
        signal=mean * np.einsum("skk->sk", response),
        deviation=deviation,
        leak=leak,
        noise_w=csi.noise_w,
    )


def _beam_response(gram: FloatArray, beams: Beams) -> FloatArray:
    """Return (S,B,B) v_kᵀ w_j: response at terminal k, with a unit channel, to the unit-norm beam for terminal j."""
    if beams == "smrt":
        return gram
    inverse = pseudo_inverse(gram)
    product = gram @ inverse
    norm = np.sqrt(np.maximum((inverse * product).sum(axis=1), 0.0))[:, None, :]
    response = np.divide(product, norm, where=norm > 0.0, out=np.zeros_like(product))
    # rounding errors at nulls would couple independent groups of terminals
    return np.asarray(np.where(np.abs(response) < ONE_DIRECTION, 0.0, response))


def _check(csi: StatisticalCsi, power_w: FloatArray) -> None:
    wrong = np.flatnonzero(~(np.isfinite(power_w) & (power_w >= 0.0)))
    if len(wrong):
        raise InputError(f"power_w[{wrong[0]}]: found {power_w[wrong[0]]}, allowed finite values of 0 or more")
    wrong = np.flatnonzero(~(np.isfinite(csi.noise_w) & (csi.noise_w > 0.0)))
    if len(wrong):
        raise InputError(f"noise_w[{wrong[0]}]: found {csi.noise_w[wrong[0]]}, allowed finite values above 0")
