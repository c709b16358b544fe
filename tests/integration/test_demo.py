"""`mlmon demo` as a newcomer runs it: logs, tables, summary; and dbt's documentation of what it built."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlmon.cli.demo import demo_environment

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "flights"

# One column a slot, as many as the widest monitor needs, or one a bin edge: their names are numbers.
NUMBERED = re.compile(r"(numeric|category|segment|e)_\d+")


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
