"""What NannyML 0.13 prints for a column."""

from __future__ import annotations

import math

import numpy as np

from mlmon.stats.distances import hellinger, js_distance, ks, l_infinity, wasserstein
from mlmon.stats.inputs import ArrayLike, Values
from mlmon.stats.p_values import pearson
from mlmon.stats.presets.columns import Kind, counts_of_values, histograms, two_columns

NUMERIC = ("jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein")
CATEGORICAL = ("jensen_shannon", "hellinger", "l_infinity", "chi2")


def nannyml(reference: ArrayLike, current: ArrayLike, kind: Kind) -> dict[str, float]:
    """NannyML's numbers by method; kind is ``numeric`` or ``categorical``. Missing values are dropped.

    From 10,000 reference rows on the tool estimates kolmogorov_smirnov and wasserstein from bins; here
    they are exact. NaN where a side has no values, and where the reference's values (±inf, or too few
    doubles apart) leave the tool without bins.
    """
    first, second = two_columns(reference, current, kind)
    if not len(first) or not len(second):
        return dict.fromkeys(NUMERIC if kind == "numeric" else CATEGORICAL, math.nan)
    if kind == "categorical":
        a, b = counts_of_values(first, second)
        return {
            "jensen_shannon": js_distance(a, b),
            "hellinger": hellinger(a, b),
            "l_infinity": l_infinity(a, b),
            "chi2": pearson(a, b, yates=len(a) == 2),
        }
    finite = np.isfinite(first).all() and np.isfinite(second).all()
    return {
        **_over_bins(first, second),
        "kolmogorov_smirnov": ks(first, second).statistic,
        "wasserstein": wasserstein(first, second) if finite else math.nan,
    }


def _over_bins(first: Values, second: Values) -> dict[str, float]:
    """Over Doane's bins of the reference, closed at both ends, and one for all that falls outside."""
    counts = histograms(first, second, first, "doane") if np.isfinite(first).all() else None
    if counts is None:
        return {"jensen_shannon": math.nan, "hellinger": math.nan}
    a, b = (np.append(counts[0], 0.0), np.append(counts[1], len(second) - counts[1].sum()))
    return {"jensen_shannon": js_distance(a, b), "hellinger": hellinger(a, b)}
