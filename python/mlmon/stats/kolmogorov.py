"""p-values of the two-sample Kolmogorov–Smirnov statistic from D alone, by scipy's own code.

scipy computes them from samples. Whether they are exact or asymptotic, they depend on D and the two
sizes only: so for the exact ones the smallest samples with that D are handed to it.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from mlmon.stats.inputs import ArrayLike, Floats, refusal, same_shape
from mlmon.stats.kstwo import kstwo_sf

# scipy's ks_2samp is exact up to this many rows in the larger sample (method "auto").
EXACT_ROWS = 10_000


def ks_p_values(
    d: ArrayLike,
    n_reference: ArrayLike,
    n_current: ArrayLike,
    exact_rows: int = EXACT_ROWS,
    exact_pairs: float = math.inf,
) -> Floats:
    """Two-sided p-values of D, as scipy.stats.ks_2samp gives them for two such samples.

    Exact where the larger sample has at most ``exact_rows`` rows and there are at most ``exact_pairs``
    pairs of a row of each, else asymptotic; equal rows are computed once. An exact value takes 0.2 to
    100 ms, growing with the sizes and D. NaN where a side has no rows or D is NaN.
    """
    if not 0 <= exact_rows <= EXACT_ROWS:
        raise refusal(
            "exact_rows", repr(exact_rows), f"0 to {EXACT_ROWS:,}", "scipy is exact up to that size"
        )
    statistic, n, m = same_shape(d=d, n_reference=n_reference, n_current=n_current)
    p_values = np.full(statistic.shape, np.nan)
    with np.errstate(invalid="ignore"):
        defined = (n >= 1) & (m >= 1) & ~np.isnan(statistic)
    if ((statistic[defined] < 0) | (statistic[defined] > 1 + 1e-9)).any():
        raise refusal("d", "a number outside 0 to 1", "0 to 1", "pass the statistic D")

    with np.errstate(invalid="ignore"):
        is_exact = defined & (np.maximum(n, m) <= exact_rows) & (n * m <= exact_pairs)
    is_asymptotic = defined & ~is_exact
    if is_exact.any():
        p_values[is_exact] = _exact(statistic[is_exact], n[is_exact], m[is_exact])
    if is_asymptotic.any():
        # The one-sample distribution at the effective size n·m/(n + m), rounded as scipy rounds it.
        rows, columns = n[is_asymptotic], m[is_asymptotic]
        effective = np.round(rows * columns / (rows + columns))
        p_values[is_asymptotic] = kstwo_sf(statistic[is_asymptotic], effective)
    return p_values


def _exact(d: Floats, n: Floats, m: Floats) -> Floats:
    """P(D or more) over all orders of the two samples; D is a whole number of 1/lcm(n, m)."""
    p_values = np.empty_like(d)
    larger, smaller = np.maximum(n, m).astype(np.int64), np.minimum(n, m).astype(np.int64)
    steps = np.round(d * np.lcm(larger, smaller)).astype(np.int64)
    cases, row_of = np.unique(
        np.column_stack([larger, smaller, steps]), axis=0, return_inverse=True
    )
    found = np.array([_exact_one(*case) for case in cases.tolist()], dtype=np.float64)
    p_values[:] = found[row_of.reshape(-1)]
    return p_values


def _exact_one(n: int, m: int, steps: int) -> float:
    from scipy import stats

    if steps <= 0:
        return 1.0
    below_n, below_m = _samples(n, m, steps)
    first = np.repeat([0.0, 1.0], [below_n, n - below_n])
    second = np.repeat([0.0, 1.0], [below_m, m - below_m])
    with warnings.catch_warnings():
        # Where the exact count overflows, scipy warns and takes the asymptotic value; so do we.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(stats.ks_2samp(first, second, method="auto").pvalue)


def _samples(n: int, m: int, steps: int) -> tuple[int, int]:
    """How many rows of each side lie at 0, the others at 1, so that D = steps / lcm(n, m).

    |i/n − j/m| = steps/lcm is i·(m/g) − j·(n/g) = ±steps, which the inverse of m/g modulo n/g solves.
    A D that no samples of these sizes have counts as the next greater one that some have: as many
    pairs of samples reach either.
    """
    divisor = math.gcd(n, m)
    a, b = n // divisor, m // divisor
    inverse = pow(b, -1, a) if a > 1 else 0
    for wanted in range(steps, n * b + 1):
        for sign in (1, -1):
            i = (sign * wanted * inverse) % a
            if sign > 0:
                i += max(0, -(-(-(-wanted // b) - i) // a)) * a
            j, remainder = divmod(i * b - sign * wanted, a)
            if remainder == 0 and 0 <= i <= n and 0 <= j <= m:
                return i, j
    return n, 0
