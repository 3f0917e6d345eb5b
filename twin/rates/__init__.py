"""Rates for each kind of interference and each kind of receiver, from draws and in closed form.

| file | holds |
|---|---|
| `score.py` | `score`, the entry: rates of K terminals from streams, statistics and draws |
| `streams.py` | `Streams`: effective gains of channels times weights, before anything is drawn |
| `drawn.py` | rates of a receiver that knows its channel, for each draw |
| `moments.py` | moments of the received signal; from them AP1, AP2 and the use-and-forget bound in closed form |
| `estimated.py` | the same moments for beams along channel estimates (P5) |
| `interference.py` | covariance of interference, by kind: independent, coherent or by delay |
| `coherent.py` | the coherent kind: amplitudes of several satellites add |
| `by_delay.py` | the kind by delay: between the two, by the correlation of the arrivals |
| `independence.py` | delay differences of arrivals, and the correlation that they leave (P3, Remark 1) |
| `over_satellites.py` | sums over the satellites of each terminal |
"""

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
