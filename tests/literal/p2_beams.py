"""Which beams are active: P2's Algorithm 3 (LCMS), the selection of its reference [18], and all of them.

Each returns a list over the satellites of codeword indices, in the order in which they were taken. `B` (S,) is
B_s, capped by the codebook. Values that differ by rounding only are equal, and the lowest index is taken.
"""

import numpy as np

from .p2_channel import beam_cosines, codebook, upa

TIE = 1e-12
"""Difference, in units of `scale`, below which two candidates are equal: symmetry makes ties, and what no UT
receives comes out as rounding; neither must be settled by it."""


def first_of_the_largest(candidates, values, scale):
    """The lowest candidate among those whose value is the largest."""
    largest = max(values)
    return min(q for q, value in zip(candidates, values, strict=True) if value >= largest - TIE * scale)


def kernel(N, x):
    """|sinc(N x) / sinc(x)| of (49), which is 1 at every integer x; the nearest integer is taken off, else 0/0."""
    x = x - np.round(x)
    return abs(np.sinc(N * x) / np.sinc(x))


def gains(cosines, shape, oversampling=(1, 1), exponent=2):
    """(49) without gamma, (S,K,Q): `exponent` 2 is |v^T f|^2; 1 is as printed, its square root."""
    x = (cosines[:, :, None] - beam_cosines(shape, oversampling)) / 2
    return (kernel(shape[0], x[..., 0]) * kernel(shape[1], x[..., 1])) ** exponent


def lcms(gamma, cosines, shape, o, B, oversampling=(1, 1), exponent=2):
    """Algorithm 3. Two guards: UTs past B_s get no beam of their own, and stage 2 ends with B_s beams.

    As printed, `until b = B_s` after b = b + 1 leaves B_s - 1 beams, and passes B_s where stage 1 has filled it.
    """
    gain = gains(cosines, shape, oversampling, exponent)
    S, _, Q = gain.shape
    out = []
    for s in range(S):
        taken, left = [], list(range(Q))
        waiting = [int(k) for k in np.flatnonzero(o[s])]
        users = list(waiting)
        while waiting and len(taken) < min(B[s], Q):
            k = first_of_the_largest(waiting, [gamma[s, k] for k in waiting], 0)
            q = first_of_the_largest(left, [gain[s, k, q] for q in left], 1)
            taken.append(q)
            left.remove(q)
            waiting.remove(k)
        while len(taken) < min(B[s], Q):
            total = [sum(gamma[s, k] * gain[s, k, q] for k in users) for q in left]
            q = first_of_the_largest(left, total, sum(gamma[s, k] for k in users))
            taken.append(q)
            left.remove(q)
        out.append(np.array(taken, int))
    return out


def zero_forcing_rate(H, snr):
    """Sum rate of the rows of H under zero forcing at sum power snr, zero where H H^H is singular."""
    gram = H @ H.conj().T
    scale = np.trace(gram).real
    if scale == 0 or np.linalg.eigvalsh(gram)[0] <= 1e-12 * scale:
        return 0.0
    return len(H) * np.log2(1 + snr / np.trace(np.linalg.inv(gram)).real)


def near_optimal(gamma, cosines, shape, o, B, P, sigma2, oversampling=(1, 1)):
    """Interference-aware selection after P2's [18], which P2 names and does not describe.

    A UT whose strongest beam is no other UT's gets it. The others, by index, each get the free beam with the
    largest zero-forcing sum rate of the UTs that have a beam by then. That is one beam per UT and all of [18];
    up to B_s, the beam with the largest sum rate of all UTs follows. The rows are sqrt(gamma) v_bar^T / sigma_k;
    equal rates (singular systems have 0) go by captured power.
    """
    v, F = upa(cosines, shape), codebook(shape, oversampling)
    out = []
    for s in range(len(gamma)):
        users = [int(k) for k in np.flatnonzero(o[s])]
        H = {k: np.sqrt(gamma[s, k] / sigma2[k]) * (v[s, k] @ F) for k in users}
        left = list(range(F.shape[1]))
        reach = {k: (abs(H[k]) ** 2).sum() for k in users}
        best = {k: first_of_the_largest(left, list(abs(H[k]) ** 2), reach[k]) for k in users}
        alone = [k for k in users if list(best.values()).count(best[k]) == 1]
        taken, served = [], []
        steps = [(k, [best[k]]) for k in alone] + [(k, None) for k in users if k not in alone]
        steps += [(None, None)] * (F.shape[1] - len(users))
        for k, only in steps[: min(B[s], F.shape[1])]:
            served += [] if k is None else [k]
            candidates = left if only is None else only
            rows = np.array([H[j] for j in served]).reshape(len(served), -1)
            rates = [zero_forcing_rate(rows[:, [*taken, q]], P[s]) for q in candidates]
            powers = [(abs(rows[:, q]) ** 2).sum() for q in candidates]
            equal = [i for i in range(len(rates)) if rates[i] >= max(rates) * (1 - 1e3 * TIE)]
            q = first_of_the_largest([candidates[i] for i in equal], [powers[i] for i in equal], sum(reach.values()))
            taken.append(q)
            left.remove(q)
        out.append(np.array(taken, int))
    return out


def full(S, shape, oversampling=(1, 1)):
    """Every codeword of every satellite."""
    return [np.arange(len(beam_cosines(shape, oversampling))) for _ in range(S)]
