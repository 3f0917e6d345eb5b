"""Doppler shift and its rate."""

import numpy as np

from twin.arrays import FloatArray
from twin.constants import LIGHT_SPEED_M_S
from twin.geometry.links.geometry import LinkStates


def doppler_hz(links: LinkStates, carrier_hz: float) -> FloatArray:
    """Doppler shift (S, K), positive while the satellite comes closer: -f ṙ / c, first order in v/c.

    The second order is below 4e-10 of the carrier: 6 Hz at 20 GHz for a transverse pass.
    """
    return np.asarray(links.range_rate_km_s * (-carrier_hz * 1e3 / LIGHT_SPEED_M_S))


def doppler_rate_hz_s(links: LinkStates, carrier_hz: float) -> FloatArray:
    """Derivative of the Doppler shift (S, K): -f r̈ / c."""
    return np.asarray(links.range_acceleration_km_s2 * (-carrier_hz * 1e3 / LIGHT_SPEED_M_S))
