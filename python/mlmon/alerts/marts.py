"""Reads what dbt's tables say about alerts: states, monitors, rules, and the details of a message.

Times are naive and UTC, as in the tables. Nothing is judged here, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlmon.profile import Target
from mlmon.warehouse import (
    AbsentTableError,
    Connection,
    Row,
    connect,
    relation,
    relations,
    text_literal,
    time_literal,
)

# How many characters of an id people see; any beginning that is unique is understood.
SHORT_ID = 12
# How many windows a sparkline shows.
SPARK_WINDOWS = 14
# How many alerts of a run get their details; in a storm nobody reads more.
MAX_DETAILED = 50

# What a message offers to paste into the warehouse.
EVALUATIONS = (
    "select window_end, value, threshold_low, threshold_high, is_breached, severity from {table}"
    " where series_id = {series} order by window_end desc limit 30"
)
ARRIVALS = (
    "select window_start, n_log_rows, n_predictions, n_late_rows, last_loaded_at from {table}"
    " where monitor = {monitor} and model_version = 'all' order by window_start desc limit 30"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row of fct_mlmon__alert_states, or an outage that only a clock can see (metric no_data)."""

    series_id: str
    rule_id: str
    rule_name: str = ""
    monitor: str
    model_version: str = "all"
    is_active: bool = True
    segment_name: str = "all"
    segment_value: str = "all"
    column_name: str = "all"
    column_role: str = "table"
    metric: str
    measure: str = "value"
    class_label: str = "all"
    label_age: str = "none"
    span_windows: int = 1
    state: str = "ok"
    severity: str = "none"
    value: float | None = None
    threshold_low: float | None = None
    threshold_high: float | None = None
    condition: str = ""
    n: int | None = None
    status: str | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    fired_at: datetime | None = None
    since_window_end: datetime | None = None
    n_breached: int = 0
    n_judged: int = 1
    reason: str = ""
    immediate_action: str | None = None
    runbook: str | None = None
    runbook_url: str | None = None
    channels: str = ""
    owner: str | None = None
    inhibited_by: str = ""
    cooldown_minutes: int = 0
    repeat_minutes: int = 0
    no_data_minutes: int = 0
    max_age_minutes: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Alert:
        """The alert of a row; columns that are missing or NULL keep their defaults."""
        known = {item.name for item in fields(cls)}
        return cls(
            **{key: value for key, value in row.items() if key in known and value is not None}
        )

    @property
    def is_firing(self) -> bool:
        """Whether somebody should know. A version that no longer serves pages nobody."""
        return self.state == "firing" and self.is_active

    @property
    def labels(self) -> dict[str, str]:
        """What silences match and what other systems group by."""
        return {
            "rule": self.rule_id,
            "monitor": self.monitor,
            "version": self.model_version,
            "segment": self.segment_name,
            "value": self.segment_value,
            "column": self.column_name,
            "metric": self.metric,
            "class": self.class_label,
            "label_age": self.label_age,
            "series": self.series_id,
        }


@dataclass(frozen=True, slots=True)
class MonitorLogs:
    """What is known of a monitor's logs: the newest rows that came in, and where people look."""

    monitor: str
    data_through_at: datetime | None = None
    last_arrival_at: datetime | None = None
    dashboard_url: str | None = None
    first_predicted: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InvalidRule:
    """A rule that cannot be used, and why. It judges nothing, which is no good news."""

    rule_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that dbt's tables say to the planner."""

    alerts: tuple[Alert, ...]
    monitors: Mapping[str, MonitorLogs] = field(default_factory=dict)
    invalid_rules: tuple[InvalidRule, ...] = ()
    # Every row of the rules, also of those that judge nothing: its rule_id and the monitor that it selects.
    rules: frozenset[tuple[str, str]] = frozenset()


def rank(severity: str) -> int:
    """0 none, 1 warning, 2 critical."""
    return {"warning": 1, "critical": 2}.get(severity, 0)


@dataclass(frozen=True, slots=True)
class Episode:
    """The last time that an alert fired: since when, until when, how bad it was."""

    since_window_end: datetime
    resolved_at: datetime | None
    peak_value: float | None


@dataclass(frozen=True, slots=True)
class Details:
    """What a message says beyond the state; None and () where the tables do not hold it."""

    reference_value: float | None = None
    value_low: float | None = None
    value_high: float | None = None
    label_coverage: float | None = None
    # The last values of the series, oldest first.
    history: tuple[float | None, ...] = ()
    episode: Episode | None = None
    # Name, PSI and its share of all columns' PSI.
    top_columns: tuple[tuple[str, float | None, float | None], ...] = ()
    # Check, column and status.
    findings: tuple[tuple[str, str, str], ...] = ()
    metric_name: str | None = None
    # What to paste into the warehouse to see more.
    statement: str = ""


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of a target as far as they are built, over an open connection."""

    warehouse: Connection
    names: Mapping[str, str]

    def rows(self, columns: str, model: str, rest: str = "") -> list[Row]:
        """Select columns from a model, and the rest of the query; no rows where it was not built."""
        if model not in self.names:
            return []
        try:
            return self.warehouse.rows(f"select {columns} from {self.names[model]} {rest}")
        except AbsentTableError:
            return []


def read_snapshot(target: Target, target_path: Path | None = None) -> Snapshot:
    """The states, monitors and rules of a target, as the last build left them."""
    states = relation(target, "fct_mlmon__alert_states", target_path)
    with connect(target) as warehouse:
        alerts = tuple(Alert.of(row) for row in warehouse.rows(f"select * from {states}"))
        tables = _Tables(warehouse, relations(target, target_path))
        rules = tables.rows("rule_id, monitor, rule_problem", "int_mlmon__alert_rules")
        return Snapshot(
            alerts,
            _monitor_logs(tables),
            tuple(
                InvalidRule(rule_id, problem)
                for rule_id, problem in sorted(
                    {(row["rule_id"], row["rule_problem"]) for row in rules if row["rule_problem"]}
                )
            ),
            frozenset((row["rule_id"], row["monitor"]) for row in rules),
        )


def _monitor_logs(tables: _Tables) -> dict[str, MonitorLogs]:
    found: dict[str, MonitorLogs] = {}
    versions = tables.rows(
        "monitor, model_version, data_through_at, dashboard_url, first_predicted_at",
        "dim_mlmon__monitors",
    )
    for row in versions:
        logs = found.setdefault(row["monitor"], MonitorLogs(row["monitor"]))
        through = [logs.data_through_at, row["data_through_at"]]
        urls = [logs.dashboard_url, row["dashboard_url"]]
        first_predicted = dict(logs.first_predicted)
        if row["first_predicted_at"] is not None:
            first_predicted[row["model_version"]] = row["first_predicted_at"]
        found[row["monitor"]] = MonitorLogs(
            row["monitor"],
            data_through_at=max(filter(None, through), default=None),
            dashboard_url=max(filter(None, urls), default=None),
            first_predicted=first_predicted,
        )
    for row in tables.rows(
        "monitor, max(last_loaded_at) as last_arrival_at", "fct_mlmon__windows", "group by monitor"
    ):
        logs = found.get(row["monitor"], MonitorLogs(row["monitor"]))
        found[row["monitor"]] = replace(logs, last_arrival_at=row["last_arrival_at"])
    return found


def firing_alerts(target: Target, target_path: Path | None = None) -> list[Row]:
    """The rows of the alerts that fire, critical ones first, then those that fire longest.

    ``target_path`` is the directory of dbt's artifacts where it is not the usual one.
    """
    states = relation(target, "fct_mlmon__alert_states", target_path)
    with connect(target) as warehouse:
        return warehouse.rows(
            f"""
            select *
            from {states}
            where state = 'firing'
            order by
                case severity when 'critical' then 0 else 1 end,
                since_window_end,
                series_id
            """
        )


def rule_problems(target: Target, target_path: Path | None = None) -> list[Row]:
    """The rows of the alert rules that cannot be used: ``rule_id`` and ``rule_problem`` in words."""
    rules = relation(target, "int_mlmon__alert_rules", target_path)
    with connect(target) as warehouse:
        return problems_in(warehouse, rules)


def problems_in(warehouse: Connection, rules: str) -> list[Row]:
    """The same over an open connection, of a relation named as SQL has it."""
    return warehouse.rows(
        f"select distinct rule_id, rule_problem from {rules}"
        " where rule_problem is not null order by rule_id, rule_problem"
    )


def read_details(
    target: Target, alerts: Iterable[Alert], target_path: Path | None = None
) -> dict[str, Details]:
    """The details of some alerts by their series. Tables that are not built are left out."""
    wanted = list({alert.series_id: alert for alert in alerts}.values())[:MAX_DETAILED]
    if not wanted:
        return {}
    with connect(target) as warehouse:
        tables = _Tables(warehouse, relations(target, target_path))
        return {alert.series_id: _details(tables, alert) for alert in wanted}


def _details(tables: _Tables, alert: Alert) -> Details:
    if alert.metric == "no_data":
        return Details(statement=_statement(tables, "fct_mlmon__windows", ARRIVALS, alert))
    if alert.window_end is None:
        return Details()
    series = f"series_id = {text_literal(alert.series_id)}"
    evaluations = tables.rows(
        "value",
        "fct_mlmon__alert_evaluations",
        f"where {series} order by window_end desc limit {SPARK_WINDOWS}",
    )
    episodes = tables.rows(
        "since_window_end, resolved_at, peak_value",
        "fct_mlmon__alert_episodes",
        f"where {series} order by fired_at desc limit 1",
    )
    names = tables.rows(
        "display_name", "dim_mlmon__metrics", f"where metric = {text_literal(alert.metric)}"
    )
    span = (
        f"monitor = {text_literal(alert.monitor)}"
        f" and model_version = {text_literal(alert.model_version)}"
        f" and segment_name = {text_literal(alert.segment_name)}"
        f" and segment_value = {text_literal(alert.segment_value)}"
        f" and window_end = {time_literal(alert.window_end)}"
        f" and span_windows = {alert.span_windows}"
    )
    metrics = tables.rows(
        "value_low, value_high, reference_value",
        "fct_mlmon__metrics",
        f"""
        where
            {span}
            and metric = {text_literal(alert.metric)}
            and column_name = {text_literal(alert.column_name)}
            and column_role = {text_literal(alert.column_role)}
            and class_label = {text_literal(alert.class_label)}
            and label_age = {text_literal(alert.label_age)}
        """,
    )
    columns = tables.rows(
        "column_name, psi, psi_share",
        "fct_mlmon__column_drift",
        f"""
        where {span} and column_role = 'feature' and status in ('warning', 'critical')
        order by psi desc nulls last, column_name
        limit 3
        """,
    )
    return Details(
        **(metrics[0] if metrics else {}),
        label_coverage=_label_coverage(tables, alert),
        history=tuple(row["value"] for row in reversed(evaluations)),
        episode=Episode(**episodes[0]) if episodes else None,
        top_columns=tuple((row["column_name"], row["psi"], row["psi_share"]) for row in columns),
        findings=_quality_findings(tables, alert, alert.window_end),
        metric_name=names[0]["display_name"] if names else None,
        statement=_statement(tables, "fct_mlmon__alert_evaluations", EVALUATIONS, alert),
    )


def _statement(tables: _Tables, model: str, template: str, alert: Alert) -> str:
    if model not in tables.names:
        return ""
    return template.format(
        table=tables.names[model],
        series=text_literal(alert.series_id),
        monitor=text_literal(alert.monitor),
    )


def _label_coverage(tables: _Tables, alert: Alert) -> float | None:
    """The share of the window's predictions that have labels, for metrics that need them."""
    if alert.label_age == "none" or alert.window_start is None or alert.window_end is None:
        return None
    rows = tables.rows(
        "sum(n_labelled) * 1.0 / nullif(sum(n_predictions), 0) as label_coverage",
        "fct_mlmon__windows",
        f"""
        where
            monitor = {text_literal(alert.monitor)}
            and model_version = {text_literal(alert.model_version)}
            and window_start >= {time_literal(alert.window_start)}
            and window_end <= {time_literal(alert.window_end)}
        """,
    )
    found = rows[0]["label_coverage"] if rows else None
    return None if found is None else float(found)


def _quality_findings(
    tables: _Tables, alert: Alert, window_end: datetime
) -> tuple[tuple[str, str, str], ...]:
    """What the quality checks found in the same windows."""
    start = alert.window_start or window_end - timedelta(days=1)
    rows = tables.rows(
        "check_name, column_name, max(status_rank) as status_rank",
        "fct_mlmon__quality_checks",
        f"""
        where
            monitor = {text_literal(alert.monitor)}
            and model_version in ('all', {text_literal(alert.model_version)})
            and window_end > {time_literal(start)}
            and window_end <= {time_literal(window_end)}
            and status in ('warning', 'critical')
        group by check_name, column_name
        order by status_rank desc, check_name, column_name
        limit 5
        """,
    )
    statuses = {4: "warning", 5: "critical"}
    return tuple(
        (row["check_name"], row["column_name"], statuses[int(row["status_rank"])]) for row in rows
    )


@dataclass(frozen=True, slots=True, order=True)
class UnknownName:
    """What a column of a rule names and is not there, and what it may name."""

    rule_id: str
    column: str
    found: str
    allowed: str


def unknown_names(snapshot: Snapshot) -> list[UnknownName]:
    """Monitors and rules (``inhibited_by``) that do not exist, and runbooks without a page or a first action."""
    found = set()
    rule_ids = {rule_id for rule_id, _ in snapshot.rules}
    for rule_id, monitor in snapshot.rules:
        if snapshot.monitors and monitor not in {"*", *snapshot.monitors}:
            allowed = ", ".join(["*", *sorted(snapshot.monitors)])
            found.add(UnknownName(rule_id, "monitor", monitor, allowed))
    for alert in snapshot.alerts:
        for name in filter(None, (part.strip() for part in alert.inhibited_by.split(";"))):
            if rule_ids and name not in rule_ids:
                allowed = ", ".join(sorted(rule_ids))
                found.add(UnknownName(alert.rule_id, "inhibited_by", name, allowed))
        if alert.runbook and not alert.runbook_url and not alert.immediate_action:
            allowed = "a runbook of the seed runbooks"
            found.add(UnknownName(alert.rule_id, "runbook", alert.runbook, allowed))
    return sorted(found)
