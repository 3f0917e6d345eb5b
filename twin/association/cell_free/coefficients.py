"""What the use-and-forget SINR (P5, eq. 27) is made of: b, c and d of equation 28, from statistics alone."""

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
    """Coefficients of sMRT or sZF beams (P5, eq. 28 with the root over ν and κν, and c = 0 where sZF nulls).

    Where the phase is imperfect its variance adds to that of the fading. Terminals with several antennas are taken
    for one antenna with their array's gain.

    Parameters
    ----------
    csi
        Statistics of S satellites and K terminals; its carrier phases, if any, turn the leakage.
    power_w
        (S,) power of each satellite.
    beams
        ``smrt`` points at the terminal; ``szf`` nulls all others in reach (by the pseudo-inverse where directions
        coincide, so that terminals at one place share a beam).
    interference
        ``coherent``: the mean amplitudes of several satellites add up at a stranger, in the phases of this moment
        (P5); ``independent``: their powers do, which is the mean over phases that turn while powers rest.

    Raises
    ------
    InputError
        If a power is negative or not finite, or a noise power is not positive.
    """
    _check(csi, power_w)
    reach, seen = csi.reach, _seen(csi.gram, beams)
    mean = reach.gather(csi.mean_amplitude) * np.sqrt(power_w)[:, None]
    variance = np.maximum(csi.gain - csi.mean_amplitude**2, 0.0) * power_w[:, None]
    leak: NumberArray = mean[:, :, None] * seen
    spread = np.sqrt(reach.gather(variance))[:, :, None] * np.abs(seen)
    if interference == "independent":
        others = ~np.eye(leak.shape[1], dtype=np.bool_)
        spread, leak = np.hypot(spread, leak * others), leak * ~others
    elif csi.carrier_phase_rad is not None:
        turn = np.exp(1j * reach.gather(csi.carrier_phase_rad))
        leak = leak * (turn[:, :, None] * turn.conj()[:, None, :])
    return Coefficients(
        reach=reach,
        signal=mean * np.einsum("skk->sk", seen),
        spread=spread,
        leak=leak,
        noise_w=csi.noise_w,
    )


def _seen(gram: FloatArray, beams: Beams) -> FloatArray:
    """(S,B,B) v_kᵀ w_j: what a unit channel to terminal k carries of the unit beam for terminal j."""
    if beams == "smrt":
        return gram
    inverse = pseudo_inverse(gram)
    along = gram @ inverse
    length = np.sqrt(np.maximum((inverse * along).sum(axis=1), 0.0))[:, None, :]
    seen = np.divide(along, length, where=length > 0.0, out=np.zeros_like(along))
    # what rounding leaves of a null would make strangers depend on each other
    return np.asarray(np.where(np.abs(seen) < ONE_DIRECTION, 0.0, seen))


def _check(csi: StatisticalCsi, power_w: FloatArray) -> None:
    wrong = np.flatnonzero(~(np.isfinite(power_w) & (power_w >= 0.0)))
    if len(wrong):
        raise InputError(f"power_w[{wrong[0]}] is {power_w[wrong[0]]}; a satellite's power is finite and not negative")
    wrong = np.flatnonzero(~(np.isfinite(csi.noise_w) & (csi.noise_w > 0.0)))
    if len(wrong):
        raise InputError(f"noise_w[{wrong[0]}] is {csi.noise_w[wrong[0]]}; a noise power is finite and above zero")
