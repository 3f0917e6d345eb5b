"""Rates under each pair of interference and receiver, drawn and in closed form."""

from twin.rates.drawn import drawn_rates
from twin.rates.moments import ReceivedMoments, mean_only_rate, surrogate_rate
from twin.rates.score import Rates, score, score_each
from twin.rates.streams import Streams

__all__ = [
    "Rates",
    "ReceivedMoments",
    "Streams",
    "drawn_rates",
    "mean_only_rate",
    "score",
    "score_each",
    "surrogate_rate",
]
