"""The summary of ``mlmon demo``: what the tables say about what was done to the logs.

Nothing about the outcome is written here. The truth file of the generator says what was injected,
when, and which table and check or metric should show it; the tables are then asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from mlmon.alerts.marts import firing_alerts
from mlmon.cli.alerts import alert_table, headline
from mlmon.cli.console import SEVERITY_STYLES, cell, table
from mlmon.formatting import number
from mlmon.warehouse import Connection, Row, connect, duckdb_path, relation

if TYPE_CHECKING:
    from rich.console import Console

    from mlmon.profile import Target

# How many windows before an incident say what is usual, and how many at the least.
USUAL_WINDOWS = 28
FEWEST_WINDOWS = 7
# A metric without a verdict has moved where the incident's median leaves the middle nine tenths.
TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one table says about one incident."""

    is_seen: bool
    status: str
    words: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One row of the truth file; times are naive UTC, half-open."""

    name: str
    monitor: str
    starts_at: datetime
    ends_at: datetime
    segment_name: str
    segment_value: str
    column_name: str
    table_name: str
    check_name: str


def read_truth(path: Path) -> list[Incident]:
    """The incidents that the generator has written down."""
    fields: list[dict[str, Any]] = [
        {name: record[name] for name in Incident.__slots__}
        for record in json.loads(path.read_text(encoding="utf-8"))
    ]
    for values in fields:
        for name in ("starts_at", "ends_at"):
            values[name] = datetime.fromisoformat(values[name])
    return [Incident(**values) for values in fields]


def look_for(warehouse: Connection, table: str, incident: Incident) -> Sighting:
    """What ``table``, the quoted name of the incident's mart, says about the incident.

    A table with verdicts is asked for warnings and criticals. One without is asked for the metric:
    it has moved where its median in the incident lies outside the middle nine tenths of the windows
    before.
    """
    rows = _daily_rows(warehouse, table, incident)
    during = [row for row in rows if _overlaps(row, incident)]
    if not during:
        return Sighting(False, "none", "no rows for that time")
    if "check_name" in during[0]:
        return _judged(during)
    before = [row for row in rows if row["window_end"] <= incident.starts_at]
    return _measured(during, before[-USUAL_WINDOWS:], incident.check_name)


def _daily_rows(warehouse: Connection, table: str, incident: Incident) -> list[Row]:
    columns = {name for row in warehouse.rows(f"select * from {table} limit 1") for name in row}
    wanted: dict[str, str | int] = {
        "monitor": incident.monitor,
        "column_name": incident.column_name,
        "check_name": incident.check_name,
        "span_windows": 1,
    }
    conditions = [
        f"{name} = {_literal(value)}" for name, value in wanted.items() if name in columns
    ]
    if "age_days" in columns:
        conditions.append(f"age_days = (select min(age_days) from {table})")
    rows = warehouse.rows(
        f"select * from {table} where {' and '.join(conditions or ['true'])} order by window_end"
    )
    # The segment where the table has it; the monitor as a whole where it stands beside versions.
    rows = _preferred(rows, "segment_value", incident.segment_value, "all")
    return _preferred(rows, "model_version", "all")


def _preferred(rows: list[Row], column: str, *values: str) -> list[Row]:
    for value in values:
        found = [row for row in rows if row.get(column, value) == value]
        if found:
            return found
    return rows


def _overlaps(row: Row, incident: Incident) -> bool:
    return bool(row["window_start"] < incident.ends_at and row["window_end"] > incident.starts_at)


def _judged(during: Sequence[Row]) -> Sighting:
    flagged = [row for row in during if row["status"] in SEVERITY_STYLES and row["status"] != "ok"]
    if not flagged:
        return Sighting(False, "ok", f"no verdict in {len(during)} days")
    worst = max(flagged, key=lambda row: (row["status_rank"], row["n_failed"]))
    days = len({row["window_end"] for row in during})
    on = len({row["window_end"] for row in flagged})
    return Sighting(True, worst["status"], f"{_days(on, days)}: {worst['reason']}")


def _measured(during: Sequence[Row], before: Sequence[Row], metric: str) -> Sighting:
    now = [float(row[metric]) for row in during if row[metric] is not None]
    usual = sorted(float(row[metric]) for row in before if row[metric] is not None)
    if not now or len(usual) < FEWEST_WINDOWS:
        return Sighting(False, "none", "too few values to compare")
    cut = int(len(usual) * TAIL)
    low, high = usual[cut], usual[-1 - cut]
    value = median(now)
    words = f"{metric} was {number(value)} a day, where {number(median(usual))} is usual"
    return Sighting(not low <= value <= high, "moved" if not low <= value <= high else "ok", words)


def _days(on: int, days: int) -> str:
    return "that day" if days == 1 else f"on {on} of {days} days"


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def print_summary(page: Console, target: Target, place: Path) -> None:
    """Print what went in, which incident was seen where, what fires, and where the tables are."""
    artifacts = place / "target"

    def table(model: str) -> str:
        return relation(target, model, artifacts)

    incidents = read_truth(place / "logs_landed" / "incidents.json")
    with connect(target) as warehouse:
        logged = _logged(warehouse, table("fct_mlmon__windows"))
        sightings = [
            look_for(warehouse, table(incident.table_name), incident) for incident in incidents
        ]
    firing = [alert for alert in firing_alerts(target, artifacts) if alert["is_active"]]

    page.print("\n[bold]What was logged[/]")
    page.print(_log_table(logged))
    n_seen = sum(sighting.is_seen for sighting in sightings)
    page.print(f"[bold]{n_seen} of {len(incidents)} injected incidents show[/]")
    page.print(_incident_table(incidents, sightings))
    page.print(f"[bold]{headline(firing, 0)}[/]")
    if firing:
        page.print(alert_table(firing))
    _print_where(page, target, place)


def _logged(warehouse: Connection, windows: str) -> list[Row]:
    return warehouse.rows(
        f"""
        select
            monitor,
            model_version,
            sum(n_log_rows) as n_log_rows,
            sum(n_predictions) as n_predictions,
            sum(n_labelled) as n_labelled,
            count(*) as n_windows,
            min(window_date) as first_date,
            max(window_date) as last_date
        from {windows}
        where model_version <> 'all' and span_windows = 1
        group by monitor, model_version
        order by monitor, model_version
        """
    )


def _log_table(logged: Sequence[Row]) -> Any:
    shown = table()
    for title in ("model", "log rows", "predictions", "labelled", "windows", "days"):
        is_text = title in {"model", "days"}
        shown.add_column(title, justify="left" if is_text else "right", no_wrap=True)
    for row in logged:
        shown.add_row(
            cell(f"{row['monitor']} {row['model_version']}"),
            *(number(row[name]) for name in ("n_log_rows", "n_predictions", "n_labelled")),
            number(row["n_windows"]),
            f"{row['first_date']:%d %b} – {row['last_date']:%d %b}",
        )
    return shown


def _incident_table(incidents: Sequence[Incident], sightings: Sequence[Sighting]) -> Any:
    shown = table()
    shown.add_column("incident", max_width=28)
    shown.add_column("table\ncheck or metric", min_width=25)
    shown.add_column("what it says")
    for incident, sighting in zip(incidents, sightings, strict=True):
        style = SEVERITY_STYLES.get(sighting.status, "cyan") if sighting.is_seen else "dim"
        what = incident.check_name
        if incident.column_name != "all":
            what += f" of {incident.column_name}"
        if incident.segment_name != "all":
            what += f" at {incident.segment_value}"
        shown.add_row(
            f"[dim]{incident.starts_at:%d %b}[/] {cell(incident.name)}",
            f"{cell(incident.table_name)}\n[dim]{cell(what)}[/]",
            f"[{style}]{sighting.status if sighting.is_seen else 'not seen'}[/]"
            f" {cell(sighting.words)}",
        )
    return shown


def _print_where(page: Console, target: Target, place: Path) -> None:
    health = relation(target, "fct_mlmon__monitor_health_latest", place / "target")
    if target.kind != "duckdb":
        schema = health.rsplit(".", 1)[0]
        page.print(f"The tables are in schema {schema}; begin with {health}.", soft_wrap=True)
        return
    path = duckdb_path(target)
    page.print(f"The tables are in {path}", soft_wrap=True)
    page.print("Open them with any DuckDB client, or:", style="dim")
    page.print(
        f"  python -c \"import duckdb; duckdb.connect('{path}', read_only=True)"
        ".sql('from fct_mlmon__monitor_health_latest').show()\"",
        soft_wrap=True,
        markup=False,
    )
