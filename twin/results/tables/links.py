"""The table ``links/``, with ``trace.links``."""

from __future__ import annotations

from typing import Final

from twin.results.record import EpochRecord, LinkRecord
from twin.results.tables.column import TableSchema, column, epoch_column, finite, names, time_column, where
from twin.units import to_db


def _links(record: EpochRecord) -> LinkRecord:
    assert record.links is not None
    return record.links


def _count(record: EpochRecord) -> int:
    return len(_links(record).satellite)


LINKS: Final = TableSchema(
    name="links",
    description="One row for each epoch and each pair of a satellite and a terminal in view of each other",
    key="links",
    columns=(
        epoch_column(_count),
        time_column(_count),
        column("satellite", "integer", "NORAD id", "Satellite", lambda r: _links(r).satellite),
        column("terminal", "label", "", "Name of the terminal", lambda r: names(r, _links(r).terminal)),
        column(
            "elevation_deg",
            "float",
            "deg",
            "Elevation of the satellite above the terminal's horizon",
            lambda r: _links(r).elevation_deg,
        ),
        column(
            "azimuth_deg",
            "float",
            "deg",
            "Azimuth of the satellite, clockwise from north",
            lambda r: _links(r).azimuth_deg,
        ),
        column("range_km", "float", "km", "Distance between satellite and terminal", lambda r: _links(r).range_km),
        column("delay_s", "float", "s", "Propagation delay", lambda r: _links(r).delay_s),
        column(
            "doppler_hz",
            "float",
            "Hz",
            "Doppler shift, positive when the satellite approaches",
            lambda r: _links(r).doppler_hz,
        ),
        column(
            "path_gain_db",
            "float",
            "dB",
            "Large-scale channel gain without array gains; negative",
            lambda r: _links(r).path_gain_db,
        ),
        column(
            "rician_k_db",
            "float",
            "dB",
            "Rician factor; null if zero (no line of sight) or infinite",
            lambda r: finite(to_db(_links(r).rician)),
            nullable=True,
        ),
        column(
            "residual_delay_s",
            "float",
            "s",
            "Residual delay after precompensation; null without it",
            lambda r: where(_links(r).residual_delay_s, _links(r).predicted),
            nullable=True,
        ),
        column(
            "residual_doppler_hz",
            "float",
            "Hz",
            "Residual Doppler shift after precompensation; null without it",
            lambda r: where(_links(r).residual_doppler_hz, _links(r).predicted),
            nullable=True,
        ),
        column(
            "phase_variance_rad2",
            "float",
            "rad2",
            "Variance of the phase error; null if the phase is uniform",
            lambda r: finite(_links(r).phase_variance_rad2),
            nullable=True,
        ),
        column(
            "phase_error_rad",
            "float",
            "rad",
            "Phase error after precompensation; null without it",
            lambda r: where(_links(r).phase_error_rad, _links(r).predicted),
            nullable=True,
        ),
        column("serving", "boolean", "", "Whether the satellite serves the terminal", lambda r: _links(r).serving),
    ),
)
