"""The table ``terminals/``."""

from __future__ import annotations

from typing import Final

import numpy as np

from twin.arrays import BoolArray
from twin.results.record import EpochRecord
from twin.results.tables.column import ListColumn, TableSchema, column, epoch_column, time_column, where
from twin.units import to_db


def _count(record: EpochRecord) -> int:
    return len(record.frame.names)


def _served(record: EpochRecord) -> BoolArray:
    return np.asarray(record.score.serving.any(axis=0))


def _sinr_db(record: EpochRecord) -> object:
    with_signal = _served(record) & (record.score.sinr > 0.0)
    return where(to_db(np.where(with_signal, record.score.sinr, 1.0)), with_signal)


def _serving(record: EpochRecord) -> ListColumn:
    serving = record.score.serving
    satellites = np.where(serving.T, record.score.norad_id, 0)
    return ListColumn(values=satellites[serving.T], lengths=serving.sum(axis=0))


def _master(record: EpochRecord) -> object:
    return where(np.append(record.score.norad_id, 0)[record.score.master], _served(record))


TERMINALS: Final = TableSchema(
    name="terminals",
    description="One row for each epoch and terminal",
    columns=(
        epoch_column(_count),
        time_column(_count),
        column("terminal", "label", "", "Name of the terminal", lambda r: r.frame.names),
        column("latitude_deg", "float", "deg", "Geodetic latitude (WGS-84), north positive", lambda r: r.latitude_deg),
        column("longitude_deg", "float", "deg", "Longitude, east positive", lambda r: r.longitude_deg),
        column("altitude_km", "float", "km", "Height above the WGS-84 ellipsoid", lambda r: r.altitude_km),
        column(
            "se_bps_hz",
            "float",
            "bit/s/Hz",
            "Mean spectral efficiency in the true channel",
            lambda r: r.score.spectral_efficiency_bps_hz,
        ),
        column(
            "se_ap1_bps_hz",
            "float",
            "bit/s/Hz",
            "Mean of the surrogate AP1, computed from statistical CSI only",
            lambda r: r.score.surrogate_bps_hz,
        ),
        column(
            "rate_bps",
            "float",
            "bit/s",
            "Mean rate: spectral efficiency times bandwidth, cyclic prefix not deducted",
            lambda r: r.score.spectral_efficiency_bps_hz * r.frame.bandwidth_hz,
        ),
        column(
            "sinr_db",
            "float",
            "dB",
            "SINR at the end of the epoch; null if no signal is received",
            _sinr_db,
            nullable=True,
        ),
        column(
            "in_service", "boolean", "", "Whether any satellite serves the terminal at the end of the epoch", _served
        ),
        column(
            "present", "boolean", "", "Whether the terminal is present at the end of the epoch", lambda r: r.present
        ),
        column(
            "present_fraction",
            "float",
            "1",
            "Fraction of the epoch in which the terminal is present, 0 to 1",
            lambda r: r.present_fraction,
        ),
        column(
            "interrupted_fraction",
            "float",
            "1",
            "Fraction of the epoch lost to handover execution, 0 to 1",
            lambda r: r.score.interrupted,
        ),
        column(
            "serving",
            "integer list",
            "NORAD id",
            "Serving satellites at the end of the epoch; empty out of service",
            _serving,
        ),
        column(
            "master",
            "integer",
            "NORAD id",
            "Master of the serving satellites; null out of service",
            _master,
            nullable=True,
        ),
    ),
)
