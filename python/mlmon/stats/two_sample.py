"""Statistics of two samples that need the values themselves: KS, Wasserstein, the missing share.

Missing values (None, NaN) are left out of all but the missing share. Undefined is NaN.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mlmon.stats.inputs import ArrayLike, Floats
from mlmon.stats.kolmogorov import ks_p_values
from mlmon.stats.p_values import two_proportion_p_values
from mlmon.stats.samples import is_missing, numbers


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
