"""A consumer project on DuckDB for measuring, and dbt in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)
sys.exit(done.returncode)
"""


@dataclass(frozen=True)
class Run:
    """What a command printed and cost: seconds, processor seconds, and the peak of its memory in MB."""

    printed: str
    seconds: float
    processor: float
    peak: float


class FailedError(Exception):
    """A command that ended with an error, and what it said."""


def measured(folder: Path, *command: str, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command in its own process, with more environment variables where some are given."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise FailedError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    processor, peak = done.stderr.splitlines()[-1].split()
    return Run(done.stdout, seconds, float(processor), float(peak))


def dbt(folder: Path, *arguments: str) -> Run:
    """Runs dbt in its own process; its start counts."""
    return measured(folder, str(Path(sys.executable).parent / "dbt"), "--quiet", *arguments)


def model_seconds(folder: Path) -> dict[str, float]:
    """The seconds of each node of the last run, by its name."""
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    return {r["unique_id"].split(".")[-1]: float(r["execution_time"]) for r in results}
