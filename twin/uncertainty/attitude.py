"""Attitude errors of satellites and the departure angles that result."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twin.arrays import FloatArray
from twin.geometry.links import LinkStates
from twin.records import documented
from twin.uncertainty.draws import unit_errors, update_numbers
from twin.uncertainty.errors import AttitudeError


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Attitude:
    """Attitude errors of all satellites as functions of time.

    A beam that is steered by a believed attitude points off its terminal by the error.
    """

    error: AttitudeError
    """Standard deviations and update times."""
    seed: int
    """Key of the draws, together with the satellite and the update."""

    @property
    def perfect(self) -> bool:
        """Whether the attitude of every satellite is known exactly."""
        return not any((self.error.roll_deg, self.error.pitch_deg, self.error.yaw_deg))

    def mistaken(self, links: LinkStates) -> LinkStates:
        """Links with the directions of departure in the believed, rotated frame of each satellite's array."""
        if self.perfect or not len(links.norad_id):
            return links
        at_ns = np.array([links.instant]).astype("datetime64[ns]").astype(np.int64)
        number = int(update_numbers(self.error, at_ns)[0])
        units = [
            unit_errors(self.error.law, (3,), seed=self.seed, purpose="belief attitude", keys=(satellite, number))
            for satellite in links.norad_id.tolist()
        ]
        deviation_rad = np.radians([self.error.roll_deg, self.error.pitch_deg, self.error.yaw_deg])
        ray = np.concatenate([links.departure, links.departure_nadir_cos[..., None]], axis=-1)
        rotated = ray @ rotation(np.array(units) * deviation_rad).swapaxes(-1, -2)
        rotated.flags.writeable = False
        return replace(links, departure=rotated[..., :2], departure_nadir_cos=rotated[..., 2])


def rotation(angles_rad: FloatArray) -> FloatArray:
    """Matrices (S,3,3) of rotations by angles (S,3) about x (along the velocity), then y, then z (nadir)."""
    cosine, sine = np.cos(angles_rad), np.sin(angles_rad)
    zero, one = np.zeros(len(angles_rad)), np.ones(len(angles_rad))
    (cx, cy, cz), (sx, sy, sz) = cosine.T, sine.T
    about_x = np.array([[one, zero, zero], [zero, cx, -sx], [zero, sx, cx]])
    about_y = np.array([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_z = np.array([[cz, -sz, zero], [sz, cz, zero], [zero, zero, one]])
    x, y, z = (np.moveaxis(each, -1, 0) for each in (about_x, about_y, about_z))
    return np.asarray(z @ y @ x)
