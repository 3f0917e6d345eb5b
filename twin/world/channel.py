"""Channel models and arrays from scenario sections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import IntArray
from twin.radio.channel import ChannelModel, PlanarArray, noise_power_w
from twin.radio.channel.element_pattern import CosinePower, ElementPattern, Isotropic, Reflector
from twin.radio.channel.environment import FieldKeys, terminal_keys

if TYPE_CHECKING:
    from twin.scenario import Scenario
    from twin.scenario.terminals import Array, Pattern


def channel_model(scenario: Scenario, *, group: IntArray, names: Iterable[str]) -> ChannelModel:
    """Bind the propagation models that a scenario selects, and convert its arrays.

    Parameters
    ----------
    scenario
        The checked scenario.
    group
        (K,) index of each terminal's group, in the order of the scenario.
    names
        Names of the K terminals, which key their shadowing.
    """
    channel, receiver = scenario.channel, scenario.receiver
    noise_w = noise_power_w(
        bandwidth_hz=channel.subcarrier_khz * 1e3,
        noise_figure_db=receiver.noise_figure_db,
        antenna_temperature_k=receiver.antenna_temperature_k,
    )
    return ChannelModel(
        carrier_hz=channel.carrier_ghz * 1e9,
        path_loss=channel.path_loss.bound(),
        fading=channel.fading.bound(),
        isotropic_scattering=channel.scattering == "isotropic",
        satellite_array=planar_array(scenario.satellites.array),
        terminal_arrays=tuple(planar_array(each.antenna) for each in scenario.terminals),
        satellite_pattern=element_pattern(scenario.satellites.array.pattern),
        terminal_patterns=tuple(element_pattern(each.antenna.pattern) for each in scenario.terminals),
        group=group,
        noise_w=np.full(len(group), noise_w),
        field_keys=FieldKeys(seed=scenario.seed, terminal=terminal_keys(names)),
    )


def planar_array(section: Array) -> PlanarArray:
    """Convert an array section."""
    return PlanarArray(
        rows=section.rows,
        columns=section.columns,
        spacing_wavelengths=section.spacing_wavelengths,
        element_gain_dbi=section.element_gain_dbi,
    )


def element_pattern(section: Pattern) -> ElementPattern:
    """Convert the section of an element pattern."""
    if section.name == "cosine":
        return CosinePower() if section.exponent is None else CosinePower(exponent=section.exponent)
    if section.aperture_wavelengths is not None:
        return Reflector(aperture_wavelengths=section.aperture_wavelengths)
    return Isotropic()
