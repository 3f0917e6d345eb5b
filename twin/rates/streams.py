"""What arrives of each stream at each terminal, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twin.channel import StatisticalCsi
from twin.precoding import Weights

Real = NDArray[np.float64]
Number = NDArray[np.inexact[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Inner products of channels and weights: all that a rate needs of either."""

    seen: Number
    """(S,K,J,L) v_skᵀ W_sj: what terminal k's unit channel from satellite s carries of terminal j's streams."""
    own: Number
    """(S,K,L) its diagonal: each terminal's own streams."""
    leaked: Real
    """(S,K) Σ_{j≠k} ‖v_skᵀ W_sj‖²: power of everyone else's streams."""

    @classmethod
    def of(cls, weights: Weights, truth: StatisticalCsi, transmitting: NDArray[np.bool_]) -> Self:
        """Let weights act on channels.

        Parameters
        ----------
        weights
            What the S satellites were told to transmit, perhaps some time ago.
        truth
            The channels as they are, of the same satellites in the same order.
        transmitting
            (S,K) pairs that are on the air.
        """
        seen = weights.response(truth.departure) * transmitting[:, None, :, None]
        diagonal = np.arange(seen.shape[1])
        own = seen[:, diagonal, diagonal]
        everything = np.einsum("skjl,skjl->sk", seen, seen.conj()).real
        leaked = np.maximum(everything - (own * own.conj()).real.sum(axis=-1), 0.0)
        return cls(seen=seen, own=own, leaked=leaked)
