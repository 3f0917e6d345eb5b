"""The tables of TR 38.811 (V15.4.0) over elevation, for four environments and two bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from twin.arrays import FloatArray
from twin.records import documented

Environment = Literal["dense_urban", "urban", "suburban", "rural"]
Band = Literal["s", "ka"]
Row = tuple[float, ...]

ENVIRONMENTS: Final[tuple[Environment, ...]] = get_args(Environment)
BANDS: Final[tuple[Band, ...]] = get_args(Band)

S_BAND_BELOW_GHZ: Final = 6.0
"""Upper limit of the report's S band (TR 38.811, Section 6.1.3)."""
KA_BAND_GHZ: Final = (17.0, 40.0)
"""Assumed limits of the report's Ka band, around its carriers of 20 and 30 GHz (ours)."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """Values of one environment and band at elevations of 10, 20, ... 90 degrees; one object for each combination."""

    los_probability: FloatArray
    """(9,) probability of a line of sight (Table 6.6.1-1)."""
    los_sigma_db: FloatArray
    """(9,) standard deviation of shadowing with line of sight (Tables 6.6.2-1 to 6.6.2-3)."""
    nlos_sigma_db: FloatArray
    """(9,) the same without line of sight."""
    clutter_db: FloatArray
    """(9,) clutter loss without line of sight (the same tables)."""
    k_mean_db: FloatArray
    """(9,) mean Rician factor with line of sight (Tables 6.7.2-1a, -3a, -5a, -7a in the S band, b in Ka)."""
    k_sigma_db: FloatArray
    """(9,) its standard deviation."""
    los_correlation_m: float
    """Correlation distance of shadowing with line of sight, in the horizontal plane (the same tables)."""
    nlos_correlation_m: float
    """The same without line of sight (Tables 6.7.2-2, -4, -6 and -8)."""
    k_correlation_m: float
    """Correlation distance of the Rician factor (the tables of its mean)."""
    state_correlation_m: float
    """Correlation distance of the line-of-sight state, and hence of the clutter loss, which depends on nothing else.

    TR 38.811 gives none. The values are those of TR 38.901, Table 7.6.3.1-2: UMa for the three built-up environments,
    RMa for the rural one. TR 38.811 takes its other distances from Table 7.5-6 of the same report.
    """

    @staticmethod
    def row(elevation_deg: FloatArray) -> NDArray[np.intp]:
        """Row of the reference elevation nearest to each elevation; the higher of two equally near ones.

        The report prescribes the nearest angle without interpolation (Sections 6.6.1 and 6.6.2).

        >>> Tables.row(np.array([-5.0, 14.9, 15.0, 90.0])).tolist()
        [0, 0, 1, 8]
        """
        return np.clip(np.floor(elevation_deg / 10.0 + 0.5), 1.0, 9.0).astype(np.intp) - 1


def band_of(carrier_hz: float) -> Band:
    """The band of a carrier.

    Raises
    ------
    ValueError
        If the report has no tables for it.
    """
    carrier_ghz = carrier_hz / 1e9
    if carrier_ghz < S_BAND_BELOW_GHZ:
        return "s"
    if KA_BAND_GHZ[0] <= carrier_ghz <= KA_BAND_GHZ[1]:
        return "ka"
    raise ValueError(
        f'band must be "s" or "ka" for a carrier of {carrier_ghz:g} GHz: TR 38.811 has tables for carriers below'
        f" {S_BAND_BELOW_GHZ:g} GHz and from {KA_BAND_GHZ[0]:g} to {KA_BAND_GHZ[1]:g} GHz"
    )


def tables(environment: Environment, band: Band) -> Tables:
    """The tables of one environment and band."""
    return _TABLES[environment, band]


_LOS: Final[dict[str, Row]] = {
    "dense_urban": (0.282, 0.331, 0.398, 0.468, 0.537, 0.612, 0.738, 0.820, 0.981),
    "urban": (0.246, 0.386, 0.493, 0.613, 0.726, 0.805, 0.919, 0.968, 0.992),
    "suburban": (0.782, 0.869, 0.919, 0.929, 0.935, 0.940, 0.949, 0.952, 0.998),
}

# (environment, band): sigma with line of sight, sigma without, clutter loss
_SHADOWING: Final[dict[tuple[str, str], tuple[Row, Row, Row]]] = {
    ("dense_urban", "s"): (
        (3.5, 3.4, 2.9, 3.0, 3.1, 2.7, 2.5, 2.3, 1.2),
        (15.5, 13.9, 12.4, 11.7, 10.6, 10.5, 10.1, 9.2, 9.2),
        (34.3, 30.9, 29.0, 27.7, 26.8, 26.2, 25.8, 25.5, 25.5),
    ),
    ("dense_urban", "ka"): (
        (2.9, 2.4, 2.7, 2.4, 2.4, 2.7, 2.6, 2.8, 0.6),
        (17.1, 17.1, 15.6, 14.6, 14.2, 12.6, 12.1, 12.3, 12.3),
        (44.3, 39.9, 37.5, 35.8, 34.6, 33.8, 33.3, 33.0, 32.9),
    ),
    ("urban", "s"): (
        (4.0,) * 9,
        (6.0,) * 9,
        (34.3, 30.9, 29.0, 27.7, 26.8, 26.2, 25.8, 25.5, 25.5),
    ),
    ("urban", "ka"): (
        (4.0,) * 9,
        (6.0,) * 9,
        (44.3, 39.9, 37.5, 35.8, 34.6, 33.8, 33.3, 33.0, 32.9),
    ),
    ("suburban", "s"): (
        (1.79, 1.14, 1.14, 0.92, 1.42, 1.56, 0.85, 0.72, 0.72),
        (8.93, 9.08, 8.78, 10.25, 10.56, 10.74, 10.17, 11.52, 11.52),
        (19.52, 18.17, 18.42, 18.28, 18.63, 17.68, 16.50, 16.30, 16.30),
    ),
    ("suburban", "ka"): (
        (1.9, 1.6, 1.9, 2.3, 2.7, 3.1, 3.0, 3.6, 0.4),
        (10.7, 10.0, 11.2, 11.6, 11.8, 10.8, 10.8, 10.8, 10.8),
        (29.5, 24.6, 21.9, 20.0, 18.7, 17.8, 17.2, 16.9, 16.8),
    ),
}

# (environment, band): mean and standard deviation of K
_RICIAN: Final[dict[tuple[str, str], tuple[Row, Row]]] = {
    ("dense_urban", "s"): (
        (4.4, 9.0, 9.3, 7.9, 7.4, 7.0, 6.9, 6.5, 6.8),
        (3.3, 6.6, 6.1, 4.0, 3.0, 2.6, 2.2, 2.1, 1.9),
    ),
    ("dense_urban", "ka"): (
        (6.1, 13.7, 12.9, 10.3, 9.2, 8.4, 8.0, 7.4, 7.6),
        (2.6, 6.8, 6.0, 3.3, 2.2, 1.9, 1.5, 1.6, 1.3),
    ),
    ("urban", "s"): (
        (31.83, 18.78, 10.49, 7.46, 6.52, 5.47, 4.54, 4.03, 3.68),
        (13.84, 13.78, 10.42, 8.01, 8.27, 7.26, 5.53, 4.49, 3.14),
    ),
    ("urban", "ka"): (
        (40.18, 23.62, 12.48, 8.56, 7.42, 5.97, 4.88, 4.22, 3.81),
        (16.99, 18.96, 14.23, 11.06, 11.21, 9.47, 7.24, 5.79, 4.25),
    ),
    ("suburban", "s"): (
        (11.40, 19.45, 20.80, 21.20, 21.60, 19.75, 12.00, 12.85, 12.85),
        (6.26, 10.32, 16.34, 15.63, 14.22, 14.19, 5.70, 9.91, 9.91),
    ),
    ("suburban", "ka"): (
        (8.9, 14.0, 11.3, 9.0, 7.5, 6.6, 5.9, 5.5, 5.4),
        (4.4, 4.6, 3.7, 3.5, 3.0, 2.6, 1.7, 0.7, 0.3),
    ),
    ("rural", "s"): (
        (24.72, 12.31, 8.05, 6.21, 5.04, 4.42, 3.92, 3.65, 3.59),
        (5.07, 5.75, 5.46, 5.23, 3.95, 3.75, 2.56, 1.77, 1.77),
    ),
    ("rural", "ka"): (
        (25.43, 12.72, 8.40, 6.52, 5.24, 4.57, 4.02, 3.70, 3.62),
        (7.04, 7.47, 7.18, 6.88, 5.28, 4.92, 3.40, 2.22, 2.28),
    ),
}

# shadowing with line of sight and without, K (TR 38.811, Tables 6.7.2-1 to 6.7.2-8, the same in both bands), and the
# line-of-sight state (TR 38.901, Table 7.6.3.1-2)
_CORRELATION_M: Final[dict[str, tuple[float, float, float, float]]] = {
    "dense_urban": (37.0, 50.0, 12.0, 50.0),
    "urban": (37.0, 50.0, 12.0, 50.0),
    "suburban": (37.0, 50.0, 12.0, 50.0),
    "rural": (37.0, 120.0, 40.0, 60.0),
}


def _column(values: Row) -> FloatArray:
    column = np.array(values)
    column.setflags(write=False)
    return column


def _made(environment: Environment, band: Band) -> Tables:
    # the report has one table for suburban and rural environments, except for K and the correlation distances
    shared = "suburban" if environment == "rural" else environment
    los_sigma, nlos_sigma, clutter = _SHADOWING[shared, band]
    k_mean, k_sigma = _RICIAN[environment, band]
    los_m, nlos_m, k_m, state_m = _CORRELATION_M[environment]
    return Tables(
        los_probability=_column(_LOS[shared]),
        los_sigma_db=_column(los_sigma),
        nlos_sigma_db=_column(nlos_sigma),
        clutter_db=_column(clutter),
        k_mean_db=_column(k_mean),
        k_sigma_db=_column(k_sigma),
        los_correlation_m=los_m,
        nlos_correlation_m=nlos_m,
        k_correlation_m=k_m,
        state_correlation_m=state_m,
    )


_TABLES: Final = {(environment, band): _made(environment, band) for environment in ENVIRONMENTS for band in BANDS}
