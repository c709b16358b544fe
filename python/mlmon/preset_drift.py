"""Reproduces other tools' numbers for the model int_mlmon__preset_statistics: reads value counts from DuckDB.

One comparison of a column is held at a time; columns are taken one after the other, so that ends with the
same reference share it. What the tools compute is in `mlmon.stats.presets`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
from duckdb import ColumnExpression as column  # noqa: N813 (they are called like functions)
from duckdb import ConstantExpression as value  # noqa: N813
from duckdb import DuckDBPyRelation as Relation

from mlmon.stats import presets
from mlmon.stats.inputs import Values
from mlmon.stats.presets.as_evidently import P_VALUES

Kind: TypeAlias = Literal["numeric", "categorical"]

TOOLS = {"evidently": presets.evidently, "nannyml": presets.nannyml}
# Which methods of a tool print a p-value.
PRINTED_P_VALUES: dict[str, tuple[str, ...]] = {"evidently": P_VALUES, "nannyml": ()}
SCHEMA = pa.schema(
    [
        ("window_key", pa.string()),
        ("column_name", pa.string()),
        ("method", pa.string()),
        ("value", pa.float64()),
        ("p_value", pa.float64()),
        ("n_reference", pa.int64()),
        ("n_current", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column with a preset."""

    monitor: str
    name: str
    kind: Kind
    slot: str
    preset: str


@dataclass(frozen=True, slots=True)
class Side:
    """The windows on one side of a comparison: a reference's, or some of a version."""

    reference_key: str | None = None
    version: str | None = None
    first: int = 0
    last: int = 0

    def of(self, values: Relation) -> Relation:
        """Their values."""
        if self.reference_key is not None:
            return values.filter(column("reference_key") == value(self.reference_key))
        return values.filter(
            (column("model_version") == value(self.version))
            & column("window_index").between(value(self.first), value(self.last))
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of one side that are not missing, and how many rows were read for them."""

    values: Values
    n_rows: int


def measure(*, columns: Relation, stale: Relation, spans: Relation, values: Relation) -> pa.Table:
    """One row per stale window end, column and method of its preset; what the tool leaves undefined is NULL."""
    listed = columns.filter("preset is not null").order("monitor, column_position")
    ends = _ends(spans.join(stale.project("window_key"), "window_key", how="semi"))
    rows: list[dict[str, Any]] = []
    for found in listed.project("monitor, column_name, column_kind, slot, preset").fetchall():
        one = Column(*found)
        of_reference, reference = Side(), Sample(np.array([]), 0)
        for window_key, first, second in ends.get(one.monitor, []):
            if first != of_reference:
                of_reference, reference = first, _sample(values, one, first)
            current = _sample(values, one, second)
            if reference.n_rows and current.n_rows:
                rows += _rows(window_key, one, reference, current)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _ends(spans: Relation) -> dict[str, list[tuple[str, Side, Side]]]:
    """By monitor the window ends with what they are compared with, those with the same reference together."""
    compared = spans.filter(
        "is_verdict and reference_key is not null"
        " and (compared_with = 'reference' or compared_version is not null)"
    ).order("monitor, reference_key, compared_with, compared_version, window_index")
    ends: dict[str, list[tuple[str, Side, Side]]] = {}
    for end in compared.to_arrow_table().to_pylist():
        reference = (
            Side(reference_key=end["reference_key"])
            if end["compared_with"] == "reference"
            else Side(
                version=end["compared_version"],
                first=end["compared_first_index"],
                last=end["compared_last_index"],
            )
        )
        current = Side(
            version=end["model_version"], first=end["first_index"], last=end["window_index"]
        )
        ends.setdefault(end["monitor"], []).append((end["window_key"], reference, current))
    return ends


def _sample(values: Relation, one: Column, side: Side) -> Sample:
    """The values of a side, each as often as it occurs, in their order."""
    name = "number_value" if one.kind == "numeric" else "text_value"
    counted = (
        side.of(values)
        .filter((column("monitor") == value(one.monitor)) & (column("slot") == value(one.slot)))
        .aggregate(f"{name} as x, cast(sum(n) as bigint) as n", name)
        .order("x nulls last")
        .to_arrow_table()
        .combine_chunks()
    )
    n = counted["n"].to_numpy()
    present = len(counted) - counted["x"].null_count
    x = counted["x"].slice(0, present)
    found = x.to_numpy() if one.kind == "numeric" else np.array(x.to_pylist(), dtype=np.object_)
    return Sample(np.repeat(found, n[:present]), int(n.sum()))


def _rows(window_key: str, one: Column, reference: Sample, current: Sample) -> list[dict[str, Any]]:
    """What the tool prints: p-values by themselves, without a value."""
    rows = []
    for method, printed in TOOLS[one.preset](reference.values, current.values, one.kind).items():
        number = None if math.isnan(printed) else printed
        is_p_value = method in PRINTED_P_VALUES[one.preset]
        rows.append(
            {
                "window_key": window_key,
                "column_name": one.name,
                "method": f"{one.preset}_{method}",
                "value": None if is_p_value else number,
                "p_value": number if is_p_value else None,
                "n_reference": reference.n_rows,
                "n_current": current.n_rows,
            }
        )
    return rows
