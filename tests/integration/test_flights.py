"""The flights demo's own configuration on both engines: the same logs give the same tables, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from mlmon import stats
from mlmon.demo.generate import generate
from mlmon.stats.kstwo import kstwo_sf
from support.compare import differences
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


@pytest.fixture(scope="module")
def projects(make_project: Any, logs: Path) -> dict[str, DbtProject]:
    """The example's vars on logs loaded as tables, built on each engine, with the same tests in SQL."""
    settings = yaml.safe_load((EXAMPLE / "dbt_project.yml").read_text(encoding="utf-8"))
    given = {**settings["vars"], "mlmon_python_models": False}
    built = {}
    for engine in ("duckdb", "postgres"):
        project = make_project(engine, vars=given, sources={"flights": TABLES})
        for table in TABLES:
            rows = pq.read_table(logs / f"{table}.parquet")
            project.warehouse.load(table, rows, schema="flights")
        project.build("--vars", "{mlmon_package_tests: true}")
        built[engine] = project
    return built


def marts(project: DbtProject) -> list[str]:
    return [
        name
        for name in project.warehouse.tables()
        if name.startswith(("fct_mlmon__", "dim_mlmon__")) and not name.endswith("_latest")
    ]


# Scores are calibrated by isotonic regression on DuckDB, and by bins where Python models do not run: how near the
# two are is tested on the golden scores.
ESTIMATED = {"fct_mlmon__estimated_performance", "fct_mlmon__estimation_record"}


def comparable(project: DbtProject, name: str) -> pd.DataFrame:
    rows: pd.DataFrame = project.read(name)
    if name == "fct_mlmon__metrics":
        rows = rows[~rows["metric"].str.startswith("estimated_")].reset_index(drop=True)
    return rows


def test_every_mart_is_equal_on_duckdb_and_postgres(projects: dict[str, DbtProject]) -> None:
    names = marts(projects["duckdb"])
    assert names == marts(projects["postgres"])
    assert len(names) >= 19
    unequal = {
        name: found
        for name in names
        if name not in ESTIMATED
        and (found := differences(*(comparable(projects[at], name) for at in projects)))
    }
    assert unequal == {}


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
