"""Scintillation loss: ionospheric below 6 GHz, tropospheric from 6 GHz."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from twin.arrays import FloatArray
from twin.radio.channel.environment import Tables

Zone = Literal["low", "middle", "high"]

BORDER_GHZ: Final = 6.0
"""Limit between ionospheric (below) and tropospheric scintillation (TR 38.811, Section 6.6.6)."""
FLUCTUATION_4_GHZ_DB: Final = 1.1
"""Peak-to-peak fluctuation at 4 GHz that gives the 2.2 dB at 2 GHz of TR 38.821, Table 6.1.3.2-1."""
STRONG_FLUCTUATION_DB: Final = 17.0
"""Fluctuation for a scintillation index S4 = 0.7, which the report assumes beyond 60 degrees of latitude."""
_TROPOSPHERE_DB: Final = np.array([1.08, 0.48, 0.30, 0.22, 0.17, 0.13, 0.12, 0.12, 0.12])


def zone_of(latitude_deg: float) -> Zone:
    """Ionospheric zone of a latitude: low up to 20 degrees, high beyond 60 (TR 38.811, Section 6.6.6.1.4).

    >>> zone_of(-20.0), zone_of(45.0), zone_of(61.0)
    ('low', 'middle', 'high')
    """
    absolute_deg = abs(latitude_deg)
    return "low" if absolute_deg <= 20.0 else "middle" if absolute_deg <= 60.0 else "high"


def ionospheric_db(carrier_hz: float, zone: Zone, fluctuation_4_ghz_db: float = FLUCTUATION_4_GHZ_DB) -> float:
    """Ionospheric scintillation loss in dB (TR 38.811, eq. 6.6-13 and the last paragraph of Section 6.6.6.1.4).

    >>> round(ionospheric_db(2e9, "low"), 2), ionospheric_db(2e9, "middle"), round(ionospheric_db(2e9, "high"), 1)
    (2.2, 0.0, 12.0)
    """
    if zone == "middle":
        return 0.0
    if zone == "high":
        return float(STRONG_FLUCTUATION_DB / np.sqrt(2.0))
    return float(fluctuation_4_ghz_db * (carrier_hz / 4e9) ** -1.5 / np.sqrt(2.0))


def tropospheric_db(elevation_deg: FloatArray) -> FloatArray:
    """Tropospheric scintillation loss in dB exceeded for 1 % of the time (TR 38.811, Table 6.6.6.2.1-1).

    The table was measured at 20 GHz in Toulouse; the report applies it to its whole upper band.
    """
    return np.asarray(_TROPOSPHERE_DB[Tables.row(elevation_deg)])


def scintillation_db(
    elevation_deg: FloatArray, carrier_hz: float, zone: Zone, fluctuation_4_ghz_db: float = FLUCTUATION_4_GHZ_DB
) -> FloatArray:
    """Scintillation loss in dB that applies at a carrier, in the shape of the elevations."""
    if carrier_hz < BORDER_GHZ * 1e9:
        return np.full(elevation_deg.shape, ionospheric_db(carrier_hz, zone, fluctuation_4_ghz_db))
    return tropospheric_db(elevation_deg)
