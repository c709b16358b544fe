"""What must hold of every statistic, whatever the counts and the samples."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from scipy.spatial.distance import jensenshannon

from mlmon import stats

Counts = list[int]
DISTANCES: dict[str, Callable[..., float]] = {
    "psi": stats.psi,
    "js_distance": stats.js_distance,
    "js_divergence": stats.js_divergence,
    "hellinger": stats.hellinger,
    "total_variation": stats.total_variation,
    "l_infinity": stats.l_infinity,
}
BOUNDED = [name for name in DISTANCES if name != "psi"]

distances = pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)
bounded = pytest.mark.parametrize("distance", [DISTANCES[n] for n in BOUNDED], ids=BOUNDED)


@st.composite
def two_sides(draw: st.DrawFn, most: int = 5_000) -> tuple[Counts, Counts]:
    """Counts of both sides over the same bins, each with a row somewhere."""
    size = draw(st.integers(1, 12))
    side = st.lists(
        st.one_of(st.just(0), st.integers(0, 5), st.integers(0, most)), min_size=size, max_size=size
    )
    a, b = draw(side.filter(any)), draw(side.filter(any))
    return a, b


values = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-1e6, 1e6).map(lambda x: round(x, 2)),
)
sample = st.lists(values, min_size=1, max_size=60)


@distances
@given(two_sides())
def test_a_distance_is_symmetric_and_never_negative(
    distance: Callable[..., float], sides: tuple[Counts, Counts]
) -> None:
    a, b = sides
    assert distance(a, b) >= 0
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-9, abs=1e-15)


@bounded
@given(two_sides())
def test_a_bounded_distance_is_at_most_one_and_one_where_no_bin_is_shared(
    distance: Callable[..., float], sides: tuple[Counts, Counts]
) -> None:
    a, b = sides
    assert distance(a, b) <= 1
    if distance is not stats.l_infinity:
        apart = distance([*a, *[0] * len(b)], [*[0] * len(a), *b])
        assert apart == pytest.approx(1, rel=1e-12)


@distances
@given(two_sides(), st.integers(2, 9))
def test_equal_shares_are_no_distance_apart(
    distance: Callable[..., float], sides: tuple[Counts, Counts], times: int
) -> None:
    a = sides[0]
    assert distance(a, [times * count for count in a]) == pytest.approx(0, abs=1e-7)


@distances
@given(two_sides(), st.randoms(use_true_random=False))
def test_the_order_of_the_bins_is_nothing(
    distance: Callable[..., float], sides: tuple[Counts, Counts], random: object
) -> None:
    a, b = sides
    order = list(range(len(a)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = distance([a[i] for i in order], [b[i] for i in order])
    assert shuffled == pytest.approx(distance(a, b), rel=1e-9, abs=1e-12)
    p = stats.binned_p_value([a[i] for i in order], [b[i] for i in order])
    assert p == pytest.approx(stats.binned_p_value(a, b), rel=1e-9)


@distances
@given(two_sides())
def test_a_bin_that_is_empty_on_both_sides_changes_nothing(
    distance: Callable[..., float], sides: tuple[Counts, Counts]
) -> None:
    a, b = sides
    assert distance([*a, 0], [*b, 0]) == pytest.approx(distance(a, b), rel=1e-12, abs=1e-15)


@distances
def test_without_rows_a_distance_is_undefined(distance: Callable[..., float]) -> None:
    for a, b in (([0, 0], [1, 2]), ([1, 2], [0, 0]), ([0, 0], [0, 0]), ([], [])):
        assert math.isnan(distance(a, b))
        assert math.isnan(stats.binned_p_value(a, b))
        assert math.isnan(stats.chi_square(a, b).statistic)


@given(two_sides())
def test_js_distance_is_scipys(sides: tuple[Counts, Counts]) -> None:
    a, b = sides
    expected = np.nan_to_num(jensenshannon(a, b, base=2))
    assert stats.js_distance(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-7)
    assert stats.js_divergence(a, b) == pytest.approx(stats.js_distance(a, b) ** 2, rel=1e-9)


@given(two_sides())
def test_hellinger_is_what_the_overlap_leaves(sides: tuple[Counts, Counts]) -> None:
    p, q = (np.array(side) / sum(side) for side in sides)
    overlap = float(np.sum(np.sqrt(p * q)))
    assert stats.hellinger(*sides) ** 2 == pytest.approx(1 - overlap, abs=1e-12)


@given(two_sides())
def test_the_distances_bound_one_another(sides: tuple[Counts, Counts]) -> None:
    """Hellinger's square is below total variation, which is below √2 times Hellinger (Le Cam)."""
    h, tv = stats.hellinger(*sides), stats.total_variation(*sides)
    slack = 1e-7
    assert h**2 <= tv + slack
    assert tv <= math.sqrt(2) * h + slack
    assert stats.l_infinity(*sides) <= tv + slack


@given(two_sides())
def test_psi_is_both_kl_divergences(sides: tuple[Counts, Counts]) -> None:
    a, b = sides
    for smoothing in ("floor_1e-4", "laplace_half"):
        both = stats.kl_divergence(a, b, smoothing) + stats.kl_divergence(b, a, smoothing)
        assert stats.psi(a, b, smoothing) == pytest.approx(both, rel=1e-7, abs=1e-12)


@given(two_sides())
def test_without_smoothing_psi_is_undefined_exactly_where_it_is_infinite(
    sides: tuple[Counts, Counts],
) -> None:
    a, b = sides
    lost = any((x == 0) != (y == 0) for x, y in zip(a, b, strict=True))
    assert math.isnan(stats.psi(a, b, "none")) == lost


@pytest.mark.parametrize("smoothing", ["floor_1e-4", "laplace_half", "none"])
@given(two_sides())
def test_shares_sum_to_one_and_keep_the_order_of_counts(
    smoothing: str, sides: tuple[Counts, Counts]
) -> None:
    shares = stats.smoothed_shares(sides[0], smoothing)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares[np.argsort(sides[0], kind="stable")]) >= 0).all()
    assert smoothing == "none" or (shares > 0).all()


@given(two_sides())
def test_chi_square_is_scipys(sides: tuple[Counts, Counts]) -> None:
    table = np.array(sides)
    expected = scipy_stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
    found = stats.chi_square(*sides)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)
    assert found.degrees_of_freedom == expected.dof


@given(two_sides())
def test_the_one_test_is_made_of_scipys_two(sides: tuple[Counts, Counts]) -> None:
    a, b = (np.array(side) for side in sides)
    n, m = a.sum(), b.sum()
    filled = a + b > 0
    sparse = filled & ((a + b) * min(n, m) < 2 * (n + m))
    dense = filled & ~sparse
    found = []
    if dense.sum() > 1:
        one_sided = a[dense].sum() == 0 or b[dense].sum() == 0
        table = np.array([a[dense], b[dense]])
        found.append(
            1.0 if one_sided else scipy_stats.chi2_contingency(table, correction=False).pvalue
        )
    if sparse.any() and dense.any():
        table = [[a[sparse].sum(), a[dense].sum()], [b[sparse].sum(), b[dense].sum()]]
        found.append(scipy_stats.fisher_exact(table).pvalue)
    expected = min(1.0, len(found) * min(found)) if found else 1.0
    assert stats.binned_p_value(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-300)


@given(sample, sample)
def test_ks_is_scipys_with_ties_too(a: list[float], b: list[float]) -> None:
    expected = scipy_stats.ks_2samp(a, b)
    found = stats.ks(a, b)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)


@given(sample, sample)
def test_wasserstein_is_scipys(a: list[float], b: list[float]) -> None:
    expected = scipy_stats.wasserstein_distance(a, b)
    assert stats.wasserstein(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert stats.wasserstein(a, a) == 0


@given(sample, sample, st.sampled_from([1e-300, 1e-200, 1e3, 1e150, 1e295]))
def test_wasserstein_goes_with_the_unit_and_the_normed_one_has_none(
    a: list[float], b: list[float], unit: float
) -> None:
    # Values that are not lost when they are made as small as doubles go.
    a, b = [round(x) * 1.0 for x in a], [round(x) * 1.0 for x in b]
    first, second = [x * unit for x in a], [x * unit for x in b]
    assert stats.wasserstein(first, second) == pytest.approx(
        stats.wasserstein(a, b) * unit, rel=1e-9
    )
    normed = stats.wasserstein_normed(a, b)
    assert math.isnan(normed) == (len(set(a)) == 1)
    assert stats.wasserstein_normed(first, second) == pytest.approx(normed, rel=1e-9, nan_ok=True)


def test_wasserstein_between_the_ends_of_the_doubles_is_no_overflow() -> None:
    top = 1.7e308
    assert stats.wasserstein([-top, top], [-top / 2, top]) == pytest.approx(top / 4, rel=1e-12)
    assert stats.wasserstein_normed([-top, top], [-top / 2, top]) == pytest.approx(0.25, rel=1e-12)


@given(sample, sample, st.integers(0, 5), st.integers(0, 5))
def test_missing_values_count_in_the_missing_share_alone(
    a: list[float], b: list[float], more_a: int, more_b: int
) -> None:
    with_a, with_b = [*a, *[None] * more_a], [*b, *[math.nan] * more_b]
    first, second = np.array(with_a, dtype=object), np.array(with_b)
    assert stats.ks(first, second) == stats.ks(a, b)
    assert stats.wasserstein(first, second) == stats.wasserstein(a, b)
    expected = more_b / len(with_b) - more_a / len(with_a)
    assert stats.missing_change(first, second).statistic == pytest.approx(expected, abs=1e-15)


def test_infinities_are_values_for_ks_and_none_for_wasserstein() -> None:
    reference, current = [1.0, 2.0, math.inf, -math.inf], [1.0, 2.0, 3.0, math.inf]
    assert stats.ks(reference, current).statistic == 0.25
    assert stats.wasserstein(reference, current) == scipy_stats.wasserstein_distance(
        [1, 2], [1, 2, 3]
    )


def test_without_values_a_statistic_of_values_is_undefined() -> None:
    for a, b in (([], [1.0]), ([1.0], []), ([math.nan], [1.0])):
        assert math.isnan(stats.ks(a, b).statistic)
        assert math.isnan(stats.wasserstein(a, b))
        assert math.isnan(stats.wasserstein_normed(a, b))
    assert math.isnan(stats.missing_change([], [1.0]).statistic)
    assert stats.missing_change([math.nan], [1.0, math.nan]).statistic == -0.5


@given(two_sides(), st.floats(0, 1))
def test_a_verdict_needs_size_and_significance(sides: tuple[Counts, Counts], p: float) -> None:
    a, b = sides
    value = stats.psi(a, b)
    seen = stats.min_detectable_effect("psi", sum(a), sum(b), len(a))
    status = stats.verdict(value, p, seen, 0.1, 0.25)
    drifted = value >= 0.1 and p < 0.01
    assume(abs(value - 0.1) > 1e-9)
    assume(abs(value - 0.25) > 1e-9)
    assume(abs(p - 0.01) > 1e-9)
    if drifted:
        assert status == ("critical" if value >= 0.25 else "warning")
    else:
        assert status == ("ok" if seen <= 0.1 else "insufficient_data")


def test_a_verdict_does_not_hang_on_the_last_bit() -> None:
    assert stats.verdict(np.nextafter(0.1, 0), 0.001, 0.01, 0.1) == "warning"
    assert stats.verdict(0.1 - 1e-9, 0.001, 0.01, 0.1) == "ok"
    assert stats.verdict(0.3, np.nextafter(0.01, 0), 0.01, 0.1) == "ok"
    assert stats.verdict(0.05, 0.5, np.nextafter(0.1, 1), 0.1) == "ok"
    assert stats.verdict(math.nan, 0.001, 0.01, 0.1) == "insufficient_data"
    assert stats.verdict(0.3, math.nan, math.nan, 0.1) == "insufficient_data"


@pytest.mark.parametrize(
    "method", ["psi", "js_distance", "js_divergence", "hellinger", "total_variation", "ks"]
)
def test_what_can_be_detected_shrinks_with_more_rows(method: str) -> None:
    found = [stats.min_detectable_effect(method, n, n, 10) for n in (30, 300, 3_000, 30_000)]
    assert found == sorted(found, reverse=True)
    assert found[0] < 1.6
    assert math.isnan(stats.min_detectable_effect(method, 0, 10, 10))


def test_the_detectable_effect_is_the_quantile_of_the_statistic_where_nothing_changed() -> None:
    rng = np.random.default_rng(8)
    n, m, shares = 20_000, 3_000, np.full(8, 1 / 8)
    pairs = list(
        zip(rng.multinomial(n, shares, 4_000), rng.multinomial(m, shares, 4_000), strict=True)
    )
    for method in ("psi", "js_distance", "hellinger"):
        limit = stats.min_detectable_effect(method, n, m, 8, alpha=0.05)
        above = np.mean([DISTANCES[method](a, b) > limit for a, b in pairs])
        assert 0.04 < above < 0.06, method
    limit = stats.min_detectable_effect("total_variation", n, m, 8, alpha=0.05)
    assert np.mean([stats.total_variation(a, b) > limit for a, b in pairs]) < 0.05
