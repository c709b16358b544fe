"""p-values: of 2×B tables of counts and of proportions, of many columns and windows at once, and
adjusted for the number of tests.

Arrays in, an array out, NaN where undefined; single numbers stand for every row. Rows that are equal
are computed once where a test is dear.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from mlmon.stats.inputs import (
    ArrayLike,
    Flags,
    Floats,
    as_floats,
    paired_counts,
    refusal,
    same_shape,
)

# Tables whose probability is equal to the observed one count as "as extreme". Their computed
# probabilities differ in the last bits; two that are truly unequal differ by far more.
TIE = 1e-9


# A tail is summed until what is added no longer moves the sum.
NEGLIGIBLE = 1e-17


def fisher_p_values(
    reference_hits: ArrayLike,
    n_reference: ArrayLike,
    current_hits: ArrayLike,
    n_current: ArrayLike,
) -> Floats:
    """Two-sided p-values of Fisher's exact test, as scipy.stats.fisher_exact.

    Each table is ``[[reference_hits, n_reference - reference_hits], [current_hits, n_current -
    current_hits]]``, in whole rows. NaN where a number is missing or a side has no rows.
    """
    a, n, c, m = same_shape(
        reference_hits=reference_hits,
        n_reference=n_reference,
        current_hits=current_hits,
        n_current=n_current,
    )
    p_values = np.full(a.shape, np.nan)
    with np.errstate(invalid="ignore"):
        usable = (n > 0) & (m > 0) & (a >= 0) & (c >= 0) & (a <= n) & (c <= m)
    if any((side[usable] % 1 != 0).any() for side in (a, n, c, m)):
        raise refusal(
            "counts", "parts of rows", "whole rows", "count rows; weights have no exact test"
        )
    if usable.any():
        tables, row_of = np.unique(
            np.column_stack([a[usable], n[usable], c[usable], m[usable]]),
            axis=0,
            return_inverse=True,
        )
        p_values[usable] = _two_sided(*tables.T)[row_of.reshape(-1)]
    return p_values


def _two_sided(a: Floats, n: Floats, c: Floats, m: Floats) -> Floats:
    """P-values of different tables: the tail from the observed count on, and the other one."""
    hits = a + c
    low, high = np.maximum(0, hits - m), np.minimum(hits, n)
    mode = np.clip(np.floor((hits + 1) * (n + 1) / (n + m + 2)), low, high)
    observed = _probability(a, n, hits, m)
    # Beyond the mode on the other side, the first count that is as improbable as the observed one.
    limit = observed * (1 + TIE)
    below = a < mode
    near, far = mode, np.where(below, high + 1, low - 1)
    while (np.abs(far - near) > 1).any():
        middle = np.trunc((near + far) / 2)
        moves = np.abs(far - near) > 1
        extreme = _probability(middle, n, hits, m) <= limit
        far = np.where(moves & extreme, middle, far)
        near = np.where(moves & ~extreme, middle, near)
    central = _probability(mode, n, hits, m) <= limit
    up, down = np.where(below, far, a), np.where(below, a, far)
    tails = _tail(up, 1, n, hits, m, low, high) + _tail(down, -1, n, hits, m, low, high)
    return np.where(central, 1.0, np.minimum(tails, 1.0))


def _probability(k: Floats, n: Floats, hits: Floats, m: Floats) -> Floats:
    """P(the reference has k of the hits), given the margins; 0 outside the possible counts.

    From three binomial probabilities, which scipy has to full precision for any size (a difference of
    log-gammas loses digits in large tables).
    """
    from scipy import stats

    share = n / (n + m)
    rest = n + m - hits
    with np.errstate(invalid="ignore", divide="ignore", under="ignore"):
        found = (
            stats.binom.pmf(k, hits, share)
            / stats.binom.pmf(n, n + m, share)
            * stats.binom.pmf(n - k, rest, share)
        )
    return np.asarray(found, dtype=np.float64)


def _tail(
    start: Floats, step: int, n: Floats, hits: Floats, m: Floats, low: Floats, high: Floats
) -> Floats:
    """The probability of all counts from ``start`` on, upwards or downwards."""
    inside: Flags = (start >= low) & (start <= high)
    first = np.where(inside, _probability(np.clip(start, low, high), n, hits, m), 0.0)
    total, term, k = np.ones_like(first), np.ones_like(first), start.copy()
    rows = np.flatnonzero(first > 0)
    while len(rows):
        x, s, r, t = k[rows], hits[rows], n[rows], m[rows]
        if step > 0:
            ratio = (s - x) * (r - x) / ((x + 1) * (t - s + x + 1))
        else:
            ratio = x * (t - s + x) / ((s - x + 1) * (r - x + 1))
        term[rows] *= ratio
        total[rows] += term[rows]
        k[rows] += step
        rows = rows[term[rows] > NEGLIGIBLE * total[rows]]
    return first * total


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


def benjamini_hochberg(p_values: ArrayLike, groups: ArrayLike | None = None) -> Floats:
    """p-values adjusted by Benjamini and Hochberg (1995) within each group.

    groups: one whole number per p-value (a window, say); without it all are one family. A NaN stays
    NaN and does not count as a test. Equals scipy.stats.false_discovery_control per group.
    """
    p = as_floats("p_values", p_values)
    if p.ndim != 1:
        raise refusal("p_values", f"{p.ndim} dimensions", "one", "pass one p-value per test")
    family = np.zeros(len(p), dtype=np.int64) if groups is None else np.asarray(groups)
    if family.shape != p.shape:
        raise refusal(
            "groups", f"shape {family.shape}", f"{p.shape}", "pass one group number per p-value"
        )
    known = np.flatnonzero(~np.isnan(p))
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise refusal("p_values", "a number outside 0 to 1", "0 to 1", "pass p-values")

    # Ordered by group and p, each test is p · (tests in its group) / rank, and no test is judged
    # more harshly than one with a greater p: a running minimum from the end of each group.
    order = known[np.lexsort((p[known], family[known]))]
    adjusted = np.full(len(p), np.nan)
    if not len(order):
        return adjusted
    starts = np.flatnonzero(np.r_[True, family[order][1:] != family[order][:-1]])
    sizes = np.diff(np.r_[starts, len(order)])
    rank = np.arange(len(order)) - np.repeat(starts, sizes) + 1
    scaled = np.minimum(p[order] * (np.repeat(sizes, sizes) / rank), 1.0)
    # The running minimum is taken over whole numbers, a group's place above all ranks: so a group
    # never reaches into the next, and the p-values themselves are only looked up.
    values, place = np.unique(scaled, return_inverse=True)
    offset = np.repeat(np.arange(len(starts)), sizes) * len(values)
    lowest = np.minimum.accumulate((place.reshape(-1) + offset)[::-1])[::-1] - offset
    adjusted[order] = values[lowest]
    return adjusted
