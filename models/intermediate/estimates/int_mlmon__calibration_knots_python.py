"""One row per touched reference, class and knot of its calibration map: the isotonic regression of labels on
scores, fitted by scipy. The SQL model of the same columns is for warehouses without Python models.
"""

import pyarrow as pa

from mlmon.stats import isotonic_map


def model(dbt, session):
    dbt.config(materialized="table")
    samples = dbt.ref("int_mlmon__calibration_samples").df()
    names = ("reference_key", "class_number", "score", "probability", "n_reference")
    found = {name: [] for name in names}
    for (key, number), rows in samples.groupby(["reference_key", "class_number"], sort=True):
        fitted = isotonic_map(rows["score"], rows["n_positive"], rows["n"])
        found["reference_key"] += [key] * len(fitted.score)
        found["class_number"] += [int(number)] * len(fitted.score)
        found["score"] += fitted.score.tolist()
        found["probability"] += fitted.probability.tolist()
        found["n_reference"] += [int(rows["n"].sum())] * len(fitted.score)
    return pa.table(
        found,
        schema=pa.schema(
            {
                "reference_key": pa.string(),
                "class_number": pa.int64(),
                "score": pa.float64(),
                "probability": pa.float64(),
                "n_reference": pa.int64(),
            }
        ),
    )
