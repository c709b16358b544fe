"""The statistics of mlmon, usable by themselves: over bin counts, over samples, over many columns at once.

Every function is a plain one: arrays in, numbers out, nothing read and nothing stored. What each
number means is in docs/numbers.md, how to use the library in docs/stats.md. A value that is undefined
is NaN; an argument that cannot be used is a ValueError that says the fix.
"""

from mlmon.stats.bins import (
    Bin,
    Bins,
    bin_counts,
    categorical_bins,
    equal_width_edges,
    numeric_bins,
    quantile_edges,
)
from mlmon.stats.buckets import HASHINGS, N_BUCKETS, bucket_counts, bucket_of, bucket_p_value
from mlmon.stats.calibration import (
    CalibrationMap,
    ExpectedConfusion,
    expected_confusion,
    expected_roc_auc,
    isotonic_map,
)
from mlmon.stats.distances import (
    Difference,
    hellinger,
    js_distance,
    js_divergence,
    kl_divergence,
    ks,
    l_infinity,
    missing_change,
    psi,
    smoothed_shares,
    total_variation,
    wasserstein,
    wasserstein_normed,
)
from mlmon.stats.kolmogorov_smirnov import EXACT_ROWS as EXACT_KS_ROWS
from mlmon.stats.kolmogorov_smirnov import ks_p_values
from mlmon.stats.p_values import (
    ChiSquare,
    TableSums,
    benjamini_hochberg,
    binned_p_value,
    binned_p_values,
    chi_square,
    chi_square_p_values,
    table_sums,
    two_proportion_p_values,
)
from mlmon.stats.verdicts import min_detectable_effect, verdict

__all__ = [
    "EXACT_KS_ROWS",
    "HASHINGS",
    "N_BUCKETS",
    "Bin",
    "Bins",
    "CalibrationMap",
    "ChiSquare",
    "Difference",
    "ExpectedConfusion",
    "TableSums",
    "benjamini_hochberg",
    "bin_counts",
    "binned_p_value",
    "binned_p_values",
    "bucket_counts",
    "bucket_of",
    "bucket_p_value",
    "categorical_bins",
    "chi_square",
    "chi_square_p_values",
    "equal_width_edges",
    "expected_confusion",
    "expected_roc_auc",
    "hellinger",
    "isotonic_map",
    "js_distance",
    "js_divergence",
    "kl_divergence",
    "ks",
    "ks_p_values",
    "l_infinity",
    "min_detectable_effect",
    "missing_change",
    "numeric_bins",
    "psi",
    "quantile_edges",
    "smoothed_shares",
    "table_sums",
    "total_variation",
    "two_proportion_p_values",
    "verdict",
    "wasserstein",
    "wasserstein_normed",
]
