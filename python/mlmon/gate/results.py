"""What a gate found, as rows in the warehouse: the schema mlmon_gate.

Written beside dbt's tables and not by dbt, because it is known before dbt runs. One set of tables
serves every target of a database; ``target_schema`` tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlmon.gate.checks import Check, Status
from mlmon.gate.slices import Slice, Watermark
from mlmon.warehouse import Connection

SCHEMA = "mlmon_gate"

TABLES = {
    "results": {
        "run_id": "text",
        "checked_at": "timestamp",
        "target_schema": "text",
        "monitor": "text",
        "log_name": "text",
        "column_name": "text",
        "check_name": "text",
        "expectation": "text",
        "expected": "text",
        "found": "text",
        "n_checked": "bigint",
        "n_failed": "bigint",
        "failed_share": "double precision",
        "allowed_share": "double precision",
        "status": "text",
        "suite": "text",
        "n_slice_rows": "bigint",
        "loaded_from": "timestamp",
        "loaded_through": "timestamp",
    },
    "examples": {
        "run_id": "text",
        "monitor": "text",
        "log_name": "text",
        "column_name": "text",
        "check_name": "text",
        "suite": "text",
        "example_rank": "integer",
        "example_value": "text",
        "request_id": "text",
    },
    "watermarks": {
        "target_schema": "text",
        "monitor": "text",
        "log_name": "text",
        "loaded_through": "timestamp",
        "n_at": "bigint",
        "n_unplaced": "bigint",
        "run_id": "text",
        "checked_at": "timestamp",
    },
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check and what was found."""

    check: Check
    status: Status
    n_checked: int
    n_failed: int
    found: str
    examples: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class LogResult:
    """One log and its verdicts; none where nothing is new."""

    slice: Slice
    verdicts: tuple[Verdict, ...]
    has_reference: bool

    def counted(self, status: Status) -> int:
        """How many verdicts have a status."""
        return sum(verdict.status == status for verdict in self.verdicts)


def read_watermark(
    warehouse: Connection, target_schema: str, monitor: str, log_name: str
) -> Watermark | None:
    """Up to where the last passed gate has seen a log, None where none has."""
    [there] = warehouse.rows(
        "select count(*) as n from information_schema.tables"
        f" where table_schema = '{SCHEMA}' and table_name = 'watermarks'"
    )
    if not there["n"]:
        return None
    rows = warehouse.rows(
        f"select * from {SCHEMA}.watermarks where {_key(target_schema, monitor, log_name)}"
    )
    if not rows:
        return None
    return Watermark(rows[0]["loaded_through"], rows[0]["n_at"], rows[0]["n_unplaced"])


def write_results(
    warehouse: Connection,
    results: Sequence[LogResult],
    *,
    run_id: str,
    checked_at: datetime,
    target_schema: str,
    passed: Sequence[LogResult],
) -> None:
    """Keep what was found, and how far the logs that passed have been seen."""
    _create_tables(warehouse)
    head = {"run_id": run_id, "checked_at": checked_at, "target_schema": target_schema}
    warehouse.insert(f"{SCHEMA}.results", [row for one in results for row in _rows(one, head)])
    warehouse.insert(
        f"{SCHEMA}.examples", [row for one in results for row in _examples(one, run_id)]
    )
    for one in passed:
        log, seen = one.slice.log, one.slice.seen
        warehouse.execute(
            f"delete from {SCHEMA}.watermarks where {_key(target_schema, log.monitor, log.name)}"
        )
        warehouse.insert(
            f"{SCHEMA}.watermarks",
            [
                {
                    **head,
                    "monitor": log.monitor,
                    "log_name": log.name,
                    "loaded_through": seen.loaded_through,
                    "n_at": seen.n_at,
                    "n_unplaced": seen.n_unplaced,
                }
            ],
        )


def _create_tables(warehouse: Connection) -> None:
    """Make what is not there. Asking first: who may write need not be who may create."""
    schemas = warehouse.rows(
        f"select 1 from information_schema.schemata where schema_name = '{SCHEMA}'"
    )
    if not schemas:
        warehouse.execute(f"create schema {SCHEMA}")
    found = warehouse.rows(
        f"select table_name from information_schema.tables where table_schema = '{SCHEMA}'"
    )
    there = {row["table_name"] for row in found}
    for table, columns in TABLES.items():
        if table not in there:
            typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            warehouse.execute(f"create table {SCHEMA}.{table} ({typed})")


def _rows(result: LogResult, head: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            **head,
            **_named(result, verdict.check),
            "expectation": verdict.check.expectation,
            "expected": verdict.check.expected,
            "found": verdict.found,
            "n_checked": verdict.n_checked,
            "n_failed": verdict.n_failed,
            "failed_share": verdict.n_failed / verdict.n_checked if verdict.n_checked else None,
            "allowed_share": verdict.check.allowed,
            "status": verdict.status,
            "n_slice_rows": result.slice.n_rows,
            "loaded_from": result.slice.loaded_from,
            "loaded_through": result.slice.seen.loaded_through,
        }
        for verdict in result.verdicts
    ]


def _examples(result: LogResult, run_id: str) -> list[dict[str, Any]]:
    return [
        {
            "run_id": run_id,
            **_named(result, verdict.check),
            "example_rank": rank,
            "example_value": value,
            "request_id": request_id,
        }
        for verdict in result.verdicts
        for rank, (value, request_id) in enumerate(verdict.examples, 1)
    ]


def _named(result: LogResult, check: Check) -> dict[str, Any]:
    return {
        "monitor": result.slice.log.monitor,
        "log_name": result.slice.log.name,
        "column_name": check.column,
        "check_name": check.name,
        "suite": check.source,
    }


def _key(target_schema: str, monitor: str, log_name: str) -> str:
    wanted = {"target_schema": target_schema, "monitor": monitor, "log_name": log_name}
    return " and ".join(
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in wanted.items()
    )
