"""What Evidently 0.7 prints for a column."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from mlmon.stats.distances import js_divergence, ks, wasserstein
from mlmon.stats.inputs import ArrayLike, Floats, Values
from mlmon.stats.p_values import two_proportion_p_values
from mlmon.stats.presets.columns import Kind, counts_of_values, histograms, two_columns

# More distinct reference values than this are binned, up to it each value is a bin.
MOST_VALUES = 20
# What an empty share becomes, unless the side has shares as small as that.
FILL = 1e-4
SMALLEST_SPREAD = 0.001

NUMERIC = ("psi", "jensenshannon", "kl_div", "hellinger", "wasserstein", "ks")
CATEGORICAL = ("psi", "jensenshannon", "kl_div", "hellinger", "chisquare", "z")
# Of these it prints a p-value, of the others a distance.
P_VALUES = ("ks", "chisquare", "z")


def evidently(reference: ArrayLike, current: ArrayLike, kind: Kind) -> dict[str, float]:
    """Evidently's numbers by method; kind is ``numeric`` or ``categorical``.

    ks, chisquare and z are p-values, the others distances; z only for two categories. NaN where a side
    has no values left after missing ones (and ±inf) are dropped, and where the values lie too few doubles
    apart for bins: there the tool stops with an error.
    """
    first, second = two_columns(reference, current, kind, finite=True)
    if not len(first) or not len(second):
        return dict.fromkeys(NUMERIC if kind == "numeric" else CATEGORICAL, math.nan)
    found = {
        **_over_bins(first, second, kind),
        "hellinger": _hellinger(first, second, kind),
    }
    if kind == "numeric":
        found["wasserstein"] = wasserstein(first, second) / max(_spread(first), SMALLEST_SPREAD)
        found["ks"] = ks(first, second).p_value
        return found
    a, b = counts_of_values(first, second)
    found["chisquare"] = _goodness_of_fit(a, b)
    if len(a) <= 2:
        found["z"] = float(two_proportion_p_values(a[0], a.sum(), b[0], b.sum()))
    return found


def _over_bins(first: Values, second: Values, kind: Kind) -> dict[str, float]:
    counts = _binned(first, second, kind)
    if counts is None:
        return dict.fromkeys(("psi", "jensenshannon", "kl_div"), math.nan)
    a, b = counts
    p, q = _filled(a / a.sum()), _filled(b / b.sum())
    return {
        "psi": float(np.sum((q - p) * np.log(q / p))),
        "jensenshannon": math.sqrt(js_divergence(a, b) * math.log(2)),
        "kl_div": float(np.sum(special.rel_entr(p / p.sum(), q / q.sum()))),
    }


def _binned(first: Values, second: Values, kind: Kind) -> tuple[Floats, Floats] | None:
    """Sturges' bins over both samples together, or a bin per value."""
    if kind == "numeric" and len(np.unique(first)) > MOST_VALUES:
        return histograms(first, second, np.concatenate([first, second]), "sturges")
    return counts_of_values(first, second)


def _filled(shares: Floats) -> Floats:
    """Shares where an empty bin holds a little; they are not brought back to a sum of 1."""
    smallest = float(shares[shares > 0].min())
    return np.where(shares == 0, FILL if smallest > FILL else smallest / 1e6, shares)


def _hellinger(first: Values, second: Values, kind: Kind) -> float:
    if kind == "numeric":
        distinct = np.unique(np.concatenate([first, second]))
        counts = histograms(first, second, distinct, "sturges")
    else:
        counts = counts_of_values(first, second)
    if counts is None:
        return math.nan
    a, b = counts
    overlap = float(np.sum(np.sqrt(a / a.sum() * (b / b.sum()))))
    return math.sqrt(max(0.0, 1 - overlap))


def _spread(values: Values) -> float:
    largest = float(np.abs(values).max())
    return float(np.std(values / largest)) * largest if largest > 1e150 else float(np.std(values))


def _goodness_of_fit(a: Floats, b: Floats) -> float:
    """The current counts against the reference's shares as if those were known exactly."""
    expected = a / a.sum() * b.sum()
    if len(a) == 1:
        return math.nan
    if (expected == 0).any():
        return 0.0
    return float(special.chdtrc(len(a) - 1, float(np.sum((b - expected) ** 2 / expected))))
