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
# The keys of the sources whose values are on one side of a comparison: base windows, or a reference table.
Sources: TypeAlias = tuple[str, ...]

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
class Sample:
    """The values of one side that are not missing, and how many rows were read for them."""

    values: Values
    n_rows: int


def measure(*, columns: Relation, sources: Relation, values: Relation) -> pa.Table:
    """One row per window end, column and method of its preset; what the tool leaves undefined is NULL."""
    listed = columns.filter("preset is not null").order("monitor, column_position")
    ends = _ends(sources)
    rows: list[dict[str, Any]] = []
    for found in listed.project("monitor, column_name, column_kind, slot, preset").fetchall():
        one = Column(*found)
        of_reference: Sources = ()
        reference = Sample(np.array([]), 0)
        for window_key, first, second in ends.get(one.monitor, []):
            if first != of_reference:
                of_reference, reference = first, _sample(values, one, first)
            rows += _rows(window_key, one, reference, _sample(values, one, second))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _ends(sources: Relation) -> dict[str, list[tuple[str, Sources, Sources]]]:
    """By monitor the window ends that have both sides, those with the same reference together."""
    sides = sources.aggregate(
        "monitor, window_key, is_reference, list(source_key order by source_key) as source_keys",
        "monitor, window_key, is_reference",
    )
    found: dict[tuple[str, str], dict[bool, Sources]] = {}
    for monitor, window_key, is_reference, source_keys in sides.fetchall():
        found.setdefault((monitor, window_key), {})[is_reference] = tuple(source_keys)
    ends: dict[str, list[tuple[str, Sources, Sources]]] = {}
    for (monitor, window_key), both in found.items():
        if len(both) == 2:
            ends.setdefault(monitor, []).append((window_key, both[True], both[False]))
    for of_monitor in ends.values():
        of_monitor.sort(key=lambda end: (end[1], end[0]))
    return ends


def _sample(values: Relation, one: Column, sources: Sources) -> Sample:
    """The values of a side, each as often as it occurs, in their order."""
    name = "number_value" if one.kind == "numeric" else "text_value"
    counted = (
        values.filter(
            (column("slot") == value(one.slot))
            & column("source_key").isin(*(value(key) for key in sources))
        )
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
