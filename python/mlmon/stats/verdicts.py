"""From numbers to a verdict: what could have been seen at all, and whether it was drift."""

from __future__ import annotations

import math

from scipy import special

from mlmon.stats.inputs import is_share, one_of, refusal

ALPHA = 0.01
# Statistics and thresholds are compared to 12 significant digits: no verdict hangs on the last bit.
SLACK = 1e-12

_OF_BINS = ("psi", "js_distance", "js_divergence", "hellinger", "total_variation")
_OF_VALUES = ("ks", "wasserstein_normed")


def min_detectable_effect(
    method: str,
    n_reference: float,
    n_current: float,
    n_bins: int | None = None,
    alpha: float = ALPHA,
) -> float:
    """What the statistic stays below with probability 1 − alpha when nothing has changed.

    A threshold below it cannot be told from chance at these sizes. With c = (1/n + 1/m)·χ²(B − 1, 1 − alpha):
    psi c, js_distance √(c / (8 ln 2)), js_divergence c / (8 ln 2), hellinger √(c / 8), total_variation ½√c (a
    bound); ks and wasserstein_normed √(1/n + 1/m) times Kolmogorov's quantile. n_bins are the bins that hold
    a row on either side; one bin gives 0. NaN where a side has no rows.
    """
    one_of("method", method, _OF_BINS + _OF_VALUES)
    is_share("alpha", alpha)
    if not (n_reference > 0 and n_current > 0):
        return math.nan
    spread = 1 / n_reference + 1 / n_current
    if method in _OF_VALUES:
        return math.sqrt(spread) * float(special.kolmogi(alpha))
    if n_bins is None or n_bins < 1:
        raise refusal(
            "n_bins",
            repr(n_bins),
            "1 and more",
            f"pass the number of bins that {method} is taken over",
        )
    c = spread * float(special.chdtri(n_bins - 1, alpha)) if n_bins > 1 else 0.0
    return {
        "psi": c,
        "js_distance": math.sqrt(c / (8 * math.log(2))),
        "js_divergence": c / (8 * math.log(2)),
        "hellinger": math.sqrt(c / 8),
        "total_variation": math.sqrt(c) / 2,
    }[method]


def verdict(
    value: float,
    p_value: float,
    min_detectable: float,
    warning: float,
    critical: float | None = None,
    alpha: float = ALPHA,
) -> str:
    """``ok``, ``warning``, ``critical`` or ``insufficient_data``.

    Drift is what is both large (value ≥ threshold) and unlikely to be chance (p_value < alpha, adjusted
    where several columns are judged). What has not drifted is ``insufficient_data``, not ``ok``, where chance
    alone may exceed the warning threshold (min_detectable) or the value is NaN.
    """
    is_share("alpha", alpha)
    if critical is not None and critical < warning:
        raise refusal(
            "critical", f"{critical} below warning {warning}", "warning and more", "swap them"
        )
    if math.isnan(value):
        return "insufficient_data"
    if p_value < alpha * (1 - SLACK):
        if critical is not None and _reaches(value, critical):
            return "critical"
        if _reaches(value, warning):
            return "warning"
    # Not known is as good as not detectable.
    return "ok" if min_detectable <= warning * (1 + SLACK) else "insufficient_data"


def _reaches(value: float, threshold: float) -> bool:
    return value >= threshold - abs(threshold) * SLACK
