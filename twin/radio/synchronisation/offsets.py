"""With what delay and Doppler a terminal hears the beams that are compensated for others."""

from __future__ import annotations

import numpy as np

from twin.arrays import Reach
from twin.radio.synchronisation.compensation import Compensation, Motion, Residual, delay_s, doppler_hz


def offsets(
    applied: Compensation, truth: Motion, *, carrier_hz: float, reach: Reach, sent: Reach | None = None
) -> Residual:
    """Delay and Doppler offsets of every beam at every terminal that hears it (P3, eq. 9).

    τ̃ = τ^cps of the beam's terminal less the delay to the one that listens; ν̃ = the listener's Doppler less ν^cps
    of the beam's terminal. A terminal's own beams have the residual of `residual`. `demodulate` tells what
    they do to the beam's symbols; all their power arrives anyway.

    Parameters
    ----------
    applied
        (S,K) what each satellite applies for each terminal.
    truth
        (S,K) motion of the links as it is.
    carrier_hz
        Carrier frequency.
    reach
        B terminals that may listen to each satellite.
    sent
        J terminals that it sends to; those in reach unless others are given.

    Returns
    -------
    Residual
        (S,B,J), listener first; zero where a satellite has fewer terminals than there are columns.
    """
    sent = reach if sent is None else sent
    there = (reach.terminal < reach.terminals)[:, :, None] & (sent.terminal < sent.terminals)[:, None, :]
    arriving_s = reach.gather(delay_s(truth.range_km))
    shifted_hz = reach.gather(doppler_hz(truth.range_rate_km_s, carrier_hz))
    return Residual(
        delay_s=np.where(there, sent.gather(applied.delay_s)[:, None, :] - arriving_s[:, :, None], 0.0),
        doppler_hz=np.where(there, shifted_hz[:, :, None] - sent.gather(applied.doppler_hz)[:, None, :], 0.0),
    )
