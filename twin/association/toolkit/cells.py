"""Grid of earth-fixed cells that tile the globe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.geometry.terminals.tracks import MEAN_EARTH_RADIUS_KM
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CellGrid:
    """Bands of latitude divided into nearly square cells, and a round cell at each pole.

    A meridian from pole to pole is divided into the whole number n of parts whose length is closest to the diameter.
    The polar cells have a radius of half a part; the n - 1 bands between them are one part high. Each band has the
    whole number of equal cells that makes them most nearly square at its middle; the first begins at longitude 0.
    Cells are numbered from the south pole, within a band eastwards. Distances are those of the mean sphere at geodetic
    latitudes, which differ by up to one per cent from those of the ellipsoid.
    """

    diameter_km: float
    """Nominal height and width of a cell."""

    @property
    def height_deg(self) -> float:
        """Height of a band, and diameter of a polar cell."""
        return 180.0 / self._parts

    @property
    def counts(self) -> IntArray:
        """(n + 1,) number of cells of each band from south to north, including the polar cells."""
        parts = self._parts
        step = np.arange(parts + 1)
        from_pole = np.radians(self.height_deg) * np.minimum(step, parts - step)
        return np.asarray(np.maximum(1, np.rint(360.0 / self.height_deg * np.sin(from_pole)).astype(np.int64)))

    def number(self, latitude_deg: FloatArray, longitude_deg: FloatArray) -> IntArray:
        """Return the number (...) of the cell at each position (...); a border belongs to the cell north or east."""
        counts = self.counts
        first = np.cumsum(counts) - counts
        band = np.floor((latitude_deg + 90.0) / self.height_deg + 0.5).astype(np.int64)
        column = np.floor(np.mod(longitude_deg, 360.0) / 360.0 * counts[band]).astype(np.int64)
        # a longitude just west of 0 can be rounded to 360
        return np.asarray(first[band] + np.minimum(column, counts[band] - 1))

    def centre_deg(self, number: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return latitude and longitude (...) of the centre of each cell (...), in [-90, 90] and [0, 360)."""
        counts = self.counts
        first = np.cumsum(counts) - counts
        band = np.searchsorted(first, number, side="right") - 1
        polar = counts[band] == 1
        longitude_deg = np.where(polar, 0.0, (number - first[band] + 0.5) / counts[band] * 360.0)
        return np.asarray(-90.0 + band * self.height_deg), np.asarray(longitude_deg)

    @property
    def _parts(self) -> int:
        """n, the number of parts of a meridian from pole to pole."""
        return max(1, round(np.pi * MEAN_EARTH_RADIUS_KM / self.diameter_km))
