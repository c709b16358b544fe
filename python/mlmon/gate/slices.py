"""Which rows of a log have newly landed, and the SQL that reads them.

A row is new where it was loaded later than the newest row that the last passed gate saw. Rows of
that very instant are read again where their number has changed, and so are rows that cannot be
placed in time: those without a time, and those loaded in the future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlmon.gate.plan import Column, Log
from mlmon.warehouse import Connection

# A row loaded later than this from now is taken as a mistake, and is not what "newest" means.
AHEAD = timedelta(days=1)

# Columns that the gate adds to those of the log.
UNREAD = "unread: "
LOADED = "loaded"
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to where a passed gate has seen a log."""

    loaded_through: datetime | None
    n_at: int
    n_unplaced: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of a log that are to be checked: a condition on them, and how many there are.

    ``seen`` is the watermark once they have passed.
    """

    log: Log
    condition: str
    n_rows: int
    loaded_from: datetime | None
    seen: Watermark


def find_slice(
    warehouse: Connection,
    log: Log,
    now: datetime,
    *,
    mark: Watermark | None = None,
    since: datetime | None = None,
) -> Slice:
    """The rows after a watermark, or loaded at or after ``since``; without either, the whole log."""
    loaded = log.loaded_at
    latest = _literal(now + AHEAD)
    unplaced = f"({loaded} is null or {loaded} > {latest})"
    at = _literal(mark.loaded_through) if mark and mark.loaded_through else "null"
    [counts] = warehouse.rows(
        f"""
        select
            sum(case when {unplaced} then 1 else 0 end) as n_unplaced,
            sum(case when {loaded} = {at} then 1 else 0 end) as n_at,
            max(case when not {unplaced} then {loaded} end) as newest
        from {log.relation}
        """
    )
    newest: datetime | None = counts["newest"]
    n_unplaced = int(counts["n_unplaced"] or 0)
    if since is not None:
        condition = f"{loaded} >= {_literal(since)}"
    elif mark is None:
        condition = "true"
    else:
        wanted = [f"({loaded} > {at} and not {unplaced})"] if mark.loaded_through else []
        if mark.loaded_through is None:
            wanted.append(f"not {unplaced}")
        elif int(counts["n_at"] or 0) != mark.n_at:
            wanted.append(f"{loaded} = {at}")
        if n_unplaced > mark.n_unplaced:
            wanted.append(unplaced)
        condition = " or ".join(wanted)
    [found] = warehouse.rows(
        f"""
        select
            sum(case when {condition} then 1 else 0 end) as n_rows,
            min(case when ({condition}) and not {unplaced} then {loaded} end) as loaded_from,
            sum(case when {loaded} = {_literal(newest) if newest else "null"} then 1 else 0 end)
                as n_at
        from {log.relation}
        """
    )
    return Slice(
        log=log,
        condition=condition,
        n_rows=int(found["n_rows"] or 0),
        loaded_from=found["loaded_from"],
        seen=Watermark(newest, int(found["n_at"] or 0), n_unplaced),
    )


def slice_columns(log: Log, own: Sequence[str] = ()) -> tuple[dict[str, str], dict[str, str]]:
    """What a slice is read with: SQL by name, and kind (text, numeric, time, boolean) by name.

    ``own`` are columns of the log beyond those of the monitor.
    """
    sql: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for column in log.columns:
        if column.sql is None:
            continue
        sql[column.name], kinds[column.name] = column.sql, _kind(column)
        if column.unread is not None:
            sql[UNREAD + column.name], kinds[UNREAD + column.name] = column.unread, "text"
    sql[LOADED], kinds[LOADED] = log.loaded_at, "time"
    if log.is_success is not None:
        sql[ANSWERED], kinds[ANSWERED] = log.is_success, "boolean"
    for name in own:
        kinds[name] = _kind_of_type(log.types.get(name, ""))
        sql[name] = _cast(name, kinds[name], log.types.get(name, ""))
    return sql, kinds


def select(log: Log, sql: dict[str, str], condition: str) -> str:
    """A query of columns named c0, c1 …, so that no name of a user needs quotes."""
    listed = ", ".join(f"{text} as c{position}" for position, text in enumerate(sql.values()))
    return f"select {listed} from {log.relation} where {condition}"


def _kind(column: Column) -> str:
    return column.kind if column.kind in {"numeric", "time"} else "text"


def _kind_of_type(data_type: str) -> str:
    if data_type.startswith("bool"):
        return "boolean"
    if data_type.startswith(("timestamp", "date")):
        return "time"
    words = ("int", "double", "float", "real", "numeric", "decimal")
    is_number = any(word in data_type for word in words) and not data_type.endswith("]")
    return "numeric" if is_number and "interval" not in data_type else "text"


def _cast(name: str, kind: str, data_type: str) -> str:
    types = {"numeric": "double precision", "time": "timestamp", "boolean": "boolean"}
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == "time" and ("with time zone" in data_type or "tz" in data_type):
        return f"({quoted} at time zone 'UTC')"
    return f"cast({quoted} as {types.get(kind, 'text')})"


def _literal(time: datetime) -> str:
    return f"cast('{time.isoformat(sep=' ')}' as timestamp)"
