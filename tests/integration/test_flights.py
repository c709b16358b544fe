"""The flights demo's own configuration on both engines: the same logs give the same tables, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from mlmon import stats
from mlmon.demo.generate import generate
from mlmon.stats.kolmogorov_smirnov import kstwo_sf
from support.compare import differences, unequal_rows
from support.dbt_project import ROOT, DbtProject

EXAMPLE = ROOT / "examples" / "flights"
TABLES = (
    "predictions", "labels", "reference",
    "air_time_predictions", "air_time_labels", "air_time_reference",
)  # fmt: skip


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    generate(EXAMPLE / "data", folder)
    return folder


def build(make_project: Any, logs: Path, engine: str, *, python: bool) -> DbtProject:
    """The example's vars on logs loaded as tables, built with the package's own tests."""
    settings = yaml.safe_load((EXAMPLE / "dbt_project.yml").read_text(encoding="utf-8"))
    given = {**settings["vars"], "mlmon_python_models": python}
    project: DbtProject = make_project(engine, vars=given, sources={"flights": TABLES})
    for table in TABLES:
        rows = pq.read_table(logs / f"{table}.parquet")
        project.warehouse.load(table, rows, schema="flights")
    project.build("--vars", "{mlmon_package_tests: true}")
    return project


@pytest.fixture(scope="module")
def projects(make_project: Any, logs: Path) -> dict[str, DbtProject]:
    """Built on each engine, with p-values in SQL on both."""
    return {
        engine: build(make_project, logs, engine, python=False) for engine in ("duckdb", "postgres")
    }


@pytest.fixture(scope="module")
def with_python(make_project: Any, logs: Path) -> DbtProject:
    """Built on DuckDB with Python models, as a user has it."""
    return build(make_project, logs, "duckdb", python=True)


def marts(project: DbtProject) -> list[str]:
    return [
        name
        for name in project.warehouse.tables()
        if name.startswith(("fct_mlmon__", "dim_mlmon__")) and not name.endswith("_latest")
    ]


def test_every_mart_is_equal_on_duckdb_and_postgres(projects: dict[str, DbtProject]) -> None:
    names = marts(projects["duckdb"])
    assert names == marts(projects["postgres"])
    assert len(names) >= 19
    unequal = {
        name: found
        for name in names
        if (found := differences(*(projects[at].read(name) for at in projects)))
    }
    assert unequal == {}


def grains() -> dict[str, list[str]]:
    files = (ROOT / "models" / "marts").rglob("*.yml")
    models = [model for file in files for model in yaml.safe_load(file.read_text())["models"]]
    meta = {model["name"]: model.get("config", {}).get("meta", {}) for model in models}
    return {name: found["grain"] for name, found in meta.items() if "grain" in found}


# What differs where p-values are scipy's, and in how many rows (None: in any number): docs/numbers.md, "p-values".
BY_P_VALUE: dict[str, dict[str, int | None]] = {
    "drift": {
        "p_value": None, "adjusted_p_value": None, "p_value_method": None,
        "status": 249, "status_rank": 249, "reason_code": 249,
    },
    "column_drift": {
        "adjusted_p_value": None,
        "status": 249, "status_rank": 249, "reason_code": 249, "reason": 249,
    },
    "dataset_drift": {
        "n_drifted": 227, "drift_share": 227, "reason": 227, "n_judged": 25, "n_insufficient": 25,
        "status": 88, "status_rank": 88, "reason_code": 88, "is_dataset_drift": 12,
    },
    "monitor_health": {
        "drift_share": 9, "drift_rank": 3, "status": 1, "status_rank": 1, "reason": 7,
    },
    "findings": {"rows": 270, "status": 45, "status_rank": 45, "reason_code": 45, "reason": 177},
    "metrics": {"value": 476, "n": 25, "status": 586, "status_rank": 586, "reason_code": 586},
    "alert_evaluations": {
        "value": 9, "since_window_end": 9, "n_breached": 8, "fired_at": 6, "state": 4, "status": 3,
        "reason_code": 3, "severity": 3, "state_severity": 3, "is_breached": 3,
    },
    "alert_states": {
        "value": 1, "since_window_end": 1, "n_breached": 1, "state": 1, "status": 1,
        "reason_code": 1, "reason": 1, "severity": 1,
    },
    "alert_episodes": {"rows": 2},
}  # fmt: skip


def test_python_models_change_p_values_and_what_hangs_on_them(
    projects: dict[str, DbtProject], with_python: DbtProject
) -> None:
    names = marts(with_python)
    assert names == marts(projects["duckdb"])
    grain = grains()
    lengths = {}
    for name in names:
        python, sql = (project.read(name) for project in (with_python, projects["duckdb"]))
        expected = BY_P_VALUE.get(name.removeprefix("fct_mlmon__"))
        if expected is None:
            assert differences(python, sql) == [], name
        else:
            lengths[name.removeprefix("fct_mlmon__")] = len(sql)
            found = unequal_rows(python, sql, grain[name])
            assert {
                column: expected.get(column, n) and n for column, n in found.items()
            } == expected, name

    text = " ".join((ROOT / "docs" / "numbers.md").read_text(encoding="utf-8").split())
    for name, column in [("column_drift", "status"), ("dataset_drift", "drift_share")]:
        assert f"{BY_P_VALUE[name][column]} of {lengths[name]:,}" in text
    for name in ("monitor_health", "alert_states"):
        assert f"one of {lengths[name]}" in text


def test_python_models_change_p_values_by_no_more_than_documented(
    projects: dict[str, DbtProject], with_python: DbtProject
) -> None:
    python, sql = (
        project.read("fct_mlmon__drift") for project in (with_python, projects["duckdb"])
    )
    rows = sql.merge(python, on=grains()["fct_mlmon__drift"], suffixes=("", "_python"))
    assert len(rows) == len(sql) == len(python)
    rows["off"] = (rows["p_value"] - rows["p_value_python"]).abs()
    assert (rows["p_value"].isna() == rows["p_value_python"].isna()).all()
    ks, large = rows["method"] == "ks", rows[["n_reference", "n_current"]].min(axis=1) >= 100
    assert rows.loc[ks, "off"].max() < 0.135
    assert rows.loc[ks & large, "off"].max() < 0.0035
    assert rows.loc[rows["method"] == "missing_change", "off"].max() < 2e-7
    comparison = ["window_key", "span_windows", "segment_name", "segment_value", "column_name"]
    counts = projects["duckdb"].read("int_mlmon__drift_statistics").set_index(comparison)
    n_sparse = counts.filter(like="sparse").fillna(0).sum(axis=1).rename("n_sparse")
    psi = rows[rows["method"] == "psi"].join(n_sparse, on=comparison)
    sparse = psi["n_sparse"] > 0
    assert 0.3 < sparse.mean() < 0.4
    assert psi.loc[~sparse, "off"].max() < 2e-7
    assert psi.loc[sparse, "off"].mean() < 0.105
    # psi judges features, psi and ks scores and predictions: one verdict in two hundred differs.
    judged = rows[rows["is_deciding"]]
    differ = judged["status"] != judged["status_python"]
    assert set(judged.loc[differ, "method"]) == {"psi"}
    assert differ.sum() == (rows["status"] != rows["status_python"]).sum()
    assert 1 / 250 < differ.mean() < 1 / 200


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_p_values_in_sql_are_near_scipys(projects: dict[str, DbtProject], engine: str) -> None:
    """The bounds of docs/numbers.md, on every comparison that the example makes."""
    rows = (
        projects[engine]
        .read("int_mlmon__drift_statistics")
        .merge(projects[engine].read("int_mlmon__drift_tests_sql"), on="test_number")
    )
    assert len(rows) > 5000
    sides = (rows["n_reference"], rows["n_current"])
    numbers = rows.astype({"chi_square": float, "dense_chi_square": float, "ks": float})

    exact = stats.chi_square_p_values(numbers["chi_square"], rows["n_bins"] - 1)
    assert np.nanmax(np.abs(exact - rows["chi_square_p_value"].astype(float))) < 2e-7

    dense = (rows["sparse_reference"] + rows["sparse_current"] == 0) & (rows["n_current"] > 0)
    exact = stats.binned_p_values(
        numbers["dense_chi_square"], rows["degrees_of_freedom"],
        rows["sparse_reference"], rows["sparse_current"], *sides,
    )  # fmt: skip
    off = np.abs(exact - rows["binned_p_value"].astype(float))
    assert dense.sum() > 1000
    assert np.nanmax(off[dense]) < 2e-7

    exact = stats.two_proportion_p_values(
        rows["n_current_missing"], rows["n_current_rows"],
        rows["n_reference_missing"], rows["n_reference_rows"],
    )  # fmt: skip
    assert np.nanmax(np.abs(exact - rows["missing_change_p_value"].astype(float))) < 2e-7

    n, m = rows["n_reference_values"], rows["n_current_values"]
    large = rows["ks"].notna() & (n * m / (n + m).clip(lower=1) >= 100)
    assert large.sum() > 500
    found = rows["ks_p_value"][large].astype(float)
    asymptotic = stats.ks_p_values(numbers["ks"][large], n[large], m[large], exact_rows=0)
    assert np.nanmax(np.abs(asymptotic - found)) < 3e-3
    # scipy rounds the effective number of rows: it is held to the same argument of the series.
    effective = (n * m / (n + m))[large]
    scaled = numbers["ks"][large] * np.sqrt(effective / effective.round())
    asymptotic = kstwo_sf(scaled.to_numpy(), effective.round().to_numpy())
    assert np.nanmax(np.abs(asymptotic - found)) < 2.5e-4


def test_each_incident_of_the_truth_file_shows_in_the_table_it_names(
    projects: dict[str, DbtProject], logs: Path
) -> None:
    truth = pd.read_csv(logs / "incidents.csv", parse_dates=["starts_at", "ends_at"])
    checks = projects["duckdb"].read("fct_mlmon__quality_checks")
    judged = truth[truth["table_name"] == "fct_mlmon__quality_checks"]
    assert len(judged) == 8
    for incident in judged.itertuples():
        rows = checks[
            (checks["monitor"] == incident.monitor)
            & (checks["check_name"] == incident.check_name)
            & (checks["column_name"] == incident.column_name)
            & (checks["window_end"] > incident.starts_at)
            & (checks["window_start"] < incident.ends_at)
        ]
        assert "critical" in set(rows["status"]), incident.name


def test_roc_auc_of_each_day_is_near_scikit_learns(
    projects: dict[str, DbtProject], logs: Path
) -> None:
    """On the raw labelled rows; the numbers are those of docs/numbers.md, "Scores"."""
    predictions = (
        pd.read_parquet(logs / "predictions.parquet")
        .sort_values("loaded_at")
        .drop_duplicates(["request_id", "model_version"], keep="last")
        .query("outcome == 'ok' and score.notna()")
    )
    labels = (
        pd.read_parquet(logs / "labels.parquet", columns=["request_id", "label", "loaded_at"])
        .query("label.notna()")
        .sort_values("loaded_at")
        .drop_duplicates("request_id", keep="last")
    )
    raw = predictions.merge(labels[["request_id", "label"]], on="request_id")
    days = (
        projects["duckdb"]
        .read("fct_mlmon__performance")
        .query("monitor == 'flight_late' and metric == 'roc_auc' and segment_name == 'all'")
        .query("span_windows == 1 and label_age == 'latest'")
    )
    exact = []
    for day in days.itertuples():
        rows = raw[
            raw["predicted_at"].ge(day.window_start) & raw["predicted_at"].lt(day.window_end)
        ]
        if day.model_version != "all":
            rows = rows[rows["model_version"] == day.model_version]
        assert len(rows) == day.n
        one_class = rows["label"].nunique() < 2
        exact.append(np.nan if one_class else roc_auc_score(rows["label"], rows["score"]))
    off = (days["value"] - exact).abs()
    assert len(off) > 500
    assert (off.isna() == np.isnan(exact)).all()
    off = off.dropna()
    assert (off <= days["value_error"][off.index] + 1e-12).all()
    assert off.mean() < 5e-5
    assert off.max() < 1.5e-3
    assert days["value_error"].mean() < 2e-4
    # Most days are exact: no cell has both classes.
    assert (off < 1e-12).mean() > 0.9
