"""How far two precoders are apart when a unitary mixture of each UE's streams, which no rate sees, is let go."""

import numpy as np


def difference(W, reference):
    """Largest over the UEs of min over unitary V of ||W_k - W_ref_k V||_F / ||W_ref_k||_F; W (L,K,N,S)."""
    worst = 0.0
    for k in range(W.shape[1]):
        w, ref = (np.vstack(X[:, k]) for X in (W, reference))
        left, _, right = np.linalg.svd(ref.conj().T @ w)
        size = np.linalg.norm(ref)
        worst = max(worst, np.linalg.norm(w - ref @ (left @ right)) / (size if size else 1.0))
    return worst
