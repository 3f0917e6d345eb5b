"""Options of the closed compensation loop."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from twin.registry import dataclass_options


@dataclass_options
class ClosedLoopOptions:
    """The loop from the pilots of a satellite to the compensation at it."""

    pilot_spacing: Annotated[int, Ge(1)] = 4
    """One subcarrier in so many holds a pilot."""
    pilot_symbols: Annotated[int, Ge(2)] = 4
    """Symbols with pilots from which one estimate is made."""
    pilot_interval_symbols: Annotated[int, Ge(1)] = 14
    """Symbols from one with pilots to the next; a slot of 5G NR has 14."""
    processing_ms: Annotated[float, Ge(0.0), Le(1e5)] = 5.0
    """From the last pilot at the terminal to the compensated signal at the satellite, propagation not counted."""
    foresee_acceleration: bool = True
    """Whether prediction uses the range acceleration, which the ephemeris gives, beside the measured rate."""
    carrier_phase: bool = False
    """Whether the terminal measures the pilots' carrier phase, and thereby the delay to a fraction of a cycle."""
    delay_step_ps: Annotated[float, Ge(0.0), Le(1e12)] = 0.0
    """Step to which the delay is rounded; 0 does not round."""
    doppler_step_hz: Annotated[float, Ge(0.0), Le(1e9)] = 0.0
    """Step to which the Doppler shift is rounded; 0 does not round."""
    window_advance: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
    """Share of the cyclic prefix by which the receiver's windows are early."""
