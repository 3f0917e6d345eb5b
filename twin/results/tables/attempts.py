"""The table ``attempts/``."""

from __future__ import annotations

from typing import Final

from twin.results.tables.column import TableSchema, column, epoch_column, instants, lists
from twin.text import listed_words
from twin.vocabulary import AttemptOutcome

ATTEMPTS: Final = TableSchema(
    name="attempts",
    description="One row for each decided change, when its outcome is known",
    columns=(
        epoch_column(lambda r: len(r.attempts)),
        column(
            "time",
            "instant",
            "UTC",
            "When its outcome is known",
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
            "When the policy decided",
            lambda r: instants(r, [attempt.decided_ns for attempt in r.attempts]),
        ),
        column(
            "begun",
            "instant",
            "UTC",
            "When its execution began; null if it never did",
            lambda r: instants(r, [attempt.begun_ns for attempt in r.attempts]),
            nullable=True,
        ),
        column(
            "from_satellites",
            "integer list",
            "NORAD id",
            "The cluster at that time, before the change",
            lambda r: lists([attempt.before for attempt in r.attempts]),
        ),
        column(
            "to_satellites",
            "integer list",
            "NORAD id",
            "The decided cluster",
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
            "Reason of the change, and how many satellites rejected the terminal",
            lambda r: [str(attempt.reason) for attempt in r.attempts],
        ),
    ),
)
