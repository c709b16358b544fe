"""One row per touched reference, monitored column and bin: what it adds to the absolute error to be expected, and
to its square; and one for the intercept, with the column 'all'. Ridge regression on bins.
"""

import numpy as np
import pyarrow as pa

from mlmon.stats import additive_fit


def model(dbt, session):
    dbt.config(materialized="table")
    found = {
        "reference_key": [],
        "column_name": [],
        "bin_index": [],
        "effect": [],
        "square_effect": [],
        "n_reference": [],
    }
    rows = dbt.ref("int_mlmon__error_model_bins").df()
    for key, part in rows.groupby("reference_key", sort=True):
        errors = part.groupby("error_number", sort=True)["absolute_error"].first()
        bins = part.pivot(index="error_number", columns="column_name", values="bin_index")
        given, y = bins.to_numpy(np.int64), errors.to_numpy()
        # Squares are fitted in units of the mean error: large numbers keep their digits.
        unit = float(y.mean()) or 1.0
        first, second = (additive_fit(given, side) for side in (y / unit, (y / unit) ** 2))
        names = bins.columns.to_numpy()[first.columns].tolist()
        found["reference_key"] += [key] * (1 + len(names))
        found["column_name"] += ["all", *names]
        found["bin_index"] += [-1, *first.bins.tolist()]
        found["effect"] += (unit * np.array([first.intercept, *first.effects])).tolist()
        found["square_effect"] += (unit**2 * np.array([second.intercept, *second.effects])).tolist()
        found["n_reference"] += [len(y)] * (1 + len(names))
    return pa.table(
        found,
        schema=pa.schema(
            {
                "reference_key": pa.string(),
                "column_name": pa.string(),
                "bin_index": pa.int64(),
                "effect": pa.float64(),
                "square_effect": pa.float64(),
                "n_reference": pa.int64(),
            }
        ),
    )
