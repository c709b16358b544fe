"""One row per touched window end at its verdict span, column with a preset and method of its tool: the number
that the tool prints, by mlmon.stats.presets. What a tool prints as a p-value has no value.
"""

import math

import numpy as np
import pyarrow as pa

from mlmon.stats import presets

TOOLS = {"evidently": presets.evidently, "nannyml": presets.nannyml}
P_VALUES = {("evidently", "ks"), ("evidently", "chisquare"), ("evidently", "z")}
SCHEMA = pa.schema(
    [
        ("end_number", pa.int64()),
        ("column_name", pa.string()),
        ("method", pa.string()),
        ("value", pa.float64()),
        ("p_value", pa.float64()),
        ("n_reference", pa.int64()),
        ("n_current", pa.int64()),
    ]
)


def sides(values, kind):
    """The reference's values and the span's, as often as they occur; missing ones are None or NaN."""
    values = values.select(["is_reference", "x", "category", "n"])
    of_reference = values["is_reference"].to_numpy(zero_copy_only=False)
    data = (
        values["x"].to_numpy(zero_copy_only=False).astype(float)
        if kind == "numeric"
        else np.array(values["category"].to_pylist(), dtype=object)
    )
    n = values["n"].to_numpy()
    return [np.repeat(data[which], n[which]) for which in (of_reference, ~of_reference)]


def model(dbt, session):
    dbt.config(materialized="table")
    values = dbt.ref("int_mlmon__preset_values")
    found = []
    comparisons = values.aggregate(
        "end_number, column_name, column_kind, preset",
        "end_number, column_name, column_kind, preset",
    ).order("end_number, column_name")
    for end, column, kind, preset in comparisons.fetchall():
        # One comparison at a time: the values of a span are a column of its log.
        escaped = column.replace("'", "''")
        rows = values.filter(f"end_number = {end} and column_name = '{escaped}'").to_arrow_table()
        reference, current = sides(rows, kind)
        for method, number in TOOLS[preset](reference, current, kind).items():
            number = None if math.isnan(number) else number
            is_p_value = (preset, method) in P_VALUES
            found.append(
                {
                    "end_number": end,
                    "column_name": column,
                    "method": f"{preset}_{method}",
                    "value": None if is_p_value else number,
                    "p_value": number if is_p_value else None,
                    "n_reference": len(reference),
                    "n_current": len(current),
                }
            )
    return pa.Table.from_pylist(found, schema=SCHEMA)
