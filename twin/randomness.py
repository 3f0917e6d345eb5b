"""Random streams, keyed by purpose and epoch, so that a draw never depends on what was drawn before it.

Streams are keyed by the satellite as well: a catalogue that holds more satellites, or a policy that
serves with others, leaves the draws of every pair of satellite and terminal as they were.
"""

from zlib import crc32

import numpy as np


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """Make the generator of one purpose at one place of the run (epoch, satellite, ...).

    >>> first = stream(7, "phase", 12, 44714).standard_normal()
    >>> first == stream(7, "phase", 12, 44714).standard_normal()
    True
    >>> first == stream(7, "phase", 13, 44714).standard_normal()
    False
    """
    return np.random.Generator(np.random.SFC64([seed, crc32(purpose.encode()), *keys]))
