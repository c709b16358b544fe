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


def make_project(
    folder: Path,
    monitors: Mapping[str, Any],
    tables: Sequence[str],
    profile: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a project with these monitors on the tables of the schema logs; returns its DuckDB file.

    ``profile`` is the output block of another warehouse to use instead.
    """
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
                "target": "benchmark",
                "outputs": {
                    "benchmark": dict(profile)
                    if profile
                    else {
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


# A process counts as its peak what the one that started it held then: a small one stands between.
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
sys.exit(done.returncode)
"""


def measured(folder: Path, *command: str) -> tuple[str, float, float]:
    """Runs a command in its own process: what it printed, its seconds, and the peak of its memory in MB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout, seconds, float(done.stderr.splitlines()[-1])


def dbt(folder: Path, *arguments: str) -> tuple[float, float]:
    """Runs dbt in its own process: the seconds it took, start-up included, and its peak memory in MB."""
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", *arguments]
    _, seconds, peak = measured(folder, *command)
    return seconds, peak


def model_seconds(folder: Path) -> dict[str, float]:
    """The seconds of each node of the last run, by its name."""
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    return {r["unique_id"].split(".")[-1]: float(r["execution_time"]) for r in results}
