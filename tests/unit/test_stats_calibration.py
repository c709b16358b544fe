"""Calibration maps against scikit-learn, and expected counts against sums over all outcomes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from mlmon import stats

# Few different scores, so that ties and blocks of equal probability come up.
rows = st.lists(
    st.tuples(st.integers(0, 12).map(lambda k: k / 12), st.booleans()), min_size=1, max_size=60
)


def counted(scores: np.ndarray, labels: np.ndarray) -> stats.CalibrationMap:
    distinct, place = np.unique(scores, return_inverse=True)
    return stats.isotonic_map(distinct, np.bincount(place, labels), np.bincount(place))


@given(rows)
def test_the_map_is_scikit_learns(drawn: list[tuple[float, bool]]) -> None:
    scores, labels = (np.array(side, dtype=float) for side in zip(*drawn, strict=True))
    wanted = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    asked = np.linspace(-0.5, 1.5, 101)
    np.testing.assert_allclose(counted(scores, labels)(asked), wanted.predict(asked), atol=1e-12)


def test_the_order_of_scores_does_not_matter() -> None:
    there = stats.isotonic_map([0.1, 0.4, 0.9], [1, 1, 4], [5, 4, 5])
    back = stats.isotonic_map([0.9, 0.1, 0.4], [4, 1, 1], [5, 5, 4])
    np.testing.assert_array_equal(there.score, back.score)
    np.testing.assert_array_equal(there.probability, back.probability)


@pytest.mark.parametrize(
    ("score", "n", "told"),
    [([], [], "at least one"), ([0.1], [0], "at least one"), ([0.1, 0.1], [2, 3], "stands twice")],
)
def test_what_cannot_be_fitted_is_told(score: list[float], n: list[int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        stats.isotonic_map(score, n, n)


def test_expected_counts_are_those_of_all_outcomes() -> None:
    probability, prediction = np.array([0.1, 0.5, 0.7, 0.9]), np.array([0, 1, 0, 1])
    expected = stats.expected_confusion(probability, prediction)
    tp = accuracy = 0.0
    for labels in itertools.product([0, 1], repeat=4):
        chance = np.prod(np.where(labels, probability, 1 - probability))
        tp += chance * np.sum((prediction == 1) & (np.array(labels) == 1))
        accuracy += chance * np.mean(prediction == labels)
    assert expected.tp == pytest.approx(tp)
    assert expected.accuracy == pytest.approx(accuracy)
    assert expected.tp + expected.fp == 2
    assert expected.fn + expected.tn == 2


@given(rows)
def test_certain_probabilities_are_labels(drawn: list[tuple[float, bool]]) -> None:
    scores, labels = (np.array(side, dtype=float) for side in zip(*drawn, strict=True))
    expected = stats.expected_confusion(labels, scores >= 0.5)
    assert expected.accuracy == pytest.approx(np.mean((scores >= 0.5) == labels))
    found = stats.expected_roc_auc(scores, labels)
    if len(set(labels)) == 2:
        assert found == pytest.approx(sk.roc_auc_score(labels, scores))
    else:
        assert np.isnan(found)


def test_without_positive_predictions_there_is_no_precision() -> None:
    expected = stats.expected_confusion([0.2, 0.4], [0, 0])
    assert np.isnan(expected.precision)
    assert expected.recall == 0
    assert expected.f1 == 0
