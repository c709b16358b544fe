"""What is usual of each column: what the reference holds of it, counted in the warehouse.

The versions of a model are taken together: the gate asks whether a value is known at all, and
leaves it to dbt to judge each version by its own reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlmon.gate.plan import Column, Log, Monitor
from mlmon.gate.slices import AHEAD
from mlmon.warehouse import Connection

# A column with more values than this is free text: none of them is unknown.
MOST_CATEGORIES = 1000


@dataclass(frozen=True, slots=True)
class Usual:
    """A column in the reference. ``categories`` is None for numbers and where there are too many.

    ``outside_share`` is that of its values outside the declared range.
    """

    n_rows: int
    missing_share: float
    outside_share: float
    minimum: float | None
    maximum: float | None
    categories: frozenset[str] | None


def read_reference(
    warehouse: Connection, monitor: Monitor, now: datetime, min_event_at: str
) -> Mapping[str, Usual]:
    """What is usual, by the name of the column; empty where there is no reference yet."""
    found = _rows_of(warehouse, monitor, now, min_event_at)
    if found is None:
        return {}
    log, condition = found
    columns = [
        column
        for column in log.columns
        if column.sql is not None and column.kind in {"numeric", "class", "categorical"}
    ]
    if not columns:
        return {}
    counts = _counts(warehouse, log, columns, condition)
    if not counts["n"]:
        return {}
    usual: dict[str, Usual] = {}
    for position, column in enumerate(columns):
        low, high = counts.get(f"low{position}"), counts.get(f"high{position}")
        n_outside, n_values = counts.get(f"outside{position}"), counts.get(f"values{position}")
        usual[column.name] = Usual(
            n_rows=counts["n"],
            missing_share=1 - (counts[f"given{position}"] or 0) / counts["n"],
            outside_share=(n_outside or 0) / n_values if n_values else 0.0,
            minimum=None if low is None else float(low),
            maximum=None if high is None else float(high),
            categories=None
            if column.kind == "numeric"
            else _categories(warehouse, log, column, condition),
        )
    return usual


def _rows_of(
    warehouse: Connection, monitor: Monitor, now: datetime, min_event_at: str
) -> tuple[Log, str] | None:
    """The log that holds the reference, and the condition of its rows."""
    reference = monitor.reference
    if reference.table is not None:
        return (reference.table, "true") if reference.table.is_there else None
    log = monitor.logs[0]
    time = log.column("predicted_at")
    if reference.kind == "none" or time is None or not log.is_there:
        return None
    answered = f" and {log.is_success}" if log.is_success else ""
    if reference.kind == "dates":
        return log, (
            f"{time.sql} >= cast('{reference.first_date}' as timestamp) and {time.sql}"
            f" < cast('{reference.last_date}' as timestamp) + interval '1 day'{answered}"
        )
    version = log.column("model_version")
    by = (version.sql if version else None) or "cast(null as text)"
    firsts = warehouse.rows(
        f"""
        select version, min(predicted_at) as first_at, max(predicted_at) as last_at
        from (
            select {by} as version, {time.sql} as predicted_at from {log.relation}
        ) as logged
        where
            predicted_at >= cast('{min_event_at}' as timestamp)
            and predicted_at < cast('{(now + AHEAD).isoformat(sep=" ")}' as timestamp)
        group by version
        """
    )
    stretch = timedelta(days=reference.first_days or 0)
    parts = [
        f"({_is(by, row['version'])} and {time.sql} >= cast('{row['first_at']}' as timestamp)"
        f" and {time.sql} < cast('{row['first_at'] + stretch}' as timestamp))"
        for row in firsts
        if row["last_at"] >= row["first_at"] + stretch
    ]
    return (log, f"({' or '.join(parts)}){answered}") if parts else None


def _is(sql: str, value: str | None) -> str:
    if value is None:
        return f"{sql} is null"
    return f"{sql} = '{value.replace(chr(39), chr(39) * 2)}'"


def _counts(
    warehouse: Connection, log: Log, columns: list[Column], condition: str
) -> dict[str, int]:
    wanted = ["count(*) as n"]
    for position, column in enumerate(columns):
        given = f"({column.sql}) is not null"
        if column.unread is not None:
            given += f" or ({column.unread}) is not null"
        wanted.append(f"sum(case when {given} then 1 else 0 end) as given{position}")
        if column.kind == "numeric":
            wanted.append(f"min({column.sql}) as low{position}")
            wanted.append(f"max({column.sql}) as high{position}")
            wanted.append(f"count({column.sql}) as values{position}")
            wanted.append(
                f"sum(case when {_is_outside(column)} then 1 else 0 end) as outside{position}"
            )
    [counts] = warehouse.rows(f"select {', '.join(wanted)} from {log.relation} where {condition}")
    return counts


def _is_outside(column: Column) -> str:
    ends = [("<", column.minimum), (">", column.maximum)]
    return (
        " or ".join(f"{column.sql} {sign} {end!r}" for sign, end in ends if end is not None)
        or "false"
    )


def _categories(
    warehouse: Connection, log: Log, column: Column, condition: str
) -> frozenset[str] | None:
    rows = warehouse.rows(
        f"""
        select distinct value
        from (select {column.sql} as value from {log.relation} where {condition}) as logged
        where value is not null
        limit {MOST_CATEGORIES + 1}
        """
    )
    values = frozenset(str(row["value"]) for row in rows)
    return values if 0 < len(values) <= MOST_CATEGORIES else None
