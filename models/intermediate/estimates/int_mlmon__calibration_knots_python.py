"""One row per stale reference and knot of its calibration map: the isotonic regression of labels on
scores, fitted by scipy. The SQL model of the same columns is for warehouses without Python models.
"""

import pyarrow as pa

from mlmon.stats import isotonic_map


def model(dbt, session):
    dbt.config(materialized="table")
    samples = dbt.ref("int_mlmon__calibration_samples").df()
    counts = {
        "n_reference": "n",
        "n_predicted": "n_predicted",
        "n_predicted_other": "n_predicted_other",
    }
    found = {name: [] for name in ("reference_key", "score", "probability", *counts)}
    for key, rows in samples.groupby("reference_key", sort=True):
        fitted = isotonic_map(rows["score"], rows["n_positive"], rows["n"])
        found["reference_key"] += [key] * len(fitted.score)
        found["score"] += fitted.score.tolist()
        found["probability"] += fitted.probability.tolist()
        for name, column in counts.items():
            found[name] += [int(rows[column].sum())] * len(fitted.score)
    return pa.table(
        found,
        schema=pa.schema(
            {
                "reference_key": pa.string(),
                "score": pa.float64(),
                "probability": pa.float64(),
                **{name: pa.int64() for name in counts},
            }
        ),
    )
