"""Shares of bins, and the named ways of dealing with empty ones."""

from __future__ import annotations

import numpy as np

from mlmon.stats.inputs import ArrayLike, Floats, as_counts, one_of

FLOOR = 1e-4
SMOOTHINGS = ("floor_1e-4", "laplace_half", "none")


def smoothed_shares(counts: ArrayLike, smoothing: str = "floor_1e-4") -> Floats:
    """Shares of the counts, smoothed by a named policy; all NaN where there are no rows.

    floor_1e-4: shares below 1e-4 become 1e-4, then all are divided by their new sum.
    laplace_half: (count + ½) / (n + B/2) over the B bins given.
    none: count / n.

    Bins that are empty on both sides are the caller's to leave out, as the functions over two sides do:
    one side alone does not know them.
    """
    one_of("smoothing", smoothing, SMOOTHINGS)
    rows = as_counts("counts", counts)
    n = rows.sum()
    if n <= 0:
        return np.full(len(rows), np.nan)
    shares: Floats = rows / n
    if smoothing == "laplace_half":
        shares = (rows + 0.5) / (n + len(rows) / 2)
    elif smoothing == "floor_1e-4":
        shares = np.maximum(shares, FLOOR)
        shares = shares / shares.sum()
    return shares
