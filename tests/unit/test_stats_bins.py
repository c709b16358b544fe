"""Bins come from the reference alone and lose no value of any sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlmon import stats

value = st.one_of(
    st.integers(-4, 4).map(float),
    st.floats(allow_nan=True, allow_infinity=True),
    st.just(math.nan),
)
column = st.lists(value, max_size=80)
text = st.one_of(
    st.none(), st.sampled_from(["", "a", "a ", "A", "__missing__", "ü"]), st.text(max_size=2)
)
policy = st.sampled_from(["quantile", "equal_width"])


def holds(one: stats.Bin, x: float) -> bool:
    """Whether a bin's own bounds say that it holds the number."""
    if one.kind == "interval":
        assert isinstance(one.lower, float)
        assert isinstance(one.upper, float)
        return one.lower < x <= one.upper or x == one.lower == -math.inf
    if one.kind == "below":
        assert isinstance(one.upper, float)
        return x < one.upper
    return one.kind == "value" and x == one.lower


@given(column, column, policy, st.integers(2, 12))
def test_every_number_is_in_the_one_bin_whose_bounds_hold_it(
    reference: list[float], current: list[float], name: str, k: int
) -> None:
    bins = stats.numeric_bins(reference, name, k)
    counts = stats.bin_counts(current, bins)
    present = [x for x in current if not math.isnan(x)]
    homes = [[i for i, one in enumerate(bins.bins) if holds(one, x)] for x in present]
    unseen = [i for i, one in enumerate(bins.bins) if one.kind == "unseen"]
    expected = [0] * len(bins)
    for home in homes:
        assert len(home or unseen) == 1
        expected[(home or unseen)[0]] += 1
    expected[-1] = len(current) - len(present)
    assert counts.tolist() == expected


@given(column, st.integers(2, 12))
def test_no_reference_bin_of_quantiles_is_empty_but_the_one_below_the_minimum(
    reference: list[float], k: int
) -> None:
    bins = stats.numeric_bins(reference, "quantile", k)
    counts = stats.bin_counts(reference, bins)
    # The last interval is empty too, where the largest quantile is the maximum.
    for one, count in list(zip(bins.bins, counts, strict=True))[:-2]:
        assert count > 0 or one.kind in ("below", "unseen")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80), st.integers(2, 12))
def test_edges_are_the_quantiles_of_type_one(values: list[float], k: int) -> None:
    """Type 1 inverts the distribution function: the least value with k·F ≥ j, in whole numbers."""
    ordered = sorted(values)
    n = len(values)
    expected = {
        next(x for rank, x in enumerate(ordered, 1) if rank * k >= n * j) for j in range(1, k)
    }
    assert stats.quantile_edges(values, k).tolist() == sorted(expected)


def test_equal_width_edges_part_the_range_of_the_finite_values() -> None:
    found = stats.equal_width_edges([0.0, 10.0, math.inf, math.nan, -math.inf], 4)
    assert found.tolist() == [2.5, 5.0, 7.5]
    wide = stats.equal_width_edges([-1.7e308, 1.7e308], 4)
    assert wide == pytest.approx([-8.5e307, 0, 8.5e307], rel=1e-12, abs=1e290)
    assert not len(stats.equal_width_edges([math.nan]))


def test_a_move_below_a_heavy_minimum_is_seen() -> None:
    reference = [0.0] * 50 + [float(i) for i in range(1, 51)]
    bins = stats.numeric_bins(reference)
    assert [one.kind for one in bins.bins[:2]] == ["below", "value"]
    moved = [-1.0] * 50 + reference[50:]
    found = stats.psi(stats.bin_counts(reference, bins), stats.bin_counts(moved, bins))
    assert found > 1


@pytest.mark.parametrize("name", ["quantile", "equal_width"])
def test_a_constant_that_moves_is_seen_either_way(name: str) -> None:
    bins = stats.numeric_bins([3.0] * 100, name)
    assert bins.policy == "discrete"
    for moved in (2.0, 4.0):
        assert stats.bin_counts([moved] * 10, bins).tolist() == [0, 10, 0]


def test_custom_edges_are_taken_as_they_are() -> None:
    bins = stats.numeric_bins([0.0, 5.0, 9.0], "custom", edges=[3, 1, 3])
    assert stats.bin_counts([1.0, 1.1, 3.0, 9.0, None], bins).tolist() == [1, 2, 1, 1]


@given(st.lists(text, max_size=60), st.lists(text, max_size=60), st.integers(2, 5))
def test_every_text_is_counted_where_it_belongs(
    reference: list[str | None], current: list[str | None], k: int
) -> None:
    first, second = np.array(reference, dtype=object), np.array(current, dtype=object)
    bins = stats.categorical_bins(first, k)
    counts = stats.bin_counts(second, bins)
    own = {one.lower for one in bins.bins if one.kind == "value"}
    known = set(reference) - {None}
    assert len(own) == min(k, len(known))
    for one, count in zip(bins.bins, counts, strict=True):
        if one.kind == "value":
            assert count == current.count(one.lower)
    assert counts[-3:].tolist() == [
        sum(x in known - own for x in current),
        sum(x is not None and x not in known for x in current),
        current.count(None),
    ]


def test_equally_frequent_categories_are_taken_by_their_bytes() -> None:
    bins = stats.categorical_bins(["ü", "z", "Z", "a", "a"], 3)
    assert [one.lower for one in bins.bins[:3]] == ["a", "Z", "z"]
    assert bins.rest == {"ü"}


def test_booleans_are_categories() -> None:
    bins = stats.categorical_bins(np.array([True, False, True]))
    assert [one.lower for one in bins.bins[:2]] == ["true", "false"]
    assert stats.bin_counts(np.array([False, None, True], dtype=object), bins).tolist() == [
        1,
        1,
        0,
        0,
        1,
    ]


def test_dates_and_numpy_booleans_are_categories_too() -> None:
    days = np.array(["2026-01-01", "NaT", "2026-01-02", "2026-01-01"], dtype="datetime64[D]")
    bins = stats.categorical_bins(days)
    assert [one.lower for one in bins.bins[:2]] == ["2026-01-01", "2026-01-02"]
    assert stats.bin_counts(days, bins).tolist() == [2, 1, 0, 0, 1]
    mixed = np.array([np.bool_(True), None], dtype=object)
    assert stats.categorical_bins(mixed).bins[0].lower == "true"


def test_a_masked_column_is_missing_where_it_is_masked() -> None:
    bins = stats.numeric_bins(np.arange(100.0))
    found = stats.bin_counts(np.ma.masked_array([1.0, 2.0, 3.0], mask=[True, False, False]), bins)
    assert found[0] == 2
    assert found[-1] == 1
