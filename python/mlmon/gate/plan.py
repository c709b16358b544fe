"""What the gate has to look at: the monitors with their logs and columns, as dbt resolves them.

dbt tells it as one line of JSON (macros/gate/gate_plan.sql), so that configuration, relations and
dialects are read in one place. This module runs dbt and gives the line its types.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlmon.configuration import failure, fresh_run, listed
from mlmon.dbt_process import DbtRun
from mlmon.errors import ConfigurationError
from mlmon.profile import Target

MARK = "mlmon_gate_plan "
MACRO = "mlmon.gate_plan"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a log, under the name that the monitor gives it.

    ``kind`` is numeric, time, class, categorical or text. ``sql`` is its value, NULL where it cannot
    be read; ``unread`` is the text of what cannot be read, or None where that cannot be.
    """

    name: str
    role: str
    kind: str
    sql: str | None
    unread: str | None
    log_column: str
    is_there: bool
    is_required: bool
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a monitor. ``types`` is empty where the warehouse does not know them (files)."""

    monitor: str
    name: str
    relation: str
    is_there: bool
    columns: tuple[Column, ...]
    types: Mapping[str, str]
    loaded_at: str
    is_success: str | None
    # {source: [name, table]}, {ref: model} or {ref: [project, model]}.
    spec: Mapping[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The column of that name that the log has, or None."""
        return next((found for found in self.columns if found.name == name and found.sql), None)


@dataclass(frozen=True, slots=True)
class Reference:
    """Which rows are the reference: a table's, or those of a stretch of the prediction log."""

    kind: str
    table: Log | None
    first_days: int | None
    first_date: str | None
    last_date: str | None


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor as the gate sees it."""

    name: str
    logs: tuple[Log, ...]
    reference: Reference


@dataclass(frozen=True, slots=True)
class OwnSeed:
    """A relation of the user in place of a shipped seed; ``spec`` is that of a log."""

    name: str
    relation: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to be looked at. ``limits`` has ``warning`` and ``critical`` by check.

    With more than ``other_kind_share`` of the reference outside the range of a score, its scores are of
    another kind, and none is checked.
    """

    schema: str
    monitors: tuple[Monitor, ...]
    limits: Mapping[str, Mapping[str, float]]
    other_kind_share: float
    min_event_at: str
    utc_now: str
    seeds: tuple[OwnSeed, ...] = ()


def read_plan(target: Target, variables: str | None = None) -> tuple[Plan, DbtRun]:
    """Ask dbt for the plan of a project; also returned is what dbt said.

    ``variables`` are vars as dbt's option ``--vars`` takes them.

    Raises ConfigurationError with every problem of the configuration, those that only the
    warehouse can tell among them; TryAgainError where the warehouse is locked; MlmonError where it
    does not answer.
    """
    run = fresh_run(["run-operation", MACRO], target, variables)
    told = [line for line in run.logged if line.startswith(MARK)]
    if run.exit_code != 0 or not told:
        raise failure(run, target)
    given = json.loads(told[-1].removeprefix(MARK))
    if given["problems"]:
        raise ConfigurationError(listed(given["problems"]))
    return _plan(given), run


def _plan(given: Mapping[str, Any]) -> Plan:
    return Plan(
        schema=given["schema"],
        monitors=tuple(_monitor(monitor) for monitor in given["monitors"]),
        limits=given["limits"],
        other_kind_share=given["other_kind_share"],
        min_event_at=given["min_event_at"],
        utc_now=given["utc_now"],
        seeds=tuple(OwnSeed(**seed) for seed in given["seeds"]),
    )


def _monitor(given: Mapping[str, Any]) -> Monitor:
    logs = [_log(given["name"], log) for log in given["logs"]]
    reference = given["reference"]
    return Monitor(
        name=given["name"],
        logs=tuple(log for log in logs if log.name != "reference"),
        reference=Reference(
            kind=reference["kind"],
            table=next((log for log in logs if log.name == "reference"), None),
            first_days=reference["first_days"],
            first_date=reference["from"],
            last_date=reference["to"],
        ),
    )


def _log(monitor: str, given: Mapping[str, Any]) -> Log:
    columns = tuple(_column(column) for column in given["columns"])
    return Log(**{**given, "monitor": monitor, "columns": columns})


def _column(given: Mapping[str, Any]) -> Column:
    renamed = {"min": "minimum", "max": "maximum"}
    return Column(**{renamed.get(key, key): value for key, value in given.items()})
