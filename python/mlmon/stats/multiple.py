"""Many tests at once: p-values adjusted for the number of columns looked at."""

from __future__ import annotations

import numpy as np

from mlmon.stats.inputs import ArrayLike, Floats, as_floats, refusal


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
