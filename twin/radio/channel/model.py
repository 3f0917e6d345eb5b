"""From link geometry to statistical CSI, by the models that a scenario selects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from twin.arrays import ComplexArray, FloatArray, IntArray
from twin.constants import BOLTZMANN_J_K, REFERENCE_TEMPERATURE_K
from twin.radio.channel.array import PlanarArray
from twin.radio.channel.csi import StatisticalCsi
from twin.radio.channel.element_pattern import CosinePower, ElementPattern, Isotropic, Reflector
from twin.radio.channel.environment import World, realised, terminal_keys
from twin.radio.channel.fading import realised_rician
from twin.radio.channel.path_loss import Path, realised_loss_db
from twin.units import from_db

if TYPE_CHECKING:
    from twin.geometry.links import LinkStates
    from twin.geometry.terminals import Terminals
    from twin.scenario import Scenario
    from twin.scenario.terminals import ArraySection, PatternSection


def noise_power_w(*, bandwidth_hz: float, noise_figure_db: float, antenna_temperature_k: float) -> float:
    """Noise power of a receiver: k B (T_antenna + T_0 (F - 1)), the noise figure being defined at T_0 = 290 K.

    >>> noise_w = noise_power_w(bandwidth_hz=1.0, noise_figure_db=0.0, antenna_temperature_k=290.0)
    >>> round(float(10.0 * np.log10(noise_w)), 1)
    -204.0
    """
    receiver_k = REFERENCE_TEMPERATURE_K * (float(from_db(noise_figure_db)) - 1.0)
    return BOLTZMANN_J_K * bandwidth_hz * (antenna_temperature_k + receiver_k)


def planar(section: ArraySection) -> PlanarArray:
    """The array that a scenario section describes."""
    return PlanarArray(
        rows=section.rows,
        columns=section.columns,
        spacing_wavelengths=section.spacing_wavelengths,
        element_gain_dbi=section.element_gain_dbi,
    )


def element_pattern(section: PatternSection) -> ElementPattern:
    """The pattern that a scenario section describes."""
    if section.name == "cosine":
        return CosinePower() if section.exponent is None else CosinePower(exponent=section.exponent)
    if section.aperture_wavelengths is not None:
        return Reflector(aperture_wavelengths=section.aperture_wavelengths)
    return Isotropic()


class AimedPath(Path, Protocol):
    """Links of which is known how far off the boresights they are; both are asked of it only if a pattern needs them.

    `LinkStates` and `Moment` are such.
    """

    @property
    def departure_nadir_cos(self) -> FloatArray:
        """(S,K) cosine of the angle between the satellite's nadir and the terminal."""

    @property
    def arrival_boresight_cos(self) -> FloatArray:
        """(S,K) cosine of the angle between the terminal's boresight and the satellite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelModel:
    """The selected propagation models with all that is fixed over a run."""

    carrier_hz: float
    path_loss: Callable[..., FloatArray]
    """The selected `PathLossModel`, its options filled in."""
    fading: Callable[[Path], FloatArray]
    """The selected `FadingModel`, its options filled in."""
    isotropic_scattering: bool
    satellite_array: PlanarArray
    terminal_arrays: tuple[PlanarArray, ...]
    """One for each group of terminals."""
    satellite_pattern: ElementPattern
    """Of an element of the satellites' arrays."""
    terminal_patterns: tuple[ElementPattern, ...]
    """Of an element of each group's arrays."""
    group: IntArray
    """(K,) group of each terminal."""
    noise_w: FloatArray
    """(K,) noise power on one subcarrier."""
    world: World
    """What fixes the drawn surroundings of the terminals."""

    @classmethod
    def from_scenario(cls, scenario: Scenario, terminals: Terminals) -> Self:
        """Bind the models that the scenario selects."""
        channel, receiver = scenario.channel, scenario.receiver
        noise_w = noise_power_w(
            bandwidth_hz=channel.subcarrier_khz * 1e3,
            noise_figure_db=receiver.noise_figure_db,
            antenna_temperature_k=receiver.antenna_temperature_k,
        )
        return cls(
            carrier_hz=channel.carrier_ghz * 1e9,
            path_loss=channel.path_loss.bound(),
            fading=channel.fading.bound(),
            isotropic_scattering=channel.scattering == "isotropic",
            satellite_array=planar(scenario.satellites.array),
            terminal_arrays=tuple(planar(group.antenna) for group in scenario.terminals),
            satellite_pattern=element_pattern(scenario.satellites.array.pattern),
            terminal_patterns=tuple(element_pattern(group.antenna.pattern) for group in scenario.terminals),
            group=terminals.group,
            noise_w=np.full(terminals.count, noise_w),
            world=World(seed=scenario.seed, terminal=terminal_keys(terminals.names)),
        )

    @property
    def terminal_elements(self) -> IntArray:
        """(K,) elements of each terminal's array."""
        return np.array([array.elements for array in self.terminal_arrays], dtype=np.int64)[self.group]

    @property
    def draws_surroundings(self) -> bool:
        """Whether the channels as they are differ from what can be expected of them."""
        return realised(self.path_loss) is not None or realised(self.fading) is not None

    def realised_loss_db(self, links: LinkStates) -> FloatArray:
        """(S,K) large-scale loss as it is."""
        return realised_loss_db(self.path_loss, links, carrier_hz=self.carrier_hz, world=self.world)

    def realised_rician(self, links: LinkStates) -> FloatArray:
        """(S,K) Rician factor κ as it is, linear."""
        return realised_rician(self.fading, links, world=self.world)

    def power_gain(self, path: AimedPath) -> FloatArray:
        """γ (..., K) to be expected over links in front of both arrays, both array gains included."""
        return self._array_gain(path, self.path_loss(path, carrier_hz=self.carrier_hz))

    def _array_gain(self, path: AimedPath, loss_db: FloatArray) -> FloatArray:
        """γ of links with these losses."""
        gain_dbi = np.array([array.element_gain_dbi for array in self.terminal_arrays])[self.group]
        element_db = self.satellite_array.element_gain_dbi + gain_dbi - loss_db
        gain = from_db(element_db) * self.satellite_array.elements * self.terminal_elements
        if not self.satellite_pattern.uniform:
            gain = gain * self.satellite_pattern.relative_gain(path.departure_nadir_cos)
        if not all(pattern.uniform for pattern in self.terminal_patterns):
            gain = gain * self._terminal_relative_gain(path.arrival_boresight_cos)
        return gain

    def _terminal_relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """(..., K) of the element of each terminal's own group."""
        relative = np.ones(boresight_cos.shape)
        for number, pattern in enumerate(self.terminal_patterns):
            own = self.group == number
            relative[..., own] = 1.0 if pattern.uniform else pattern.relative_gain(boresight_cos[..., own])
        return relative

    def csi(self, links: LinkStates, mean_phase: FloatArray, *, expected: bool = False) -> StatisticalCsi:
        """Statistical CSI of the links at one instant.

        Parameters
        ----------
        links
            Geometry of S satellites and K terminals.
        mean_phase
            (S,K) φ̄ that precompensation leaves.
        expected
            What can be expected without a measurement, in place of the statistics as they are.
        """
        if expected:
            gain, rician = self.power_gain(links), self.fading(links)
        else:
            gain, rician = self._array_gain(links, self.realised_loss_db(links)), self.realised_rician(links)
        linked = (links.elevation_deg > 0.0) & (links.departure_nadir_cos > 0.0) & (links.arrival_boresight_cos > 0.0)
        return StatisticalCsi(
            norad_id=links.norad_id,
            array=self.satellite_array,
            departure=links.departure,
            gain=np.where(linked, gain, 0.0),
            rician=rician,
            mean_phase=mean_phase,
            receive_steering=self._receive_steering(links.arrival),
            isotropic_scattering=self.isotropic_scattering,
            terminal_elements=self.terminal_elements,
            noise_w=self.noise_w,
            carrier_phase_rad=-2.0 * np.pi * np.mod(self.carrier_hz * links.delay_s, 1.0),
            delay_s=links.delay_s,
        )

    def _receive_steering(self, arrival: FloatArray) -> ComplexArray:
        """(S,K,M) responses of the terminals' arrays, those of smaller arrays padded with zeros."""
        widest = max(array.elements for array in self.terminal_arrays)
        if widest == 1:
            return np.ones((*arrival.shape[:2], 1), dtype=np.complex128)
        steering = np.zeros((*arrival.shape[:2], widest), dtype=np.complex128)
        for number, array in enumerate(self.terminal_arrays):
            own = self.group == number
            steering[:, own, : array.elements] = array.steering(arrival[:, own])
        return steering
