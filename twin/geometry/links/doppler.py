"""Doppler shift and its rate of change."""

import numpy as np

from twin.arrays import FloatArray
from twin.constants import LIGHT_SPEED_M_S
from twin.geometry.links.geometry import LinkStates


def doppler_hz(links: LinkStates, carrier_hz: float) -> FloatArray:
    """Doppler shift (S, K), -f ṙ / c; positive while the range decreases.

    First order in v/c; the second order is below 4e-10 of the carrier (6 Hz at 20 GHz, transverse motion).
    """
    return np.asarray(links.range_rate_km_s * (-carrier_hz * 1e3 / LIGHT_SPEED_M_S))


def doppler_rate_hz_s(links: LinkStates, carrier_hz: float) -> FloatArray:
    """Time derivative of the Doppler shift (S, K), -f r̈ / c."""
    return np.asarray(links.range_acceleration_km_s2 * (-carrier_hz * 1e3 / LIGHT_SPEED_M_S))
