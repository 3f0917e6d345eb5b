"""Precoders by name: statistical CSI and serving pairs in, weights out.

What all share: `problem` (a precoder's input and output, and the registry), `weights`, `rule` (weights that follow the
instantaneous channels), `packing` (weights in a checkpoint), `budget`, `warm_start` and `stream_limits`.

One family in each file:

- `matched`: statistical maximum-ratio transmission (P5)
- `nulling`: statistical zero forcing and the signal-to-leakage-plus-noise ratio (P5)
- `mmse`: the transmit Wiener filter of one satellite (P3)
- `joint`, `wmmse`: weighted-MMSE precoding of one stream, jointly or satellite by satellite (P3)
- `beamspace.multistream`, `beamspace.transmitter`: joint precoding of several streams over selected beams (P2)
- `beamspace.codebook`, `beamspace.selection`: DFT codebooks and the selection of active beams (P2)
- `beamspace.location`: beams towards the terminals' locations (P2)
- `beamspace.spot_beam`: fixed spot beams, and beams steered at cells on the Earth (P5)
- `noncoherent.joint`: joint non-coherent transmission under convex power constraints (P1, Algorithm 1)
- `noncoherent.streamwise`: each stream from one satellite (P1, Algorithm 3)
- `noncoherent.eigenmodes`: P1's linear precoders, which are also the first guess of its algorithms
- `exact.exact_power`: each satellite's power constraint met exactly (ours)
- `exact.ergodic`: the expected rate itself, as a mean over samples (ours)
- `instantaneous.genie`: instantaneous CSI known to all satellites (ours)
- `instantaneous.uplink_pilots`: channels estimated from uplink pilots (P5)
"""

from twin.precoding.problem import Precoder, Precoding, PrecodingProblem, precoders
from twin.precoding.rule import InstantaneousRule, Weights
from twin.precoding.weights import AntennaWeights, SpannedWeights

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
