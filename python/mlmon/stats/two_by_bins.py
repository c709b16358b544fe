"""Tests of one 2×B table of counts: is the difference of two samples' shares chance?"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from mlmon.stats.inputs import ArrayLike, Floats, paired_counts
from mlmon.stats.p_values import binned_p_values

# A bin whose share of both samples, times the smaller sample, is below this is too sparse for Pearson.
SPARSE_BELOW = 2


class ChiSquare(NamedTuple):
    """Pearson's statistic of a 2×B table, its upper tail and B − 1."""

    statistic: float
    p_value: float
    degrees_of_freedom: int


class TableSums(NamedTuple):
    """The sums of 2×B tables that binned_p_values takes, one array entry per table."""

    chi_square: Floats
    degrees_of_freedom: Floats
    sparse_reference: Floats
    sparse_current: Floats
    n_reference: Floats
    n_current: Floats


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
    return float(binned_p_values(*table_sums(reference, current)))


def table_sums(reference: Floats, current: Floats) -> TableSums:
    """What binned_p_values needs of 2×B tables: bins on the last axis, one table per leading place.

    Bins empty on both sides count for nothing. Whether a bin is sparse is compared in whole numbers of
    rows, so no rounding decides it.
    """
    both = reference + current
    n, m = reference.sum(axis=-1, keepdims=True), current.sum(axis=-1, keepdims=True)
    sparse = (both > 0) & (both * np.minimum(n, m) < SPARSE_BELOW * (n + m))
    dense = (both > 0) & ~sparse
    a, b = np.where(dense, reference, 0.0), np.where(dense, current, 0.0)
    rows_a, rows_b = a.sum(axis=-1, keepdims=True), b.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (a + b) / (rows_a + rows_b)
        # Without a row on one side of the dense bins all terms are NaN, and so is the sum.
        terms = (a - rows_a * share) ** 2 / (rows_a * share) + (b - rows_b * share) ** 2 / (
            rows_b * share
        )
    return TableSums(
        chi_square=np.sum(np.where(dense, terms, 0.0), axis=-1),
        degrees_of_freedom=dense.sum(axis=-1) - 1.0,
        sparse_reference=np.sum(np.where(sparse, reference, 0.0), axis=-1),
        sparse_current=np.sum(np.where(sparse, current, 0.0), axis=-1),
        n_reference=n[..., 0],
        n_current=m[..., 0],
    )


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
