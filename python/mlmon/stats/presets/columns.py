"""What the presets share: two samples of one column without what is missing, and values counted."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from mlmon.stats.inputs import ArrayLike, Floats, Values, one_of
from mlmon.stats.samples import numbers, texts

Kind: TypeAlias = Literal["numeric", "categorical"]


def two_columns(
    reference: ArrayLike, current: ArrayLike, kind: Kind, finite: bool = False
) -> tuple[Values, Values]:
    """Both samples' non-missing values: doubles, or texts; with ``finite`` without ±inf."""
    one_of("kind", kind, ("numeric", "categorical"))
    if kind == "categorical":
        return texts(reference), texts(current)
    first, second = numbers("reference", reference), numbers("current", current)
    if finite:
        first, second = first[np.isfinite(first)], second[np.isfinite(second)]
    return first, second


def counts_of_values(first: Values, second: Values) -> tuple[Floats, Floats]:
    """How often each value of either sample occurs in both, in the order of the values."""
    _, place = np.unique(np.concatenate([first, second]), return_inverse=True)
    place = place.reshape(-1)
    size = int(place.max()) + 1
    a, b = (
        np.bincount(p, minlength=size).astype(np.float64) for p in np.split(place, [len(first)])
    )
    return a, b
