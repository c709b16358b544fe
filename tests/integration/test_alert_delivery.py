"""From a log to a message: dbt builds the alert tables, the dispatcher reads what dbt built."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from mlmon.cli import main
from support.dbt_project import DbtProject, MakeProject
from support.loopback import Service
from support.warehouses import Engine

START = pd.Timestamp("2026-03-02")
A_DAY = 120


def day(number: int, n_errors: int = 0) -> pd.DataFrame:
    """A day of predictions, of which some fail."""
    at = START + pd.Timedelta(days=number) + pd.to_timedelta(range(A_DAY), unit="min")
    return pd.DataFrame(
        {
            "request_id": [f"{number}-{i}" for i in range(A_DAY)],
            "model_version": "v1",
            "predicted_at": at,
            "loaded_at": at + pd.Timedelta(minutes=1),
            "prediction": [i % 2 for i in range(A_DAY)],
            "score": [0.25 + i % 2 / 2 for i in range(A_DAY)],
            "outcome": ["error"] * n_errors + ["ok"] * (A_DAY - n_errors),
        }
    )


# The first hours of the next day close the window of the one that fails.
FAILING = [*(day(number) for number in range(4)), day(4, n_errors=12), day(5)]

REFERENCE_DAYS, TIMED, N_TIMED = 8, 600, 14
TIMED_START = START - pd.Timedelta(days=N_TIMED)


def timed_day(number: int, times: float = 1.0) -> pd.DataFrame:
    """A day of requests of two versions, one of which becomes slower, and the first hour of the next."""
    random = np.random.default_rng(number)
    at = TIMED_START + pd.Timedelta(days=number) + pd.to_timedelta(range(TIMED), unit="min")
    made = pd.DataFrame({"predicted_at": at, "loaded_at": at, "prediction": 1})
    versions = []
    for version, factor in (("steady", 1.0), ("slower", times)):
        latency = random.lognormal(3, 0.5, TIMED) * factor
        ids = [f"{version} {number} {i}" for i in range(TIMED)]
        versions.append(made.assign(model_version=version, request_id=ids, latency_ms=latency))
    return pd.concat(versions)


# Twice as slow on three days in a row; the last day closes the one before.
TIMED_DAYS = [
    timed_day(number, 2.2 if number >= REFERENCE_DAYS + 2 else 1.0) for number in range(N_TIMED)
]


def land(project: DbtProject, *days: pd.DataFrame) -> None:
    project.warehouse.load("predictions", pd.concat(days))
    project.build("--select", "+fct_mlmon__alert_states", "fct_mlmon__alert_episodes")


@pytest.fixture(scope="module")
def project(make_project: MakeProject, engine: Engine) -> DbtProject:
    """One monitor has a day of failures, the other a version that is slower on its last days."""
    made = make_project(
        engine,
        vars={
            "mlmon_monitors": {
                "churn": {
                    "task": "binary",
                    "predictions": {"source": ["logs", "predictions"]},
                    "success_outcomes": ["ok"],
                    "spans": ["1d"],
                },
                "timed": {
                    "task": "binary",
                    "predictions": {"source": ["logs", "timed"]},
                    "columns": {"score": None, "outcome": None},
                    "reference": {"first_days": REFERENCE_DAYS},
                    "spans": ["1d"],
                },
            }
        },
        sources={"logs": ["predictions", "timed"]},
    )
    made.warehouse.load("timed", pd.concat(TIMED_DAYS))
    land(made, *FAILING)
    return made


def send(project: DbtProject, now: pd.Timestamp, *options: str) -> Result:
    folder = str(project.directory)
    place = ["--project-dir", folder, "--profiles-dir", folder, "--now", now.isoformat()]
    return CliRunner().invoke(main, ["alerts", "send", *place, *options])


def test_a_log_with_failures_becomes_a_message_and_its_repair_the_end_of_it(
    project: DbtProject, hook: Service
) -> None:
    # Every rule that ships tells the console; here that name leads to the service.
    channel = {"console": {"kind": "webhook", "url": hook.url}}
    project.write("mlmon_channels.yml", json.dumps({"mlmon_channels": channel}))
    # The names of tables are read from dbt's manifest.
    project.run("parse", "--write-json").require()
    now = START + pd.Timedelta(days=5, hours=4)
    result = send(project, now)
    assert result.exit_code == 0, result.output
    told = [request.json for request in hook.received]
    [failing] = [said for said in told if said["labels"]["rule"] == "error_rate"]
    assert failing["event"] == "trigger"
    assert failing["severity"] == "critical"
    assert failing["title"].endswith(": 0.1 (limit > 0.05)"), failing["title"]
    assert failing["data"]["window_end"] == "2026-03-07T00:00:00Z"
    [statement] = [text for label, text in failing["commands"] if label == "SQL"]
    assert len(project.warehouse.query(statement)) == 5

    n_told = len(hook.received)
    assert send(project, now).exit_code == 0
    assert len(hook.received) == n_told

    land(project, *FAILING, day(6))
    assert send(project, now + pd.Timedelta(days=1)).exit_code == 0
    over = [request.json for request in hook.received[n_told:]]
    [repaired] = [said for said in over if said["labels"]["rule"] == "error_rate"]
    assert repaired["event"] == "resolve"
    assert ["Peak", "0.1"] in repaired["facts"]

    # A month before the log began is filled in, failures and all: the tables tell of it, nobody else.
    n_told = len(hook.received)
    past = [day(-number, n_errors=60).assign(loaded_at=START + pd.Timedelta(days=7))
            for number in range(1, 31)]  # fmt: skip
    land(project, *FAILING, day(6), *past)
    assert send(project, now + pd.Timedelta(days=1, hours=1)).exit_code == 0
    assert len(hook.received) == n_told
    episodes = project.read("fct_mlmon__alert_episodes").query("rule_id == 'error_rate'")
    assert episodes["fired_at"].min() < START


def test_a_version_that_is_slower_than_in_the_reference_is_told(project: DbtProject) -> None:
    usual = np.median([
        np.percentile(day.query("model_version == 'slower'")["latency_ms"], 99)
        for day in TIMED_DAYS[:REFERENCE_DAYS]
    ])  # fmt: skip
    states = project.read("fct_mlmon__alert_states")
    [steady, slower] = (
        states.query("monitor == 'timed' and rule_id == 'latency_rise'")
        .sort_values("model_version", ascending=False)
        .to_dict("records")
    )
    assert (steady["model_version"], steady["state"]) == ("steady", "ok")
    assert (slower["state"], slower["severity"]) == ("firing", "critical")
    assert slower["fired_at"] == TIMED_START + pd.Timedelta(days=REFERENCE_DAYS + 5)
    last = np.percentile(TIMED_DAYS[-2].query("model_version == 'slower'")["latency_ms"], 99)
    assert slower["value"] == pytest.approx(last / usual - 1)
    operations = project.read("fct_mlmon__operations")
    operations = operations.query("monitor == 'timed' and segment_name == 'all'")
    known = operations.query("model_version == 'slower' and n_requests > 0")
    assert known["reference_latency_p99_ms"].to_numpy() == pytest.approx(usual)
    assert operations.query("model_version == 'all'")["reference_latency_p99_ms"].isna().all()
