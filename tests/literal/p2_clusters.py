"""P2, Section V-A, satellite clustering, line by line from its words; O (S,K) from gamma (S,K).

"The algorithm is omitted here", so each line stands under the words that it reads. What the words leave open:
in which order the UTs are gone through (`order`); the threshold of failures (with `threshold` None as many as leave a
UT exactly S_k of the satellites that it sees, which is what makes S_k a lower bound); that the satellites which such a
UT holds already are its for good, too, else S_k were no bound; that K_s^max stands also against forced associations.
"""

import numpy as np


def clusters(gamma, seen, S_k, K_max, threshold=None, order=None):
    """O (S,K) bool; `seen` (S,K) bool says which satellites a UT can select at all."""
    S, K = gamma.shape
    order = list(range(K)) if order is None else list(order)
    o, forced = np.zeros((S, K), bool), np.zeros((S, K), bool)
    failures = [0] * K
    limit = [max(0, int(seen[:, k].sum()) - S_k) if threshold is None else threshold for k in range(K)]

    def fails(k):
        failures[k] += 1  # "either initiating or receiving"
        if failures[k] >= limit[k]:
            for s in range(S):
                if o[s, k]:
                    forced[s, k] = True

    def poorest(s, contenders):
        worst = contenders[0]
        for j in contenders:
            later = order.index(j) > order.index(worst)
            if gamma[s, j] < gamma[s, worst] or (gamma[s, j] == gamma[s, worst] and later):
                worst = j
        return worst

    # Main Procedure: "Iterate over all UTs."
    for k in order:
        # "For each UT, sequentially select satellites in descending order of average channel power."
        for s in sorted(np.flatnonzero(seen[:, k]), key=lambda s: (-gamma[s, k], s)):
            others = [j for j in range(K) if o[s, j] and not forced[s, j]]
            # "If the number of competition failures reaches a predefined threshold, forcibly associate with the
            # remaining unselected satellites."
            if failures[k] >= limit[k]:
                if o[s].sum() >= K_max:
                    if not others:
                        continue
                    loser = poorest(s, others)
                    o[s, loser] = False
                    fails(loser)
                o[s, k] = forced[s, k] = True
            # "If the selected satellite has not reached its maximum serving UT capacity, directly establish the
            # association."
            elif o[s].sum() < K_max:
                o[s, k] = True
            # "Otherwise, compete with other UTs served by that satellite." Competition: "Except for forcibly
            # established associations, the UT compares channel power with other UTs associated with the selected
            # satellite and eliminates the one with the poorest channel power."
            else:
                loser = poorest(s, [*others, k])
                o[s, k] = True
                o[s, loser] = False
                fails(loser)

    # Redundant Satellite Removal: "after the main loop, we iterate through each UT, sort satellites by power, and
    # remove associations with the least favorable satellites until the number of satellites per UT meets the
    # requirement."
    for k in range(K):
        held = sorted(np.flatnonzero(o[:, k]), key=lambda s: (-gamma[s, k], s))
        while len(held) > S_k:
            o[held.pop(), k] = False
    return o
