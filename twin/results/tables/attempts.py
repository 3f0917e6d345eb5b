"""The table ``attempts/``."""

from __future__ import annotations

from typing import Final

from twin.results.tables.column import TableSchema, column, epoch_column, instants, lists
from twin.text import listed_words
from twin.vocabulary import AttemptOutcome

ATTEMPTS: Final = TableSchema(
    name="attempts",
    description="One row for each decided change, written when its outcome is known",
    occurs=lambda r: r.attempts,
    columns=(
        epoch_column(lambda r: len(r.attempts)),
        column(
            "time",
            "instant",
            "UTC",
            "Instant at which the outcome is known",
            lambda r: instants(r, [attempt.time_ns for attempt in r.attempts]),
        ),
        column(
            "terminal",
            "label",
            "",
            "Name of the terminal",
            lambda r: [r.frame.names[attempt.terminal] for attempt in r.attempts],
        ),
        column(
            "decided",
            "instant",
            "UTC",
            "Instant of the decision",
            lambda r: instants(r, [attempt.decided_ns for attempt in r.attempts]),
        ),
        column(
            "begun",
            "instant",
            "UTC",
            "Instant at which execution began; null if it did not begin",
            lambda r: instants(r, [attempt.begun_ns for attempt in r.attempts]),
            nullable=True,
        ),
        column(
            "from_satellites",
            "integer list",
            "NORAD id",
            "Cluster before the change, at the instant of the outcome",
            lambda r: lists([attempt.before for attempt in r.attempts]),
        ),
        column(
            "to_satellites",
            "integer list",
            "NORAD id",
            "Cluster that was decided",
            lambda r: lists([attempt.wanted for attempt in r.attempts]),
        ),
        column(
            "outcome",
            "label",
            "",
            listed_words(AttemptOutcome),
            lambda r: [str(attempt.outcome) for attempt in r.attempts],
        ),
        column(
            "reason",
            "label",
            "",
            "Reason of the decision, and the number of satellites that rejected admission",
            lambda r: [str(attempt.reason) for attempt in r.attempts],
        ),
    ),
)
