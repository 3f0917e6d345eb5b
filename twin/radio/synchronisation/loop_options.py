"""Options of the closed compensation loop."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from twin.registry import dataclass_options


@dataclass_options
class ClosedLoopOptions:
    """The loop: pilots of a satellite, estimation at the terminal, feedback, compensation at the satellite."""

    pilot_spacing: Annotated[int, Ge(1)] = 4
    """Spacing of pilots in subcarriers."""
    pilot_symbols: Annotated[int, Ge(2)] = 4
    """Number of symbols with pilots in one estimate."""
    pilot_interval_symbols: Annotated[int, Ge(1)] = 14
    """Spacing of symbols with pilots in symbols; a slot of 5G NR has 14."""
    processing_ms: Annotated[float, Ge(0.0), Le(1e5)] = 5.0
    """Time from the last pilot at the terminal to the compensated signal at the satellite, without propagation."""
    foresee_acceleration: bool = True
    """Whether the prediction uses the range acceleration of the ephemeris in addition to the measured range rate."""
    carrier_phase: bool = False
    """Whether the terminal measures the carrier phase of the pilots, and so the delay to a fraction of a cycle."""
    delay_step_ps: Annotated[float, Ge(0.0), Le(1e12)] = 0.0
    """Quantisation step of the delay; 0 means no quantisation."""
    doppler_step_hz: Annotated[float, Ge(0.0), Le(1e9)] = 0.0
    """Quantisation step of the Doppler shift; 0 means no quantisation."""
    window_advance: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
    """Advance of the receiver's windows as a fraction of the cyclic prefix."""
