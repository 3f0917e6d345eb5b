"""Three tools of linear algebra in extended precision, for which LAPACK has none; each is the textbook's."""

import numpy as np


def solve(A, B):
    """A^-1 B, Gaussian elimination with partial pivoting; A (n,n), B (n,m)."""
    U, X, n = np.array(A, np.clongdouble), np.array(B, np.clongdouble), len(A)
    for i in range(n):
        p = i + int(np.argmax(abs(U[i:, i])))
        U[[i, p]], X[[i, p]] = U[[p, i]], X[[p, i]]
        if U[i, i] == 0:
            raise np.linalg.LinAlgError("singular")
        factor = U[i + 1 :, i] / U[i, i]
        U[i + 1 :, i + 1 :] -= factor[:, None] * U[i, i + 1 :]
        X[i + 1 :] -= factor[:, None] * X[i]
    for i in reversed(range(n)):
        X[i] = (X[i] - U[i, i + 1 :] @ X[i + 1 :]) / U[i, i]
    return X


def factor(A):
    """G (n,n) with G G^H = A for A positive semidefinite: Cholesky with pivoting, zero columns past the rank.

    Pivoting only permutes the rows of the triangle, and leaves nothing to the rounding of a pivot that is zero.
    """
    rest, n = np.array(A, np.clongdouble), len(A)
    G = np.zeros((n, n), np.clongdouble)
    floor = 8 * n * np.finfo(np.longdouble).eps * max(np.trace(rest).real, 0)
    for i in range(n):
        p = int(np.argmax(np.diag(rest).real))
        if rest[p, p].real <= floor:
            break
        G[:, i] = rest[:, p] / np.sqrt(rest[p, p].real)
        rest -= G[:, i, None] * G[:, i].conj()
    return G


def log2det(A):
    """log2 det of a Hermitian positive definite matrix, from the pivots of its elimination."""
    U, n = np.array(A, np.clongdouble), len(A)
    total = np.longdouble(0)
    for i in range(n):
        total += np.log2(U[i, i].real)
        U[i + 1 :, i + 1 :] -= (U[i + 1 :, i] / U[i, i])[:, None] * U[i, i + 1 :]
    return total
