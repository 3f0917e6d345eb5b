"""P1's problem (16) of one satellite: (19), (20), Algorithm 2, and bisection for one constraint.

With T (N,N) of (30) and z (K,N,S), minimise over W (K,N,S)

    sum_k Tr(W_k^H T W_k) - 2 Re Tr(z_k^H W_k)   subject to   sum_k Tr(W_k^H A_x W_k) <= rho_x,  x = 1..d.

It is convex: a W = W(mu) of (19) that keeps the constraints with mu >= 0 and mu_x g_x = 0 is its solution,
however mu was found. What differs from Algorithm 2 as printed:

- The dual function is concave with gradient g, so a violated constraint must raise its multiplier. The printed cut
  s = g with c - s/(d+1) lowers it. Here s = -g.
- Setting a negative centre to zero moves the ellipsoid, which may then no longer hold mu*. A centre with a
  negative component is cut by mu_x >= 0 instead, and an ellipsoid far larger than the box by the box.
- The box: from stationarity, sum_x mu_x* rho_x = Re Tr(W^H z) - Tr(W^H T W) <= Tr(z^H T^+ z) / 4. That bounds
  every component; a feasible multiple of the start (lines 6 to 11) does not.
- Stop: when the conditions above hold to `tol`, relative (lines 17 to 19: an absolute residual and the size of the
  ellipsoid, which does not get small where the multipliers are not unique).
- d = 1: d^2/(d^2-1) (1 - 2/(d+1)) has the limit 1/4, and the ellipsoid method is bisection.
- The matrix of (19) may be singular. z lies in the range of T, and W is the limit for multipliers that fall to mu
  in proportion; at mu = 0, and where no A_x sees it, W has the least norm. Where A is not I, W(0) may break the
  caps although some other W with T W = z keeps them: then mu* = 0, a mu near 0 is returned, and the part of W in the
  null space of T, which no UE receives, is not unique.
- rho_x = 0: W is sought in the null space of A_x, and mu_x is infinite.
"""

import itertools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Solution of one satellite's problem."""

    W: np.ndarray
    """(K,N,S)."""
    mu: np.ndarray
    """(d,) multipliers; infinite where rho_x = 0 and A_x is not 0."""
    stationarity: float
    """||(T + sum mu A) W - z|| / ||z||; within the null space where some rho_x = 0."""
    excess: float
    """Largest g_x / rho_x, negative where no constraint is active."""
    slackness: float
    """Largest |mu_x g_x|, over sum_x mu_x rho_x."""
    gap: float
    """Largest |mu_x g_x|, over Tr(z^H T^+ z)."""
    evaluations: int
    """How many multipliers were tried."""


def split(A):
    """Eigenvalues of a positive semidefinite A above N eps of the largest, their vectors, and the other vectors."""
    value, vector = np.linalg.eigh((A + A.conj().T) / 2)
    keep = value > len(A) * np.finfo(float).eps * value.max(initial=0)
    return value[keep], vector[:, keep], vector[:, ~keep]


def pseudo_solve(A, z):
    """A^+ z for positive semidefinite A, which may be empty."""
    if len(A) == 0:
        return z
    value, vector, _ = split(A)
    return vector @ ((vector.conj().T @ z) / value[:, None])


class Problem:
    """(16) for one satellite, positive caps only."""

    def __init__(self, T, z, A, rho):
        K, N, S = z.shape
        self.T, self.z, self.rho, self.evaluations = T, z, np.asarray(rho, float), 0
        self.A = np.asarray(A, complex).reshape(len(rho), N, N)
        self.columns = z.transpose(1, 0, 2).reshape(N, K * S)
        self.value, self.range, self.null = split(T)

    def matrix(self, mu):
        """The matrix that (19) inverts."""
        return self.T + np.tensordot(mu, self.A, axes=1)

    def W(self, mu):
        """(19), with the null space of T eliminated first: there z is zero, and mu may be as small as it likes."""
        self.evaluations += 1
        K, N, S = self.z.shape
        A = np.tensordot(mu, self.A, axes=1)
        A_nr = self.null.conj().T @ A @ self.range
        follow = -pseudo_solve(self.null.conj().T @ A @ self.null, A_nr)
        reduced = np.diag(self.value) + self.range.conj().T @ A @ self.range + A_nr.conj().T @ follow
        in_range = pseudo_solve(reduced, self.range.conj().T @ self.columns)
        W = self.range @ in_range + self.null @ (follow @ in_range)
        return W.reshape(N, K, S).transpose(1, 0, 2)

    def residuals(self, W):
        """(20)."""
        K, N, S = W.shape
        columns = W.transpose(1, 0, 2).reshape(N, K * S)
        Q = columns @ columns.conj().T  # sum_k W_k W_k^H
        return np.tensordot(self.A, Q.T, axes=2).real - self.rho

    def g(self, mu):
        """(20) at W(mu)."""
        return self.residuals(self.W(mu))

    def gain(self):
        """Tr(z^H T^+ z): how far the objective can fall from W = 0."""
        return (abs(self.range.conj().T @ self.columns) ** 2 / self.value[:, None]).sum()

    def bound(self):
        """mu_x* <= this, for every solution."""
        return (1 + 1e-6) * self.gain() / (4 * self.rho)  # the margin is for rounding

    def solved(self, mu, g, tol):
        """Feasible; complementary relative to sum mu rho, or to the whole gain where the multipliers vanish."""
        small = max(tol * (mu @ self.rho), 1e-13 * self.gain())
        return (g <= tol * self.rho).all() and (abs(mu * g) <= small).all()


def bisection(problem, most=200):
    """d = 1: the smallest mu found that keeps the constraint, to the last bits."""
    low, high = 0.0, float(problem.bound()[0])
    for _ in range(most):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if problem.g([middle])[0] > 0 else (low, middle)
    return np.array([high])


def cut(c, B, s, depth=0.0):
    """Lines 21 to 26 for the part s^T (mu - c) <= -depth sqrt(s^T P s), P = B B^T; the printed cut has depth 0.

    B is carried instead of P: where multipliers are not unique, P becomes too narrow for its own rounding.
    """
    d = len(c)
    size = np.linalg.norm(B.T @ s)
    along = B.T @ s / size
    s_tilde = B @ along
    c = c - (1 + d * depth) / (d + 1) * s_tilde
    if d == 1:
        return c, (1 - depth) / 2 * B
    shrink = 1 - 2 * (1 + d * depth) / ((d + 1) * (1 + depth))
    grow = d * np.sqrt((1 - depth**2) / (d**2 - 1))
    return c, grow * (B - (1 - np.sqrt(shrink)) * np.outer(s_tilde, along))


def face(c, B, mu_bar):
    """The face of the box [0, mu_bar] to cut with, as (s, depth), or None.

    Needed where the centre is outside, and where the ellipsoid has grown far beyond the box.
    """
    d, reach = len(c), np.linalg.norm(B, axis=1)
    below, above = -c / reach, (c - mu_bar) / reach
    x, y = below.argmax(), above.argmax()
    limit = -1 / (2 * d)
    if below[x] > 0 or (below[x] > limit and reach[x] > 4 * d * mu_bar[x]):
        return -np.eye(d)[x], below[x]
    if above[y] > 0 or (above[y] > limit and reach[y] > 4 * d * mu_bar[y]):
        return np.eye(d)[y], above[y]
    return None


def ellipsoid(problem, tol, most=40_000):
    """Algorithm 2 from line 12 on."""
    mu_bar = problem.bound()
    d = len(mu_bar)
    c, B = mu_bar / 2, np.sqrt(d / 4) * np.diag(mu_bar)
    for _ in range(most):
        outside = face(c, B, mu_bar)
        if outside is None:
            g = problem.g(c)
            if problem.solved(c, g, tol):
                return c
            outside = (-g, 0.0)
        if not np.linalg.norm(B.T @ outside[0]) > 0:  # the ellipsoid has shrunk to rounding
            break
        c, B = cut(c, B, *outside)
    return np.maximum(c, 0)


def printed_ellipsoid(problem, mu_start, alpha=2.0, eps=1e-4, most=2000, sign=1):
    """Algorithm 2 as printed, lines 1 to 27, d > 1. `sign` = -1 mends the cut and leaves the clipping."""
    d = len(problem.rho)
    if (problem.g(np.zeros(d)) <= 0).all():
        return np.zeros(d)
    mu = np.asarray(mu_start, float)
    while (problem.g(mu) > 0).any():
        mu = alpha * mu
    c, B = mu / 2, np.sqrt(d / 4) * np.diag(mu)
    for _ in range(most):
        g = problem.g(c)
        if (g.max() <= eps and np.linalg.norm(B, axis=1).max() <= eps) or not np.linalg.norm(B.T @ g) > 0:
            break
        c, B = cut(c, B, sign * g)
        c = np.maximum(c, 0)
    return c


def null_space(A_list, N):
    """Orthonormal basis of what every A in the list sends to zero."""
    value, vector = np.linalg.eigh(sum(A_list, np.zeros((N, N), complex)))
    return vector[:, value <= 1e-12 * value.max(initial=1e-300)]


def minimise(T, z, constraints, tol=1e-10, always_ellipsoid=False):
    """The `Step` for constraints [(A, rho), ...]; no constraint at all is allowed."""
    A, rho = [np.asarray(A, complex) for A, _ in constraints], np.array([r for _, r in constraints], float)
    if (rho < 0).any():
        raise ValueError("a power cap is negative")
    off = [x for x in range(len(rho)) if rho[x] == 0]
    on = [x for x in range(len(rho)) if rho[x] > 0]
    B = null_space([A[x] for x in off], len(T)) if off else np.eye(len(T))
    inner = Problem(
        B.conj().T @ T @ B,
        B.conj().T @ z,
        [B.conj().T @ A[x] @ B for x in on],
        rho[on],
    )
    mu_on = np.zeros(len(on))
    if B.shape[1] and (inner.g(mu_on) > 0).any():
        one = len(on) == 1 and not always_ellipsoid
        mu_on = bisection(inner) if one else ellipsoid(inner, tol)
    W = inner.W(mu_on) if B.shape[1] else inner.z
    mu = np.zeros(len(rho))
    mu[on] = mu_on
    mu[[x for x in off if A[x].any()]] = np.inf
    g, weight = inner.residuals(W), mu_on @ rho[on]
    left = np.linalg.norm(inner.matrix(mu_on) @ W - inner.z)
    return Step(
        W=B @ W,
        mu=mu,
        stationarity=left / (np.linalg.norm(inner.z) or 1.0),
        excess=max(itertools.chain(g / rho[on], [-np.inf])),
        slackness=abs(mu_on * g).max(initial=0) / (weight or 1.0),
        gap=abs(mu_on * g).max(initial=0) / (inner.gain() or 1.0),
        evaluations=inner.evaluations,
    )
