"""P1's receivers, weights and mean square errors: (12), (14), (15), (23) to (27), from (11) itself.

H (L,K,M,N) are the effective matrices, W (L,K,N,S) the precoders, sigma2 (K,) the noise powers.

Printed (12) and (14) add the satellites' powers in the received covariance but their amplitudes in the wanted
term. What (11) says is used instead: with G_{k,i} = sum_l H_{l,k} W_{l,i},

    J_k = sum_i G_{k,i} G_{k,i}^H + sigma^2 I,    U_k = J_k^-1 G_{k,k},    E_k = I - G_{k,k}^H J_k^-1 G_{k,k}.

For one satellite, and for streams sent by one satellite each, the two agree. 2 Re(X) of a matrix X is read as
X + X^H, without which E_k would not be Hermitian. The `printed_` functions exist to show what they do.
"""

import numpy as np


def received(H, W):
    """G (K,K,M,S), G[k,i] = sum_l H_{l,k} W_{l,i}: what UE k receives of UE i's streams."""
    L, K, M, _ = H.shape
    G = np.zeros((K, K, M, W.shape[3]), complex)
    for k in range(K):
        for i in range(K):
            for l in range(L):
                G[k, i] += H[l, k] @ W[l, i]
    return G


def unwanted(k, G, sigma2_k):
    """Z_k = sum_{i != k} G_{k,i} G_{k,i}^H + sigma^2 I."""
    Z = sigma2_k * np.eye(G.shape[2], dtype=complex)
    for i in range(len(G)):
        if i != k:
            Z += G[k, i] @ G[k, i].conj().T
    return Z


def combiner(k, G, sigma2_k):
    """(14), (25) with J_k of (11)."""
    J = unwanted(k, G, sigma2_k) + G[k, k] @ G[k, k].conj().T
    return np.linalg.solve(J, G[k, k])


def inverse_mse(k, G, sigma2_k):
    """E_k^-1 for the best combiner, as I + G^H Z^-1 G, where no 1 - (1 - e) cancels."""
    X = G[k, k].conj().T @ np.linalg.solve(unwanted(k, G, sigma2_k), G[k, k])
    return np.eye(len(X)) + (X + X.conj().T) / 2


def mse(k, G, U_k, sigma2_k):
    """E_k of any combiner, (I - U^H G)(I - U^H G)^H + U^H Z U: positive semidefinite term by term."""
    miss = np.eye(U_k.shape[1]) - U_k.conj().T @ G[k, k]
    return miss @ miss.conj().T + U_k.conj().T @ unwanted(k, G, sigma2_k) @ U_k


def receivers(H, W, sigma2, omega):
    """Steps 6 and 7 of Algorithm 1: U (K,M,S), C (K,S,S); rate weights omega are not in the paper."""
    G = received(H, W)
    K = len(G)
    U = np.array([combiner(k, G, sigma2[k]) for k in range(K)])
    C = np.array([omega[k] / np.log(2) * inverse_mse(k, G, sigma2[k]) for k in range(K)])
    return U, C


def log2_det(X):
    """log2 of the determinant of a positive definite matrix; an empty one has 0."""
    return np.linalg.slogdet(X)[1] / np.log(2)


def objective(H, W, sigma2, omega, U, C):
    """(13a)."""
    G = received(H, W)
    total = 0.0
    for k in range(len(G)):
        if omega[k] > 0:
            error = np.trace(C[k] @ mse(k, G, U[k], sigma2[k])).real
            total += error - omega[k] * log2_det(C[k])
    return total


def printed_combiner(k, H, W, sigma2_k):
    """(14) as printed, its last factor read as sum_l H_{l,k} W_{l,k} (printed: H_k W_i)."""
    return np.linalg.solve(printed_covariance(k, H, W, sigma2_k), received(H, W)[k, k])


def printed_covariance(k, H, W, sigma2_k):
    """The first factor of (14): powers of the satellites added, no cross terms."""
    L, K, M, _ = H.shape
    J = sigma2_k * np.eye(M, dtype=complex)
    for i in range(K):
        for l in range(L):
            J += H[l, k] @ W[l, i] @ W[l, i].conj().T @ H[l, k].conj().T
    return J


def printed_mse(k, H, W, U_k, sigma2_k):
    """(12) as printed, 2 Re(X) read as X + X^H."""
    X = U_k.conj().T @ received(H, W)[k, k]
    power = U_k.conj().T @ printed_covariance(k, H, W, sigma2_k) @ U_k
    return power - X - X.conj().T + np.eye(len(X))
