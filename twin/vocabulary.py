"""Enumerations of the trace: kinds of event, outcomes of attempts, reasons that the network gives."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """What happened to the service of a terminal; a row of ``handovers/``."""

    SERVICE_START = "service_start"
    """The terminal gets its first satellite."""
    SERVICE_END = "service_end"
    """It loses its last one."""
    HARD = "hard"
    """Other satellites take over: none of those before carries on."""
    BEAM = "beam"
    """The master stays and covers the terminal with another of its beams."""
    ADD = "add"
    """A satellite joins a cluster of which some member stays."""
    DROP = "drop"
    """A satellite leaves such a cluster."""
    MASTER = "master"
    """Another member becomes the master."""


class AttemptOutcome(StrEnum):
    """Outcome of a change that a policy decided; a row of ``attempts/``."""

    EXECUTED = "executed"
    TARGET_LOST = "target lost"
    """None of its satellites was available when it was to begin."""
    ADMISSION_REJECTED = "admission rejected"
    """No satellite had capacity left."""
    TIMED_OUT = "timed out"
    """It had not begun within ``association.timeout``."""
    SUPERSEDED = "superseded"
    """A later decision, or the terminal's leaving, replaced it."""


class Reason(StrEnum):
    """Reasons that the network gives for changes; a policy gives its own words."""

    ARRIVAL = "arrival"
    """First service of a terminal that has arrived during the run."""
    TERMINAL_LEFT = "terminal_left"
    """The terminal left."""
    BELOW_MINIMUM_ELEVATION = "below minimum elevation"
    SATELLITE_NOT_USABLE = "satellite not usable"
    OUTAGE = "outage"
    EXCLUSION_WINDOW = "exclusion window"
    EXCLUDED = "excluded"
    """``association.exclude`` names the satellite."""
