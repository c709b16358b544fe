"""Bins: made from the reference alone, then counted over any sample.

The policies are those of docs/numbers.md, "Bins"; the SQL of mlmon makes the same ones.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from mlmon.stats.inputs import (
    ArrayLike,
    Floats,
    Integers,
    as_floats,
    is_missing,
    numbers,
    one_of,
    refusal,
    texts,
)

BinKind: TypeAlias = Literal["interval", "value", "below", "other", "unseen", "missing"]
NUMERIC_POLICIES = ("quantile", "equal_width", "custom")


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin. ``interval`` is (lower, upper]; ``below`` is under upper; ``value`` is exactly lower."""

    kind: BinKind
    lower: float | str | None = None
    upper: float | str | None = None


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of one column in order, ``missing`` last, and the policy that made them.

    policy: quantile, equal_width, custom, discrete (a bin per number) or categorical.
    rest: the reference's categories without a bin of their own; they share ``other``.
    """

    policy: str
    bins: tuple[Bin, ...]
    rest: frozenset[str] = field(default=frozenset(), repr=False)

    def __len__(self) -> int:
        return len(self.bins)


def quantile_edges(values: ArrayLike, k: int = 10) -> Floats:
    """The k − 1 inner edges at the quantiles j/k of type 1, duplicates merged.

    Edge j is the ⌈N·j/k⌉-th of the N values in ascending order, counted in whole numbers, so no rounding
    moves it. Without values there are no edges.
    """
    _check_k(k)
    ordered = np.sort(numbers("values", values))
    n = len(ordered)
    ranks = [(n * j + k - 1) // k for j in range(1, k)] if n else []
    return np.unique(ordered[np.array(ranks, dtype=np.int64) - 1])


def equal_width_edges(values: ArrayLike, k: int = 10) -> Floats:
    """The k − 1 inner edges min + j·((max − min)/k) over the finite values, duplicates merged."""
    _check_k(k)
    present = numbers("values", values)
    finite = present[np.isfinite(present)]
    if not len(finite):
        return np.empty(0)
    low, high = float(finite.min()), float(finite.max())
    if math.isinf(high - low):
        # The range of the largest doubles is none itself; the edges within it are.
        return np.unique(np.array([low * ((k - j) / k) + high * (j / k) for j in range(1, k)]))
    width = (high - low) / k
    return np.unique(np.array([low + j * width for j in range(1, k)]))


def numeric_bins(
    reference: ArrayLike,
    policy: str = "quantile",
    k: int = 10,
    edges: ArrayLike | None = None,
) -> Bins:
    """The bins of a numeric column. With ``custom`` the inner edges are given.

    At most k distinct reference values: one bin per value and one for every other number, whatever the
    policy (custom apart). An edge equal to the reference's minimum gets a bin of its own and one below it.
    """
    one_of("policy", policy, NUMERIC_POLICIES)
    distinct = np.unique(numbers("reference", reference))
    if policy == "custom":
        inner = _custom_edges(edges)
    elif len(distinct) <= k:
        _check_k(k)
        values = tuple(Bin("value", v, v) for v in distinct.tolist())
        return Bins("discrete", (*values, Bin("unseen"), Bin("missing")))
    else:
        inner = (quantile_edges if policy == "quantile" else equal_width_edges)(reference, k)
    edge = inner.tolist()
    found = [
        Bin("interval", low, high) for low, high in zip(edge, [*edge[1:], math.inf], strict=True)
    ]
    if len(distinct) and edge[0] == distinct[0]:
        found = [Bin("below", -math.inf, edge[0]), Bin("value", edge[0], edge[0]), *found]
    else:
        found = [Bin("interval", -math.inf, edge[0]), *found]
    return Bins(policy, (*found, Bin("missing")))


def categorical_bins(reference: ArrayLike, k: int = 100) -> Bins:
    """One bin for each of the k most frequent categories (equal counts: by the text's bytes), one for the
    reference's others, one for what it never had. Texts are compared exactly."""
    _check_k(k)
    frequency = Counter(texts(reference).tolist())
    ordered = sorted(
        frequency, key=lambda text: (-frequency[text], text.encode(errors="surrogatepass"))
    )
    values = tuple(Bin("value", text, text) for text in ordered[:k])
    return Bins(
        "categorical",
        (*values, Bin("other"), Bin("unseen"), Bin("missing")),
        frozenset(ordered[k:]),
    )


def bin_counts(values: ArrayLike, bins: Bins) -> Integers:
    """How many values fall into each bin; the last one counts the missing."""
    place = _place_of_texts if bins.policy == "categorical" else _place_of_numbers
    counts = np.bincount(place(values, bins), minlength=len(bins)).astype(np.int64)
    counts[-1] = int(is_missing(values).sum())
    return counts


def _place_of_numbers(values: ArrayLike, bins: Bins) -> Integers:
    present = numbers("values", values)
    if bins.policy == "discrete":
        known = np.array([b.lower for b in bins.bins if b.kind == "value"], dtype=np.float64)
        place = np.searchsorted(known, present)
        if not len(known):
            return np.zeros(len(present), dtype=np.int64)
        seen = known[np.minimum(place, len(known) - 1)] == present
        return np.where(seen, place, len(known)).astype(np.int64)
    edges = np.array([b.lower for b in bins.bins if b.kind == "interval" and b.lower != -math.inf])
    place = np.searchsorted(edges, present, side="left")
    if bins.bins[0].kind == "below":
        place = np.where(present < edges[0], 0, place + 1)
    return place.astype(np.int64)


def _place_of_texts(values: ArrayLike, bins: Bins) -> Integers:
    own = {b.lower: index for index, b in enumerate(bins.bins) if b.kind == "value"}
    other, unseen = len(own), len(own) + 1
    present = texts(values).tolist()
    places = (own.get(text, other if text in bins.rest else unseen) for text in present)
    return np.fromiter(places, dtype=np.int64, count=len(present))


def _custom_edges(edges: ArrayLike | None) -> Floats:
    found = as_floats("edges", [] if edges is None else edges)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise refusal("edges", repr(edges), "one or more finite numbers", "pass the inner edges")
    return np.unique(found)


def _check_k(k: int) -> None:
    if k < 2:
        raise refusal(
            "k", repr(k), "2 and more", "10 is the default for numbers, 100 for categories"
        )
