"""p-values of the Kolmogorov–Smirnov statistic from D alone, of many columns at once.

Two samples: by scipy's own code, which computes from samples. Whether they are exact or asymptotic,
p-values depend on D and the two sizes only: for the exact ones the smallest samples with that D are
handed to it. The asymptotic ones are the upper tail of the one-sample statistic, which scipy.stats.kstwo
has a value at a time, up to 0.2 seconds each where n is 100,000. For n from 1,000 on this module
computes the same numbers over whole arrays. Which formula serves where follows Simard and L'Ecuyer
(2011), "Computing the two-sided Kolmogorov–Smirnov distribution", Journal of Statistical Software 39(11).
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from scipy import special

from mlmon.stats.inputs import ArrayLike, Flags, Floats, refusal, same_shape

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


# From here on the formulas below are within 1e-6 of scipy's, relative, mostly 1e-9.
LARGE = 1_000


# n·d² from which the two-sided tail is twice the one-sided one, and from which scipy says 0.
TAIL, NOTHING = 2.2, 370.0


# Below this λ = d·√n the limit distribution is under 1e-8 and the tail is 1.
CERTAIN = 0.22


# Nodes of the tail's integral, and rows computed together: 20 MB of working memory.
NODES, CHUNK = 65, 4_000


def kstwo_sf(d: Floats, n: Floats) -> Floats:
    """P(D ≥ d) for samples of n rows, elementwise; equals scipy.stats.kstwo.sf to 1e-6 relative."""
    found = np.empty_like(d)
    strength = n * d * d
    small = (n < LARGE) | (d >= 0.5)
    tail = ~small & (strength >= TAIL) & (strength < NOTHING)
    centre = ~small & (strength < TAIL) & (d * np.sqrt(n) >= CERTAIN)
    found[~small & (strength >= NOTHING)] = 0.0
    found[~small & (d * np.sqrt(n) < CERTAIN)] = 1.0
    found[small] = _one_by_one(d[small], n[small])
    found[centre] = 1 - pelz_good(d[centre] * np.sqrt(n[centre]), n[centre])
    rows = np.flatnonzero(tail)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        found[part] = 2 * smirnov_sf(d[part], n[part])
    return np.clip(found, 0.0, 1.0)


def _one_by_one(d: Floats, n: Floats) -> Floats:
    from scipy import stats

    found = np.ones_like(d)
    # Small λ is where scipy is slowest, and the answer is 1.
    open_rows: Flags = d * np.sqrt(n) + 1 / (6 * np.sqrt(n)) > CERTAIN
    if open_rows.any():
        pairs, row_of = np.unique(
            np.column_stack([d[open_rows], n[open_rows]]), axis=0, return_inverse=True
        )
        found[open_rows] = stats.kstwo.sf(pairs[:, 0], pairs[:, 1])[row_of.reshape(-1)]
    return found


def pelz_good(z: Floats, n: Floats) -> Floats:
    """P(√n·D ≤ z) by the expansion of Pelz and Good (1976) in 1/√n, to its fourth term."""
    k = np.arange(0, 8, dtype=np.float64)[:, None]
    z2 = z * z
    # Both sums run over all whole numbers and are even about 0 (about −½): twice one half of them.
    h = (np.pi * (k + 0.5)) ** 2
    half = 2 * np.exp(-h / (2 * z2))
    w = (np.pi * k) ** 2
    whole = 2 * np.exp(-w / (2 * z2))
    root = np.sqrt(np.pi / 2)
    k0 = 2 * root / z * np.sum(half / 2, axis=0)
    k1 = root / (6 * z2**2) * np.sum((h - z2) * half, axis=0)
    k2 = root / (72 * z**7) * np.sum(
        (6 * z2**3 + 2 * z2**2 + (2 * z2**2 - 5 * z2) * h + (1 - 2 * z2) * h**2) * half, axis=0
    ) - root / (36 * z**3) * np.sum(w * whole, axis=0)
    k3 = root / (6480 * z2**5) * np.sum(
        (
            h**3 * (5 - 30 * z2)
            + h**2 * (-60 * z2 + 212 * z2**2)
            + h * (135 * z2**2 - 96 * z2**3)
            - 30 * z2**3
            - 90 * z2**4
        )
        * half,
        axis=0,
    ) + root / (216 * z2**3) * np.sum((-(w**2) + 3 * w * z2) * whole, axis=0)
    expansion: Floats = k0 + k1 / np.sqrt(n) + k2 / n + k3 / n**1.5
    return expansion


def smirnov_sf(d: Floats, n: Floats) -> Floats:
    """P(D⁺ ≥ d): the exact sum of Birnbaum and Tingey (1951), taken as an integral.

    The sum runs over j = 0 .. n(1 − d). Its terms are a smooth hump that vanishes at both ends, so the
    trapezoid rule over far fewer places gives it to ten digits. With j = n(1 − d)·s and t = logit(s)
    the hump is near exp(−λ²·(cosh t − 1)), which says how wide the grid must be; a large d moves its
    top, which is looked up first.
    """
    reach = np.arccosh(1 + 60 / (n * d * d))
    grid = np.linspace(-1.0, 1.0, NODES)[:, None]
    coarse = grid[::4] * (reach + d)
    top = np.take_along_axis(coarse, np.argmax(_log_term(coarse, d, n), axis=0)[None, :], axis=0)
    step = 2 * reach / (NODES - 1)
    total: Floats = np.sum(np.exp(_log_term(top + grid * reach, d, n)), axis=0) * step
    return total


def _log_term(t: Floats, d: Floats, n: Floats) -> Floats:
    """ln of the sum's term at j = n(1 − d)·expit(t), times dj/dt."""
    s, rest = special.expit(t), special.expit(-t)
    j, above = n * (1 - d) * s, n * (d + (1 - d) * rest)
    term: Floats = (
        special.gammaln(n + 1)
        - special.gammaln(j + 1)
        - special.gammaln(above + 1)
        + np.log(d)
        + (j - 1) * np.log(d + (1 - d) * s)
        + above * np.log((1 - d) * rest)
        + np.log(j * rest)
    )
    return term
