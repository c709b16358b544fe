"""Reads what dbt's tables say: the states, the monitors, the rules, and the details of a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from mlmon.alerts.records import Alert, BrokenRule, MonitorFacts, Situation
from mlmon.firing import problems_in
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

# How many windows a sparkline shows.
SPARK_WINDOWS = 14
# How many alerts of a run get their details; in a storm nobody reads more.
MOST_DETAILED = 50


@dataclass(frozen=True, slots=True)
class Episode:
    """The last time that an alert fired: since when, until when, how bad it was."""

    since_window_end: datetime
    resolved_at: datetime | None
    peak_value: float | None
    n_windows: int


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
    top_columns: tuple[tuple[str, float | None, float | None], ...] = ()
    findings: tuple[tuple[str, str, str], ...] = ()
    metric_name: str | None = None
    # What to paste into the warehouse to see more.
    statement: str = ""


def read_situation(target: Target, target_path: Path | None = None) -> Situation:
    """The states, monitors and rules of a target, as the last build left them."""
    states = relation(target, "fct_mlmon__alert_states", target_path)
    known = relations(target, target_path)
    with connect(target) as warehouse:
        alerts = tuple(Alert.of(row) for row in warehouse.rows(f"select * from {states}"))
        monitors = {
            row["monitor"]: MonitorFacts(
                row["monitor"], row["data_through_at"], None, row["dashboard_url"]
            )
            for row in _rows(
                warehouse,
                known.get("dim_mlmon__monitors"),
                "select monitor, max(data_through_at) as data_through_at,"
                " max(dashboard_url) as dashboard_url from {} group by monitor",
            )
        }
        for row in _rows(
            warehouse,
            known.get("dim_mlmon__monitors"),
            "select monitor, model_version, first_predicted_at from {}"
            " where first_predicted_at is not null",
        ):
            facts = monitors[row["monitor"]]
            versions = {**facts.first_predicted, row["model_version"]: row["first_predicted_at"]}
            monitors[row["monitor"]] = replace(facts, first_predicted=versions)
        for row in _rows(
            warehouse,
            known.get("fct_mlmon__windows"),
            "select monitor, max(last_loaded_at) as last_arrival_at from {} group by monitor",
        ):
            facts = monitors.get(row["monitor"], MonitorFacts(row["monitor"]))
            monitors[row["monitor"]] = replace(facts, last_arrival_at=row["last_arrival_at"])
        broken = _broken_rules(warehouse, known.get("int_mlmon__alert_rules"))
        rules = frozenset(
            (row["rule_id"], row["monitor"])
            for row in _rows(
                warehouse, known.get("int_mlmon__alert_rules"), "select rule_id, monitor from {}"
            )
        )
    return Situation(alerts, monitors, broken, rules)


def _broken_rules(warehouse: Connection, rules: str | None) -> tuple[BrokenRule, ...]:
    try:
        rows = problems_in(warehouse, rules) if rules else []
    except AbsentTableError:
        rows = []
    return tuple(BrokenRule(row["rule_id"], row["rule_problem"]) for row in rows)


def read_details(
    target: Target, alerts: Iterable[Alert], target_path: Path | None = None
) -> dict[str, Details]:
    """The details of some alerts by their series. Tables that are not built are left out."""
    wanted = list({alert.series_id: alert for alert in alerts}.values())[:MOST_DETAILED]
    if not wanted:
        return {}
    known = relations(target, target_path)
    with connect(target) as warehouse:
        return {alert.series_id: _details(warehouse, known, alert) for alert in wanted}


def _details(warehouse: Connection, known: dict[str, str], alert: Alert) -> Details:
    if alert.metric == "no_data":
        return Details(statement=_arrivals_statement(known, alert))
    if alert.window_end is None:
        return Details()
    found = Details(
        statement=_evaluations_statement(known, alert),
        history=_history(warehouse, known, alert),
        episode=_episode(warehouse, known, alert),
    )
    here = (
        f"monitor = {text_literal(alert.monitor)}"
        f" and model_version = {text_literal(alert.model_version)}"
        f" and segment_name = {text_literal(alert.segment_name)}"
        f" and segment_value = {text_literal(alert.segment_value)}"
        f" and window_end = {time_literal(alert.window_end)}"
    )
    measured = _rows(
        warehouse,
        known.get("fct_mlmon__metrics"),
        f"""
        select value_low, value_high, reference_value from {{}}
        where
            {here}
            and span_windows = {alert.span_windows}
            and metric = {text_literal(alert.metric)}
            and column_name = {text_literal(alert.column_name)}
            and column_role = {text_literal(alert.column_role)}
            and class_label = {text_literal(alert.class_label)}
            and label_age = {text_literal(alert.label_age)}
        """,
    )
    if measured:
        found = replace(found, **measured[0])
    named = _rows(
        warehouse,
        known.get("dim_mlmon__metrics"),
        f"select display_name from {{}} where metric = {text_literal(alert.metric)}",
    )
    return replace(
        found,
        metric_name=named[0]["display_name"] if named else None,
        label_coverage=_coverage(warehouse, known, alert),
        top_columns=_top_columns(warehouse, known, here, alert.span_windows),
        findings=_findings(warehouse, known, alert),
    )


def _evaluations_statement(known: dict[str, str], alert: Alert) -> str:
    table = known.get("fct_mlmon__alert_evaluations")
    if table is None:
        return ""
    return (
        "select window_end, value, threshold_low, threshold_high, is_breached, severity"
        f" from {table} where series_id = {text_literal(alert.series_id)}"
        " order by window_end desc limit 30"
    )


def _arrivals_statement(known: dict[str, str], alert: Alert) -> str:
    table = known.get("fct_mlmon__windows")
    if table is None:
        return ""
    return (
        "select window_start, n_log_rows, n_predictions, n_late_rows, last_loaded_at"
        f" from {table} where monitor = {text_literal(alert.monitor)} and model_version = 'all'"
        " order by window_start desc limit 30"
    )


def _history(
    warehouse: Connection, known: dict[str, str], alert: Alert
) -> tuple[float | None, ...]:
    rows = _rows(
        warehouse,
        known.get("fct_mlmon__alert_evaluations"),
        f"""
        select value from {{}}
        where series_id = {text_literal(alert.series_id)}
        order by window_end desc
        limit {SPARK_WINDOWS}
        """,
    )
    return tuple(row["value"] for row in reversed(rows))


def _episode(warehouse: Connection, known: dict[str, str], alert: Alert) -> Episode | None:
    rows = _rows(
        warehouse,
        known.get("fct_mlmon__alert_episodes"),
        f"""
        select since_window_end, resolved_at, peak_value, n_windows from {{}}
        where series_id = {text_literal(alert.series_id)}
        order by fired_at desc
        limit 1
        """,
    )
    return Episode(**rows[0]) if rows else None


def _coverage(warehouse: Connection, known: dict[str, str], alert: Alert) -> float | None:
    """The share of the window's predictions that have labels, for metrics that need them."""
    if alert.label_age == "none" or alert.window_start is None or alert.window_end is None:
        return None
    rows = _rows(
        warehouse,
        known.get("fct_mlmon__windows"),
        f"""
        select sum(n_labelled) * 1.0 / nullif(sum(n_predictions), 0) as label_coverage
        from {{}}
        where
            monitor = {text_literal(alert.monitor)}
            and model_version = {text_literal(alert.model_version)}
            and window_start >= {time_literal(alert.window_start)}
            and window_end <= {time_literal(alert.window_end)}
        """,
    )
    found = rows[0]["label_coverage"] if rows else None
    return None if found is None else float(found)


def _top_columns(
    warehouse: Connection, known: dict[str, str], here: str, span_windows: int
) -> tuple[tuple[str, float | None, float | None], ...]:
    rows = _rows(
        warehouse,
        known.get("fct_mlmon__column_drift"),
        f"""
        select column_name, psi, psi_share from {{}}
        where
            {here}
            and span_windows = {span_windows} and column_role = 'feature'
            and status in ('warning', 'critical')
        order by psi desc nulls last, column_name
        limit 3
        """,
    )
    return tuple((row["column_name"], row["psi"], row["psi_share"]) for row in rows)


def _findings(
    warehouse: Connection, known: dict[str, str], alert: Alert
) -> tuple[tuple[str, str, str], ...]:
    """What the quality checks found in the same windows: check, column, status."""
    assert alert.window_end is not None
    start = alert.window_start or alert.window_end - timedelta(days=1)
    rows = _rows(
        warehouse,
        known.get("fct_mlmon__quality_checks"),
        f"""
        select check_name, column_name, max(status_rank) as status_rank from {{}}
        where
            monitor = {text_literal(alert.monitor)}
            and model_version in ('all', {text_literal(alert.model_version)})
            and window_end > {time_literal(start)}
            and window_end <= {time_literal(alert.window_end)}
            and status in ('warning', 'critical')
        group by check_name, column_name
        order by status_rank desc, check_name, column_name
        limit 5
        """,
    )
    ranks = {4: "warning", 5: "critical"}
    return tuple(
        (row["check_name"], row["column_name"], ranks[int(row["status_rank"])]) for row in rows
    )


def _rows(warehouse: Connection, table: str | None, sql: str) -> list[Row]:
    """The rows of a query on a table; none where it was not built."""
    if table is None:
        return []
    try:
        return warehouse.rows(sql.replace("{}", table))
    except AbsentTableError:
        return []
