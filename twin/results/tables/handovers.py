"""The table ``handovers/``."""

from __future__ import annotations

from typing import Final

import numpy as np

from twin.association import Handover
from twin.results.record import EpochRecord
from twin.results.tables.column import TableSchema, column, epoch_column, instants, optional
from twin.text import listed_words
from twin.vocabulary import EventKind


def _events(record: EpochRecord) -> list[Handover]:
    return [logged.handover for logged in record.events]


HANDOVERS: Final = TableSchema(
    name="handovers",
    description="One row for each change of the satellites or the beam that serve a terminal",
    occurs=lambda r: r.events,
    columns=(
        epoch_column(lambda r: len(r.events)),
        column(
            "time",
            "instant",
            "UTC",
            "Instant of the event",
            lambda r: instants(r, [logged.time_ns for logged in r.events]),
        ),
        column(
            "terminal",
            "label",
            "",
            "Name of the terminal",
            lambda r: [r.frame.names[event.terminal] for event in _events(r)],
        ),
        column("kind", "label", "", listed_words(EventKind), lambda r: [str(event.kind) for event in _events(r)]),
        column(
            "from_satellite",
            "integer",
            "NORAD id",
            "Satellite before the change; null if there is none",
            lambda r: optional([event.from_satellite for event in _events(r)]),
            nullable=True,
        ),
        column(
            "to_satellite",
            "integer",
            "NORAD id",
            "Satellite after the change; null if there is none",
            lambda r: optional([event.to_satellite for event in _events(r)]),
            nullable=True,
        ),
        column(
            "from_beam",
            "integer",
            "1",
            "Number of the beam before the change, from 1,000,000 for earth-fixed cells; null if there is none",
            lambda r: optional([event.from_beam for event in _events(r)]),
            nullable=True,
        ),
        column(
            "to_beam",
            "integer",
            "1",
            "Number of the beam after the change, in the same numbering; null if there is none",
            lambda r: optional([event.to_beam for event in _events(r)]),
            nullable=True,
        ),
        column(
            "reason",
            "label",
            "",
            "Reason of the change, given by the policy or the network",
            lambda r: [str(event.reason) for event in _events(r)],
        ),
        column(
            "interruption_s",
            "float",
            "s",
            "Time without service that the event causes",
            lambda r: np.array([event.interruption_ns / 1e9 for event in _events(r)]),
        ),
    ),
)
