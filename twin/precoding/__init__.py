"""Precoders by name, one file for each family."""

from twin.precoding.problem import Precoder, Precoding, PrecodingProblem, precoders
from twin.precoding.rule import InstantaneousRule
from twin.precoding.weights import AntennaWeights, SpannedWeights, Weights

__all__ = [
    "AntennaWeights",
    "InstantaneousRule",
    "Precoder",
    "Precoding",
    "PrecodingProblem",
    "SpannedWeights",
    "Weights",
    "precoders",
]
