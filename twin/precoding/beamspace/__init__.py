"""P2: several streams a terminal, over all steering vectors or the beams of a codebook that are switched on."""
