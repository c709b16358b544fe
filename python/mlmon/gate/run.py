"""The gate from end to end: finds the new rows, checks them, and keeps what was found."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlmon.errors import ConfigurationError
from mlmon.gate.checks import Check, checks_of, frame_columns
from mlmon.gate.expectations import (
    TOTALS,
    Tally,
    Totals,
    Validator,
    answered,
    repeated,
    whole_frame,
)
from mlmon.gate.own_suites import DIRECTORY, own_columns, read_suites
from mlmon.gate.plan import Log, Monitor, Plan
from mlmon.gate.reference import read_reference
from mlmon.gate.results import LogResult, Verdict, read_watermark, write_results
from mlmon.gate.slices import Slice, find_slice, select, slice_columns
from mlmon.profile import Target
from mlmon.warehouse import Connection, connect

if TYPE_CHECKING:
    import pandas as pd

# What is held at a time; Great Expectations makes a few copies of it.
BATCH_ROWS = 100_000
# What DuckDB may hold before it uses the disk; it runs in this process.
DUCKDB_MEMORY = "400MB"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a gate found. ``absent`` are logs that dbt has not built yet."""

    run_id: str
    results: tuple[LogResult, ...]
    absent: tuple[Log, ...]

    @property
    def n_critical(self) -> int:
        """How many checks failed critically."""
        return sum(result.counted("critical") for result in self.results)


def run_gate(
    target: Target,
    plan: Plan,
    *,
    monitors: Sequence[str] = (),
    since: datetime | None = None,
    suites: Path | None = None,
    warn_only: bool = False,
) -> Outcome:
    """Check what has newly landed in the logs of a project, and write it to the warehouse.

    ``monitors`` names those to look at (all). With ``since``, rows loaded from then on are checked
    and the watermarks stay as they are. With ``warn_only`` the rows count as seen whatever is found.
    """
    own = read_suites(suites or target.project_dir / DIRECTORY, plan)
    chosen = _chosen(plan, monitors)
    results: list[LogResult] = []
    absent: list[Log] = []
    with connect(target, memory=DUCKDB_MEMORY) as warehouse:
        now: datetime = warehouse.rows(f"select {plan.utc_now} as now")[0]["now"]
        gate = _Gate(warehouse, plan, now)
        for monitor in chosen:
            for log in monitor.logs:
                if not log.is_there:
                    absent.append(log)
                    continue
                mark = read_watermark(warehouse, plan.schema, log.monitor, log.name)
                new = find_slice(warehouse, log, now, mark=mark, since=since)
                results.append(gate.check(monitor, new, own.get((monitor.name, log.name), [])))
    run_id = uuid.uuid4().hex
    passed = [result for result in results if warn_only or not result.counted("critical")]
    if not results:
        return Outcome(run_id, (), tuple(absent))
    with connect(target, writes=True) as warehouse:
        write_results(
            warehouse,
            results,
            run_id=run_id,
            checked_at=now,
            target_schema=plan.schema,
            passed=[] if since else passed,
        )
    return Outcome(run_id, tuple(results), tuple(absent))


def _chosen(plan: Plan, names: Sequence[str]) -> list[Monitor]:
    known = [monitor.name for monitor in plan.monitors]
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"There is no monitor {name!r}: there are {', '.join(known) or 'none'}."
            )
    return [monitor for monitor in plan.monitors if not names or monitor.name in names]


class _Gate:
    """The checks of one run; Great Expectations is loaded where there is something to check."""

    def __init__(self, warehouse: Connection, plan: Plan, now: datetime) -> None:
        self._warehouse = warehouse
        self._plan = plan
        self._now = now
        self._validator: Validator | None = None

    def check(self, monitor: Monitor, new: Slice, own: Sequence[Check]) -> LogResult:
        if not new.n_rows:
            return LogResult(new, (), has_reference=True)
        self._validator = self._validator or Validator()
        usual = read_reference(self._warehouse, monitor, self._now, self._plan.min_event_at)
        checks = checks_of(new.log, usual, self._plan)
        tallies = [Tally(check) for check in [*checks, *own]]
        self._count(self._validator, new, tallies, own_columns(own, new.log))
        has_reference = bool(usual) or monitor.reference.kind == "none"
        return LogResult(new, tuple(_verdict(tally) for tally in tallies), has_reference)

    def _count(
        self, validator: Validator, new: Slice, tallies: Sequence[Tally], own: Sequence[str]
    ) -> None:
        def of(rows: str) -> list[Tally]:
            return [tally for tally in tallies if tally.check.rows == rows]

        sql, kinds = slice_columns(new.log, own)
        whole = of("whole")
        totals = Totals([t.check.kwargs["column"] for t in whole if t.check.expectation in TOTALS])
        query = select(new.log, sql, new.condition)
        for table in self._warehouse.batches(query, kinds, BATCH_ROWS):
            frame = frame_columns(table.to_pandas(), new.log, self._plan.min_event_at, self._now)
            validator.validate(frame, of("all"))
            validator.validate(answered(frame), of("answered"))
            totals.add(frame)
        for tally in of("keys"):
            self._count_keys(validator, new, tally, sql, totals.n_rows)
        # Of files nobody has asked which columns there are.
        names = new.log.types or [column.log_column for column in new.log.columns if column.sql]
        for tally in whole:
            validator.validate(whole_frame(tally.check, names, totals), [tally])

    def _count_keys(
        self, validator: Validator, new: Slice, tally: Tally, sql: dict[str, str], n_rows: int
    ) -> None:
        """Uniqueness, asked of the keys that occur more than once."""
        keys = tally.check.kwargs.get("column_list") or [tally.check.kwargs["column"]]
        listed = {name: sql[name] for name in keys}
        positions = [f"c{position}" for position in range(len(keys))]
        given = select(new.log, listed, new.condition)
        query = (
            f"select {', '.join(positions)}, count(*) as n from ({given}) as logged"
            f" where {_is_key(keys, positions)} group by {', '.join(positions)} having count(*) > 1"
        )
        kinds = {**dict.fromkeys(keys, "text"), "n": "numeric"}
        for table in self._warehouse.batches(query, kinds, BATCH_ROWS // 4):
            for frame in repeated(table.to_pandas(), BATCH_ROWS):
                validator.validate(_with_id(frame, keys), [tally])
        # Rows whose key occurs once cannot fail.
        tally.n_checked = max(n_rows, tally.n_checked)


def _is_key(keys: Sequence[str], positions: Sequence[str]) -> str:
    """A row without an id is told by another check, and is nobody's double."""
    if "request_id" in keys:
        return f"{positions[list(keys).index('request_id')]} is not null"
    return " and ".join(f"{position} is not null" for position in positions)


def _with_id(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    if "request_id" in keys:
        return frame
    return frame.assign(request_id=None)


def _verdict(tally: Tally) -> Verdict:
    check = tally.check
    status = check.judge(tally.n_checked, tally.n_failed)
    return Verdict(
        check=check,
        status=status,
        n_checked=tally.n_checked,
        n_failed=tally.n_failed,
        found=_found(tally),
        examples=() if status == "ok" else tuple(tally.examples),
    )


def _found(tally: Tally) -> str:
    if tally.check.expectation == "expect_column_to_exist":
        return "not there" if tally.n_failed else "there"
    if tally.check.rows == "whole":
        if tally.observed is not None:
            return tally.observed
        return "as expected" if not tally.n_failed else "not as expected"
    share = f" ({100 * tally.n_failed / tally.n_checked:.3g} %)" if tally.n_checked else ""
    return f"{tally.n_failed:,} of {tally.n_checked:,} rows{share}"
