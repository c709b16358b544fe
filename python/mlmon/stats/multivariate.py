"""Whether two samples differ jointly: a classifier that tries to tell their rows apart.

A column at a time is not asked here (that is what the binned statistics are for), and nothing is read or drawn:
arrays in, one result out, the same result for the same rows.

The classifier is trained on half of the rows and tested on the other half, then the other way round. What it sees
are the columns and their products, so that a correlation that appears, turns or fades is found though every column
looks as before. Its AUC is 0.5 where the samples cannot be told apart. On rows that trained nothing, the AUC of any
fixed score is the Mann–Whitney statistic, whose chance distribution is known: no permutations are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

ALPHA = 0.01
# Fewer rows of one side in one half train and test nothing worth a number.
LEAST_ROWS = 25
# The rarest category with a column of its own; below, its standardised values would outweigh all others.
LEAST_SHARE = 0.01
# The classifier weighs at most this many columns and products, and at most one per ten rows it learns from.
MOST_TERMS = 100
# Keeps the weights of nearly equal columns finite, in units of their variance.
RIDGE = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of one side: numeric columns (NaN is missing), categorical ones (None is missing), and their halves.

    ``half`` says for each row which half it belongs to. A row that may stand on both sides must be in the same half
    on both, or the classifier would be tested on what it was trained on.
    """

    numbers: Mapping[str, Floats]
    categories: Mapping[str, NDArray[np.object_]]
    half: Flags

    def __len__(self) -> int:
        return len(self.half)


@dataclass(frozen=True, slots=True)
class Separation:
    """How well the rows of two samples can be told apart.

    ``auc`` is the mean over both halves, ``low`` and ``high`` its 95 % interval, ``p_value`` one-sided: the chance
    of so large an AUC where the samples do not differ. ``detectable`` is the AUC that chance reaches in one case of
    a hundred. ``strongest`` has the one or two columns that tell most, none where all rows are equal.
    """

    auc: float
    low: float
    high: float
    p_value: float
    detectable: float
    strongest: tuple[str, ...]


def separation(reference: Sample, current: Sample) -> Separation | None:
    """Tells ``current`` from ``reference``; None where a half of either side has fewer than `LEAST_ROWS` rows.

    Both samples have the same columns. The halves' classifiers are dependent (each is trained on what tests the
    other), so the standard error of their mean is taken as that of a single half, which it cannot exceed.
    """
    half = np.concatenate([reference.half, current.half])
    is_current = np.repeat([False, True], [len(reference), len(current)])
    if min(np.sum((half == h) & (is_current == c)) for h in (0, 1) for c in (0, 1)) < LEAST_ROWS:
        return None
    values, owners = _standardised(reference, current)
    names = [*reference.numbers, *reference.categories]
    tests = [
        auc_test(scores[~is_current[test]], scores[is_current[test]])
        for test in (half, ~half)
        for scores in [_scores(values, owners, is_current, test)]
    ]
    auc, error, chance_error = (float(np.mean(column)) for column in zip(*tests, strict=True))
    return Separation(
        auc=auc,
        low=max(0.0, auc - 1.959963984540054 * error),
        high=min(1.0, auc + 1.959963984540054 * error),
        p_value=float(ndtr((0.5 - auc) / chance_error)) if chance_error > 0 else 1.0,
        detectable=0.5 - float(ndtri(ALPHA)) * chance_error,
        strongest=_strongest(values, owners, is_current, names),
    )


def auc_test(reference: Floats, current: Floats) -> tuple[float, float, float]:
    """The AUC of scores that should be larger in ``current``, ties counted half, and two standard errors of it.

    The first error is DeLong's (DeLong, DeLong and Clarke-Pearson 1988), the second that of the Mann–Whitney
    statistic where both sides have one distribution, corrected for ties.
    """
    n, m = len(reference), len(current)
    together = np.concatenate([reference, current])
    ranks = rankdata(together)
    # For each row, the share of the other side's rows that it lies on the right side of.
    of_current = (ranks[n:] - rankdata(current)) / n
    of_reference = 1.0 - (ranks[:n] - rankdata(reference)) / m
    error = np.sqrt(np.var(of_current, ddof=1) / m + np.var(of_reference, ddof=1) / n)
    _, ties = np.unique(together, return_counts=True)
    tied = float(np.sum(ties.astype(np.float64) ** 3 - ties))
    total = n + m
    chance = (total + 1 - tied / (total * (total - 1.0))) / (12.0 * n * m)
    return float(np.mean(of_current)), float(error), float(np.sqrt(max(chance, 0.0)))


def _standardised(reference: Sample, current: Sample) -> tuple[Floats, NDArray[np.int64]]:
    """Both sides' rows as columns of mean 0 and variance 1, and the position of the column each was made from.

    What a column becomes is learned from both sides together and blind to the side, so that rows which do not
    differ stay exchangeable. Columns that never change are left out.
    """
    made: list[Floats] = []
    owners: list[int] = []
    for position, name in enumerate(reference.numbers):
        numbers = np.concatenate([reference.numbers[name], current.numbers[name]])
        for column in _of_numbers(numbers.astype(np.float64)):
            made.append(column)
            owners.append(position)
    for position, name in enumerate(reference.categories, start=len(reference.numbers)):
        texts = np.concatenate([reference.categories[name], current.categories[name]])
        for column in _of_categories(texts):
            made.append(column)
            owners.append(position)
    n_rows = len(reference) + len(current)
    values = np.column_stack(made) if made else np.empty((n_rows, 0))
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    kept = spread > 1e-9
    return centred[:, kept] / spread[kept], np.asarray(owners, dtype=np.int64)[kept]


def _of_numbers(numbers: Floats) -> list[Floats]:
    """Normal scores of the ranks, which neither 1e300 nor infinity can stretch; missing is a column of its own."""
    missing = np.isnan(numbers)
    present = ~missing
    scores = np.zeros(len(numbers))
    if present.any():
        scores[present] = ndtri((rankdata(numbers[present]) - 0.5) / np.sum(present))
    return [scores, missing.astype(np.float64)]


def _of_categories(texts: NDArray[Any]) -> list[Floats]:
    """A column for each category that is not rare, missing among them; the rare ones share what is left."""
    missing = np.asarray([text is None for text in texts], dtype=np.bool_)
    categories, codes = np.unique(texts[~missing].astype(str), return_inverse=True)
    counts = np.bincount(codes, minlength=len(categories))
    numbered = np.full(len(texts), -1)
    numbered[~missing] = codes
    frequent = np.flatnonzero(counts >= LEAST_SHARE * len(texts))
    columns = [(numbered == code).astype(np.float64) for code in frequent]
    if np.sum(missing) >= LEAST_SHARE * len(texts):
        columns.append(missing.astype(np.float64))
    return columns


def _scores(values: Floats, owners: NDArray[np.int64], is_current: Flags, test: Flags) -> Floats:
    """Scores of the rows in ``test`` by a linear discriminant trained on the others."""
    left, right = values[~test & ~is_current], values[~test & is_current]
    firsts, seconds, _ = _ranked_terms(left, right, owners)
    most = max(1, min(MOST_TERMS, min(len(left), len(right)) // 10))
    first, second = firsts[:most], seconds[:most]
    if len(first) == 0:
        return np.zeros(int(np.sum(test)))
    terms_left, terms_right = _terms(left, first, second), _terms(right, first, second)
    centre_left, centre_right = terms_left.mean(axis=0), terms_right.mean(axis=0)
    within = np.concatenate([terms_left - centre_left, terms_right - centre_right])
    spread = within.std(axis=0)
    spread[spread < 1e-9] = 1.0
    within /= spread
    covariance = within.T @ within / len(within) + RIDGE * np.eye(len(first))
    weights = np.linalg.solve(covariance, (centre_right - centre_left) / spread) / spread
    scores = _terms(values[test], first, second) @ weights
    # Equal rows must stay ties whatever the last bits of their sums.
    scale = np.max(np.abs(scores), initial=0.0)
    return np.asarray(np.round(scores / scale, 9) if scale > 0 else scores, dtype=np.float64)


def _terms(values: Floats, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
    """The chosen columns (``second`` is -1) and products of columns."""
    return np.asarray(values[:, first] * np.where(second < 0, 1.0, values[:, second]))


def _ranked_terms(
    left: Floats, right: Floats, owners: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Columns and products by how clearly their means differ (Welch's t), the clearest first.

    Products of columns that were made from one and the same say nothing new, but for the squares of numbers, which
    are large where their spread has grown; the square of an indicator is a copy of it.
    """
    n, m = len(left), len(right)
    k = left.shape[1]
    change = right.mean(axis=0) - left.mean(axis=0)
    variance = left.var(axis=0) / n + right.var(axis=0) / m
    mean_left, mean_right = left.T @ left / n, right.T @ right / m
    square_left, square_right = (left**2).T @ left**2 / n, (right**2).T @ right**2 / m
    change_of_products = mean_right - mean_left
    variance_of_products = (square_left - mean_left**2) / n + (square_right - mean_right**2) / m
    allowed = owners[:, None] != owners[None, :]
    np.fill_diagonal(allowed, [len(np.unique(values)) > 2 for values in left.T])
    first, second = np.nonzero(np.triu(allowed))
    changes = np.concatenate([change, change_of_products[first, second]])
    variances = np.concatenate([variance, variance_of_products[first, second]])
    # What changed from one constant to another has no variance, and could not be clearer.
    constant = variances < 1e-12
    t = np.abs(changes) / np.sqrt(np.where(constant, 1.0, variances))
    t[constant] = np.where(np.abs(changes[constant]) > 1e-9, 1e9, 0.0)
    order = np.argsort(-np.round(t, 9), kind="stable")
    firsts = np.concatenate([np.arange(k), first])[order]
    seconds = np.concatenate([np.full(k, -1), second])[order]
    return firsts, seconds, t[order]


def _strongest(
    values: Floats, owners: NDArray[np.int64], is_current: Flags, names: list[str]
) -> tuple[str, ...]:
    """The columns of the term whose mean differs most clearly over all rows."""
    firsts, seconds, t = _ranked_terms(values[~is_current], values[is_current], owners)
    if len(t) == 0 or t[0] == 0:
        return ()
    found = [names[owners[firsts[0]]]]
    if seconds[0] >= 0 and seconds[0] != firsts[0]:
        found.append(names[owners[seconds[0]]])
    return tuple(sorted(found, key=names.index))
