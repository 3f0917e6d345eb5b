"""Derivation of statistical CSI from link geometry, by the selected propagation models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin.arrays import ComplexArray, FloatArray, IntArray
from twin.radio.channel.array import PlanarArray
from twin.radio.channel.element_pattern import ElementPattern
from twin.radio.channel.environment import FieldKeys, realised
from twin.radio.channel.fading import realised_rician
from twin.radio.channel.path import AimedPath, LinkGeometry, LocatedPath, Path
from twin.radio.channel.path_loss import realised_loss_db
from twin.radio.channel.statistical_csi import StatisticalCsi
from twin.records import documented
from twin.units import from_db


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelModel:
    """The selected propagation models, arrays and noise, all fixed over a run."""

    carrier_hz: float
    """Carrier frequency."""
    path_loss: Callable[..., FloatArray]
    """The selected `PathLossModel` with its options bound."""
    fading: Callable[[Path], FloatArray]
    """The selected `FadingModel` with its options bound."""
    isotropic_scattering: bool
    """Whether scattering is white over a terminal's elements; otherwise it comes from the line-of-sight direction."""
    satellite_array: PlanarArray
    """Array of every satellite."""
    terminal_arrays: tuple[PlanarArray, ...]
    """Array of each group of terminals."""
    satellite_pattern: ElementPattern
    """Pattern of one element of the satellites' arrays."""
    terminal_patterns: tuple[ElementPattern, ...]
    """Pattern of one element of each group's arrays."""
    group: IntArray
    """(K,) index of each terminal's group."""
    noise_w: FloatArray
    """(K,) noise power on one subcarrier in W."""
    field_keys: FieldKeys
    """Seed and terminal keys of the random fields of shadowing and line-of-sight state."""

    @property
    def terminal_elements(self) -> IntArray:
        """(K,) number of elements of each terminal's array."""
        return np.array([array.elements for array in self.terminal_arrays], dtype=np.int64)[self.group]

    @property
    def draws_surroundings(self) -> bool:
        """Whether path loss or fading draw surroundings, so that realised statistics differ from expected ones."""
        return realised(self.path_loss) is not None or realised(self.fading) is not None

    def realised_loss_db(self, links: LocatedPath) -> FloatArray:
        """(S,K) realised large-scale loss."""
        return realised_loss_db(self.path_loss, links, carrier_hz=self.carrier_hz, field_keys=self.field_keys)

    def realised_rician(self, links: LocatedPath) -> FloatArray:
        """(S,K) realised Rician factor κ, linear."""
        return realised_rician(self.fading, links, field_keys=self.field_keys)

    def power_gain(self, path: AimedPath) -> FloatArray:
        """(..., K) expected γ, linear, gains of both arrays included; valid for links in front of both arrays."""
        return self._array_gain(path, self.path_loss(path, carrier_hz=self.carrier_hz))

    def _array_gain(self, path: AimedPath, loss_db: FloatArray) -> FloatArray:
        """(..., K) γ of links with these losses in dB."""
        gain_dbi = np.array([array.element_gain_dbi for array in self.terminal_arrays])[self.group]
        element_db = self.satellite_array.element_gain_dbi + gain_dbi - loss_db
        gain = from_db(element_db) * self.satellite_array.elements * self.terminal_elements
        if not self.satellite_pattern.uniform:
            gain = gain * self.satellite_pattern.relative_gain(path.departure_nadir_cos)
        if not all(pattern.uniform for pattern in self.terminal_patterns):
            gain = gain * self._terminal_relative_gain(path.arrival_boresight_cos)
        return gain

    def _terminal_relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """(..., K) relative gain of the element of each terminal."""
        relative = np.ones(boresight_cos.shape)
        for number, pattern in enumerate(self.terminal_patterns):
            own = self.group == number
            relative[..., own] = 1.0 if pattern.uniform else pattern.relative_gain(boresight_cos[..., own])
        return relative

    def csi(self, links: LinkGeometry, mean_phase: FloatArray, *, expected: bool = False) -> StatisticalCsi:
        """Derive the statistical CSI of links at one instant.

        Parameters
        ----------
        links
            Geometry of S satellites and K terminals.
        mean_phase
            (S,K) φ̄: mean of the phase error that precompensation leaves.
        expected
            True: expectations over shadowing and line-of-sight state, known without a measurement. False: their
            realisations.
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
        """(S,K,M) unit-norm responses of the terminals' arrays, padded with zeros to the largest array."""
        largest = max(array.elements for array in self.terminal_arrays)
        if largest == 1:
            return np.ones((*arrival.shape[:2], 1), dtype=np.complex128)
        steering = np.zeros((*arrival.shape[:2], largest), dtype=np.complex128)
        for number, array in enumerate(self.terminal_arrays):
            own = self.group == number
            steering[:, own, : array.elements] = array.steering(arrival[:, own])
        return steering
