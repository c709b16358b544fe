"""docs/architecture.md is true: its files, their grains, and the examples of what to add where."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import euclidean

from support import task_logs
from support.dbt_project import ROOT, DbtProject
from support.page_examples import PAGE, copy_of_the_package, follow


def test_the_files_on_the_way_are_there_and_begin_with_their_grain() -> None:
    rows = re.findall(r"^\| `(models/\S+)` \| (One row per .+) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) >= 12
    for path, grain in rows:
        comment = (ROOT / path).read_text().split("\n\n")[0].split("{{")[0]
        said = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
        assert said.startswith(grain), (path, said)


def test_every_macro_that_warehouses_answer_is_listed() -> None:
    macros = "".join(path.read_text() for path in (ROOT / "macros").rglob("*.sql"))
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)'", macros))
    [line] = re.findall(
        r"^Macros that differ between warehouses.+$", PAGE.read_text(), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", line)) == dispatched


@pytest.fixture(scope="module")
def project(make_project: Any, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    package = copy_of_the_package(tmp_path_factory.mktemp("package"))
    assert len(follow("A drift method", package)) <= 3
    assert len(set(follow("A quality check", package))) <= 3
    monitor = {
        **task_logs.monitors(with_areas=False)["binary"],
        "drift_methods": ["psi", "euclidean"],
    }
    for key in ("preset", "multivariate", "fairness", "kpis", "value_matrix"):
        monitor.pop(key, None)
    made: DbtProject = make_project(
        vars={"mlmon_monitors": {"binary": monitor}, "mlmon_lookback_days": 0},
        sources=task_logs.SOURCES,
        package=package,
    )
    task_logs.load(made.warehouse, task_logs.RUNS - 1)
    made.warehouse.execute(
        "update logs.binary_predictions set y = cast('infinity' as double precision)"
        " where request_id in (select min(request_id) from logs.binary_predictions group by shop)"
    )
    made.build("--select", "+fct_mlmon__metrics", "+fct_mlmon__distributions")
    return made


def test_an_added_drift_method_is_scipys(project: DbtProject) -> None:
    drift = project.read("fct_mlmon__drift").query("method == 'euclidean'")
    drift = drift[(drift["segment_name"] == "all") & drift["value"].notna()]
    bins = project.read("fct_mlmon__distributions")
    keys = ["monitor_key", "window_end", "span_windows", "column_key"]
    shares = dict(iter(bins.groupby(keys)))
    compared = 0
    for row in drift.to_dict("records"):
        rows = shares.get(tuple(row[key] for key in keys))
        if rows is None:
            continue
        sides = rows[["reference_share", "current_share"]].fillna(0).astype(float).to_numpy().T
        assert row["value"] == pytest.approx(euclidean(*sides), abs=1e-12)
        compared += 1
    assert compared > 50
    varied = project.read("int_mlmon__reference_variation")
    assert (varied["method"] == "euclidean").any()
    metrics = project.read("fct_mlmon__metrics")
    assert (metrics["metric"] == "euclidean").any()


def test_an_added_quality_check_counts_what_numpy_counts(project: DbtProject) -> None:
    checks = project.read("fct_mlmon__quality_checks").query("check_name == 'infinite'")
    checks = checks[checks["column_name"] == "y"]
    log = project.warehouse.read("binary_predictions", "logs")
    counted = log.sort_values("loaded_at").drop_duplicates(
        ["model_version", "request_id"], keep="last"
    )
    counted = counted[counted["outcome"].fillna("ok") == "ok"]
    infinite = int(np.isinf(pd.to_numeric(counted["y"], errors="coerce")).sum())
    assert infinite >= 2
    assert checks["n_failed"].sum() == infinite
    worst = checks.sort_values("status_rank").iloc[-1]
    assert worst["status"] in {"warning", "critical"}
    assert "are infinite" in worst["reason"]


@pytest.mark.parametrize(("follows", "said"), [(False, "not materialized"), (True, "materialized")])
def test_a_project_answers_for_its_warehouse(make_project: Any, follows: bool, said: str) -> None:
    made: DbtProject = make_project(
        vars={
            "mlmon_monitors": {"m": {"task": "binary", "predictions": {"source": ["logs", "p"]}}}
        },
        sources={"logs": ["p"]},
        files={"models/asks.sql": "select 1 as a -- {{ mlmon.inlined() }}"},
    )
    if follows:
        follow("A warehouse", made.directory)
    made.run("compile", "--select", "asks").require()
    compiled = made.directory / "target" / "compiled" / "consumer" / "models" / "asks.sql"
    assert compiled.read_text() == f"select 1 as a -- {said}"


def test_an_added_channel_is_sent_to(tmp_path: Path) -> None:
    python = tmp_path / "python"
    shutil.copytree(ROOT / "python" / "mlmon", python / "mlmon")
    follow("A channel", tmp_path)
    lines = tmp_path / "lines.txt"
    told = f"""
from datetime import UTC, datetime
from pathlib import Path
from mlmon.alerts.channels import Notification, read_settings, sender
from mlmon.alerts.content import Content

Path("mlmon_channels.yml").write_text("mlmon_channels: {{ledger: {{kind: file, path: {lines}}}}}")
channel = read_settings(None, Path()).channels["ledger"]
content = Content("psi is high", "trigger", "critical")
sender(channel.kind)(Notification("k", "s", "trigger", "critical", content, channel, datetime.now(UTC)))
"""
    done = subprocess.run(
        [sys.executable, "-c", told],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert lines.read_text() == "critical: psi is high\n"
