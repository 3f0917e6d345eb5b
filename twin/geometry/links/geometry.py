"""Link geometry of some satellites and all terminals at one instant."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.constants import EARTH_ROTATION_RAD_S, LIGHT_SPEED_M_S
from twin.geometry.ephemeris import SatelliteStates
from twin.geometry.links.gravity import rotating_acceleration_km_s2
from twin.geometry.links.vectors import components, cross, dot
from twin.geometry.terminals import TerminalStates
from twin.records import documented

LIGHT_SPEED_KM_S: Final = LIGHT_SPEED_M_S / 1e3
_DEGREES: Final = 180.0 / np.pi


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStates:
    """Geometry of S satellites and K terminals at one instant; read-only.

    The delay is the range divided by c, without the motion during the propagation (an error below 3e-5 of the delay).
    Rates are computed from SGP4's velocity, as in Skyfield, which is not exactly the derivative of SGP4's position
    (0.024 m/s, 1.6 Hz at 20 GHz). Values of unusable satellites are finite but meaningless.

    The axes of a satellite's array are: z towards the Earth's centre, x along the component of the inertial velocity
    orthogonal to z, and y = z × x.
    """

    norad_id: IntArray
    """(S,) catalogue numbers."""
    instant: np.datetime64
    """UTC, nanoseconds."""
    usable: BoolArray
    """(S,) whether the satellite's state is valid."""
    latitude_deg: FloatArray
    """(K,) geodetic latitude of the terminals."""
    longitude_deg: FloatArray
    """(K,) longitude of the terminals."""
    elevation_deg: FloatArray
    """(S, K) above the geodetic horizon, without refraction."""
    azimuth_deg: FloatArray
    """(S, K) from the terminal to the satellite, clockwise from north, in [0, 360)."""
    range_km: FloatArray
    """(S, K) straight-line distance."""
    delay_s: FloatArray
    """(S, K) range divided by the speed of light."""
    range_rate_km_s: FloatArray
    """(S, K) time derivative of the range."""
    range_acceleration_km_s2: FloatArray
    """(S, K) second time derivative of the range, from a gravity model with J2."""
    departure: FloatArray
    """(S, K, 2) direction cosines of the ray satellite -> terminal along the satellite array's x and y."""
    departure_nadir_cos: FloatArray
    """(S, K) direction cosine of the same ray along the array's z; negative behind the array."""
    arrival: FloatArray
    """(S, K, 2) direction cosines of terminal -> satellite along the terminal antenna's x and y."""
    arrival_boresight_cos: FloatArray
    """(S, K) direction cosine of terminal -> satellite along the antenna's boresight; negative behind it."""


def link_states(
    satellites: SatelliteStates, terminals: TerminalStates, epoch_index: int, rows: ArrayLike | None = None
) -> LinkStates:
    """Compute the link geometry of some satellites and all terminals at one instant of a window.

    Parameters
    ----------
    satellites, terminals
        States over the same window.
    epoch_index
        Index of the instant in the window.
    rows
        (S,) indices of satellites in the window. None means all.
    """
    chosen = slice(None) if rows is None else np.asarray(rows, dtype=np.intp)
    position = components(satellites.position_km[epoch_index, chosen])
    velocity = components(satellites.velocity_km_s[epoch_index, chosen])
    terminal_position = components(terminals.position_km[epoch_index])
    terminal_velocity = components(terminals.velocity_km_s[epoch_index])
    separation = position[:, :, None] - terminal_position[:, None, :]
    range_km = np.sqrt(dot(separation, separation))
    ray = separation / range_km
    relative_velocity = velocity[:, :, None] - terminal_velocity[:, None, :]
    range_rate = dot(relative_velocity, ray)
    satellite_acceleration = rotating_acceleration_km_s2(position, velocity)[:, :, None]
    relative_acceleration = satellite_acceleration - _level_acceleration(terminal_position, terminal_velocity)
    acceleration = dot(relative_acceleration, ray)
    acceleration += (dot(relative_velocity, relative_velocity) - range_rate * range_rate) / range_km
    local = np.array([getattr(terminals, axis)[epoch_index].T for axis in ("east", "north", "up")])
    elevation, azimuth = _look_angles(_projected(ray, local[:, :, None, :]))
    antenna = np.ascontiguousarray(terminals.antenna[epoch_index].transpose(1, 2, 0))
    arrival = _projected(ray, antenna[:, :, None, :])
    departure = _projected(ray, -satellite_axes(position, velocity)[..., None])
    return _read_only(
        LinkStates(
            norad_id=satellites.norad_id[chosen],
            instant=satellites.instant[epoch_index],
            usable=satellites.usable[epoch_index, chosen],
            latitude_deg=terminals.latitude_deg[epoch_index],
            longitude_deg=terminals.longitude_deg[epoch_index],
            elevation_deg=elevation,
            azimuth_deg=azimuth,
            range_km=range_km,
            delay_s=range_km / LIGHT_SPEED_KM_S,
            range_rate_km_s=range_rate,
            range_acceleration_km_s2=acceleration,
            departure=departure[:2].transpose(1, 2, 0),
            departure_nadir_cos=departure[2],
            arrival=arrival[:2].transpose(1, 2, 0),
            arrival_boresight_cos=arrival[2],
        )
    )


def satellite_axes(position_km: FloatArray, velocity_km_s: FloatArray) -> FloatArray:
    """Unit vectors x, y, z (3, 3, S) of satellites from Earth-fixed states (3, S).

    z points to the Earth's centre, x along the component of the inertial velocity (v + ω × r) orthogonal to z.
    """
    nadir = position_km / -np.sqrt(dot(position_km, position_km))
    along = velocity_km_s.copy()
    along[0] -= EARTH_ROTATION_RAD_S * position_km[1]
    along[1] += EARTH_ROTATION_RAD_S * position_km[0]
    along -= dot(along, nadir) * nadir
    along /= np.sqrt(dot(along, along))
    return np.array([along, cross(nadir, along), nadir])


def _projected(ray: FloatArray, axes: FloatArray) -> FloatArray:
    """Direction cosines (3, S, K) of rays (3, S, K) along three axes, each (3, ...)."""
    along = axes * ray
    cosine: FloatArray = along[:, 0] + along[:, 1]
    cosine += along[:, 2]
    return cosine


def _level_acceleration(position: FloatArray, velocity: FloatArray) -> FloatArray:
    """Centripetal acceleration (3, 1, K) of terminals that move along great circles at constant altitude."""
    if not velocity.any():
        return np.zeros((3, 1, 1))
    return np.asarray(position * (-dot(velocity, velocity) / dot(position, position)))[:, None, :]


def _look_angles(local: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Elevation and azimuth (S, K) in degrees of unit vectors east, north, up (3, S, K)."""
    east, north, up = local
    elevation = np.arctan2(up, np.sqrt(east * east + north * north)) * _DEGREES
    azimuth = np.arctan2(east, north) * _DEGREES
    azimuth %= 360.0
    azimuth[azimuth == 360.0] = 0.0  # azimuths just west of north round to 360
    return elevation, azimuth


_ARRAYS = tuple(field.name for field in fields(LinkStates) if field.name != "instant")


def _read_only(links: LinkStates) -> LinkStates:
    for name in _ARRAYS:
        getattr(links, name).setflags(write=False)
    return links
