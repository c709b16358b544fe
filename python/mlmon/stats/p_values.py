"""p-values of many columns and windows at once: arrays in, an array out, NaN where undefined.

Single numbers stand for every row. Rows that are equal are computed once where a test is dear. The
same tests of one column at a time are in two_by_bins.py and two_sample.py.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from mlmon.stats.fisher import fisher_p_values
from mlmon.stats.inputs import ArrayLike, Floats, same_shape


def chi_square_p_values(statistic: ArrayLike, degrees_of_freedom: ArrayLike) -> Floats:
    """Upper tail of chi-square; 1 where there are no degrees of freedom (a single bin)."""
    x, df = same_shape(statistic=statistic, degrees_of_freedom=degrees_of_freedom)
    with np.errstate(invalid="ignore"):
        p_values = np.where(df > 0, special.chdtrc(np.where(df > 0, df, 1), np.maximum(x, 0)), 1.0)
    return np.where(np.isnan(x) | np.isnan(df), np.nan, p_values)


def binned_p_values(
    chi_square: ArrayLike,
    degrees_of_freedom: ArrayLike,
    sparse_reference: ArrayLike,
    sparse_current: ArrayLike,
    n_reference: ArrayLike,
    n_current: ArrayLike,
) -> Floats:
    """The one test of the 2×B table, from its sums: what judges every statistic of bin counts.

    A bin is sparse when its share of both samples together, times the smaller sample, is below 2.

    chi_square, degrees_of_freedom: Pearson's over the dense bins alone (number of dense bins − 1). No
        dense test where the degrees of freedom are NaN or below 1. A NaN chi_square with degrees of
        freedom means that one side has no row in the dense bins: that test's p is 1.
    sparse_reference, sparse_current: rows in all sparse bins together, 0 and 0 where none is sparse.
    n_reference, n_current: all rows, sparse and dense.

    p = min(1, 2 · the smaller of Pearson's p and Fisher's of sparse against dense), or the one that
    exists, or 1. NaN where a side has no rows or its number is NaN.
    """
    x, df, s, t, n, m = same_shape(
        chi_square=chi_square,
        degrees_of_freedom=degrees_of_freedom,
        sparse_reference=sparse_reference,
        sparse_current=sparse_current,
        n_reference=n_reference,
        n_current=n_current,
    )
    s, t = np.nan_to_num(s), np.nan_to_num(t)
    with np.errstate(invalid="ignore"):
        has_dense = df >= 1
        has_sparse = (s + t > 0) & (s + t < n + m)
        defined = (n > 0) & (m > 0)
    dense = np.where(np.isnan(x), 1.0, chi_square_p_values(np.nan_to_num(x), np.nan_to_num(df)))
    sparse = np.ones_like(dense)
    needed = has_sparse & defined
    sparse[needed] = fisher_p_values(s[needed], n[needed], t[needed], m[needed])
    p_values = np.where(has_dense, dense, 1.0)
    p_values = np.where(
        has_sparse, np.where(has_dense, np.minimum(p_values, sparse), sparse), p_values
    )
    p_values = np.where(has_dense & has_sparse, np.minimum(1.0, 2 * p_values), p_values)
    return np.where(defined, p_values, np.nan)


def two_proportion_p_values(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike) -> Floats:
    """Two-sided p of the pooled two-proportion z test, without continuity correction.

    1 where the pooled share is 0 or 1; NaN where a side has no rows. It judges missing_change.
    """
    a, n, b, m = same_shape(x1=x1, n1=n1, x2=x2, n2=n2)
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (a + b) / (n + m)
        difference = np.abs(b / m - a / n)
        z = difference / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        p_values = np.where((pooled <= 0) | (pooled >= 1), 1.0, 2 * special.ndtr(-z))
        defined = (n > 0) & (m > 0) & ~np.isnan(a) & ~np.isnan(b)
    return np.where(defined, p_values, np.nan)
