"""How far two samples' shares of the same bins are apart: the drift statistics of bin counts.

Each takes the counts of the reference and of the current window over the same bins. Bins that are
empty on both sides are left out first; without a row on either side the result is NaN.
"""

from __future__ import annotations

import math

import numpy as np

from mlmon.stats.inputs import ArrayLike, Floats, paired_counts
from mlmon.stats.shares import smoothed_shares


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
