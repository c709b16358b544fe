"""What the presets share: two samples of one column without what is missing, and values counted."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

import numpy as np

from mlmon.stats.inputs import ArrayLike, Floats, Values, numbers, one_of, texts

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
    sides = [Counter(first.tolist()), Counter(second.tolist())]
    values = sorted(sides[0].keys() | sides[1].keys())
    a, b = (np.array([side[value] for value in values], dtype=np.float64) for side in sides)
    return a, b


def histograms(
    first: Values, second: Values, base: Values, rule: Literal["sturges", "doane"]
) -> tuple[Floats, Floats] | None:
    """Both samples counted over the bins that numpy's rule makes of ``base``.

    None where ``base`` spans so few doubles that numpy cannot make so many bins, at which the tools stop.
    """
    # In units of the largest value, so that the widths of huge numbers do not overflow.
    scale = float(np.abs(base).max())
    scale = scale if scale > 1e150 else 1.0
    try:
        edges = np.histogram_bin_edges(base / scale, bins=rule)
    except ValueError:
        return None
    a, b = (np.histogram(side / scale, edges)[0].astype(np.float64) for side in (first, second))
    return a, b
