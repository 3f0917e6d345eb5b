"""How far two precoders are apart when a common phase per UT, which no rate sees, is let go."""

import numpy as np


def difference(W, reference):
    """Largest over the UTs of min over theta of ||w_k - e^{j theta} w_ref_k|| / ||w_ref_k||; W (S,K,N)."""
    worst = 0.0
    for k in range(W.shape[1]):
        w, ref = W[:, k].ravel(), reference[:, k].ravel()
        inner = np.vdot(ref, w)
        turn = inner / abs(inner) if inner else 1.0
        size = np.linalg.norm(ref)
        worst = max(worst, np.linalg.norm(w - turn * ref) / (size if size else 1.0))
    return worst
