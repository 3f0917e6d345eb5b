"""Rates under each pair of interference and receiver, drawn and in closed form."""

from twin.rates.drawn import drawn_rates
from twin.rates.estimated import estimated_moments
from twin.rates.moments import ReceivedMoments, mean_only_rate, surrogate_rate
from twin.rates.score import Rates, score, score_each
from twin.rates.streams import Streams

__all__ = [
    "Rates",
    "ReceivedMoments",
    "Streams",
    "drawn_rates",
    "estimated_moments",
    "mean_only_rate",
    "score",
    "score_each",
    "surrogate_rate",
]
