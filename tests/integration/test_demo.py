"""`mlmon demo` as a newcomer runs it: logs, tables, summary; and dbt's documentation of what it built."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mlmon.cli.demo import demo_environment

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "flights"

# One column a slot, as many as the widest monitor needs, a bin edge or a label age: their names are numbers.
NUMBERED = re.compile(r"(numeric|category|segment|e|counts|n_positive|n_negative|n_excluded)_\d+")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def said(place: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mlmon", "demo", "--directory", str(place)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "COLUMNS": "160"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_shows_each_incident_and_what_fires(said: str, place: Path) -> None:
    assert "9 of 9" in said
    assert "flight_late" in said
    assert str(place / "flights.duckdb") in said.replace("\n", "")
    assert (place / "flights.duckdb").is_file()


@pytest.fixture
def tables(said: str, place: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    assert said
    with duckdb.connect(str(place / "flights.duckdb"), read_only=True) as connection:
        yield connection


def days(tables: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(row[0]) for row in tables.execute(query).fetchall()]


def drifted(column: str) -> str:
    return f"""
        select distinct window_date from fct_mlmon__column_drift
        where monitor = 'flight_late' and is_verdict and segment_name = 'all'
            and column_name = '{column}' and status in ('warning', 'critical')
        order by 1
    """


def test_temperature_drifts_by_season_and_distance_and_plane_age_do_not(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    """docs/flights.md, "What drifts by itself"."""
    warm = days(tables, drifted("temp"))
    months = Counter(day[:7] for day in warm)
    assert [months[f"2013-{month:02d}"] for month in range(5, 9)] == [31, 30, 31, 31]
    assert months["2013-11"] == months["2013-12"] == 0
    assert days(tables, drifted("distance")) == []
    assert days(tables, drifted("plane_age")) == [f"2013-05-{day:02d}" for day in range(8, 12)]


@pytest.mark.parametrize(
    ("check", "column", "first", "n_days"),
    [
        ("out_of_range", "plane_age", "2013-05-06", 3),
        ("unseen_category", "carrier", "2013-08-05", 5),
        ("out_of_range", "temp", "2013-12-11", 4),
    ],
)
def test_incidents_are_seen_on_their_first_day(
    tables: duckdb.DuckDBPyConnection, check: str, column: str, first: str, n_days: int
) -> None:
    """docs/flights.md, "What was put in"."""
    found = days(
        tables,
        f"""
        select distinct window_date from fct_mlmon__quality_checks
        where monitor = 'flight_late' and check_name = '{check}' and column_name = '{column}'
            and status = 'critical'
        order by 1
        """,
    )
    assert (found[0], len(found)) == (first, n_days)


def test_what_drift_sees_of_the_incidents(tables: duckdb.DuckDBPyConnection) -> None:
    assert days(tables, drifted("carrier")) == [f"2013-08-{day:02d}" for day in range(5, 16)]
    scores = days(tables, drifted("score"))
    assert [day for day in scores if "2013-11-10" <= day <= "2013-11-20"] == [
        "2013-11-14", "2013-11-15", "2013-11-16",
    ]  # fmt: skip
    constant = days(
        tables,
        """
        select window_date from fct_mlmon__profiles
        where monitor = 'flight_late' and column_name = 'score' and model_version = 'v2'
            and n_rows >= 50 and modal_share > 0.5
        """,
    )
    assert constant == ["2013-11-13"]
    assert not any(day >= "2013-12-01" for day in days(tables, drifted("temp")))


def test_dbt_documents_every_model_and_column(said: str, place: Path) -> None:
    assert said
    dbt = Path(sys.executable).parent / "dbt"
    done = subprocess.run(
        [dbt, "--quiet", "docs", "generate", "--profiles-dir", EXAMPLE, "--project-dir", EXAMPLE],
        capture_output=True,
        text=True,
        env={**os.environ, **demo_environment(place, "duckdb")},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    catalog: dict[str, Any] = json.loads((place / "target" / "catalog.json").read_text())
    manifest: dict[str, Any] = json.loads((place / "target" / "manifest.json").read_text())
    ours = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["package_name"] == "mlmon" and node["resource_type"] in ("model", "seed")
    }
    assert len(ours) > 100
    assert set(ours) <= set(catalog["nodes"])
    undescribed = [
        f"{name}.{column}"
        for name, node in ours.items()
        for column in [*catalog["nodes"][name]["columns"], None]
        if not (node["description"] if column is None else described(node, column))
    ]
    assert undescribed == []


def described(node: dict[str, Any], column: str) -> bool:
    known = node["columns"].get(column, {}).get("description")
    return bool(known) or NUMBERED.fullmatch(column) is not None
