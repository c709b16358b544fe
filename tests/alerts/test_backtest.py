"""`mlmon alerts backtest` on small tables: what rules did and would have done, and nothing else."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from support.alerts import OUTBOX_SCHEMA, AlertProject
from support.warehouses import SCHEMA, DuckDBWarehouse

FIRST = datetime(2024, 1, 1)
DAY = timedelta(days=1)
# A month of a daily metric: one day above 0.3, three days above 0.1, a day without enough samples.
VALUES = [0.05] * 28
VALUES[4] = 0.35
VALUES[10:13] = [0.15, 0.2, 0.15]
VALUES[20] = 0.9

LABELS = {
    "monitor": "churn",
    "model_version": "v2",
    "segment_name": "all",
    "segment_value": "all",
    "column_role": "table",
    "column_name": "all",
    "metric": "drift_share",
    "class_label": "all",
    "label_age": "none",
}
HEADER = "rule_id,metric,span_windows,warning_condition,repeat_minutes,min_samples,enabled"


def windows() -> list[dict[str, Any]]:
    return [
        {
            **LABELS,
            "window_start": FIRST + number * DAY,
            "window_end": FIRST + (number + 1) * DAY,
            "span_windows": 1,
            "value": value,
            "n": 3 if number == 20 else 1000,
        }
        for number, value in enumerate(VALUES)
    ]


@pytest.fixture
def history(alerts: AlertProject) -> AlertProject:
    """A rule `> 0.3` in force, judged over the month, and a broken one."""
    metrics = [
        {**row, "reference_value": None, "status": "ok", "status_rank": 1} for row in windows()
    ]
    metrics += [{**row, "metric": "f1", "segment_name": "origin"} for row in metrics[:3]]
    frame = pd.DataFrame(metrics).astype({"reference_value": "Float64"})
    alerts.load("fct_mlmon__metrics", frame)
    monitor = {"monitor": "churn", "default_span_windows": 7, "verdict_span_windows": 7}
    monitor |= {"label_horizon_days": 14, "primary_metric": "f1", "model_version": "v2"}
    alerts.load("dim_mlmon__monitors", pd.DataFrame([monitor]))
    families = {"drift_share": "drift", "f1": "performance"}
    alerts.load("dim_mlmon__metrics", pd.DataFrame(families.items(), columns=["metric", "family"]))
    numbers = {"for_windows": 1, "resolve_windows": 1, "cooldown_minutes": 0, "repeat_minutes": 0}
    numbers |= {"channels": "console"}
    rules = [
        {"rule_id": "drift", "rule_version": "r1", "rule_problem": None, **numbers},
        {"rule_id": "broken", "rule_version": "r2", "rule_problem": "it is bad", **numbers},
    ]
    alerts.load("int_mlmon__alert_rules", pd.DataFrame(rules))
    alerts.table(
        "fct_mlmon__alert_evaluations",
        [
            {
                **row,
                "rule_id": "drift",
                "rule_version": "r1",
                "measure": "value",
                "threshold_high": 0.3,
                "is_breached": None if row["n"] < 100 else row["value"] > 0.3,
                "severity": "warning" if row["n"] >= 100 and row["value"] > 0.3 else "none",
            }
            for row in windows()
        ],
    )
    return alerts


def run(project: AlertProject, *options: str) -> Result:
    from mlmon.cli import main

    folder = str(project.directory)
    place = ["--project-dir", folder, "--profiles-dir", folder]
    return CliRunner().invoke(main, ["alerts", "backtest", *place, *options])


def findings(project: AlertProject, *options: str) -> list[dict[str, Any]]:
    result = run(project, *options, "--format", "json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def rules(project: AlertProject, *rows: str, header: str = HEADER) -> str:
    path = project.directory / "rules.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return str(path)


def test_without_a_file_the_rules_in_force_are_counted(history: AlertProject) -> None:
    [found] = findings(history)
    assert found == {
        "rule_id": "drift",
        "monitor": "churn",
        "starts_at": "2024-01-01T00:00:00",
        "ends_at": "2024-01-29T00:00:00",
        "weeks": 4.0,
        "n_series": 1,
        "n_windows": 28,
        "n_judged": 27,
        "n_alerts": 1,
        "n_critical": 0,
        "messages": {"trigger": 1, "escalate": 0, "repeat": 0, "resolve": 1},
        "n_grouped": 0,
        "n_storms": 0,
        "alerts_per_week": 0.25,
        "firing_share": 1 / 28,
        "n_fired_again": 0,
        "longest": {
            **{label: value for label, value in LABELS.items() if label != "monitor"},
            "measure": "value",
            "severity": "warning",
            "since_window_end": "2024-01-06T00:00:00",
            "fired_at": "2024-01-06T00:00:00",
            "resolved_at": "2024-01-07T00:00:00",
            "n_windows": 1,
            "n_breached": 1,
            "peak_value": 0.35,
        },
    }
    said = run(history)
    assert "Rule 'broken' is not used. it is bad" in said.stderr
    assert "2024-01-01 to 2024-01-29: 0.25 alerts a week. Nothing was sent." in said.stdout


def test_a_changed_threshold_shows_what_it_would_have_told(history: AlertProject) -> None:
    path = rules(history, "drift,drift_share,1,> 0.1,1440,100,true")
    [found] = findings(history, "--rule", path)
    assert (found["n_alerts"], found["alerts_per_week"]) == (2, 0.5)
    assert found["messages"] == {"trigger": 2, "escalate": 0, "repeat": 2, "resolve": 2}
    assert (found["in_force"]["n_alerts"], found["in_force"]["alerts_per_week"]) == (1, 0.25)
    [only_new] = found["only_new"]
    assert (only_new["fired_at"], only_new["n_windows"]) == ("2024-01-12T00:00:00", 3)
    assert (only_new["peak_value"], found["only_in_force"]) == (0.2, [])
    assert found["longest"] == only_new
    said = run(history, "--rule", path).stdout
    assert "0.50 alerts a week, 0.25 by the rules of the same names in force" in said
    assert "Only the new drift of churn:" in said
    assert "2024-01-12 00:00 to 2024-01-15 00:00: warning, v2, drift_share, worst 0.2" in said


def test_alerts_of_a_storm_are_told_together(history: AlertProject) -> None:
    history.channels({}, group_above=1)
    rows = [
        {**row, "model_version": version, "reference_value": None, "status": "ok", "status_rank": 1}
        for row in windows()
        for version in ("v2", "v3")
    ]
    history.load("fct_mlmon__metrics", pd.DataFrame(rows).astype({"reference_value": "Float64"}))
    path = rules(history, "drift,drift_share,1,> 0.1,0,0,true")
    [found] = findings(history, "--rule", path)
    assert (found["n_alerts"], found["n_grouped"], found["n_storms"]) == (6, 6, 3)
    assert set(found["messages"].values()) == {0}
    said = " ".join(run(history, "--rule", path).stdout.split())
    assert "6 of the alerts began in 3 storms, told in 6 messages." in said


def test_a_rule_of_another_name_stands_alone(history: AlertProject) -> None:
    path = rules(history, "mine,drift_share,1,> 0.8,0,0,true")
    [found] = findings(history, "--rule", path)
    assert (found["rule_id"], found["in_force"], found["only_new"]) == ("mine", None, [])
    assert found["longest"]["fired_at"] == "2024-01-22T00:00:00"
    assert "0.25 alerts a week. Nothing was sent." in run(history, "--rule", path).stdout


def test_a_rule_that_judges_nothing_says_why(history: AlertProject) -> None:
    path = rules(
        history, "drift,drift_share,1,> 0.1,0,0,false", "mine,drift_share,30,> 0.1,0,0,true"
    )
    result = run(history, "--rule", path, "--format", "json")
    [found] = json.loads(result.stdout)
    assert (found["n_series"], found["firing_share"], len(found["only_in_force"])) == (0, None, 1)
    assert "Rule 'drift' judged nothing: it is switched off." in result.stderr
    assert "Rule 'mine' judged nothing: no stored metric is selected by it." in result.stderr
    assert "Only the old drift of churn:" in run(history, "--rule", path).stdout


def test_the_past_before_a_day_is_left_out(history: AlertProject) -> None:
    [found] = findings(history, "--since", "2024-01-15T00:00:00Z")
    assert (found["weeks"], found["n_windows"], found["n_alerts"]) == (2.0, 14, 0)
    result = run(history, "--since", "2025-01-01")
    assert (result.exit_code, result.stdout) == (0, "No rule judged anything in this time.\n")
    path = rules(history, "drift,drift_share,1,> 0.1,0,0,true")
    result = run(history, "--rule", path, "--since", "2025-01-01")
    assert (result.stdout, result.stderr) == ("No rule judged anything in this time.\n", "")


def test_every_row_that_cannot_be_used_is_named_as_in_the_tables(history: AlertProject) -> None:
    path = rules(
        history,
        "drift,drift_share,1,> 0.1,0,0,true",
        "a,psii,1,> 0.1,0,0,true",
        "b,f1,1,high,0,0,true",
    )
    result = run(history, "--rule", path)
    assert result.exit_code == 2
    assert f"2 problems in {path}:" in result.output
    assert "row 2, rule 'a': metric: found 'psii'; allowed: a metric of dim_mlmon" in result.output
    assert "row 3, rule 'b': warning_condition: found 'high'; allowed: > 0.1" in result.output


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--since", "yesterday"], "ISO 8601"),
        (["--again-within", "0"], "0 is not in the range"),
        (["--rule", "absent.csv"], "does not exist"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    duckdb_alerts: AlertProject, options: list[str], expected: str
) -> None:
    result = run(duckdb_alerts, *options)
    assert result.exit_code == 2
    assert expected in result.output


def test_a_backtest_writes_nothing(history: AlertProject) -> None:
    path = rules(history, "drift,drift_share,1,> 0.1,0,0,true")
    before = sorted(Path(history.directory).rglob("*"))
    tables = history.warehouse.tables(SCHEMA)
    assert run(history, "--rule", path).exit_code == 0
    assert history.warehouse.tables(SCHEMA) == tables
    assert sorted(Path(history.directory).rglob("*")) == before
    kept = history.kept_warehouse()
    if isinstance(kept, DuckDBWarehouse):
        assert not kept.path.exists()
    else:
        assert kept.tables(OUTBOX_SCHEMA) == []


def test_a_project_that_was_not_built_says_so(duckdb_alerts: AlertProject) -> None:
    duckdb_alerts.warehouse.execute(f"drop schema {SCHEMA} cascade")
    result = run(duckdb_alerts)
    assert result.exit_code == 1
    assert "run `dbt build` for this target first" in result.output


def test_a_place_given_before_the_command_holds_for_it(history: AlertProject) -> None:
    from mlmon.cli import main

    folder = str(history.directory)
    place = ["--project-dir", folder, "--profiles-dir", folder]
    result = CliRunner().invoke(main, ["alerts", *place, "backtest"])
    assert "0.25 alerts a week" in result.output
