"""Random streams keyed by purpose, epoch and satellite, so that a draw does not depend on earlier draws.

The draws of a satellite and a terminal are the same if the catalogue holds further satellites or the policy selects
other serving satellites.
"""

from zlib import crc32

import numpy as np


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """The random generator of one purpose and its keys (epoch, satellite, ...).

    >>> first = stream(7, "phase", 12, 44714).standard_normal()
    >>> first == stream(7, "phase", 12, 44714).standard_normal()
    True
    >>> first == stream(7, "phase", 13, 44714).standard_normal()
    False
    """
    return np.random.Generator(np.random.SFC64([seed, crc32(purpose.encode()), *keys]))
