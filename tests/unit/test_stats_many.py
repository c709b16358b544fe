"""The functions over many columns at once: one by one they are the scalar ones, and scipy's."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from mlmon import stats
from mlmon.stats.kolmogorov_smirnov import kstwo_sf
from mlmon.stats.p_values import fisher_p_values

NAN = math.nan
p_values = st.one_of(st.just(NAN), st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.5, 1.0]))


def exact_fisher(a: int, n: int, c: int, m: int) -> float:
    """Fisher's two-sided p in whole numbers, so that equal probabilities are equal."""
    hits = a + c
    ways = {
        k: math.comb(n, k) * math.comb(m, hits - k)
        for k in range(max(0, hits - m), min(hits, n) + 1)
    }
    return float(Fraction(sum(w for w in ways.values() if w <= ways[a]), math.comb(n + m, hits)))


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_fisher_is_exact_where_tables_tie(n: int, m: int, data: st.DataObject) -> None:
    a, c = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    expected = exact_fisher(a, n, c, m)
    assert float(fisher_p_values(a, n, c, m)) == pytest.approx(expected, rel=1e-9)


def test_fisher_of_many_tables_is_scipys() -> None:
    rng = np.random.default_rng(11)
    n, m = (10 ** rng.uniform(0, 5, (2, 400))).astype(int)
    share = 10 ** rng.uniform(-4, 0, 400)
    a, c = (
        rng.binomial(n, share),
        rng.binomial(m, np.minimum(1, share * rng.uniform(0.7, 1.4, 400))),
    )
    expected = [
        scipy_stats.fisher_exact([[i, j - i], [k, w - k]]).pvalue
        for i, j, k, w in zip(a, n, c, m, strict=True)
    ]
    np.testing.assert_allclose(fisher_p_values(a, n, c, m), expected, rtol=1e-9, atol=1e-300)


def test_fisher_holds_in_tables_of_a_billion_rows() -> None:
    """With so many rows and few hits it is a binomial test of the hits."""
    found = float(fisher_p_values(40, 10**9, 15, 10**9))
    expected = scipy_stats.binomtest(40, 55, 0.5).pvalue
    assert found == pytest.approx(expected, rel=1e-6)


def test_binned_p_values_are_the_one_test_column_by_column() -> None:
    rng = np.random.default_rng(5)
    rows, expected = [], []
    for _ in range(300):
        n_bins, n, m = rng.integers(1, 40), rng.integers(1, 3_000), rng.integers(1, 300)
        shares = rng.dirichlet(np.full(n_bins, rng.choice([0.05, 1.0])))
        a, b = rng.multinomial(n, shares), rng.multinomial(m, rng.permutation(shares))
        a, b = a[a + b > 0], b[a + b > 0]
        sparse = (a + b) * min(n, m) < 2 * (n + m)
        dense = stats.chi_square(a[~sparse], b[~sparse])
        rows.append((dense.statistic, (~sparse).sum() - 1, a[sparse].sum(), b[sparse].sum(), n, m))
        expected.append(stats.binned_p_value(a, b))
    np.testing.assert_allclose(
        stats.binned_p_values(*zip(*rows, strict=True)), expected, rtol=1e-12
    )


def test_the_sums_of_many_tables_are_those_of_each() -> None:
    rng = np.random.default_rng(6)
    shares = rng.dirichlet(np.full(12, 0.2))
    a = rng.multinomial(500, shares, 50).astype(float)
    b = rng.multinomial(60, shares, 50).astype(float)
    together = stats.binned_p_values(*stats.table_sums(a, b))
    alone = [stats.binned_p_value(*sides) for sides in zip(a, b, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # No sparse bins, one dense one: nothing is tested.
        ((0.0, 0, 0, 0, 100, 50), 1.0),
        # Dense bins alone.
        ((3.841458820694124, 1, 0, 0, 100, 50), 0.05),
        # All rows of the reference in sparse bins: Pearson is 1, Fisher decides, doubled.
        ((NAN, 2, 30, 1, 30, 40), 2 * exact_fisher(30, 30, 1, 40)),
        # One dense bin and sparse ones: Fisher alone, not doubled.
        ((NAN, 0, 5, 0, 50, 60), exact_fisher(5, 50, 0, 60)),
        ((0.0, NAN, 5, 0, 50, 60), exact_fisher(5, 50, 0, 60)),
        # All bins sparse: nothing to hold them against.
        ((NAN, NAN, 3, 4, 3, 4), 1.0),
        # Neither significant: never above 1.
        ((0.1, 3, 2, 2, 100, 100), 1.0),
        # No rows, or not known how many.
        ((1.0, 2, 0, 0, 0, 10), NAN),
        ((1.0, 2, 0, 0, 10, NAN), NAN),
    ],
)
def test_each_convention_of_binned_p_values(row: tuple[float, ...], expected: float) -> None:
    found = float(stats.binned_p_values(*row))
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_ks_p_values_are_scipys_for_the_same_sizes() -> None:
    rng = np.random.default_rng(21)
    d, sizes, expected = [], [], []
    for index in range(120):
        n, m = (int(10 ** rng.uniform(0, 3.5)) for _ in range(2))
        if index % 6 == 0:
            m = n
        if index % 10 == 0:
            n = int(10 ** rng.uniform(4.01, 4.7))
        x = rng.normal(size=n).round(rng.integers(0, 5))
        y = rng.normal(rng.choice([0, 0.1, 1, 9]), size=m)
        with warnings.catch_warnings():
            # scipy says where its exact count overflows and it takes the asymptotic value.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = scipy_stats.ks_2samp(x, y)
        d.append(found.statistic)
        sizes.append((n, m))
        expected.append(found.pvalue)
    n, m = np.array(sizes).T
    np.testing.assert_allclose(stats.ks_p_values(d, n, m), expected, rtol=1e-6, atol=1e-300)


def test_a_d_that_no_samples_have_counts_as_the_next_that_some_have() -> None:
    # Of 2 and 3 rows D is a multiple of 1/6, and at 5/6 there is none.
    assert float(stats.ks_p_values(5 / 6, 2, 3)) == float(stats.ks_p_values(1, 2, 3))
    assert float(stats.ks_p_values(1, 2, 3)) == pytest.approx(2 / math.comb(5, 2))
    assert float(stats.ks_p_values(0, 2, 3)) == 1


def test_ks_p_values_are_undefined_without_rows_or_d() -> None:
    found = stats.ks_p_values([NAN, 0.5, 0.5, 0.5], [9, 0, 9, 9], [9, 9, NAN, 9])
    np.testing.assert_array_equal(np.isnan(found), [True, True, True, False])


@pytest.mark.parametrize(
    ("low", "high"), [(0.2, 0.5), (0.5, 1.5), (1.5, 5.0), (5.0, 15.0), (15.0, 19.5)]
)
def test_the_asymptotic_tail_is_scipys(low: float, high: float) -> None:
    rng = np.random.default_rng(2)
    n = np.round(10 ** rng.uniform(2, 4.3, 40))
    d = np.minimum(rng.uniform(low, high, 40) / np.sqrt(n), 0.999)
    expected = scipy_stats.kstwo.sf(d, n)
    np.testing.assert_allclose(kstwo_sf(d, n), expected, rtol=1e-6, atol=1e-300)


@given(st.lists(p_values, min_size=1, max_size=40), st.data())
def test_benjamini_hochberg_is_scipys_within_each_group(
    p: list[float], data: st.DataObject
) -> None:
    groups = np.array(data.draw(st.lists(st.integers(-2, 3), min_size=len(p), max_size=len(p))))
    values = np.array(p)
    found = stats.benjamini_hochberg(values, groups)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    for group in set(groups.tolist()):
        own = (groups == group) & ~np.isnan(values)
        if own.any():
            expected = scipy_stats.false_discovery_control(values[own])
            np.testing.assert_allclose(found[own], expected, rtol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusting_never_lowers_a_p_value_and_keeps_their_order(p: list[float]) -> None:
    found = stats.benjamini_hochberg(p)
    assert (found >= np.array(p) * (1 - 1e-15)).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()
    assert found.max() <= 1


@given(st.lists(st.floats(1e-9, 1), min_size=2, max_size=20), st.integers(0, 19), st.floats(0, 1))
def test_a_smaller_p_value_raises_no_adjusted_one(
    p: list[float], place: int, factor: float
) -> None:
    lower = p.copy()
    lower[place % len(p)] *= factor
    slack = 1 + 1e-12
    assert (stats.benjamini_hochberg(lower) <= stats.benjamini_hochberg(p) * slack).all()


@given(st.integers(1, 900), st.integers(1, 900), st.data())
def test_two_proportions_are_the_chi_square_of_their_table(
    n: int, m: int, data: st.DataObject
) -> None:
    """The pooled z test squared is Pearson's chi-square without correction."""
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = float(stats.two_proportion_p_values(a, n, b, m))
    table = np.array([[a, n - a], [b, m - b]])
    if (table.sum(axis=0) == 0).any():
        assert found == 1
    else:
        expected = scipy_stats.chi2_contingency(table, correction=False).pvalue
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_two_proportions_without_rows_are_undefined() -> None:
    found = stats.two_proportion_p_values([0, 1, NAN], [0, 2, 2], [1, 1, 1], [2, 2, 2])
    np.testing.assert_array_equal(np.isnan(found), [True, False, True])


@given(st.lists(st.tuples(st.floats(0, 1e4), st.integers(1, 300)), min_size=1, max_size=20))
def test_chi_square_p_values_are_scipys(rows: list[tuple[float, int]]) -> None:
    x, df = zip(*rows, strict=True)
    expected = scipy_stats.chi2.sf(x, df)
    np.testing.assert_allclose(stats.chi_square_p_values(x, df), expected, rtol=1e-6, atol=1e-300)


def test_chi_square_p_values_of_no_freedom_are_one_and_of_nothing_nan() -> None:
    np.testing.assert_array_equal(
        stats.chi_square_p_values([0, NAN, 3, -1e-17], [0, 2, NAN, 2]), [1, NAN, NAN, 1]
    )


def test_a_column_with_missing_rows_may_be_masked_or_hold_none() -> None:
    masked = np.ma.masked_array([3, 4], mask=[False, True])
    objects = np.array([3, None], dtype=object)
    for x in (masked, objects):
        np.testing.assert_array_equal(np.isnan(stats.chi_square_p_values(x, 2)), [False, True])
