"""P1's channel: (2), (3), (41), (42), and the effective matrices that its precoders are built on.

P1 is Ramezani and Björnson, "Joint and Streamwise Distributed MIMO Satellite Communications with Multi-Antenna
Ground Users". Its letters: L satellites, K UEs, N and M antennas, S streams. Response vectors are not normalised
(norm sqrt(n)) and have their phase reference at the first antenna: that reference is part of the problem, since
(11) adds the satellites with the phases that the response vectors happen to have.
"""

import numpy as np


def response(n, sine):
    """b(theta) of a half-wavelength ULA as printed above (39), for sines of any shape: (..., n)."""
    return np.exp(1j * np.pi * np.arange(n) * np.asarray(sine)[..., None])


def effective(beta, b, a):
    """H~_{l,k} = sqrt(beta) b a^T for beta (L,K), b (L,K,M), a (L,K,N): (L,K,M,N)."""
    L, K, M = b.shape
    H = np.zeros((L, K, M, a.shape[2]), complex)
    for l in range(L):
        for k in range(K):
            H[l, k] = np.sqrt(beta[l, k]) * np.outer(b[l, k], a[l, k])
    return H


def gains(rng, D, beta, kappa):
    """D draws of gamma (3): (D,L,K). kappa may be infinite; phase and scattered part are always both drawn."""
    shape = (D, *beta.shape)
    psi = rng.uniform(0, 2 * np.pi, shape)
    z = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    line = np.ones_like(kappa, float)
    finite = np.isfinite(kappa)
    line[finite] = kappa[finite] / (kappa[finite] + 1)
    return np.sqrt(beta) * (np.sqrt(line) * np.exp(1j * psi) + np.sqrt(1 - line) * z)


def slant_range_m(sine_elevation, h_m=560e3, R_m=6371e3):
    """(42)."""
    return -R_m * sine_elevation + np.sqrt((R_m + h_m) ** 2 - R_m**2 * (1 - sine_elevation**2))


def large_scale(d_m, f_hz=20e9, G_u_dbi=8.0, G_s_dbi=20.0):
    """(41), the speed of light as printed."""
    return 10 ** ((G_u_dbi + G_s_dbi) / 10) * (3e8 / (4 * np.pi * f_hz * d_m)) ** 2


def noise_power_w(bandwidth_hz=400e6, density_dbm_hz=-174.0, figure_db=1.2):
    """Section V's noise."""
    return 10 ** ((density_dbm_hz + 10 * np.log10(bandwidth_hz) + figure_db - 30) / 10)
