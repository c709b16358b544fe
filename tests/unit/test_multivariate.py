"""The domain classifier: its AUC against scipy and scikit-learn, chance, power, and rows that make no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu, norm
from sklearn.metrics import roc_auc_score

from mlmon.stats.multivariate import LEAST_ROWS, Sample, auc_test, separation

CHANNELS = np.array(["web", "web", "web", "shop", "app", None], dtype=object)


def sample(
    random: np.random.Generator, n: int, features: int = 3, correlation: float = 0.0
) -> Sample:
    """Rows of skewed and plain numbers, the first two correlated, and a category with missing values."""
    normal = random.standard_normal((n, features))
    if features > 1:
        own = np.sqrt(1 - correlation**2)
        normal[:, 1] = correlation * normal[:, 0] + own * normal[:, 1]
    return Sample(
        numbers={f"x{i}": np.exp(normal[:, i]) if i % 2 else normal[:, i] for i in range(features)},
        categories={"channel": random.choice(CHANNELS, n)},
        half=random.random(n) < 0.5,
    )


def numbers_of(values: Any) -> Sample:
    """One numeric column, whose rows lie in the two halves in turn."""
    values = np.asarray(values, dtype=np.float64)
    return Sample({"x": values}, {}, np.arange(len(values)) % 2 == 1)


@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_the_auc_and_its_chance_are_those_of_scipy_and_scikit_learn(decimals: int) -> None:
    random = np.random.default_rng(decimals)
    reference = np.round(random.normal(size=70), decimals)
    current = np.round(random.normal(0.3, 1.5, size=110), decimals)
    auc, _, chance = auc_test(reference, current)
    given = np.concatenate([reference, current]), np.repeat([0, 1], [70, 110])
    assert auc == pytest.approx(roc_auc_score(given[1], given[0]), rel=1e-12)
    test = mannwhitneyu(
        current, reference, alternative="greater", method="asymptotic", use_continuity=False
    )
    assert auc == pytest.approx(test.statistic / (70 * 110), rel=1e-12)
    assert norm.sf((auc - 0.5) / chance) == pytest.approx(test.pvalue, rel=1e-9)


def test_the_interval_is_delongs_as_its_definition_says() -> None:
    random = np.random.default_rng(2)
    reference, current = (
        np.round(random.normal(size=40), 1),
        np.round(random.normal(1, 1, size=55), 1),
    )
    # Each pair by itself: who is larger, ties half.
    wins = (current[:, None] > reference) + 0.5 * (current[:, None] == reference)
    error = np.sqrt(
        np.var(wins.mean(axis=1), ddof=1) / len(current)
        + np.var(wins.mean(axis=0), ddof=1) / len(reference)
    )
    assert auc_test(reference, current)[1] == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize(
    ("n", "m", "features"), [(60, 200, 2), (200, 200, 4), (500, 150, 12), (400, 400, 1)]
)
def test_rows_that_do_not_differ_are_called_different_in_at_most_one_case_of_a_hundred(
    n: int, m: int, features: int
) -> None:
    random = np.random.default_rng(n + m + features)
    tried = [
        separation(sample(random, n, features), sample(random, m, features)) for _ in range(300)
    ]
    found = [one for one in tried if one is not None]
    flagged = sum(one.p_value < 0.01 for one in found)
    # So many or more in a thousandth of all cases, were the true rate one of a hundred.
    assert flagged <= binom.ppf(0.999, len(found), 0.01)
    assert np.mean([one.auc for one in found]) == pytest.approx(0.5, abs=0.02)
    # And the test is no stone: chance reaches its middle about as often as it should.
    assert 0.3 < np.mean([one.p_value < 0.5 for one in found]) < 0.7


@pytest.mark.parametrize("features", [2, 20])
def test_a_turned_correlation_is_found_and_named(features: int) -> None:
    random = np.random.default_rng(features)
    for _ in range(10):
        found = separation(sample(random, 600, features, 0.5), sample(random, 600, features, -0.5))
        assert found is not None
        assert found.p_value < 0.01
        assert found.auc > 0.6
        assert found.low < found.auc < found.high
        assert found.strongest == ("x0", "x1")


def test_a_category_that_goes_with_other_numbers_is_found() -> None:
    random = np.random.default_rng(3)

    def made(swap: bool) -> Sample:
        numbers = random.normal(size=800)
        above = (numbers > 0) != swap
        return Sample(
            {"amount": numbers},
            {"kind": np.where(above, "a", "b").astype(object)},
            random.random(800) < 0.5,
        )

    found = separation(made(False), made(True))
    assert found is not None
    assert found.auc > 0.9
    assert found.strongest == ("amount", "kind")


def test_the_interval_holds_the_auc_of_a_classifier_trained_on_so_many_rows() -> None:
    random = np.random.default_rng(4)
    tried = [
        separation(sample(random, 800, 2, 0.4), sample(random, 800, 2, -0.4)) for _ in range(100)
    ]
    found = [one for one in tried if one is not None]
    expected = np.mean([one.auc for one in found])
    assert np.mean([one.low <= expected <= one.high for one in found]) >= 0.95
    # Nor is it so wide that it says nothing.
    assert np.mean([one.high - one.low for one in found]) < 0.1


def test_the_order_of_the_rows_changes_nothing() -> None:
    random = np.random.default_rng(6)
    reference, current = sample(random, 300, 4, 0.3), sample(random, 200, 4)
    order = random.permutation(300)
    shuffled = Sample(
        {name: column[order] for name, column in reference.numbers.items()},
        {name: column[order] for name, column in reference.categories.items()},
        reference.half[order],
    )
    first, second = separation(reference, current), separation(shuffled, current)
    assert first is not None
    assert second is not None
    assert second.auc == pytest.approx(first.auc, rel=1e-9)
    assert second.p_value == pytest.approx(first.p_value, rel=1e-9)
    assert second.strongest == first.strongest


def test_a_row_that_is_on_both_sides_is_no_difference() -> None:
    random = np.random.default_rng(7)
    rows = sample(random, 400, 5)
    found = separation(rows, rows)
    assert found is not None
    assert (found.auc, found.p_value, found.strongest) == (0.5, 1.0, ())


NORMAL = np.random.default_rng(8).normal(size=200)


@pytest.mark.parametrize(
    ("reference", "current", "auc"),
    [
        (NORMAL, NORMAL + 100, 1.0),
        (NORMAL, -np.abs(NORMAL) * 1e300, None),
        (NORMAL, np.full(200, np.inf), 1.0),
        (NORMAL, np.full(200, -np.inf), 1.0),
        (NORMAL, np.full(200, np.nan), 1.0),
        (np.full(200, np.nan), np.full(200, np.nan), 0.5),
        (np.zeros(200), np.zeros(200), 0.5),
        (np.zeros(200), np.ones(200), 1.0),
        (NORMAL * 1e-300, NORMAL * 1e300, None),
    ],
)
def test_odd_values_are_compared_like_any_other(
    reference: Any, current: Any, auc: float | None
) -> None:
    with np.errstate(all="raise", under="ignore"):
        found = separation(numbers_of(reference), numbers_of(current))
    assert found is not None
    values = (found.auc, found.low, found.high, found.p_value, found.detectable)
    assert np.isfinite(values).all()
    if auc is None:
        assert found.p_value < 0.01
    else:
        assert found.auc == auc
        assert found.p_value == (1.0 if auc == 0.5 else pytest.approx(0, abs=1e-9))
    assert found.strongest == (() if auc == 0.5 else ("x",))


def test_too_few_rows_of_a_half_are_no_number() -> None:
    enough = numbers_of(np.arange(2 * LEAST_ROWS))
    assert separation(enough, enough) is not None
    assert separation(enough, numbers_of(np.arange(2 * LEAST_ROWS - 1))) is None
    assert separation(numbers_of([]), enough) is None


def test_without_columns_nothing_can_be_told_apart() -> None:
    rows = Sample({}, {}, np.arange(100) % 2 == 1)
    found = separation(rows, rows)
    assert found is not None
    assert (found.auc, found.p_value, found.strongest) == (0.5, 1.0, ())
