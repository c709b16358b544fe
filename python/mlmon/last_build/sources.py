"""What a build reads from outside: logs, reference tables, and relations in place of shipped seeds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlmon.gate.plan import Plan
from mlmon.profile import Target
from mlmon.warehouse import AbsentTableError, Connection, connect


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """A relation that a build reads: the query that tells what it holds, and what it held.

    ``held`` is a short text that differs where the relation has changed. ``spec`` is where the
    configuration names the relation: a source or a model.
    """

    name: str
    sql: str
    is_whole: bool
    spec: Mapping[str, Any] = field(default_factory=dict)
    held: str = ""


def sources_of(plan: Plan) -> list[WatchedSource]:
    """The relations that the builds of a project read.

    Of a log it is asked how many rows there are and when the newest was loaded, or happened where
    nobody says when it was loaded. Seeds are small and edited in place: they are read as a whole.
    """
    logs = [
        log
        for monitor in plan.monitors
        for log in (*monitor.logs, monitor.reference.table)
        if log is not None
    ]
    found = [
        WatchedSource(
            f"the {log.name} of {log.monitor}",
            f"select count(*) as n, max({log.loaded_at}) as newest from {log.relation}",
            False,
            log.spec,
        )
        for log in logs
    ]
    found += [
        WatchedSource(
            f"{seed.relation}, the {seed.name}", f"select * from {seed.relation}", True, seed.spec
        )
        for seed in plan.seeds
    ]
    return found


def read_contents(target: Target, watched: Iterable[WatchedSource]) -> list[WatchedSource]:
    """The same with what each holds now. Raises MlmonError where the warehouse does not tell."""
    answers: dict[str, str] = {}
    with connect(target) as warehouse:
        for one in watched:
            # Monitors may share a log.
            if one.sql not in answers:
                answers[one.sql] = _held(warehouse, one)
    return [
        WatchedSource(one.name, one.sql, one.is_whole, one.spec, answers[one.sql])
        for one in watched
    ]


def _held(warehouse: Connection, one: WatchedSource) -> str:
    try:
        rows = warehouse.rows(one.sql)
    except AbsentTableError:
        return "absent"
    if one.is_whole:
        lines = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return f"{rows[0]['n']} rows, {rows[0]['newest']}"
