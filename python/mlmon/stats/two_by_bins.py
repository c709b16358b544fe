"""Tests of one 2×B table of counts: is the difference of two samples' shares chance?"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from mlmon.stats.inputs import ArrayLike, Flags, Floats, paired_counts
from mlmon.stats.p_values import binned_p_values

# A bin whose share of both samples, times the smaller sample, is below this is too sparse for Pearson.
SPARSE_BELOW = 2


class ChiSquare(NamedTuple):
    """Pearson's statistic of a 2×B table, its upper tail and B − 1."""

    statistic: float
    p_value: float
    degrees_of_freedom: int


def chi_square(reference_counts: ArrayLike, current_counts: ArrayLike) -> ChiSquare:
    """Pearson's chi-square over all bins, as scipy's chi2_contingency(correction=False).

    Bins empty on both sides are left out. One bin: 0 with p = 1; a side without rows: NaN.
    """
    reference, current = paired_counts(reference_counts, current_counts)
    statistic = pearson(reference, current)
    freedom = max(len(reference) - 1, 0)
    if math.isnan(statistic):
        return ChiSquare(math.nan, math.nan, freedom)
    p_value = float(special.chdtrc(freedom, statistic)) if freedom else 1.0
    return ChiSquare(statistic, p_value, freedom)


def binned_p_value(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """The one test that judges every statistic of bin counts (docs/numbers.md, "p-values").

    Pearson over the dense bins alone, Fisher's exact test of all sparse bins together against the rest,
    and min(1, 2 · the smaller), or the one that exists, or 1. Counts are whole rows. NaN where a side has
    no rows.
    """
    reference, current = paired_counts(reference_counts, current_counts)
    sparse = sparse_bins(reference, current)
    dense_reference, dense_current = reference[~sparse], current[~sparse]
    found = binned_p_values(
        pearson(dense_reference, dense_current),
        len(dense_reference) - 1,
        reference[sparse].sum(),
        current[sparse].sum(),
        reference.sum(),
        current.sum(),
    )
    return float(found)


def sparse_bins(reference: Floats, current: Floats) -> Flags:
    """Which bins are too sparse for Pearson's test. The comparison is in whole numbers of rows."""
    n, m = reference.sum(), current.sum()
    sparse: Flags = (reference + current) * min(n, m) < SPARSE_BELOW * (n + m)
    return sparse


def pearson(reference: Floats, current: Floats, yates: bool = False) -> float:
    """Pearson's statistic; NaN where a side has no rows. ``yates`` draws every count half a row
    nearer to its expectation, which is meant for 2×2 tables."""
    n, m = reference.sum(), current.sum()
    if n <= 0 or m <= 0:
        return math.nan
    share = (reference + current) / (n + m)
    statistic = 0.0
    for counts, rows in ((reference, n), (current, m)):
        off = np.abs(counts - rows * share)
        if yates:
            off = off - np.minimum(0.5, off)
        statistic += float(np.sum(off**2 / (rows * share)))
    return statistic
