"""Buckets: categories by a hash of their text.

Bins of categories are chosen by what the reference happened to hold, so a reference that missed some makes any
other sample look changed. Buckets are not chosen by it.
"""

from __future__ import annotations

import hashlib

import numpy as np

from mlmon.stats.inputs import ArrayLike, Integers, refusal
from mlmon.stats.samples import is_missing, texts

N_BUCKETS = 32


def bucket_of(category: str, n_buckets: int = N_BUCKETS) -> int:
    """The bucket of one category: the first 32 bits of the md5 of its UTF-8 text, modulo the buckets."""
    if n_buckets < 2:
        raise refusal("n_buckets", str(n_buckets), "2 or more", "leave it out for 32")
    digest = hashlib.md5(category.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) % n_buckets


def bucket_counts(values: ArrayLike, n_buckets: int = N_BUCKETS) -> Integers:
    """How many values fall into each bucket; the last of the n_buckets + 1 counts the missing."""
    known: dict[str, int] = {}
    places = [known.setdefault(text, bucket_of(text, n_buckets)) for text in texts(values).tolist()]
    counts = np.bincount(np.array(places, dtype=np.int64), minlength=n_buckets + 1)
    counts = counts.astype(np.int64)
    counts[-1] = int(is_missing(values).sum())
    return counts
