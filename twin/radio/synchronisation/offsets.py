"""Delay and Doppler offsets of beams at terminals that they are not compensated for."""

from __future__ import annotations

import numpy as np

from twin.arrays import Reach
from twin.radio.synchronisation.compensation import Compensation, Motion, Residual, delay_s, doppler_hz


def offsets(
    applied: Compensation, truth: Motion, *, carrier_hz: float, reach: Reach, sent: Reach | None = None
) -> Residual:
    """Delay and Doppler offsets of every beam at every terminal that receives it (P3, eq. 9).

    τ̃ = τ^cps of the beam's terminal minus the delay to the receiving terminal. ν̃ = the Doppler shift of the receiving
    terminal minus ν^cps of the beam's terminal. For a terminal's own beams these are the errors of `residual`. The
    effect on the symbols of a beam is that of `demodulate`; the received power does not depend on the offsets.

    Parameters
    ----------
    applied
        (S,K) compensation of each satellite for each terminal.
    truth
        (S,K) true motion of the links.
    carrier_hz
        Carrier frequency in Hz.
    reach
        B terminals that may receive each satellite.
    sent
        J terminals that it transmits to; None means those in reach.

    Returns
    -------
    Residual
        (S,B,J) over receiving terminal and beam; zero where a satellite has fewer terminals than columns.
    """
    sent = reach if sent is None else sent
    linked = (reach.terminal < reach.terminals)[:, :, None] & (sent.terminal < sent.terminals)[:, None, :]
    link_delay_s = reach.gather(delay_s(truth.range_km))
    link_doppler_hz = reach.gather(doppler_hz(truth.range_rate_km_s, carrier_hz))
    return Residual(
        delay_s=np.where(linked, sent.gather(applied.delay_s)[:, None, :] - link_delay_s[:, :, None], 0.0),
        doppler_hz=np.where(linked, link_doppler_hz[:, :, None] - sent.gather(applied.doppler_hz)[:, None, :], 0.0),
    )
