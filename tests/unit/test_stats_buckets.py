"""Category buckets: the same as SQL's, and blind to what the reference happened to hold."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from mlmon import stats

TEXTS = ["a", "A", "", " a", "__missing__", "Zürich", "東京", "o'hare", "a" * 500]


@pytest.mark.parametrize(("hashing", "bits"), [(1, "& 31"), (2, ">> 5 & 31")])
def test_buckets_are_those_of_the_warehouse(hashing: int, bits: str) -> None:
    """macros/dialect/portable_checksum.sql, as DuckDB computes it."""
    with duckdb.connect() as connection:
        found = [
            connection.execute(
                f"select cast(('0x' || substr(md5(?), 1, 8)) as bigint) {bits}", [text]
            ).fetchall()[0][0]
            for text in TEXTS
        ]
    assert [stats.bucket_of(text, hashing=hashing) for text in TEXTS] == found


def test_counts_are_of_all_values_and_the_missing_come_last() -> None:
    counts = stats.bucket_counts([*TEXTS, "a", None, float("nan")])
    assert len(counts) == 33
    assert counts[-1] == 2
    assert counts.sum() == len(TEXTS) + 3
    assert counts[stats.bucket_of("a")] >= 2


def test_many_categories_of_one_distribution_are_no_drift() -> None:
    """By their bins two samples of 4,000 over 5,000 equal categories differ beyond doubt; by buckets rarely."""
    random = np.random.default_rng(3)
    by_bins, by_buckets = [], []
    for _ in range(100):
        reference, current = random.integers(0, 5000, (2, 4000)).astype(str)
        bins = stats.categorical_bins(reference)
        by_bins.append(
            stats.binned_p_value(stats.bin_counts(reference, bins), stats.bin_counts(current, bins))
        )
        by_buckets.append(stats.bucket_p_value(reference, current))
    assert max(by_bins) < 1e-10
    assert np.mean(np.array(by_buckets) < 0.01) <= 0.05
    assert np.mean(np.array(by_buckets) < 0.5) == pytest.approx(0.5, abs=0.2)


def test_a_rename_into_its_own_bucket_is_seen_by_the_other_hashing() -> None:
    spellings = [f"chrome {i}" for i in range(500)]
    first = stats.bucket_of("Chrome")
    renamed = next(text for text in spellings if stats.bucket_of(text) == first)
    rows = ["Safari", "Firefox"] * 200
    reference, current = rows + ["Chrome"] * 300, rows + [renamed] * 300
    counts = stats.bucket_counts(reference), stats.bucket_counts(current)
    assert stats.binned_p_value(*counts) == 1
    assert stats.bucket_p_value(reference, current) < 1e-90


def test_a_hashing_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hashing.*1 or 2"):
        stats.bucket_of("a", hashing=0)


def test_too_few_buckets_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n_buckets.*2 or more"):
        stats.bucket_counts(["a"], 1)
