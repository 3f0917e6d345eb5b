"""Which way satellites are thought to point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import FloatArray
from twin.geometry.links import LinkStates
from twin.uncertainty.draws import unit_errors, updates

if TYPE_CHECKING:
    from twin.scenario.belief import AttitudeErrorSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Attitude:
    """Errors of the satellites' attitudes: a beam that is steered by them leaves the array beside its terminal."""

    error: AttitudeErrorSection
    seed: int

    @property
    def perfect(self) -> bool:
        """Whether every satellite points where it thinks."""
        return not any((self.error.roll_deg, self.error.pitch_deg, self.error.yaw_deg))

    def mistaken(self, links: LinkStates) -> LinkStates:
        """Links with the directions of departure as they seem in the array that is thought to be elsewhere."""
        if self.perfect or not len(links.norad_id):
            return links
        at_ns = np.array([links.instant]).astype("datetime64[ns]").astype(np.int64)
        number = int(updates(self.error, at_ns)[0])
        units = [
            unit_errors(self.error.law, (3,), seed=self.seed, purpose="belief attitude", keys=(satellite, number))
            for satellite in links.norad_id.tolist()
        ]
        deviation_rad = np.radians([self.error.roll_deg, self.error.pitch_deg, self.error.yaw_deg])
        ray = np.concatenate([links.departure, links.departure_nadir_cos[..., None]], axis=-1)
        turned = ray @ rotation(np.array(units) * deviation_rad).swapaxes(-1, -2)
        turned.flags.writeable = False
        return replace(links, departure=turned[..., :2], departure_nadir_cos=turned[..., 2])


def rotation(angles_rad: FloatArray) -> FloatArray:
    """Matrices (S,3,3) that turn by angles (S,3) about x (along the velocity), then y, then z (nadir)."""
    cosine, sine = np.cos(angles_rad), np.sin(angles_rad)
    zero, one = np.zeros(len(angles_rad)), np.ones(len(angles_rad))
    (cx, cy, cz), (sx, sy, sz) = cosine.T, sine.T
    about_x = np.array([[one, zero, zero], [zero, cx, -sx], [zero, sx, cx]])
    about_y = np.array([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_z = np.array([[cz, -sz, zero], [sz, cz, zero], [zero, zero, one]])
    x, y, z = (np.moveaxis(each, -1, 0) for each in (about_x, about_y, about_z))
    return np.asarray(z @ y @ x)
