"""The alert models in SQL against a plain Python account of what they should say.

A small dbt project holds copies of the alert models, their seeds and macros; the metrics and dimensions they
read are tables written here. One dbt run per warehouse judges every history of this file at once.
"""

from __future__ import annotations

import csv
import itertools
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlmon.alerts.backtest import histories_in_force
from mlmon.alerts.marts import Alert, MonitorLogs, Snapshot
from mlmon.alerts.planner import data_until, is_stale, silent_logs
from mlmon.alerts.rules import (
    History,
    MonitorSettings,
    RuleRow,
    RuleTiming,
    Series,
    judge,
    problems_of,
    rule_row,
    rule_targets,
)
from mlmon.alerts.rules import firing_episodes as told_episodes

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2024, 1, 1)
# When the states are read.
NOW = datetime(2024, 3, 1)
VALUES = {None: None, 0: 0.0, 1: 0.2, 2: 0.4}
LEVELS = ("none", "warning", "critical")

RULE_DEFAULTS = {
    "name": "a rule",
    "monitor": "*",
    "model_version": "*",
    "metric": "drift_share",
    "measure": "value",
    "column_role": "*",
    "column_name": "*",
    "class_label": "all",
    "segment_name": "all",
    "segment_value": "all",
    "span_windows": "1",
    "resolve_span_windows": "",
    "label_age": "horizon",
    "warning_condition": "> 0.1",
    "critical_condition": "> 0.3",
    "for_windows": "1",
    "resolve_windows": "1",
    "cooldown_minutes": "0",
    "repeat_minutes": "0",
    "no_data_minutes": "0",
    "max_age_minutes": "0",
    "min_samples": "0",
    "inhibited_by": "",
    "channels": "console",
    "runbook": "drift_share",
    "owner": "",
    "enabled": "true",
}

METRIC_TYPES = {
    "monitor_key": "text",
    "monitor": "text",
    "model_version": "text",
    "window_start": "timestamp",
    "window_end": "timestamp",
    "window_date": "date",
    "span_windows": "integer",
    "segment_name": "text",
    "segment_value": "text",
    "column_key": "text",
    "column_name": "text",
    "column_role": "text",
    "metric": "text",
    "class_label": "text",
    "label_age": "text",
    "value": "double precision",
    "reference_value": "double precision",
    "n": "bigint",
    "status": "text",
    "status_rank": "integer",
    "reason_code": "text",
}

MONITOR_TYPES = {
    "monitor_key": "text",
    "monitor": "text",
    "model_version": "text",
    "default_span_windows": "integer",
    "verdict_span_windows": "integer",
    "label_horizon_days": "integer",
    "primary_metric": "text",
    "owner": "text",
    "is_current_version": "boolean",
    "is_active": "boolean",
    "data_through_at": "timestamp",
}

WINDOW_TYPES = {"monitor": "text", "last_loaded_at": "timestamp"}

METRICS = [
    "drift_share",
    "column_drift_rank",
    "f1",
    "f1_relative_loss",
    "accuracy",
    "error_rate",
    "latency_p99_ms",
    "error_budget_burn",
    "n_predictions",
    "label_coverage",
    "check_missing",
    "check_volume",
]


def family(metric: str) -> str:
    """As far as rules ask: what is judged at the verdict span, and the rest."""
    return "drift" if "drift" in metric else "other"


@dataclass
class World:
    """What one dbt run is given: rules, monitors and metrics."""

    rules: list[dict[str, str]] = field(default_factory=list)
    monitors: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)

    def rule(self, rule_id: str, **changes: str) -> None:
        self.rules.append({"rule_id": rule_id, **RULE_DEFAULTS, **changes})

    def monitor(self, monitor: str, model_version: str = "v1", **changes: Any) -> None:
        self.monitors[(monitor, model_version)] = {
            "monitor_key": f"{monitor}/{model_version}",
            "monitor": monitor,
            "model_version": model_version,
            "default_span_windows": 7,
            "verdict_span_windows": changes.get("default_span_windows", 7),
            "label_horizon_days": 14,
            "primary_metric": "f1",
            "owner": "the team",
            "is_current_version": True,
            "is_active": True,
            "data_through_at": None,
            **changes,
        }

    def metric(self, monitor: str, step: int, value: float | None, **changes: Any) -> None:
        version = changes.get("model_version", "v1")
        span = changes.get("span_windows", 1)
        end = START + timedelta(days=step)
        self.metrics.append(
            {
                "monitor_key": f"{monitor}/{version}",
                "monitor": monitor,
                "model_version": version,
                "window_start": end - timedelta(days=span),
                "window_end": end,
                "window_date": (end - timedelta(days=1)).date(),
                "span_windows": span,
                "segment_name": "all",
                "segment_value": "all",
                "column_key": "key of " + changes.get("column_name", "all"),
                "column_name": "all",
                "column_role": "table",
                "metric": "drift_share",
                "class_label": "all",
                "label_age": "none",
                "value": value,
                "reference_value": None,
                "n": 1000,
                "status": "ok",
                "status_rank": 1,
                "reason_code": "",
                **changes,
            }
        )


@dataclass(frozen=True)
class Result:
    """What the marts say, keyed for look-up."""

    rules: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]
    states: list[dict[str, Any]]
    episodes: list[dict[str, Any]]
    monitors: list[dict[str, Any]]
    windows: list[dict[str, Any]]

    def evaluated(self, rule_id: str, **labels: Any) -> list[dict[str, Any]]:
        return [
            row
            for row in self.evaluations
            if row["rule_id"] == rule_id and all(row[key] == value for key, value in labels.items())
        ]

    def state(self, rule_id: str, **labels: Any) -> dict[str, Any]:
        (found,) = (
            row
            for row in self.states
            if row["rule_id"] == rule_id and all(row[key] == value for key, value in labels.items())
        )
        return found


# --- the reference -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    state: str
    severity: str
    fired_at: datetime | None
    since: datetime | None


def walk(levels: Sequence[int | None], for_windows: int, resolve_windows: int) -> Expected:
    """An alert told window by window, the way a person would keep it on paper."""
    firing = critical = False
    runs = {1: [0, 0], 2: [0, 0]}  # level: breaches and passes in a row
    fired_at = fired_since = since = None
    newest = 0
    for step, level in enumerate(levels):
        if level is None:
            continue
        newest, end = level, START + timedelta(days=step)
        if level == 0:
            since = None
        elif since is None:
            since = end
        for floor, run in runs.items():
            run[:] = [run[0] + 1, 0] if level >= floor else [0, run[1] + 1]
        was_firing = firing
        firing = runs[1][0] >= for_windows or (firing and runs[1][1] < resolve_windows)
        critical = runs[2][0] >= for_windows or (critical and runs[2][1] < resolve_windows)
        if firing and not was_firing:
            fired_at, fired_since = end, since
    if firing:
        severity = "critical" if critical else "warning"
        return Expected("firing", severity, fired_at, fired_since)
    if newest > 0:
        return Expected("pending", LEVELS[newest], None, since)
    return Expected("ok", "none", None, None)


@dataclass(frozen=True)
class Episode:
    severity: str
    since: datetime
    fired_at: datetime
    resolved_at: datetime | None
    n_windows: int
    n_breached: int
    peak: float | None


def firing_episodes(
    levels: Sequence[int | None], for_windows: int, resolve_windows: int
) -> list[Episode]:
    """Each time that such an alert fires, told from its states after every window."""
    told: list[Episode] = []
    during: list[int | None] = []
    was_critical = False
    for step, level in enumerate(levels):
        now = walk(levels[: step + 1], for_windows, resolve_windows)
        end = START + timedelta(days=step)
        if now.state == "firing":
            assert now.since is not None
            assert now.fired_at is not None
            if now.fired_at == end:
                told.append(Episode("", now.since, end, None, 0, 0, None))
                during, was_critical = [], False
            during.append(level)
            was_critical = was_critical or now.severity == "critical"
            worst = max(level or 0 for level in during)
            told[-1] = replace(
                told[-1],
                severity="critical" if was_critical else "warning",
                n_windows=len(during),
                n_breached=sum(bool(level) for level in during),
                peak=VALUES[worst],
            )
        elif told and told[-1].resolved_at is None:
            told[-1] = replace(told[-1], resolved_at=end)
    return told


def both(long: int | None, short: int | None) -> int | None:
    """The level of a window judged at two spans: the short one can only calm."""
    return long if long is None or short is None else min(long, short)


# --- the world every test of this file looks at ---------------------------------------------------------

PATIENCE = [(1, 1), (2, 1), (1, 2), (3, 2), (2, 3)]
ALL_SHORT = list(itertools.product((None, 0, 1, 2), repeat=5))

CONDITIONS: list[tuple[str, float, bool]] = [
    ("> 0.1", 0.1, False),
    ("> 0.1", 0.1 + 1e-16, False),
    ("> 0.1", 0.1000001, True),
    (">0.1", 0.2, True),
    (">= 0.3", 0.1 + 0.2, True),
    (">= 0.3", 0.3 - 1e-16, True),
    (">= 0.3", 0.2999999, False),
    ("< 0.8", 0.8, False),
    ("< 0.8", 0.7999999, True),
    ("<= 0.3", 0.1 + 0.2, True),
    ("<= 0.3", 0.3000001, False),
    (">= 0", 0.0, True),
    ("> 0", 0.0, False),
    ("< 0", 0.0, False),
    ("<= 0", 0.0, True),
    ("!= 0", 0.0, False),
    ("!= 0", 1e-9, True),
    ("!= 0", -1.0, True),
    ("  >=   5 ", 5.0, True),
    ("> -1", -0.5, True),
    ("< .5", 0.4, True),
    ("outside 0.2 0.8", 0.2, False),
    ("outside 0.2 0.8", 0.8, False),
    ("outside 0.2 0.8", 0.19, True),
    ("outside 0.2 0.8", 0.81, True),
    ("OUTSIDE  -1   1", 2.0, True),
    ("outside -1 1", 0.0, False),
]

MALFORMED = [
    "high",
    "0.1",
    "=> 0.1",
    "= 0.1",
    "> ",
    "> 0,1",
    "> 0.1 0.2",
    "> 1e-1",
    "> nan",
    "> inf",
    "> 1; drop table x",
    "> '1'",
    "outside 0.2",
    "outside 0.8 0.2",
    "outside 0.2 0.8 0.9",
    "between 0 1",
    "> 1.2.3",
    "> 1-2",
    "> .",
    "> --1",
    "!> 1",
]

BAD_FIELDS = {
    "metric": "psii",
    "measure": "rank",
    "span_windows": "7d",
    "resolve_span_windows": "0",
    "for_windows": "0",
    "resolve_windows": "many",
    "min_samples": "-1",
    "max_age_minutes": "1.5",
    "enabled": "perhaps",
}


def random_histories(seed: int, n: int, length: int) -> list[list[int | None]]:
    choose = random.Random(seed)
    return [
        choose.choices((None, 0, 1, 2), weights=choose.choices((1, 2, 4), k=4), k=length)
        for _ in range(n)
    ]


LONG = random_histories(seed=2013, n=300, length=40)
LONG_SPANS = list(
    zip(
        random_histories(seed=1, n=300, length=20),
        random_histories(seed=2, n=300, length=20),
        strict=True,
    )
)


def build_world() -> World:
    world = World()

    # Every short history, and some long ones, under several patiences.
    stories: dict[str, Sequence[Sequence[int | None]]] = {
        "short": ALL_SHORT,
        "long": LONG,
    }
    for name, histories in stories.items():
        for number, levels in enumerate(histories):
            world.monitor(name, f"h{number}")
            for step, level in enumerate(levels):
                world.metric(name, step, VALUES[level], model_version=f"h{number}", metric="f1")
        for for_windows, resolve_windows in PATIENCE:
            world.rule(
                f"{name} {for_windows} {resolve_windows}",
                monitor=name,
                metric="f1",
                for_windows=str(for_windows),
                resolve_windows=str(resolve_windows),
            )

    # A long span that finds, a short one that ends.
    for number, (slow, fast) in enumerate(LONG_SPANS):
        version = f"h{number}"
        world.monitor("spans", version)
        for step, (slow_level, fast_level) in enumerate(zip(slow, fast, strict=True)):
            for span, level in ((7, slow_level), (1, fast_level)):
                world.metric(
                    "spans",
                    step,
                    VALUES[level],
                    model_version=version,
                    span_windows=span,
                )
    world.rule(
        "spans",
        monitor="spans",
        span_windows="default",
        resolve_span_windows="1",
        for_windows="2",
    )

    # Conditions: each on a version of its own.
    world.monitor("conditions", "v1")
    for number, (condition, number_seen, _) in enumerate(CONDITIONS):
        world.metric("conditions", 0, number_seen, model_version=f"c{number}")
        world.rule(
            f"condition {number}",
            monitor="conditions",
            model_version=f"c{number}",
            warning_condition="",
            critical_condition=condition,
        )
    for number, condition in enumerate(MALFORMED):
        world.rule(f"malformed {number}", monitor="conditions", warning_condition=condition)
    for name, text in BAD_FIELDS.items():
        world.rule(f"bad {name}", monitor="conditions", **{name: text})
    world.rule("no condition", warning_condition="", critical_condition="")
    world.rule("twice", monitor="conditions")
    world.rule("twice", monitor="conditions", warning_condition="> 5")

    # Selection.
    world.monitor("picked", "v1", is_current_version=False, is_active=False)
    world.monitor("picked", "v2")
    world.monitor("other", "v1")
    for monitor, version in (("picked", "v1"), ("picked", "v2"), ("other", "v1")):
        for column in ("age", "wind"):
            world.metric(
                monitor,
                0,
                3.0,
                model_version=version,
                metric="column_drift_rank",
                column_name=column,
                column_role="feature",
                status="warning",
                status_rank=4,
            )
        for segment, part in (("all", "all"), ("origin", "JFK"), ("origin", "E|R")):
            for age in ("1d", "14d", "latest"):
                world.metric(
                    monitor,
                    0,
                    0.7,
                    model_version=version,
                    metric="accuracy",
                    segment_name=segment,
                    segment_value=part,
                    label_age=age,
                    span_windows=7,
                )
    world.metric("picked", 0, 0.0, model_version="all", metric="n_predictions")
    world.metric("picked", 0, 10.0, model_version="v2", metric="n_predictions")
    ranks = {"metric": "column_drift_rank", "measure": "status_rank"}
    ranks |= {"warning_condition": ">= 4", "critical_condition": ">= 5"}
    world.rule("most exact", **ranks)
    world.rule("most exact", monitor="picked", enabled="false", **ranks)
    world.rule(
        "most exact",
        monitor="picked",
        column_name="wind",
        **{**ranks, "critical_condition": ">= 4"},
    )
    world.rule("broken override", **ranks)
    world.rule("broken override", monitor="other", **{**ranks, "critical_condition": "x"})
    floor = {"metric": "accuracy", "span_windows": "default", "monitor": "picked"}
    floor |= {"warning_condition": "", "critical_condition": "< 0.85"}
    world.rule("whole", **floor)
    world.rule("every segment", segment_name="*", segment_value="", **floor)
    world.rule("one segment", segment_name="origin", segment_value="E|R", **floor)
    world.rule("every age", label_age="*", **floor)
    world.rule("latest age", label_age="latest", **floor)
    none_left = {"metric": "n_predictions", "monitor": "picked"}
    none_left |= {"warning_condition": "< 1", "critical_condition": ""}
    world.rule("the whole", model_version="all", **none_left)
    world.rule("each version", **none_left)

    # Rows of one rule that select equally exactly, and one that selects at its short span alone.
    world.rule("equals", metric="check_*", monitor="unjudged", critical_condition="> 0.5")
    world.rule("equals", metric="check_m*", monitor="unjudged", critical_condition="> 0.4")
    world.rule("short alone", warning_condition="> 0.3", critical_condition="")
    world.rule("short alone", monitor="spans", span_windows="30", resolve_span_windows="1")

    # What cannot be judged.
    world.monitor("unjudged")
    for step, (value, n, status, rank) in enumerate(
        [
            (0.5, 100, "critical", 5),
            (0.5, 99, "critical", 5),
            (0.5, None, "critical", 5),
            (None, 100, "critical", 5),
            (0.5, 100, "insufficient_data", 3),
            (0.5, 100, "no_reference", 2),
            (0.5, 100, "not_judged", 0),
            (0.05, 100, "ok", 1),
        ]
    ):
        world.metric(
            "unjudged",
            step,
            value,
            n=n,
            status=status,
            status_rank=rank,
            metric="check_missing",
        )
    checks = {"monitor": "unjudged", "metric": "check_*", "min_samples": "100"}
    world.rule("values", **checks)
    world.rule(
        "ranks",
        **checks,
        measure="status_rank",
        warning_condition=">= 4",
        critical_condition=">= 5",
        owner="somebody",
    )
    world.monitor("silent")
    world.metric("silent", 0, None, status="no_reference", status_rank=2)
    world.rule("silent", monitor="silent")

    # What is expected, and how far from it.
    world.monitor("expecting")
    for step, (value, usual) in enumerate([(0.5, 0.9), (0.5, None), (0.85, 0.9)]):
        world.metric("expecting", step, value, metric="label_coverage", reference_value=usual)
    for step, (value, usual) in enumerate(
        [(150.0, 100.0), (151.0, 100.0), (210.0, 100.0), (1.0, 0.0), (-1.0, -4.0), (9.0, None)]
    ):
        world.metric("expecting", step, value, metric="latency_p99_ms", reference_value=usual)
    world.rule(
        "relative changes",
        monitor="expecting",
        metric="latency_p99_ms",
        measure="relative_change",
        warning_condition="> 0.5",
        critical_condition="> 1",
    )
    world.rule(
        "changes",
        monitor="expecting",
        metric="label_coverage",
        measure="change",
        warning_condition="< -0.1",
        critical_condition="< -0.3",
        resolve_windows="2",
    )

    add_clocks(world)

    # The primary metric of the monitor.
    world.monitor("primary", primary_metric="f1", default_span_windows=3)
    for metric in ("f1_relative_loss", "f1"):
        world.metric("primary", 0, 0.2, metric=metric, label_age="14d", span_windows=3)
    world.rule(
        "primary",
        monitor="primary",
        metric="{primary_metric}_relative_loss",
        span_windows="default",
    )
    return world


def add_clocks(world: World) -> None:
    """Data and logs that are younger, just as old and older than rules allow, by the second."""
    second, hour, day = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
    for end_age in (hour, 2 * hour, 2 * hour + second, 3 * day, 3 * day + second):
        for through_age in (None, second, 2 * hour, 2 * hour + second, 4 * day):
            for arrival_age in (None, second, 3 * hour, 3 * hour + second):
                name = f"clock {len(world.windows)}"
                world.monitor(name, data_through_at=through_age and NOW - through_age)
                end = NOW - end_age
                for age in ("none", "1d", "14d", "latest"):
                    world.metric(name, 0, 0.2, label_age=age, window_end=end, metric="f1")
                arrived = arrival_age and NOW - arrival_age
                world.windows += [{"monitor": name, "last_loaded_at": at} for at in (None, arrived)]
                lately = {"max_age_minutes": "120", "no_data_minutes": "180"}
                world.rule("clock", monitor=name, metric="f1", label_age="*", **lately)
                world.rule("no clock", monitor=name, metric="f1", label_age="*")


# --- running it -----------------------------------------------------------------------------------------


def write_table(path: Path, rows: list[dict[str, Any]], columns: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def write_project(folder: Path) -> None:
    for part in (
        "models/intermediate/alerts",
        "models/marts/alerts",
        "macros/alerts",
        "macros/dialect",
    ):
        shutil.copytree(ROOT / part, folder / part)
    for part in ("macros/operations", "macros/stats", "seeds"):
        (folder / part).mkdir()
    for part in (
        "macros/operations/seed_relation.sql",
        "macros/stats/short_number.sql",
        "seeds/alert_rules.csv",
        "seeds/runbooks.csv",
        "seeds/_alert_seeds.yml",
    ):
        shutil.copy(ROOT / part, folder / part)
    (folder / "dbt_project.yml").write_text(
        "name: mlmon\n"
        "version: 1.0.0\n"
        "profile: alerts\n"
        "models: {mlmon: {+materialized: table}}\n"
        "vars:\n"
        "  mlmon_seeds: {alert_rules: {ref: [mlmon, test_rules]}}\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    )
    stubs = {
        "fct_mlmon__metrics": "metrics",
        "dim_mlmon__monitors": "monitors",
        "fct_mlmon__windows": "windows",
    }
    for model, table in stubs.items():
        (folder / f"models/{model}.sql").write_text(f"select * from raw.{table}\n")
    (folder / "models/dim_mlmon__metrics.sql").write_text(
        "\nunion all\n".join(
            f"select '{metric}' as metric, '{family(metric)}' as family" for metric in METRICS
        )
    )
    columns = ["rule_id", *RULE_DEFAULTS]
    shipped = ", ".join(f"cast({column} as text) as {column}" for column in columns)
    (folder / "models/test_rules.sql").write_text(
        f"select {shipped} from {{{{ ref('alert_rules') }}}}\n"
        f"union all\nselect {', '.join(columns)} from raw.rules\n"
    )


def tables_of(world: World, folder: Path) -> dict[str, tuple[Path, dict[str, str]]]:
    tables: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
        "rules": (world.rules, dict.fromkeys(["rule_id", *RULE_DEFAULTS], "text")),
        "monitors": (list(world.monitors.values()), MONITOR_TYPES),
        "metrics": (world.metrics, METRIC_TYPES),
        "windows": (world.windows, WINDOW_TYPES),
    }
    written = {}
    for name, (rows, types) in tables.items():
        path = folder / f"{name}.csv"
        write_table(path, rows, list(types))
        written[name] = (path, types)
    return written


def definition(name: str, types: dict[str, str]) -> str:
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    return f"create table raw.{name} ({columns})"


def run_dbt(folder: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "build", "--no-use-colors"],
        cwd=folder,
        env={**os.environ, "DBT_PROFILES_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


RESULTS = {
    "rules": "int_mlmon__alert_rules",
    "evaluations": "fct_mlmon__alert_evaluations",
    "states": "fct_mlmon__alert_states",
    "monitors": "dim_mlmon__monitors",
    "windows": "fct_mlmon__windows",
    "episodes": "fct_mlmon__alert_episodes",
}


def as_dicts(cursor: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def run_on_duckdb(world: World, folder: Path) -> Result:
    import duckdb

    database = folder / "alerts.duckdb"
    (folder / "profiles.yml").write_text(
        "alerts: {target: dev, outputs: {dev: "
        f"{{type: duckdb, path: '{database}', schema: main, threads: 2}}}}}}\n"
    )
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema raw")
        for name, (path, types) in tables_of(world, folder).items():
            connection.execute(definition(name, types))
            connection.execute(f"copy raw.{name} from '{path}' (header)")
    run_dbt(folder)
    with duckdb.connect(str(database), read_only=True) as connection:
        return Result(
            **{
                key: as_dicts(connection.execute(f"select * from {table}"))
                for key, table in RESULTS.items()
            }
        )


def postgres_command(name: str) -> list[str]:
    """A server program, as a user it agrees to run as: it refuses root."""
    (newest, *_) = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True) or [
        Path(name)
    ]
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    return [*as_user, str(newest)]


def run_quietly(command: list[str]) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run(command, check=True, cwd="/", stdout=quiet, stderr=quiet)


@contextmanager
def postgres_server() -> Iterator[int]:
    """A server of its own on a free port of loopback, gone with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="mlmon_pg_"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    create = ["-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"]
    create += ["-E", "UTF8", "--locale=C"]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [*postgres_command("pg_ctl"), "-D", str(data), "-w"]
    try:
        run_quietly([*postgres_command("initdb"), *create])
        run_quietly([*control, "-o", options, "start"])
        try:
            yield port
        finally:
            run_quietly([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_on_postgres(world: World, folder: Path) -> Result:
    import psycopg2  # type: ignore[import-untyped]

    with postgres_server() as port:
        server = f"host: 127.0.0.1, port: {port}, user: postgres, password: none"
        (folder / "profiles.yml").write_text(
            "alerts: {target: dev, outputs: {dev: {type: postgres, "
            f"{server}, dbname: postgres, schema: mlmon, threads: 2}}}}}}\n"
        )
        connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("create schema raw")
                for name, (path, types) in tables_of(world, folder).items():
                    cursor.execute(definition(name, types))
                    with path.open(encoding="utf-8") as file:
                        copy = f"copy raw.{name} from stdin with (format csv, header)"
                        cursor.copy_expert(copy, file)
                run_dbt(folder)
                found = {}
                for key, table in RESULTS.items():
                    cursor.execute(f"select * from mlmon.{table}")
                    found[key] = as_dicts(cursor)
                return Result(**found)
        finally:
            connection.close()


RUNS = {"duckdb": run_on_duckdb, "postgres": run_on_postgres}


@pytest.fixture(scope="module", params=RUNS)
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp(f"alerts_{request.param}")
    write_project(folder)
    return RUNS[request.param](build_world(), folder)


# --- the tests ------------------------------------------------------------------------------------------


def expected_row(expected: Expected) -> tuple[Any, ...]:
    return (expected.state, expected.severity, expected.fired_at, expected.since)


def found_row(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["state"], row["severity"], row["fired_at"], row["since_window_end"])


@pytest.mark.parametrize(("for_windows", "resolve_windows"), PATIENCE)
@pytest.mark.parametrize("kind", ["short", "long"])
def test_states_are_those_of_an_alert_told_window_by_window(
    result: Result, kind: str, for_windows: int, resolve_windows: int
) -> None:
    histories: Sequence[Sequence[int | None]] = ALL_SHORT if kind == "short" else LONG
    rule_id = f"{kind} {for_windows} {resolve_windows}"
    found = {
        row["model_version"]: found_row(row) for row in result.states if row["rule_id"] == rule_id
    }
    expected = {
        f"h{number}": expected_row(walk(levels, for_windows, resolve_windows))
        for number, levels in enumerate(histories)
    }
    assert found == expected
    assert {row[0] for row in found.values()} == (
        {"ok", "firing"} if for_windows == 1 else {"ok", "pending", "firing"}
    )


@pytest.mark.parametrize(("for_windows", "resolve_windows"), PATIENCE)
@pytest.mark.parametrize("kind", ["short", "long"])
def test_episodes_are_the_times_that_such_an_alert_fires(
    result: Result, kind: str, for_windows: int, resolve_windows: int
) -> None:
    histories: Sequence[Sequence[int | None]] = ALL_SHORT if kind == "short" else LONG
    rule_id = f"{kind} {for_windows} {resolve_windows}"
    found: dict[str, list[Episode]] = {f"h{number}": [] for number in range(len(histories))}
    rows = [row for row in result.episodes if row["rule_id"] == rule_id]
    for row in sorted(rows, key=lambda row: row["fired_at"]):
        assert row["is_open"] == (row["resolved_at"] is None)
        found[row["model_version"]].append(
            Episode(
                row["severity"],
                row["since_window_end"],
                row["fired_at"],
                row["resolved_at"],
                row["n_windows"],
                row["n_breached"],
                row["peak_value"],
            )
        )
    expected = {
        f"h{number}": firing_episodes(levels, for_windows, resolve_windows)
        for number, levels in enumerate(histories)
    }
    assert found == expected
    assert max(len(told) for told in expected.values()) > (kind == "long")
    assert any(told and told[-1].resolved_at is None for told in expected.values())


def test_a_short_span_ends_what_a_long_span_found(result: Result) -> None:
    found = {
        row["model_version"]: found_row(row) for row in result.states if row["rule_id"] == "spans"
    }
    expected = {
        f"h{number}": expected_row(
            walk([both(*pair) for pair in zip(slow, fast, strict=True)], 2, 1)
        )
        for number, (slow, fast) in enumerate(LONG_SPANS)
    }
    assert found == expected


@pytest.mark.parametrize("number", range(len(CONDITIONS)))
def test_a_condition_means_what_it_says(result: Result, number: int) -> None:
    condition, value, is_breached = CONDITIONS[number]
    (row,) = result.evaluated(f"condition {number}")
    assert (row["condition"], row["value"]) == (condition.strip(), value)
    assert row["is_breached"] is is_breached
    assert row["severity"] == ("critical" if is_breached else "none")


def test_thresholds_are_given_as_numbers(result: Result) -> None:
    limits = {
        row["condition"]: (row["threshold_low"], row["threshold_high"])
        for row in result.evaluations
        if row["rule_id"].startswith("condition ")
    }
    assert limits["> 0.1"] == (None, 0.1)
    assert limits["< 0.8"] == (0.8, None)
    assert limits["!= 0"] == (0.0, 0.0)
    assert limits["outside 0.2 0.8"] == (0.2, 0.8)


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_a_malformed_condition_says_what_is_allowed_and_judges_nothing(
    result: Result, number: int
) -> None:
    (rule,) = (row for row in result.rules if row["rule_id"] == f"malformed {number}")
    assert not rule["is_valid"]
    assert f"warning_condition: found '{MALFORMED[number].strip()}'" in rule["rule_problem"]
    assert "allowed: > 0.1, >= 5, < 0.8" in rule["rule_problem"]
    assert not result.evaluated(f"malformed {number}")


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_bad_field_of_a_rule_is_named(result: Result, name: str) -> None:
    (rule,) = (row for row in result.rules if row["rule_id"] == f"bad {name}")
    assert rule["rule_problem"].startswith(f"{name}: ")
    assert not result.evaluated(f"bad {name}")


def test_a_rule_without_condition_or_given_twice_is_a_problem(result: Result) -> None:
    problems = {row["rule_id"]: row["rule_problem"] for row in result.rules}
    assert "are empty" in problems["no condition"]
    assert "selects exactly the same" in problems["twice"]
    assert not result.evaluated("no condition")
    assert not result.evaluated("twice")


def test_the_shipped_rules_are_sound(result: Result) -> None:
    with (ROOT / "seeds/alert_rules.csv").open(encoding="utf-8") as file:
        shipped = {row["rule_id"] for row in csv.DictReader(file)}
    problems = {
        row["rule_id"]: row["rule_problem"] for row in result.rules if row["rule_id"] in shipped
    }
    assert problems == dict.fromkeys(shipped)


def test_every_shipped_rule_has_a_runbook_page() -> None:
    with (ROOT / "seeds/runbooks.csv").open(encoding="utf-8") as file:
        runbooks = {row["runbook"]: row for row in csv.DictReader(file)}
    with (ROOT / "seeds/alert_rules.csv").open(encoding="utf-8") as file:
        named = {row["runbook"] for row in csv.DictReader(file)}
    assert named == set(runbooks)
    for row in runbooks.values():
        page = (ROOT / row["url"]).read_text(encoding="utf-8")
        for heading in ("What it means", "Look first", "Immediate action", "Follow-up"):
            assert f"## {heading}" in page


def test_the_row_with_the_most_exact_selectors_holds(result: Result) -> None:
    severities = {
        (row["monitor"], row["model_version"], row["column_name"]): row["severity"]
        for row in result.evaluated("most exact")
    }
    assert severities == {
        ("other", "v1", "age"): "warning",
        ("other", "v1", "wind"): "warning",
        ("picked", "v1", "wind"): "critical",
        ("picked", "v2", "wind"): "critical",
    }


def test_a_broken_override_leaves_the_general_row_in_force(result: Result) -> None:
    rows = result.evaluated("broken override", monitor="other")
    assert {row["severity"] for row in rows} == {"warning"}


@pytest.mark.parametrize(
    ("rule_id", "expected"),
    [
        ("whole", {("all", "14d")}),
        ("every segment", {("JFK", "14d"), ("E|R", "14d")}),
        ("one segment", {("E|R", "14d")}),
        ("every age", {("all", "1d"), ("all", "14d"), ("all", "latest")}),
        ("latest age", {("all", "latest")}),
    ],
)
def test_a_rule_selects_segments_and_label_ages(
    result: Result, rule_id: str, expected: set[tuple[str, str]]
) -> None:
    rows = result.evaluated(rule_id, model_version="v2")
    assert {(row["segment_value"], row["label_age"]) for row in rows} == expected


def test_the_whole_and_each_version_are_different_rules(result: Result) -> None:
    assert [row["model_version"] for row in result.evaluated("the whole")] == ["all"]
    assert [row["model_version"] for row in result.evaluated("each version")] == ["v2"]
    assert result.state("the whole")["state"] == "firing"
    assert result.state("the whole")["is_active"] is True


def test_a_state_says_when_the_dispatcher_calls_it_stale_and_its_log_silent(result: Result) -> None:
    facts = {
        name: MonitorLogs(name, *(newest(table, name, column) for table, column in (
            (result.monitors, "data_through_at"), (result.windows, "last_loaded_at")
        )))
        for name in {row["monitor"] for row in result.monitors}
    }  # fmt: skip
    states = [row for row in result.states if row["rule_id"] in {"clock", "no clock"}]
    alerts = {row["series_id"]: Alert.of(row) for row in states}
    told = silent_logs(Snapshot(tuple(alerts.values()), facts), NOW)
    silent = {(outage.rule_id, outage.monitor) for outage in told if outage.is_firing}
    seen = Counter()
    for row in states:
        alert, known = alerts[row["series_id"]], facts[row["monitor"]]
        over = [row[time] is not None and row[time] < NOW for time in ("stale_at", "no_data_at")]
        assert row["known_until_at"] == data_until(alert, known)
        assert over[0] == is_stale(alert, known, NOW)
        assert over[1] == ((alert.rule_id, alert.monitor) in silent)
        seen[alert.rule_id, *over] += 1
    both = list(itertools.product((False, True), repeat=2))
    assert set(seen) == {*(("clock", *pair) for pair in both), ("no clock", False, False)}


def newest(table: list[dict[str, Any]], monitor: str, column: str) -> datetime | None:
    times = [row[column] for row in table if row["monitor"] == monitor and row[column]]
    return max(times, default=None)


def test_versions_that_are_over_can_be_told(result: Result) -> None:
    old = result.state("whole", model_version="v1")
    new = result.state("whole", model_version="v2")
    assert (old["is_current_version"], old["is_active"]) == (False, False)
    assert (new["is_current_version"], new["is_active"]) == (True, True)


def test_what_cannot_be_judged_is_no_data(result: Result) -> None:
    values = [row["is_breached"] for row in in_order(result.evaluated("values"))]
    ranks = [row["is_breached"] for row in in_order(result.evaluated("ranks"))]
    assert values == [True, None, None, None, None, True, True, False]
    assert ranks == [True, None, None, True, None, None, None, False]


def test_a_relative_change_is_a_share_of_what_is_expected(result: Result) -> None:
    rows = sorted(result.evaluated("relative changes"), key=lambda row: row["window_end"])
    assert [row["value"] for row in rows] == pytest.approx([0.5, 0.51, 1.1, None, 0.75, None])
    assert [row["severity"] for row in rows] == [
        "none",
        "warning",
        "critical",
        "none",
        "warning",
        "none",
    ]
    assert [row["is_breached"] for row in rows] == [False, True, True, None, True, None]
    said = result.state("relative changes")["reason"]
    assert (
        "latency_p99_ms in expecting v1 differs from what is expected by 0.7500 of it (1 window"
        in said
    )


def test_a_change_is_taken_from_what_is_expected(result: Result) -> None:
    rows = in_order(result.evaluated("changes"))
    assert [row["severity"] for row in rows] == ["critical", "none", "none"]
    assert [row["is_breached"] for row in rows] == [True, None, False]
    state = result.state("changes")
    assert state["reason"] == (
        "label_coverage in expecting v1 differs from what is expected by -0.0500"
        " (1 window to 2024-01-03 00:00:00, n 1000), limit < -0.1;"
        " critical, firing since 2024-01-01 00:00:00."
    )


def replayed_rules() -> list[RuleRow]:
    """The rules of the world and the shipped ones, read by the replay."""
    with (ROOT / "seeds/alert_rules.csv").open(encoding="utf-8") as file:
        return [rule_row(row) for row in [*csv.DictReader(file), *build_world().rules]]


@pytest.fixture(scope="module")
def replayed() -> dict[Series, History]:
    """The world judged in memory, by the rules without a problem."""
    world, rules = build_world(), replayed_rules()
    spans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in world.monitors.values():
        spans[row["monitor"]].append(row)
    names = [item.name for item in fields(MonitorSettings)]
    monitors = [
        MonitorSettings(**{name: max(row[name] for row in rows) for name in names})
        for rows in spans.values()
    ]
    problems = problems_of(rules, METRICS)
    sound = [rule for rule, problem in zip(rules, problems, strict=True) if problem is None]
    families = {metric: family(metric) for metric in METRICS}
    return judge(rule_targets(sound, monitors, families), world.metrics)


def series_of(row: dict[str, Any]) -> Series:
    return Series(*(row[name] for name in Series._fields))


def test_a_replay_finds_the_same_problems_in_rules(result: Result) -> None:
    rules = replayed_rules()
    found = [
        (rule.rule_id, rule.key, rule.exactness, problem)
        for rule, problem in zip(rules, problems_of(rules, METRICS), strict=True)
    ]
    expected = [
        (row["rule_id"], row["rule_key"], row["exactness"], row["rule_problem"])
        for row in result.rules
    ]
    assert Counter(found) == Counter(expected)
    assert sum(problem is not None for *_, problem in found) > len(MALFORMED) + len(BAD_FIELDS)


def test_a_replay_judges_every_window_as_the_tables_do(
    result: Result, replayed: dict[Series, History]
) -> None:
    found = {
        (series, window.window_end): (
            window.window_start,
            window.span_windows,
            window.level,
            window.value,
            window.threshold_low,
            window.threshold_high,
        )
        for series, history in replayed.items()
        for window in history.windows
    }
    expected = {
        (series_of(row), row["window_end"]): (
            row["window_start"],
            row["span_windows"],
            None if row["is_breached"] is None else LEVELS.index(row["severity"]),
            row["value"],
            row["threshold_low"],
            row["threshold_high"],
        )
        for row in result.evaluations
    }
    assert found == expected
    assert {series.rule_id for series in replayed} >= {"equals", "short alone", "most exact"}
    assert not result.evaluated("short alone", monitor="spans")


def test_a_replay_tells_the_same_episodes_as_the_tables(
    result: Result, replayed: dict[Series, History]
) -> None:
    parts = ("severity", "since_window_end", "fired_at", "resolved_at", "n_windows",
             "n_breached", "peak_value")  # fmt: skip
    expected = {(series_of(row), *(row[part] for part in parts)) for row in result.episodes}
    found = [
        (series, *(getattr(episode, part) for part in parts))
        for series, history in replayed.items()
        for episode in told_episodes(series, history)
    ]
    assert set(found) == expected
    assert len(found) == len(result.episodes) > 1000


def test_what_dbt_judged_tells_the_same_episodes(
    result: Result, replayed: dict[Series, History]
) -> None:
    timing = {
        row["rule_version"]: RuleTiming(*(row[name] for name in RuleTiming._fields))
        for row in result.rules
        if row["rule_problem"] is None
    }
    assert histories_in_force(in_order(result.evaluations), timing) == replayed


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["window_end"])


def test_a_series_that_was_never_judged_says_so(result: Result) -> None:
    row = result.state("silent")
    assert (row["state"], row["n_judged"]) == ("ok", 0)
    assert row["reason"] == (
        "drift_share in silent v1 could not be judged in any window yet (no_reference)."
    )


def test_the_primary_metric_is_the_monitors(result: Result) -> None:
    (row,) = result.evaluated("primary")
    assert (row["metric"], row["span_windows"]) == ("f1_relative_loss", 3)
    state = result.state("primary")
    assert state["reason"] == (
        "f1_relative_loss at label age 14d in primary v1 is 0.2000"
        " (3 windows to 2024-01-01 00:00:00, n 1000), limit > 0.1;"
        " warning, firing since 2024-01-01 00:00:00."
    )
    assert (state["owner"], state["runbook"]) == ("the team", "drift_share")
    assert state["runbook_url"] == "docs/runbooks/drift_share.md"


def test_series_and_windows_are_unique(result: Result) -> None:
    evaluations = [(row["series_id"], row["window_end"]) for row in result.evaluations]
    states = [row["series_id"] for row in result.states]
    assert len(set(evaluations)) == len(evaluations)
    assert len(set(states)) == len(states)
    episodes = [row["episode_id"] for row in result.episodes]
    assert len(set(episodes)) == len(episodes) > 1000
    assert set(states) == {series for series, _ in evaluations}
