"""P2: several streams per terminal, over all steering vectors or over the active beams of a codebook."""
