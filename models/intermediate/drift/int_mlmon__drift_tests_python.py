"""One row per stale window end, span, segment and column, by test_number: how likely chance alone
makes the two sides differ as much. scipy's tests, from counts; the SQL model of the same columns is for
warehouses without Python models.
"""

import numpy as np
import pyarrow as pa

from mlmon import stats

SIDES = ["n_reference", "n_current"]
VALUES = ["n_reference_values", "n_current_values"]


def columns_of(statistics, names):
    """The named columns as doubles, NaN for NULL. Each test reads its own, and lets go of them."""
    rows = statistics.project(", ".join(f"cast({name} as double) as {name}" for name in names))
    return [
        column.combine_chunks().fill_null(np.nan).to_numpy()
        for column in rows.to_arrow_table().columns
    ]


def ks_p_values(statistics, exact_pairs):
    """p-values, and how each was computed."""
    d, n, m = columns_of(statistics, ["ks", *VALUES])
    is_exact = (np.fmax(n, m) <= stats.EXACT_KS_ROWS) & (n * m <= exact_pairs)
    methods = pa.DictionaryArray.from_arrays(
        pa.array(is_exact.astype(np.int8)), ["ks_asymptotic", "ks_exact"]
    )
    return stats.ks_p_values(d, n, m, exact_pairs=exact_pairs), methods


def bucket_p_values(statistics):
    """The less likely of the two hashings, each of which may be the one."""
    names = ["dense_chi_square", "degrees_of_freedom", "sparse_reference", "sparse_current"]
    by_hashing = []
    for hashing in stats.HASHINGS:
        given = columns_of(statistics, [f"buckets_{hashing}_{name}" for name in names] + SIDES)
        p_values = stats.binned_p_values(*given)
        # Most columns have no buckets.
        p_values[np.isnan(given[2])] = np.nan
        by_hashing.append(p_values)
    return np.minimum(1.0, len(by_hashing) * np.fmin.reduce(by_hashing))


def model(dbt, session):
    dbt.config(materialized="table")
    # An exact p-value of Kolmogorov and Smirnov takes up to a tenth of a second for large samples, of which
    # the asymptotic one says the same.
    exact_pairs = float(dbt.config.meta_get("exact_ks_pairs"))
    # The reads must agree on the order of rows.
    statistics = dbt.ref("int_mlmon__drift_statistics").order("test_number")

    keys = statistics.project(
        "test_number, coalesce(family_number, -test_number) as family_number"
    ).to_arrow_table()
    families = keys["family_number"].to_numpy()
    buckets = bucket_p_values(statistics)
    found = {
        "test_number": keys["test_number"],
        "buckets_p_value": pa.array(buckets, from_pandas=True),
    }

    def add(test, p_values, method):
        # Where the reference saw some categories but once, what its bins make of the others may be chance.
        cautious = np.fmax(p_values, buckets) if test == "binned" else p_values
        adjusted = stats.benjamini_hochberg(cautious, families)
        found[f"{test}_p_value"] = pa.array(p_values, from_pandas=True)
        found[f"{test}_adjusted_p_value"] = pa.array(adjusted, from_pandas=True)
        found[f"{test}_p_value_method"] = (
            pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(keys), np.int8)), [method])
            if isinstance(method, str)
            else method
        )

    names = ["dense_chi_square", "degrees_of_freedom", "sparse_reference", "sparse_current"]
    add(
        "binned",
        stats.binned_p_values(*columns_of(statistics, names + SIDES)),
        "pearson_and_fisher",
    )
    chi_square, n_bins = columns_of(statistics, ["chi_square", "n_bins"])
    add("chi_square", stats.chi_square_p_values(chi_square, n_bins - 1), "chi_square")
    del chi_square, n_bins
    add("ks", *ks_p_values(statistics, exact_pairs))
    missing = ["n_current_missing", "n_current_rows", "n_reference_missing", "n_reference_rows"]
    add(
        "missing_change",
        stats.two_proportion_p_values(*columns_of(statistics, missing)),
        "two_proportion_z",
    )
    return pa.table(found)
