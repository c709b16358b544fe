"""Seeded random streams: the only source of chance in the demo.

Every purpose has a stream of its own, and a stream is always drawn for all flights of the year. So
a tenth of the flights is an exact part of the whole, and a new purpose leaves the older ones alone.
"""

from zlib import crc32

import numpy as np

SEED = 2013


def stream(purpose: str) -> np.random.Generator:
    """The generator of one purpose; equal purposes give equal numbers."""
    return np.random.default_rng([SEED, crc32(purpose.encode())])
