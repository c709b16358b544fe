"""Fisher's exact test of many 2×2 tables at once.

scipy's takes about a millisecond a table; a year of many columns has hundreds of thousands of them.
Equal tables are computed once, and the tails of all tables are summed side by side.
"""

from __future__ import annotations

import numpy as np

from mlmon.stats.inputs import ArrayLike, Flags, Floats, refusal, same_shape

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
