"""Performance before labels arrive, from scores alone: a calibration map and what it expects.

The idea is that of confidence-based performance estimation (CBPE, NannyML): a score that says how often it is right
says how often the prediction is. Scores are calibrated on a labelled reference first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from mlmon.stats.inputs import Floats


@dataclass(frozen=True)
class CalibrationMap:
    """A non-decreasing map from score to probability: linear between its knots, flat outside.

    score: (K,) the knots, ascending; probability: (K,) between 0 and 1.
    """

    score: Floats
    probability: Floats

    def __call__(self, score: ArrayLike) -> Floats:
        """The probability of each score, of any shape; NaN stays NaN."""
        return np.asarray(np.interp(np.asarray(score, dtype=float), self.score, self.probability))


def isotonic_map(score: ArrayLike, n_positive: ArrayLike, n: ArrayLike) -> CalibrationMap:
    """The isotonic regression of labels on scores, as scikit-learn's IsotonicRegression fits it.

    score: (S,) distinct scores, in any order; n_positive, n: (S,) positive labels and rows of each. Raises
    ValueError where there is no row, or a score twice. Pool-adjacent-violators: Barlow et al. 1972.
    """
    scores, positive, rows = (np.asarray(a, dtype=float) for a in (score, n_positive, n))
    if scores.size == 0 or not (rows > 0).all():
        raise ValueError("a calibration map needs at least one labelled row of every score")
    order = np.argsort(scores, kind="stable")
    scores, rows = scores[order], rows[order]
    if (np.diff(scores) == 0).any():
        raise ValueError("a score stands twice: sum its rows first")
    fitted = optimize.isotonic_regression(positive[order] / rows, weights=rows).x
    # A block of equal probabilities is told by its ends.
    ends = np.ones(fitted.size, dtype=bool)
    ends[1:-1] = (fitted[1:-1] != fitted[:-2]) | (fitted[1:-1] != fitted[2:])
    return CalibrationMap(scores[ends], fitted[ends])


@dataclass(frozen=True)
class ExpectedConfusion:
    """Expected counts of a confusion matrix; they need not be whole."""

    tp: float
    fp: float
    fn: float
    tn: float

    @property
    def accuracy(self) -> float:
        return _ratio(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn)

    @property
    def precision(self) -> float:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)


def expected_confusion(probability: ArrayLike, prediction: ArrayLike) -> ExpectedConfusion:
    """What predictions come to if each is positive with its probability. Both (N,); predictions are 0 or 1."""
    p, is_positive = np.asarray(probability, dtype=float), np.asarray(prediction, dtype=float) == 1
    tp, fn = float(p[is_positive].sum()), float(p[~is_positive].sum())
    return ExpectedConfusion(
        tp, float(is_positive.sum()) - tp, fn, float((~is_positive).sum()) - fn
    )


def expected_roc_auc(score: ArrayLike, probability: ArrayLike) -> float:
    """The expected share of ordered pairs when ranking by score, ties ½. Both (N,); NaN without both classes."""
    scores, p = np.asarray(score, dtype=float), np.asarray(probability, dtype=float)
    _, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place, weights=p)
    negative = np.bincount(place, weights=1 - p)
    below = np.cumsum(negative) - negative
    return _ratio(
        float((positive * (below + 0.5 * negative)).sum()), float(positive.sum() * negative.sum())
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
