"""Measures joint drift for the model int_mlmon__joint_drift: reads samples from DuckDB, one window end at a time.

The mathematics is in `mlmon.stats.multivariate`, the verdict in fct_mlmon__multivariate_drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from duckdb import ColumnExpression as column  # noqa: N813 (they are called like functions)
from duckdb import ConstantExpression as value  # noqa: N813
from duckdb import DuckDBPyRelation as Relation

from mlmon.stats.multivariate import Sample, Separation, separation

# Name, kind and slot of a feature.
Feature: TypeAlias = tuple[str, str, str]

METHOD = "domain_classifier"
SCHEMA = pa.schema(
    [
        ("window_key", pa.string()),
        ("method", pa.string()),
        ("value", pa.float64()),
        ("value_low", pa.float64()),
        ("value_high", pa.float64()),
        ("p_value", pa.float64()),
        ("min_detectable_effect", pa.float64()),
        ("n_reference", pa.int64()),
        ("n_current", pa.int64()),
        ("top_column_name", pa.string()),
        ("second_column_name", pa.string()),
    ]
)


def measure(
    *,
    stale: Relation,
    spans: Relation,
    settings: Relation,
    columns: Relation,
    references: Relation,
    windows: Relation,
    samples: Relation,
) -> pa.Table:
    """One row per stale window end of a monitor that asks; its value is NULL where either side has too few rows.

    No more than two samples are held at a time; ends with the same reference share it.
    """
    wanted = settings.filter("multivariate_rows is not null").project("monitor, multivariate_rows")
    ends = (
        spans.filter("is_default_span and reference_key is not null")
        .join(stale.project("window_key"), "window_key", how="semi")
        .join(wanted, "monitor")
        .order("monitor, model_version, window_index")
        .to_arrow_table()
        .to_pylist()
    )
    rows: list[dict[str, Any]] = []
    for (monitor, reference_key), group in groupby(
        ends, key=lambda end: (end["monitor"], end["reference_key"])
    ):
        features = (
            columns.filter(
                (column("monitor") == value(monitor)) & (column("column_role") == value("feature"))
            )
            .order("column_position")
            .project("column_name, column_kind, slot")
            .fetchall()
        )
        of_reference = samples.join(
            _windows_of(references, windows, reference_key), "window_key", how="semi"
        )
        reference: Sample | None = None
        for end in group:
            if reference is None:
                reference = _sample(of_reference, features, end["multivariate_rows"])
            of_span = samples.filter(
                (column("monitor") == value(monitor))
                & (column("model_version") == value(end["model_version"]))
                & column("window_index").between(
                    value(end["first_index"]), value(end["window_index"])
                )
            )
            current = _sample(of_span, features, end["multivariate_rows"])
            rows.append(_row(end["window_key"], reference, current, separation(reference, current)))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _windows_of(references: Relation, windows: Relation, reference_key: str) -> Relation:
    """The window_key of each window that a reference is made of, as macros/windows/reference_windows.sql has them."""
    rows = (
        references.filter(column("reference_key") == value(reference_key))
        .project(
            "monitor, reference_kind, reference_version, logged_version, first_index, last_index"
        )
        .fetchall()
    )
    if not rows:
        return windows.limit(0).project("window_key")
    [(monitor, kind, version, logged_version, first, last)] = rows
    of_monitor = windows.filter(column("monitor") == value(monitor))
    if kind == "table":
        found = of_monitor.filter("source = 'reference'").filter(
            column("reference_version") == value(version)
        )
    else:
        found = of_monitor.filter("source = 'log'").filter(
            column("window_index").between(value(first), value(last))
        )
        if logged_version != "all":
            found = found.filter(column("model_version") == value(logged_version))
    return found.project("window_key")


def _sample(samples: Relation, features: Sequence[Feature], most: int) -> Sample:
    """At most ``most`` of the sampled rows, evenly from all of them.

    Below the smallest cut every row of every window was kept: the smallest hashes there are an even sample.
    """
    [(cut,)] = samples.aggregate("min(cut_hash)").fetchall()
    slots = [slot for _, _, slot in features]
    listed = ", ".join(["sample_hash", *slots])
    chosen = samples.filter(column("sample_hash") < value(cut)).project(listed)
    rows = chosen.order(listed).limit(most).to_arrow_table()
    return Sample(
        numbers={
            name: rows.column(slot).to_numpy(zero_copy_only=False)
            for name, kind, slot in features
            if kind == "numeric"
        },
        categories={
            name: np.array(rows.column(slot).to_pylist(), dtype=np.object_)
            for name, kind, slot in features
            if kind != "numeric"
        },
        # The hash decides the half, so a row that is on both sides is in the same half on both.
        half=rows.column("sample_hash").to_numpy() % 2 == 1,
    )


def _row(
    window_key: str, reference: Sample, current: Sample, found: Separation | None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "window_key": window_key,
        "method": METHOD,
        "n_reference": len(reference),
        "n_current": len(current),
    }
    if found is not None:
        strongest = [*found.strongest, None, None]
        row |= {
            "value": found.auc,
            "value_low": found.low,
            "value_high": found.high,
            "p_value": found.p_value,
            "min_detectable_effect": found.detectable,
            "top_column_name": strongest[0],
            "second_column_name": strongest[1],
        }
    return row
