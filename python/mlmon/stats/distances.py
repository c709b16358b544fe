"""How far two samples are apart: over shares of the same bins, or over the values themselves.

Over bins each takes the counts of the reference and of the current window. Bins that are empty on
both sides are left out first. Missing values are left out of all but the missing share. Without a
row on either side the result is NaN.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mlmon.stats.inputs import (
    ArrayLike,
    Floats,
    as_counts,
    is_missing,
    numbers,
    one_of,
    paired_counts,
)
from mlmon.stats.kolmogorov_smirnov import ks_p_values
from mlmon.stats.p_values import two_proportion_p_values

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


def psi(
    reference_counts: ArrayLike, current_counts: ArrayLike, smoothing: str = "floor_1e-4"
) -> float:
    """Population stability index, Σ (q − p)·ln(q / p), over smoothed shares.

    With smoothing ``none`` NaN where a bin is empty on one side (the index is infinite).
    """
    p, q = _shares(reference_counts, current_counts, smoothing)
    if not _defined(p, q) or (p == 0).any() or (q == 0).any():
        return math.nan
    return float(np.sum((q - p) * np.log(q / p)))


def kl_divergence(
    reference_counts: ArrayLike, current_counts: ArrayLike, smoothing: str = "floor_1e-4"
) -> float:
    """Kullback and Leibler's Σ p·ln(p / q), reference p first, in nats, over smoothed shares.

    With smoothing ``none`` infinite where the current side lacks a bin that the reference has.
    """
    p, q = _shares(reference_counts, current_counts, smoothing)
    if not _defined(p, q):
        return math.nan
    held = p > 0
    if (q[held] == 0).any():
        return math.inf
    return float(np.sum(p[held] * np.log(p[held] / q[held])))


def js_divergence(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """Jensen and Shannon's divergence in bits, 0 to 1, without smoothing."""
    p, q = _shares(reference_counts, current_counts)
    if not _defined(p, q):
        return math.nan
    middle = (p + q) / 2
    return min(1.0, max(0.0, (_bits(p, middle) + _bits(q, middle)) / 2))


def js_distance(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """Square root of the divergence, 0 to 1; equals scipy's jensenshannon(base=2)."""
    return math.sqrt(js_divergence(reference_counts, current_counts))


def hellinger(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """sqrt(½ Σ (√p − √q)²), 0 to 1."""
    p, q = _shares(reference_counts, current_counts)
    if not _defined(p, q):
        return math.nan
    return min(1.0, math.sqrt(float(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2)) / 2))


def total_variation(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """½ Σ |q − p|, 0 to 1: the share of rows that moved to other bins."""
    p, q = _shares(reference_counts, current_counts)
    return min(1.0, float(np.sum(np.abs(q - p))) / 2) if _defined(p, q) else math.nan


def l_infinity(reference_counts: ArrayLike, current_counts: ArrayLike) -> float:
    """max |q − p|, 0 to 1: the largest change of one bin's share."""
    p, q = _shares(reference_counts, current_counts)
    return float(np.max(np.abs(q - p))) if _defined(p, q) else math.nan


def _shares(
    reference_counts: ArrayLike, current_counts: ArrayLike, smoothing: str = "none"
) -> tuple[Floats, Floats]:
    reference, current = paired_counts(reference_counts, current_counts)
    return smoothed_shares(reference, smoothing), smoothed_shares(current, smoothing)


def _defined(p: Floats, q: Floats) -> bool:
    return len(p) > 0 and not (np.isnan(p[0]) or np.isnan(q[0]))


def _bits(p: Floats, middle: Floats) -> float:
    held = p > 0
    return float(np.sum(p[held] * np.log2(p[held] / middle[held])))


class Difference(NamedTuple):
    """A statistic and the probability of one as large by chance."""

    statistic: float
    p_value: float


def ks(reference: ArrayLike, current: ArrayLike) -> Difference:
    """Exact two-sample Kolmogorov–Smirnov D with scipy's p-value (ks_2samp, method auto).

    Ties and ±inf are values like others. NaN where a side has no values.
    """
    first, second = numbers("reference", reference), numbers("current", current)
    if not len(first) or not len(second):
        return Difference(math.nan, math.nan)
    _, ours, theirs = _distributions(first, second)
    d = float(np.max(np.abs(ours - theirs)))
    return Difference(d, float(ks_p_values(d, len(first), len(second))))


def wasserstein(reference: ArrayLike, current: ArrayLike) -> float:
    """Exact first Wasserstein distance over the finite values, in the column's unit.

    Equals scipy.stats.wasserstein_distance, and holds up to the largest doubles.
    """
    return _wasserstein(_finite("reference", reference), _finite("current", current))[0]


def wasserstein_normed(reference: ArrayLike, current: ArrayLike) -> float:
    """The Wasserstein distance in population standard deviations of the reference.

    NaN where the reference's finite values are all equal.
    """
    first, second = _finite("reference", reference), _finite("current", current)
    if not len(first) or not len(second) or first.min() == first.max():
        return math.nan
    _, scaled_distance, scale = _wasserstein(first, second)
    largest = float(np.abs(first).max())
    deviation = float(np.std(first / largest))
    if deviation == 0:
        return math.nan
    return scaled_distance / deviation * (scale / largest)


def missing_change(reference: ArrayLike, current: ArrayLike) -> Difference:
    """Missing share of the current sample minus that of the reference, with the pooled z test's p."""
    first, second = is_missing(reference), is_missing(current)
    if not len(first) or not len(second):
        return Difference(math.nan, math.nan)
    change = float(second.mean()) - float(first.mean())
    p_value = two_proportion_p_values(first.sum(), len(first), second.sum(), len(second))
    return Difference(change, float(p_value))


def _finite(name: str, values: ArrayLike) -> Floats:
    present = numbers(name, values)
    return present[np.isfinite(present)]


def _distributions(first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """Every distinct value, and both empirical distribution functions at it."""
    places = np.unique(np.concatenate([first, second]))
    ours = np.searchsorted(np.sort(first), places, side="right") / len(first)
    theirs = np.searchsorted(np.sort(second), places, side="right") / len(second)
    return places, ours, theirs


def _wasserstein(first: Floats, second: Floats) -> tuple[float, float, float]:
    """The distance; and it divided by the largest magnitude, beside that. The area between the
    distribution functions is summed at scale 1, so that no difference of values overflows."""
    if not len(first) or not len(second):
        return math.nan, math.nan, math.nan
    places, ours, theirs = _distributions(first, second)
    scale = float(max(abs(places[0]), abs(places[-1])))
    if scale == 0:
        return 0.0, 0.0, 1.0
    # Values of moderate size keep their last bits: they are not divided at all.
    scale = scale if scale > 1e150 or scale < 1e-150 else 1.0
    area = float(np.sum(np.abs(ours - theirs)[:-1] * np.diff(places / scale)))
    return area * scale, area, scale
