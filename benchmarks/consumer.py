"""A consumer project on DuckDB for measuring, and dbt in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).resolve().parent.parent
MEMORY_LIMIT = "1400MB"


def make_project(folder: Path, monitors: Mapping[str, Any], tables: Sequence[str]) -> Path:
    """Writes a project with these monitors on the tables of the schema logs; returns its database."""
    database = folder / "consumer.duckdb"
    files: dict[str, object] = {
        "dbt_project.yml": {
            "name": "consumer",
            "version": "0.1.0",
            "config-version": 2,
            "profile": "consumer",
            "flags": {"send_anonymous_usage_stats": False},
            "vars": {"mlmon_monitors": dict(monitors)},
        },
        "packages.yml": {"packages": [{"local": str(PACKAGE)}]},
        "profiles.yml": {
            "consumer": {
                "target": "duckdb",
                "outputs": {
                    "duckdb": {
                        "type": "duckdb",
                        "path": str(database),
                        "threads": 2,
                        "config_options": {
                            "memory_limit": MEMORY_LIMIT,
                            "preserve_insertion_order": "false",
                            "temp_directory": str(folder / "spill"),
                        },
                    }
                },
            }
        },
        "models/sources.yml": {
            "sources": [{"name": "logs", "tables": [{"name": name} for name in tables]}]
        },
    }
    (folder / "models").mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
    dbt(folder, "deps")
    return database


def dbt(folder: Path, *arguments: str) -> float:
    """Runs dbt in its own process and returns the seconds it took, start-up included."""
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", *arguments]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"dbt {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - began


def model_seconds(folder: Path) -> dict[str, float]:
    """The seconds of each node of the last run, by its name."""
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    return {r["unique_id"].split(".")[-1]: float(r["execution_time"]) for r in results}
