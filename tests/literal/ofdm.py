"""P3's chain, sample by sample: IFFT, cyclic prefix, delay, Doppler, window, FFT (Section III, eq. 4 to 11)."""

import numpy as np


def qpsk(rng, *shape):
    """Data of unit power."""
    return (rng.choice([-1.0, 1.0], shape) + 1j * rng.choice([-1.0, 1.0], shape)) / np.sqrt(2)


def stream(x, prefix, fraction):
    """(4), (5): data x (M,N) as baseband samples at times (i + fraction) T/N, i = -prefix, ... of the first symbol."""
    N = x.shape[1]
    body = np.fft.ifft(x * np.exp(2j * np.pi * np.arange(N) * fraction / N), axis=1) * N
    return np.concatenate([body[:, N - prefix :], body], axis=1).ravel()


def demodulated(x, *, prefix, early, cycles=0.0, advance=0, carrier=0.0, compensated=0.0):
    """(7), (10): what stands on the N subcarriers of the window of the middle one of the symbols x (M,N).

    Nothing is sent before the first symbol and after the last.

    early: residual delay of (8) in samples, positive for a signal that comes too early; any number.
    cycles: residual Doppler over the subcarrier spacing.
    advance: samples by which the receiver's windows are early.
    carrier, compensated: f_0 and nu^cps over the subcarrier spacing.
    """
    M, N = x.shape
    whole, fraction = int(np.floor(early)), early - np.floor(early)
    pad = 4 * (N + prefix) + abs(whole)
    sent = np.concatenate([np.zeros(pad), stream(x, prefix, fraction), np.zeros(pad)])
    t = (M // 2) * (N + prefix) - advance + np.arange(N)
    # (7): the carrier is advanced with the signal, and the Doppler correction is taken at the advanced time
    turns = carrier * early / N + t * cycles / N - compensated * early / N
    return np.fft.fft(sent[pad + prefix + t + whole] * np.exp(2j * np.pi * turns)) / N


def parts(rng, *, N, prefix, trials, **impairments):
    """The middle one of nine symbols taken apart: y/x with it alone (trials,N), power of all others (trials,).

    The chain is linear: symbols are separated by sending without them.
    """
    own, symbols = [], []
    for _ in range(trials):
        x = qpsk(rng, 9, N)
        middle = np.zeros_like(x)
        middle[4] = x[4]
        own.append(demodulated(middle, prefix=prefix, **impairments) / x[4])
        symbols.append(np.mean(np.abs(demodulated(x - middle, prefix=prefix, **impairments)) ** 2))
    return np.array(own), np.array(symbols)


def correlation(rng, *, N, prefix, trials, one, other, subcarrier=3):
    """y_1 y_2* on a subcarrier of one stream that arrives from two satellites, early by one and other samples."""
    products = []
    for _ in range(trials):
        x = qpsk(rng, 9, N)
        first, second = (demodulated(x, prefix=prefix, early=early)[subcarrier] for early in (one, other))
        products.append(first * second.conj())
    return np.array(products)


def pilot_errors(rng, *, N, M, snr, trials):
    """Errors of the maximum-likelihood estimates from pilots (M,N): delay in T, Doppler per pilot interval, phase.

    Least squares near the truth by Gauss-Newton; the phase is that at the middle of the grid.
    """
    f, t = np.meshgrid(np.arange(N) - (N - 1) / 2, np.arange(M) - (M - 1) / 2)
    f, t = f.ravel(), t.ravel()
    errors = []
    for _ in range(trials):
        noise = (rng.standard_normal(N * M) + 1j * rng.standard_normal(N * M)) / np.sqrt(2 * snr)
        y = 1.0 + noise
        p = np.zeros(4)  # delay, Doppler, phase, log amplitude
        for _ in range(4):
            model = np.exp(p[3] + 2j * np.pi * (t * p[1] - f * p[0]) + 1j * p[2])
            slope = model[:, None] * np.stack([-2j * np.pi * f, 2j * np.pi * t, 1j + 0 * f, 1.0 + 0 * f], axis=1)
            A = np.concatenate([slope.real, slope.imag])
            b = np.concatenate([(y - model).real, (y - model).imag])
            p = p + np.linalg.lstsq(A, b, rcond=None)[0]
        errors.append(p[:3])
    return np.array(errors)
