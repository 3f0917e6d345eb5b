"""The budget step of all precoders: scale each satellite down to its power budget, which rounding must not exceed."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TypeVar, cast

import numpy as np

from twin.arrays import FloatArray, NumberArray
from twin.precoding.weights import SpannedWeights

Values = TypeVar("Values", bound=NumberArray)


def scaled_down(values: Values, spent_w: FloatArray, budget_w: FloatArray) -> Values:
    """Weights (S,...) of any form, scaled down to the budgets (S,) where they spend more (S,)."""
    ratio = np.divide(budget_w, spent_w, where=spent_w > budget_w, out=np.ones_like(spent_w))
    return cast(Values, values * np.sqrt(ratio).reshape(-1, *(1,) * (values.ndim - 1)))


def within_budget(coefficients: Values, gram: FloatArray, budget_w: FloatArray) -> Values:
    """Coefficients (S,B,B) or (S,B,B,L) over the steering vectors with Gram matrices (S,B,B), within budgets (S,)."""
    satellites, basis, *columns = coefficients.shape
    flat = coefficients.reshape(satellites, basis, prod(columns))
    spent_w = (flat.conj() * (gram @ flat)).real.sum(axis=(1, 2))
    return scaled_down(coefficients, spent_w, budget_w)


def weights_within_budget(weights: SpannedWeights, budget_w: FloatArray) -> SpannedWeights:
    """Weights over any basis, within budgets (S,) by the power that they state themselves."""
    coefficients = scaled_down(weights.coefficients, weights.power_w().sum(axis=1), budget_w)
    return replace(weights, coefficients=coefficients)
