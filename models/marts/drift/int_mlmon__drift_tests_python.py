"""One row per touched window end, span, segment and column, by test_number: how likely chance alone
makes the two sides differ as much. scipy's tests, from counts; the SQL model of the same columns is for
warehouses without Python models.
"""

import numpy as np
import pyarrow as pa

from mlmon import stats

COLUMNS = """
    test_number, coalesce(family_number, -test_number) as family_number,
    n_reference, n_current, n_bins, chi_square, degrees_of_freedom, dense_chi_square,
    sparse_reference, sparse_current, n_reference_rows, n_current_rows,
    bucket_degrees_of_freedom, bucket_dense_chi_square, bucket_sparse_reference,
    bucket_sparse_current, n_reference_missing, n_current_missing, ks, n_reference_values, n_current_values
"""


def model(dbt, session):
    dbt.config(materialized="table")
    # An exact p-value of Kolmogorov and Smirnov takes up to a tenth of a second for large samples, of which
    # the asymptotic one says the same.
    exact_pairs = float(dbt.config.meta_get("exact_ks_pairs"))
    rows = dbt.ref("int_mlmon__drift_statistics").project(COLUMNS).to_arrow_table()
    column = {
        name: np.asarray(rows[name].cast(pa.float64()).fill_null(np.nan))
        for name in rows.column_names
    }
    sides = (column["n_reference"], column["n_current"])
    p_values = {
        "binned": stats.binned_p_values(
            column["dense_chi_square"],
            column["degrees_of_freedom"],
            column["sparse_reference"],
            column["sparse_current"],
            *sides,
        ),
        "chi_square": stats.chi_square_p_values(column["chi_square"], column["n_bins"] - 1),
        "ks": stats.ks_p_values(
            column["ks"],
            column["n_reference_values"],
            column["n_current_values"],
            exact_pairs=exact_pairs,
        ),
        "missing_change": stats.two_proportion_p_values(
            column["n_current_missing"],
            column["n_current_rows"],
            column["n_reference_missing"],
            column["n_reference_rows"],
        ),
    }
    pairs = column["n_reference_values"] * column["n_current_values"]
    largest = np.fmax(column["n_reference_values"], column["n_current_values"])
    is_exact = (largest <= stats.EXACT_KS_ROWS) & (pairs <= exact_pairs)
    methods = {
        "binned": pa.repeat("pearson_and_fisher", len(rows)),
        "chi_square": pa.repeat("chi_square", len(rows)),
        "ks": pa.DictionaryArray.from_arrays(
            pa.array(is_exact.astype(np.int8)), ["ks_asymptotic", "ks_exact"]
        ),
        "missing_change": pa.repeat("two_proportion_z", len(rows)),
    }
    families = np.asarray(rows["family_number"])
    buckets = stats.binned_p_values(
        column["bucket_dense_chi_square"],
        column["bucket_degrees_of_freedom"],
        column["bucket_sparse_reference"],
        column["bucket_sparse_current"],
        *sides,
    )
    # Most columns have none.
    buckets[np.isnan(column["bucket_sparse_reference"])] = np.nan
    found = {
        "test_number": rows["test_number"],
        "buckets_p_value": pa.array(buckets, from_pandas=True),
    }
    for test, p in p_values.items():
        adjusted = stats.benjamini_hochberg(p, families)
        found[f"{test}_p_value"] = pa.array(p, from_pandas=True)
        found[f"{test}_adjusted_p_value"] = pa.array(adjusted, from_pandas=True)
        found[f"{test}_p_value_method"] = methods[test]
    return pa.table(found)
