"""Thermal noise of a receiver."""

from twin.constants import BOLTZMANN_J_K, REFERENCE_TEMPERATURE_K
from twin.units import from_db


def noise_power_w(*, bandwidth_hz: float, noise_figure_db: float, antenna_temperature_k: float) -> float:
    """Noise power of a receiver in W: k B (T_antenna + T_0 (F - 1)). The noise figure F is defined at T_0 = 290 K.

    >>> from math import log10
    >>> noise_w = noise_power_w(bandwidth_hz=1.0, noise_figure_db=0.0, antenna_temperature_k=290.0)
    >>> round(10.0 * log10(noise_w), 1)
    -204.0
    """
    receiver_k = REFERENCE_TEMPERATURE_K * (float(from_db(noise_figure_db)) - 1.0)
    return BOLTZMANN_J_K * bandwidth_hz * (antenna_temperature_k + receiver_k)
