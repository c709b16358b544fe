"""Sums of effects of bins: held to scikit-learn's ridge regression on the same bins, encoded one-hot."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder

from mlmon import stats


@pytest.mark.parametrize(("n", "k"), [(1, 1), (30, 3), (5000, 8)])
def test_it_is_the_ridge_regression_of_scikit_learn(n: int, k: int) -> None:
    random = np.random.default_rng([n, k])
    bins = random.integers(-1, 11, size=(n, k))
    y = np.abs(random.normal(size=n) + bins[:, 0] / 3) * 1e3
    encoder = OneHotEncoder(handle_unknown="ignore")
    expected = Ridge(alpha=1.0, tol=1e-12, solver="svd").fit(
        encoder.fit_transform(bins).toarray(), y
    )
    found = stats.additive_fit(bins, y)
    assert found.n == n
    assert found.predict(bins) == pytest.approx(
        expected.predict(encoder.transform(bins).toarray()), rel=1e-7
    )
    new = random.integers(-3, 14, size=(50, k))
    assert found.predict(new) == pytest.approx(
        expected.predict(encoder.transform(new).toarray()), rel=1e-7
    )


def test_the_mean_hangs_on_shares_of_bins_alone() -> None:
    random = np.random.default_rng(1)
    bins, y = random.integers(0, 5, size=(400, 3)), random.uniform(size=400)
    model = stats.additive_fit(bins, y)
    shuffled = np.column_stack([random.permutation(column) for column in bins.T])
    assert model.predict(shuffled).mean() == pytest.approx(y.mean(), rel=1e-9)


def test_without_columns_it_is_the_mean() -> None:
    model = stats.additive_fit(np.zeros((4, 0), dtype=np.int64), [1.0, 2.0, 3.0, 6.0])
    assert model.predict(np.zeros((2, 0), dtype=np.int64)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("bins", "y", "named"),
    [
        ([[0.5]], [1.0], "bins"),
        ([0, 1], [1.0, 2.0], "bins"),
        ([[0], [1]], [1.0], "y"),
        ([[0], [1]], [1.0, np.nan], "y"),
        (np.zeros((0, 2), dtype=np.int64), [], "y"),
    ],
)
def test_what_cannot_be_fitted_is_refused(bins: object, y: object, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}: found"):
        stats.additive_fit(bins, y)  # type: ignore[arg-type]
