"""A project whose alert tables a test fills by hand, and the dispatcher's command on it.

The tables have the columns and types that the contract in models/marts/alerts says, so that the
dispatcher reads the same here as after a build.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from click.testing import CliRunner, Result

from support.dbt_project import ROOT
from support.warehouses import SCHEMA, Warehouse, schema_of

NOW = datetime(2024, 3, 10, 6, 0)
OUTBOX_SCHEMA = f"{SCHEMA}_mlmon_alerts"

TABLES = ("fct_mlmon__alert_states", "fct_mlmon__alert_evaluations", "fct_mlmon__alert_episodes")
OTHER_TABLES = (
    "dim_mlmon__monitors",
    "dim_mlmon__metrics",
    "fct_mlmon__windows",
    "fct_mlmon__metrics",
    "fct_mlmon__column_drift",
    "fct_mlmon__quality_checks",
    "int_mlmon__alert_rules",
)


@cache
def contract(model: str) -> dict[str, str]:
    """The columns of an alert mart and their SQL types, as its YAML says."""
    described = yaml.safe_load((ROOT / "models/marts/alerts/_alerts.yml").read_text())
    [found] = [entry for entry in described["models"] if entry["name"] == model]
    return {column["name"]: column["data_type"] for column in found["columns"]}


def state(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A row of fct_mlmon__alert_states that fires, as of the window that ended this midnight."""
    midnight = datetime(NOW.year, NOW.month, NOW.day)
    row: dict[str, Any] = dict.fromkeys(contract("fct_mlmon__alert_states"))
    row |= {
        "series_id": f"{number:032x}",
        "rule_id": "drift_share",
        "rule_name": "Many features drift at once",
        "rule_version": "r1",
        "monitor_key": "k",
        "monitor": "churn",
        "model_version": "v2",
        "is_current_version": True,
        "is_active": True,
        "segment_name": "all",
        "segment_value": "all",
        "column_key": "c",
        "column_name": "all",
        "column_role": "table",
        "metric": "drift_share",
        "measure": "value",
        "class_label": "all",
        "label_age": "none",
        "span_windows": 7,
        "state": "firing",
        "severity": "warning",
        "value": 0.25,
        "threshold_high": 0.1,
        "condition": ">= 0.1",
        "n": 1200,
        "status": "warning",
        "reason_code": "above",
        "window_start": midnight - timedelta(days=7),
        "window_end": midnight,
        "window_date": (midnight - timedelta(days=1)).date(),
        "last_window_end": midnight,
        "fired_at": midnight,
        "since_window_end": midnight - timedelta(days=1),
        "n_breached": 2,
        "n_judged": 40,
        "reason": "drift_share in churn v2 is 0.2500, limit >= 0.1; warning.",
        "immediate_action": "Compare the top columns with the reference",
        "runbook": "drift_share",
        "runbook_url": "https://wiki.example/drift_share",
        "channels": "hook",
        "owner": "churn-team",
        "inhibited_by": "",
        "cooldown_minutes": 60,
        "repeat_minutes": 1440,
        "no_data_minutes": 0,
        "max_age_minutes": 4320,
    }
    assert set(changes) <= set(row), set(changes) - set(row)
    return row | changes


def calm(number: int = 1, **changes: Any) -> dict[str, Any]:
    """The same series when it no longer fires."""
    quiet = {"state": "ok", "severity": "none", "value": 0.02, "fired_at": None,
             "since_window_end": None, "n_breached": 0}  # fmt: skip
    return state(number, **quiet | changes)


@dataclass(slots=True)
class AlertProject:
    """A project that dbt has built as far as the dispatcher can tell."""

    directory: Path
    warehouse: Warehouse
    state: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def channels(self, channels: Mapping[str, Any], **delivery: int) -> None:
        """Write the channels file."""
        content = {"mlmon_channels": dict(channels), "mlmon_delivery": dict(delivery)}
        path = self.directory / "mlmon_channels.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def states(self, *rows: Mapping[str, Any]) -> None:
        """Replace fct_mlmon__alert_states."""
        self.table("fct_mlmon__alert_states", rows)

    def table(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace one of the tables of the contract."""
        columns = contract(name)
        data = [dict(row) for row in rows]
        frame = pd.DataFrame(
            {column: pd.Series([row.get(column) for row in data], dtype=object)
             for column in columns}
        ).astype(object)  # fmt: skip
        for column, kind in columns.items():
            if kind == "timestamp":
                frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
            elif kind in {"integer", "bigint"}:
                frame[column] = frame[column].astype("Int64")
            elif kind == "double precision":
                frame[column] = frame[column].astype("Float64")
            elif kind == "boolean":
                frame[column] = frame[column].astype("boolean")
            elif kind == "date":
                frame[column] = pd.to_datetime(frame[column]).dt.date
            else:
                frame[column] = frame[column].astype("string")
        types = {c: "double" if k == "double precision" and self.warehouse.engine == "duckdb"
                 else k for c, k in columns.items()}  # fmt: skip
        self.warehouse.load(name, frame, schema=SCHEMA, types=types)

    def load(self, name: str, frame: pd.DataFrame) -> None:
        """Replace another table."""
        self.warehouse.load(name, frame, schema=schema_of(name))

    def monitors(self, *, data_through_at: datetime = NOW, **changes: Any) -> None:
        """One monitor, churn, with two versions."""
        row = {
            "monitor": "churn",
            "model_version": "v1",
            "data_through_at": data_through_at,
            "dashboard_url": "https://bi.example/churn",
            "first_predicted_at": datetime(2023, 1, 1),
        }
        newer = row | {"model_version": "v2", "first_predicted_at": datetime(2024, 3, 1)}
        self.load("dim_mlmon__monitors", pd.DataFrame([row | changes, newer | changes]))

    def send(self, *options: str, now: datetime = NOW, **changes: str) -> Result:
        """`mlmon alerts send` in this process."""
        return self.run("send", *options, now=now, **changes)

    def run(self, command: str, *options: str, now: datetime = NOW, **changes: str) -> Result:
        """Any command of `mlmon alerts` in this process."""
        from mlmon.cli import main

        runner = CliRunner(env={**self.environment, **changes})
        return runner.invoke(main, self.arguments(command, *options, now=now))

    def run_plain(self) -> Result:
        """`mlmon alerts` alone: what fires."""
        from mlmon.cli import main

        folder = str(self.directory)
        place = ["--project-dir", folder, "--profiles-dir", folder]
        return CliRunner(env=self.environment).invoke(main, ["alerts", *place])

    def arguments(self, command: str, *options: str, now: datetime | None = NOW) -> list[str]:
        """The arguments of `mlmon` for a command on this project."""
        folder = str(self.directory)
        place = ["--project-dir", folder, "--profiles-dir", folder]
        place += ["--state", self.state] if self.state else []
        place += ["--now", now.isoformat()] if now else []
        return ["alerts", command, *place, *options]

    def start(
        self, *, now: datetime | None = NOW, before: str = "", options: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """`mlmon alerts send` in a process of its own; ``before`` is Python that runs first."""
        code = f"{before}\nfrom mlmon.cli import main\nmain({self.arguments('send', now=now) + list(options)!r})"
        return subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT / "python")},
        )

    def outbox(self) -> pd.DataFrame:
        """The rows of the outbox."""
        return self._kept("alert_outbox", "series_id, channel, seq")

    def deliveries(self) -> pd.DataFrame:
        """The attempts."""
        return self._kept("alert_deliveries", "delivery_key, finished_at, attempt")

    def _kept(self, table: str, order: str) -> pd.DataFrame:
        return self.kept_warehouse().query(
            f'select * from "{OUTBOX_SCHEMA}".{table} order by {order}'
        )

    def kept_warehouse(self) -> Warehouse:
        """Where the outbox is, seen as a warehouse."""
        from support.warehouses import DuckDBWarehouse

        if self.state:
            return DuckDBWarehouse(Path(self.state))
        if isinstance(self.warehouse, DuckDBWarehouse):
            path = self.warehouse.path
            return DuckDBWarehouse(path.with_name(f"{path.stem}.alerts.duckdb"))
        return self.warehouse


def alert_project(directory: Path, warehouse: Warehouse) -> AlertProject:
    """A project in a directory, with no alerts yet."""
    (directory / "dbt_project.yml").write_text("name: mine\nprofile: mine\n")
    output = {"target": "test", "outputs": {"test": warehouse.profile()}}
    (directory / "profiles.yml").write_text(yaml.safe_dump({"mine": output}))
    nodes = {
        f"model.mlmon.{name}": {"relation_name": f'"{schema_of(name)}"."{name}"'}
        for name in (*TABLES, *OTHER_TABLES)
    }
    (directory / "target").mkdir()
    (directory / "target" / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    project = AlertProject(directory, warehouse)
    project.states()
    project.monitors()
    return project
