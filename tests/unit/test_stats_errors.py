"""Bad input gets what was found, what is allowed and the fix."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from mlmon import stats
from mlmon.stats import presets

BAD: dict[str, Callable[[], object]] = {
    "counts of unequal length": lambda: stats.psi([1, 2], [1, 2, 3]),
    "negative counts": lambda: stats.hellinger([1, -2], [1, 2]),
    "missing counts": lambda: stats.js_distance([1, None], [1, 2]),
    "counts in two dimensions": lambda: stats.chi_square([[1, 2]], [[1, 2]]),
    "counts that are texts": lambda: stats.binned_p_value(["a"], [1]),
    "an unknown smoothing": lambda: stats.smoothed_shares([1, 2], "laplace"),
    "an unknown smoothing of psi": lambda: stats.psi([1, 2], [1, 2], "floor"),
    "arrays that do not fit": lambda: stats.chi_square_p_values([1, 2, 3], [1, 2]),
    "parts of rows": lambda: stats.binned_p_value([100, 0.5], [100, 1]),
    "more exact rows than scipy has": lambda: stats.ks_p_values(0.1, 50, 50, exact_rows=20_000),
    "a D above 1": lambda: stats.ks_p_values([1.2], [5], [5]),
    "a p-value above 1": lambda: stats.benjamini_hochberg([0.5, 1.2]),
    "groups that do not fit": lambda: stats.benjamini_hochberg([0.5, 0.2], [1]),
    "p-values in two dimensions": lambda: stats.benjamini_hochberg([[0.5, 0.2]]),
    "texts as numbers": lambda: stats.ks(["a", "b"], [1.0]),
    "mixed objects as numbers": lambda: stats.ks(np.array([1.0, "b"], dtype=object), [1.0]),
    "a sample in two dimensions": lambda: stats.wasserstein([[1.0]], [1.0]),
    "an unknown policy": lambda: stats.numeric_bins([1.0], "sturges"),
    "one bin": lambda: stats.quantile_edges([1.0], 1),
    "custom bins without edges": lambda: stats.numeric_bins([1.0], "custom"),
    "infinite edges": lambda: stats.numeric_bins([1.0], "custom", edges=[np.inf]),
    "an unknown method": lambda: stats.min_detectable_effect("l_infinity", 10, 10, 5),
    "no number of bins": lambda: stats.min_detectable_effect("psi", 10, 10),
    "an alpha of 1": lambda: stats.min_detectable_effect("ks", 10, 10, alpha=1),
    "critical below warning": lambda: stats.verdict(0.3, 0.1, 0.1, warning=0.2, critical=0.1),
    "an unknown kind": lambda: presets.evidently([1.0], [1.0], "number"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_an_error_says_what_was_found_what_is_allowed_and_the_fix(
    call: Callable[[], object],
) -> None:
    with pytest.raises(ValueError, match=r"^\S.*: found .*; allowed: .*; fix: \S"):
        call()


def test_the_package_alone_loads_no_scipy_and_its_statistics_no_scipy_stats() -> None:
    code = (
        "import sys, mlmon; assert 'scipy' not in sys.modules; "
        "import mlmon.stats, mlmon.stats.presets; assert 'scipy.stats' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
