"""Buckets: categories by a hash of their text.

Bins of categories are chosen by what the reference happened to hold, so a reference that missed some makes any
other sample look changed. Buckets are not chosen by it.
"""

from __future__ import annotations

import hashlib

import numpy as np

from mlmon.stats.inputs import ArrayLike, Integers, is_missing, refusal, texts
from mlmon.stats.p_values import binned_p_value

N_BUCKETS = 32
# Two spellings of one category share a bucket once in N_BUCKETS times, and hide each other there.
HASHINGS = (1, 2)


def bucket_of(category: str, n_buckets: int = N_BUCKETS, hashing: int = 1) -> int:
    """The bucket of one category, from the first 32 bits of the md5 of its UTF-8 text: modulo the buckets,
    or for the second hashing the whole part of their quotient, modulo the buckets."""
    if n_buckets < 2:
        raise refusal("n_buckets", str(n_buckets), "2 or more", "leave it out for 32")
    if hashing not in HASHINGS:
        raise refusal("hashing", str(hashing), "1 or 2", "leave it out for the first")
    digest = hashlib.md5(category.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
    return int(int(digest[:8], 16) // n_buckets ** (hashing - 1) % n_buckets)


def bucket_counts(values: ArrayLike, n_buckets: int = N_BUCKETS, hashing: int = 1) -> Integers:
    """How many values fall into each bucket; the last of the n_buckets + 1 counts the missing."""
    known: dict[str, int] = {}
    places = [
        known.setdefault(text, bucket_of(text, n_buckets, hashing))
        for text in texts(values).tolist()
    ]
    counts = np.bincount(np.array(places, dtype=np.int64), minlength=n_buckets + 1)
    counts = counts.astype(np.int64)
    counts[-1] = int(is_missing(values).sum())
    return counts


def bucket_p_value(reference: ArrayLike, current: ArrayLike, n_buckets: int = N_BUCKETS) -> float:
    """How likely chance alone makes two samples of categories differ as much in their buckets: of the two
    hashings twice the smaller p-value, at most 1. NaN where a sample is empty."""
    by_hashing = [
        binned_p_value(
            bucket_counts(reference, n_buckets, hashing), bucket_counts(current, n_buckets, hashing)
        )
        for hashing in HASHINGS
    ]
    return float(np.minimum(1.0, len(HASHINGS) * np.min(by_hashing)))
