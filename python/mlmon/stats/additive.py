"""A number as the sum of what the bin of each column adds to it, fitted by least squares.

The mean over any rows then hangs on the shares of their bins alone, so counts of bins are all that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, lsqr

from mlmon.stats.inputs import ArrayLike, Floats, Integers, refusal

# As much as one row of each bin at the mean: bins with few rows are drawn towards what is usual.
PENALTY = 1.0


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """``intercept`` plus, for each column, the effect of its bin; bins that were not fitted add nothing.

    ``columns``, ``bins`` and ``effects`` have one entry for each pair of a column (its number) and a bin of it.
    """

    intercept: float
    columns: Integers
    bins: Integers
    effects: Floats
    n: int

    def predict(self, bins: ArrayLike) -> Floats:
        """The fitted number of each row; ``bins`` is (rows, columns), of whole numbers."""
        given = np.asarray(bins)
        found = np.full(len(given), self.intercept)
        for column in range(given.shape[1]):
            chosen = self.columns == column
            if not chosen.any():
                continue
            known, effects = self.bins[chosen], self.effects[chosen]
            order = np.argsort(known)
            known, effects = known[order], effects[order]
            place = np.minimum(np.searchsorted(known, given[:, column]), len(known) - 1)
            found += np.where(known[place] == given[:, column], effects[place], 0.0)
        return found


def additive_fit(bins: ArrayLike, y: ArrayLike) -> AdditiveModel:
    """Ridge regression of y on the bins of each column, the intercept not penalised.

    ``bins`` is (rows, columns), of whole numbers; ``y`` has a finite number a row. Raises ValueError for
    anything else. The solution is found by LSQR (Paige and Saunders 1982), without the square matrix of all bins.
    """
    given, target = np.asarray(bins), np.asarray(y, dtype=np.float64)
    if given.ndim != 2 or not np.issubdtype(given.dtype, np.integer):
        raise refusal(
            "bins",
            f"shape {given.shape}, {given.dtype}",
            "whole numbers, rows by columns",
            "bin first",
        )
    if target.shape != (len(given),) or not len(target) or not np.isfinite(target).all():
        raise refusal(
            "y",
            f"shape {target.shape}",
            "a finite number for each of one or more rows",
            "leave other rows out",
        )
    n, n_columns = given.shape
    columns, known, places = [], [], []
    first = 0
    for column in range(n_columns):
        levels, place = np.unique(given[:, column], return_inverse=True)
        columns.append(np.full(len(levels), column))
        known.append(levels)
        places.append(place + first)
        first += len(levels)
    mean = float(target.mean())
    if first == 0:
        none = np.zeros(0, dtype=np.int64)
        return AdditiveModel(mean, none, none, np.zeros(0), n)
    design = csr_array(
        (
            np.ones(n * n_columns),
            np.column_stack(places).ravel(),
            np.arange(0, n * n_columns + 1, n_columns),
        ),
        shape=(n, first),
    )
    shares = np.asarray(design.sum(axis=0)).ravel() / n
    centred = LinearOperator(
        (n, first),
        matvec=lambda v: design @ v.ravel() - shares @ v.ravel(),
        rmatvec=lambda u: design.T @ u.ravel() - shares * u.sum(),
        dtype=np.float64,
    )
    effects = lsqr(
        centred, target - mean, damp=np.sqrt(PENALTY), atol=1e-12, btol=1e-12, iter_lim=10_000
    )[0]
    return AdditiveModel(
        mean - float(shares @ effects),
        np.concatenate(columns).astype(np.int64),
        np.concatenate(known).astype(np.int64),
        np.asarray(effects, dtype=np.float64),
        n,
    )
