"""mlmon.stats against the golden numbers: the definitions, scipy, and what other tools printed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlmon import stats
from mlmon.stats import presets
from support.golden_drift import BEST_KNOWN, is_close, rows, samples

EXPECTED = rows("expected.csv")
EXPECTED_BINS = rows("expected_bins.csv")
CASES = sorted({(row["pair"], row["source"]) for row in EXPECTED})
BINNED = sorted({(row["pair"], row["policy"]) for row in EXPECTED_BINS})

# Golden rows that the library has no number for, and why.
NOT_HERE = {
    "ks_p_series": "the form for warehouses without Python, tested with the SQL",
    "unseen_categories": "a count of distinct values, made by the quality models",
    "lost_categories": "a count of distinct values, made by the quality models",
}

OVER_COUNTS: dict[str, Callable[..., float]] = {
    "js_distance": stats.js_distance,
    "js_divergence": stats.js_divergence,
    "hellinger": stats.hellinger,
    "total_variation": stats.total_variation,
    "l_infinity": stats.l_infinity,
}
OVER_VALUES: dict[str, Callable[..., Any]] = {
    "ks": stats.ks,
    "ks_2samp(method=auto)": stats.ks,
    "ks_2samp(method=exact)": stats.ks,
    "missing_change": stats.missing_change,
    "wasserstein": stats.wasserstein,
    "wasserstein_distance": stats.wasserstein,
    "wasserstein_normed": stats.wasserstein_normed,
}


def bins_of(pair: str, policy: str) -> stats.Bins:
    kind, sides = samples()[pair]
    if kind == "categorical":
        return stats.categorical_bins(sides["reference"])
    policy = policy.split(" ")[0]
    return stats.numeric_bins(sides["reference"], "quantile" if policy == "discrete" else policy)


def counts(pair: str, policy: str) -> tuple[np.ndarray, np.ndarray]:
    """Both sides over the policy's bins, with or without the missing ones as it says."""
    bins = bins_of(pair, policy)
    _, sides = samples()[pair]
    a, b = (stats.bin_counts(sides[side], bins) for side in ("reference", "current"))
    return (a[:-1], b[:-1]) if "missing drop" in policy else (a, b)


def binned(method: str, pair: str, policy: str) -> tuple[object, float]:
    """The value and p-value of a golden row over bin counts."""
    a, b = counts(pair, policy)
    n, m, n_bins = a.sum(), b.sum(), int(((a > 0) | (b > 0)).sum())
    p = stats.binned_p_value(a, b)
    if method in OVER_COUNTS:
        return OVER_COUNTS[method](a, b), p
    if method == "psi":
        return stats.psi(a, b, policy.split(", ")[-1]), p
    if method == "jensenshannon base 2":
        return stats.js_distance(a, b), math.nan
    if method in ("chi_square", "chi2_contingency(correction=False)"):
        return tuple(stats.chi_square(a, b)[:2])
    if method.endswith("_null_quantile"):
        of = method.removesuffix("_null_quantile")
        return stats.min_detectable_effect(of, n, m, n_bins), math.nan
    assert method == "psi_status"
    seen = stats.min_detectable_effect("psi", n, m, n_bins)
    return stats.verdict(stats.psi(a, b), p, seen, 0.1, 0.25), math.nan


def over_values(method: str, pair: str) -> tuple[object, float]:
    """The value and p-value of a golden row over the values themselves."""
    _, sides = samples()[pair]
    reference, current = sides["reference"], sides["current"]
    n, m = (
        (~np.isnan(side)).sum() if side.dtype.kind == "f" else 0 for side in (reference, current)
    )
    if method == "ks_2samp(method=asymp)":
        d = stats.ks(reference, current).statistic
        return d, float(stats.ks_p_values(d, n, m, exact_rows=0))
    if method == "ks_null_quantile":
        return stats.min_detectable_effect("ks", n, m), math.nan
    if method == "ks_status":
        d, p = stats.ks(reference, current)
        return stats.verdict(d, p, stats.min_detectable_effect("ks", n, m), 0.1), math.nan
    if method == "unseen_rows":
        bins = stats.categorical_bins(reference)
        return float(stats.bin_counts(current, bins)[-2]), math.nan
    found = OVER_VALUES[method](reference, current)
    return (found[0], found[1]) if isinstance(found, tuple) else (found, math.nan)


def by_preset(row: dict[str, str]) -> tuple[object, float]:
    kind, sides = samples()[row["pair"]]
    preset = getattr(presets, row["source"])
    found = preset(sides["reference"], sides["current"], kind)[row["method"]]
    return (math.nan, found) if row["p_value"] else (found, math.nan)


def computed(row: dict[str, str]) -> tuple[object, float]:
    if row["source"] in ("evidently", "nannyml"):
        return by_preset(row)
    if "K=10" in row["policy"] or "top 100" in row["policy"]:
        return binned(row["method"], row["pair"], row["policy"])
    return over_values(row["method"], row["pair"])


def agrees(row: dict[str, str]) -> bool:
    value, p_value = computed(row)
    if row["method"].endswith("_status"):
        return value == row["value"]
    expected = float(row["value"] or "nan")
    absolute = 1e-12 if expected == 0 else 0.0
    assert isinstance(value, float)
    if not is_close(value, expected, 1e-9, absolute):
        return False
    return not row["p_value"] or is_close(p_value, float(row["p_value"]), 1e-6, 1e-300)


@pytest.mark.parametrize(("pair", "source"), CASES)
def test_every_golden_number_comes_out(pair: str, source: str) -> None:
    wanted = [
        row
        for row in EXPECTED
        if row["pair"] == pair
        and row["source"] == source
        and row["method"] not in NOT_HERE
        and (pair, source, row["method"]) not in BEST_KNOWN
    ]
    assert wanted
    wrong = [
        (row["method"], row["policy"], row["value"], row["p_value"], computed(row))
        for row in wanted
        if not agrees(row)
    ]
    assert wrong == []


@pytest.mark.parametrize("key", BEST_KNOWN, ids="-".join)
def test_each_exception_is_still_one(key: tuple[str, str, str]) -> None:
    row = next(r for r in EXPECTED if (r["pair"], r["source"], r["method"]) == key)
    assert not agrees(row)


@pytest.mark.parametrize("pair", ["num_no_shift", "num_small_shift"])
def test_where_a_tool_estimates_the_exact_value_is_near(pair: str) -> None:
    """The tool's estimates are within 1e-4 of D and a hundredth of the distance."""
    _, sides = samples()[pair]
    found = presets.nannyml(sides["reference"], sides["current"], "numeric")
    printed = {
        row["method"]: float(row["value"])
        for row in EXPECTED
        if row["pair"] == pair and row["source"] == "nannyml"
    }
    assert found["kolmogorov_smirnov"] == pytest.approx(printed["kolmogorov_smirnov"], abs=1.01e-4)
    assert found["wasserstein"] == pytest.approx(printed["wasserstein"], rel=1e-2)


def test_a_preset_names_the_methods_that_its_tool_printed() -> None:
    for pair, (kind, sides) in samples().items():
        for name in ("evidently", "nannyml"):
            found = getattr(presets, name)(sides["reference"], sides["current"], kind)
            printed = {r["method"] for r in EXPECTED if r["pair"] == pair and r["source"] == name}
            assert set(found) == printed, (pair, name)


KINDS = {
    "(]": "interval",
    "=": "value",
    "below": "below",
    "__unseen__": "unseen",
    "__missing__": "missing",
}
BOUNDED = ("(]", "=", "below")


@pytest.mark.parametrize(("pair", "policy"), BINNED)
def test_the_bins_and_their_counts_are_the_golden_ones(pair: str, policy: str) -> None:
    wanted = [row for row in EXPECTED_BINS if (row["pair"], row["policy"]) == (pair, policy)]
    bins = bins_of(pair, policy)
    a, b = counts(pair, policy)
    bound: Callable[[str], object] = float if pair.startswith("num") else str
    found = [
        (index, one.kind, one.lower, one.upper, a[index], b[index])
        for index, one in enumerate(bins.bins)
        if one.kind != "other"
    ]
    assert found == [
        (
            int(row["bin_index"]),
            KINDS[row["bin_kind"]],
            bound(row["lower"]) if row["bin_kind"] in BOUNDED else None,
            bound(row["upper"]) if row["bin_kind"] in BOUNDED else None,
            int(row["n_reference"]),
            int(row["n_current"]),
        )
        for row in wanted
    ]


def test_values_too_close_for_bins_leave_what_needs_bins_undefined() -> None:
    """Where doubles are too coarse for the bins the tools stop with an error, a warehouse's run must not."""
    reference, current = [1e16, 1e16 + 2] * 30, [1e16, 1e16 + 4]
    found = presets.evidently(reference, current, "numeric")
    assert {method for method, value in found.items() if math.isnan(value)} == {"hellinger"}
    found = presets.nannyml(reference, current, "numeric")
    undefined = {method for method, value in found.items() if math.isnan(value)}
    assert undefined == {"jensen_shannon", "hellinger"}
    assert found["wasserstein"] == 1.0
