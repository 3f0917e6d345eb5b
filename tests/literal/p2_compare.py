"""How far two multi-stream precoders are apart when a unitary per UT, which no rate sees, is let go."""

import numpy as np


def difference(W, reference):
    """Largest over the UTs of min over unitary U of |W_k - W_ref_k U| / |W_ref_k|; W[s][k] (B_s,M_k)."""
    worst = 0.0
    for k in range(len(W[0])):
        W_k, ref = (np.vstack([X[s][k] for s in range(len(X))]) for X in (W, reference))
        left, _, right = np.linalg.svd(ref.conj().T @ W_k)
        size = np.linalg.norm(ref)
        worst = max(worst, np.linalg.norm(W_k - ref @ (left @ right)) / (size if size else 1.0))
    return worst
