"""The generic tests for a consumer's own models: each shown passing, failing with rows that say why,
and refusing arguments that make no sense.

One project on each engine is built once; what fails is made to fail by its arguments or, where
that cannot be, by a change to the tables that it reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from support.dbt_project import DbtProject
from support.warehouses import SCHEMA, Engine

DAYS, PER_DAY = 24, 60
REFERENCE_DAYS = 10
START = pd.Timestamp("2026-02-02")


def log() -> pd.DataFrame:
    """A feature that leaves its range after the reference, one that stays, and fair predictions."""
    random = np.random.default_rng(5)
    n = DAYS * PER_DAY
    times = pd.Series(START + pd.to_timedelta(np.arange(n) * 1440 // PER_DAY, unit="min"))
    day = np.arange(n) // PER_DAY
    score = random.random(n)
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "model_version": "v1",
            "predicted_at": times.astype("datetime64[us]"),
            "loaded_at": (times + pd.Timedelta(minutes=1)).astype("datetime64[us]"),
            "prediction": (score > 0.5).astype(int),
            "score": score,
            "moves": random.normal(size=n) + np.where(day >= REFERENCE_DAYS, 3.0, 0.0),
            "stays": random.normal(size=n),
        }
    )


def labels(of: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(6)
    known = of["predicted_at"] + pd.Timedelta(hours=20)
    label = np.where(random.random(len(of)) < 0.8, of["prediction"], 1 - of["prediction"])
    frame = pd.DataFrame(
        {
            "request_id": of["request_id"],
            "label": label,
            "labeled_at": known.astype("datetime64[us]"),
            "loaded_at": known.astype("datetime64[us]"),
        }
    )
    # The feed has stopped three days before the newest prediction.
    return frame[known <= of["loaded_at"].max() - pd.Timedelta(days=3)]


MONITORS = {
    "churn": {
        "task": "binary",
        "predictions": {"ref": "scores"},
        "labels": {"source": ["logs", "labels"]},
        "reference": {"first_days": REFERENCE_DAYS},
        "features": {"moves": "numeric", "stays": "numeric"},
        "spans": ["1d"],
        "label_horizon_days": 1,
        "label_ages_days": [1],
    }
}

# Name of the test in YAML → the test and its arguments.
TESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "drifted": ("not_drifted", {"monitor": "churn"}),
    "drifted_column": ("not_drifted", {"monitor": "churn", "columns": ["stays", "moves"]}),
    "steady_column": ("not_drifted", {"monitor": "churn", "columns": "stays"}),
    "steady_warning": (
        "not_drifted", {"monitor": "churn", "columns": "stays", "fails_at": "warning"},
    ),
    "drifted_version": ("not_drifted", {"monitor": "churn", "model_version": "v1"}),
    "no_such_version": ("not_drifted", {"monitor": "churn", "model_version": "v9"}),
    "unknown_version": (
        "not_drifted",
        {"monitor": "churn", "model_version": "v9", "fail_when_unknown": True},
    ),
    "good_metric": ("metric_above", {"monitor": "churn", "metric": "accuracy", "threshold": 0.5}),
    "bad_metric": ("metric_above", {"monitor": "churn", "metric": "accuracy", "threshold": 0.99}),
    "surely_bad_metric": (
        "metric_above",
        {"monitor": "churn", "metric": "accuracy", "threshold": 0.99, "compare": "value_high"},
    ),
    "perhaps_good_metric": (
        "metric_above",
        {"monitor": "churn", "metric": "accuracy", "threshold": 0.7, "compare": "value_high"},
    ),
    "low_metric": (
        "metric_below",
        {"monitor": "churn", "metric": "log_loss", "threshold": 9, "label_age": "1d"},
    ),
    "high_metric": (
        "metric_below",
        {"monitor": "churn", "metric": "log_loss", "threshold": 0.01, "label_age": 1},
    ),
    "no_such_age": (
        "metric_above",
        {"monitor": "churn", "metric": "accuracy", "threshold": 0.5, "label_age": "9d",
         "fail_when_unknown": True},
    ),
    "labels_in_time": ("fresh_labels", {"monitor": "churn", "max_age_days": 3.5}),
    "labels_late": ("fresh_labels", {"monitor": "churn", "max_age_days": 2}),
    "labels_by_a_clock": (
        "fresh_labels", {"monitor": "churn", "max_age_days": 3.5, "as_of": "2026-03-31 12:00:00"},
    ),
    "labels_by_the_clock": (
        "fresh_labels", {"monitor": "churn", "max_age_days": 100000, "as_of": "now"},
    ),
    "alerts": ("no_open_alerts", {"monitor": "churn", "fails_at": "warning"}),
    "alerts_of_all": ("no_open_alerts", {"fails_at": "warning"}),
    "alerts_of_other_rules": (
        "no_open_alerts", {"monitor": "churn", "fails_at": "warning", "rules": ["no_predictions"]},
    ),
    "alerts_of_no_rule": ("no_open_alerts", {"rules": "no_such_rule"}),
}  # fmt: skip

PASSES = {
    "steady_column", "steady_warning", "no_such_version", "good_metric", "perhaps_good_metric",
    "low_metric", "labels_in_time", "labels_by_the_clock", "alerts_of_other_rules",
}  # fmt: skip

SELECT = "+fct_mlmon__column_drift_latest +fct_mlmon__alert_states +dim_mlmon__monitors"


def written(tests: dict[str, tuple[str, dict[str, Any]]]) -> str:
    """The YAML of the model `scores` with these tests, which keep the rows that fail."""
    listed = [
        {
            f"mlmon.{test}": {
                "name": name,
                "arguments": arguments,
                "config": {"store_failures": True, "schema": "failures", "alias": name},
            }
        }
        for name, (test, arguments) in tests.items()
    ]
    return yaml.safe_dump(
        {"version": 2, "models": [{"name": "scores", "data_tests": listed}]}, sort_keys=False
    )


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": MONITORS},
        sources={"logs": ["predictions", "labels"]},
        files={
            "models/scores.sql": "select * from {{ source('logs', 'predictions') }}",
            "models/scores.yml": written(TESTS),
        },
    )
    predictions = log()
    made.warehouse.load("predictions", predictions)
    made.warehouse.load("labels", labels(predictions))
    made.build("--select", SELECT, "--exclude", "test_type:data")
    return made


@pytest.fixture(scope="module")
def statuses(project: DbtProject) -> dict[str, str]:
    return project.run("test", "--select", "scores").statuses


def rows(project: DbtProject, name: str) -> list[dict[str, Any]]:
    """The rows that a test has kept."""
    return project.warehouse.query(f'select * from "{SCHEMA}_failures"."{name}"').to_dict("records")


def test_each_passes_and_fails_as_its_arguments_ask(statuses: dict[str, str]) -> None:
    assert set(statuses) == set(TESTS)
    assert {name for name, status in statuses.items() if status == "pass"} == PASSES
    assert {status for name, status in statuses.items() if name not in PASSES} == {"fail"}


@pytest.mark.usefixtures("statuses")
def test_a_drifted_column_is_named_with_its_reason(project: DbtProject) -> None:
    for name in ("drifted", "drifted_column", "drifted_version"):
        [row] = rows(project, name)
        assert (row["monitor"], row["model_version"]) == ("churn", "v1")
        assert (row["about"], row["status"]) == ("moves", "critical")
        assert row["value"] > row["threshold"] > 0
        assert row["window_end"] == START + pd.Timedelta(days=DAYS - 1)
        assert row["reason"].startswith(f"psi {row['value']:.4f} is at or above ")


@pytest.mark.usefixtures("statuses")
def test_a_metric_on_the_wrong_side_shows_its_value_and_interval(project: DbtProject) -> None:
    predictions = log()
    judged = labels(predictions).merge(predictions, on="request_id")
    [row] = rows(project, "bad_metric")
    day = judged[
        (judged["predicted_at"] >= row["window_end"] - pd.Timedelta(days=1))
        & (judged["predicted_at"] < row["window_end"])
    ]
    accuracy = (day["label"] == day["prediction"]).mean()
    assert row["value"] == pytest.approx(accuracy)
    assert row["threshold"] == 0.99
    assert row["reason"].startswith(f"accuracy of labels at 1d is {accuracy:.4f} (0.")
    assert row["reason"].endswith("), its value below 0.99.")
    [sure] = rows(project, "surely_bad_metric")
    assert row["value"] < sure["value"] < 0.99
    [high] = rows(project, "high_metric")
    assert high["about"] == "log_loss"
    assert "above 0.01" in high["reason"]


@pytest.mark.usefixtures("statuses")
def test_late_labels_show_both_times(project: DbtProject) -> None:
    [late] = rows(project, "labels_late")
    predictions = log()
    newest = labels(predictions)["loaded_at"].max()
    age = (predictions["loaded_at"].max() - newest) / pd.Timedelta(days=1)
    assert late["value"] == pytest.approx(age)
    assert late["reason"].startswith(f"The newest label was loaded at {newest:%Y-%m-%d %H:%M:%S}")
    assert late["reason"].endswith("; allowed are 2.")
    [by_a_clock] = rows(project, "labels_by_a_clock")
    assert by_a_clock["window_end"] == pd.Timestamp("2026-03-31 12:00")


@pytest.mark.usefixtures("statuses")
def test_open_alerts_say_which_rule_and_why(project: DbtProject) -> None:
    firing = project.warehouse.query(
        f"select rule_id, reason from {SCHEMA}.fct_mlmon__alert_states"
        " where state = 'firing' and is_active"
    )
    assert len(firing) > 0
    for name in ("alerts", "alerts_of_all"):
        shown = rows(project, name)
        assert sorted(row["reason"] for row in shown) == sorted(firing["reason"])
        assert {row["about"].split(" ")[0] for row in shown} == set(firing["rule_id"])
    [unknown] = rows(project, "alerts_of_no_rule")
    assert (unknown["about"], unknown["status"]) == ("no_such_rule", "unknown")


@pytest.mark.parametrize("name", ["unknown_version", "no_such_age"])
@pytest.mark.usefixtures("statuses")
def test_no_verdict_fails_where_it_is_asked_to(project: DbtProject, name: str) -> None:
    [row] = rows(project, name)
    assert (row["status"], row["reason"]) == ("unknown", "There is nothing to judge yet.")


@pytest.mark.usefixtures("statuses")
def test_quiet_tables_pass_every_test(project: DbtProject) -> None:
    """The same tests on the same tables, after what made them fail is gone."""
    quiet = ("drifted", "alerts", "labels_late")
    changes = {
        "fct_mlmon__column_drift": "set status = 'ok'",
        "fct_mlmon__alert_states": "set state = 'ok'",
        "fct_mlmon__windows": "set last_label_loaded_at = last_loaded_at",
    }
    for table, change in changes.items():
        project.warehouse.execute(f"create table {SCHEMA}.kept as select * from {SCHEMA}.{table}")
        project.warehouse.execute(f"update {SCHEMA}.{table} {change}")
        project.warehouse.execute(f"alter table {SCHEMA}.kept rename to kept_{table}")
    try:
        again = project.run("test", "--select", *quiet).statuses
    finally:
        for table in changes:
            project.warehouse.execute(f"delete from {SCHEMA}.{table}")
            project.warehouse.execute(
                f"insert into {SCHEMA}.{table} select * from {SCHEMA}.kept_{table}"
            )
            project.warehouse.execute(f"drop table {SCHEMA}.kept_{table}")
    assert again == dict.fromkeys(quiet, "pass")
