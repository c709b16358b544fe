"""Builds generated logs with the package as it was and as it is, and holds every mart of one against the other.

    python -m support.before_after --before DIRECTORY [--engine postgres] [--marts fct_mlmon__drift …]

``--before`` is a checkout of the package as it was. Each side runs in a process of its own, with its own Python
package, through two projects of three runs each: the histories of test_convergence.py, and logs of every task with
all that can be asked for (task_logs.py). What the marts held after each run is kept beside the other side's, so the
package as it was is built once. What is meant to differ stands in allowed_differences.yml. Exits with 1 where
anything else does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from support import histories, task_logs
from support.compare import MART_IS_GONE, allowed_differences, differences, without_allowed
from support.dbt_project import ROOT, create_project
from support.postgres import server
from support.warehouses import DuckDBWarehouse, PostgresWarehouse, Warehouse

PROJECTS = ("histories", "tasks")
RUNS = 3


def with_areas(package: Path) -> bool:
    """Whether this version of the package has parts that must be asked for by name."""
    return (package / "macros/config/areas.sql").exists()


def project_vars(name: str, package: Path) -> dict[str, Any]:
    if name == "histories":
        asked = {"mlmon_defaults": {"areas": task_logs.AREAS}} if with_areas(package) else {}
        return {**histories.VARS, **asked}
    monitors = task_logs.monitors(with_areas=with_areas(package))
    return {"mlmon_monitors": monitors, "mlmon_lookback_days": 0}


def land(name: str, warehouse: Warehouse, run: int, drawn: list[Any]) -> None:
    if name == "tasks":
        task_logs.load(warehouse, run)
        return
    warehouse.load("reference", histories.reference(40 + run))
    warehouse.load("thresholds", histories.thresholds("0.05"))
    histories.load(warehouse, drawn, run)


@contextmanager
def empty_warehouse(engine: str, directory: Path) -> Iterator[Warehouse]:
    if engine == "duckdb":
        yield DuckDBWarehouse(directory / "warehouse.duckdb")
        return
    with server() as running:
        warehouse = PostgresWarehouse(running, "before_after")
        warehouse.clear()
        yield warehouse


def build_side(
    package: Path, engine: str, out: Path, projects: list[str], marts: list[str]
) -> None:
    """Live through the projects with one package, and keep what the marts hold after each run."""
    sources = {"histories": histories.SOURCES, "tasks": task_logs.SOURCES}
    for name in projects:
        drawn = histories.drawn_histories() if name == "histories" else []
        with tempfile.TemporaryDirectory() as made:
            directory = Path(made)
            with empty_warehouse(engine, directory) as warehouse:
                project = create_project(
                    directory / "project",
                    warehouse,
                    vars=project_vars(name, package),
                    sources=sources[name],
                    package=package,
                )
                for run in range(RUNS):
                    land(name, warehouse, run, drawn)
                    project.build_for(*marts) if marts else project.build()
                    folder = out / name / str(run)
                    folder.mkdir(parents=True, exist_ok=True)
                    for mart in marts or histories.marts(project):
                        project.read(mart).to_pickle(folder / f"{mart}.pickle")


def texts_of(package: Path) -> str:
    """A hash of all that the package computes with."""
    found = hashlib.sha256()
    paths = [package / "dbt_project.yml", Path(task_logs.__file__), Path(histories.__file__)]
    for folder in ("models", "macros", "seeds", "python"):
        paths += sorted(path for path in (package / folder).rglob("*") if path.is_file())
    for path in paths:
        if "__pycache__" not in path.parts:
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def side(package: Path, engine: str, projects: list[str], marts: list[str]) -> Path:
    """The folder with what a package's marts held, built where it is not there yet."""
    key = "-".join([texts_of(package), engine, *projects, *marts])
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    out = Path(tempfile.gettempdir()) / "mlmon-before-after" / name
    if not (out / "done").exists():
        command = [sys.executable, "-m", "support.before_after", "--side", str(package)]
        command += ["--engine", engine, "--out", str(out), "--projects", *projects]
        command += ["--marts", *marts] if marts else []
        path = os.pathsep.join([str(package / "python"), str(ROOT / "tests")])
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path})
        (out / "done").write_text("")
    return out


def compare_sides(
    before: Path, after: Path, engine: str, projects: list[str], marts: list[str]
) -> list[str]:
    """What differs, a line each."""
    listed = allowed_differences(Path(__file__).with_name("allowed_differences.yml"))
    entries = [entry for entry in listed if entry.engine in ("", engine)]
    gone = {(entry.mart, entry.condition) for entry in entries if entry.column == MART_IS_GONE}
    said = []
    for name in projects:
        for run in range(RUNS):
            folders = (before / name / str(run), after / name / str(run))
            names = [{path.stem for path in folder.glob("*.pickle")} for folder in folders]
            wanted = set(marts) if marts else names[0] | names[1]
            for mart in sorted(wanted):
                where = f"{name}, run {run + 1}, {mart}"
                if mart not in names[0] & names[1]:
                    if not {(mart, name), (mart, "every project")} & gone:
                        said.append(f"{where}: only {'after' if mart in names[1] else 'before'}")
                    continue
                sides = [pd.read_pickle(folder / f"{mart}.pickle") for folder in folders]
                old, new = without_allowed(mart, sides[0], sides[1], entries)
                said += [f"{where}: {line}" for line in differences(old, new)]
    return said


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--before", type=Path, help="a checkout of the package as it was")
    parser.add_argument("--after", type=Path, default=ROOT, help="this checkout, if not said")
    parser.add_argument("--engine", choices=["duckdb", "postgres"], default="duckdb")
    parser.add_argument("--projects", nargs="+", default=list(PROJECTS), choices=PROJECTS)
    parser.add_argument("--marts", nargs="+", default=[], help="build and compare these alone")
    parser.add_argument("--side", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        build_side(given.side.resolve(), given.engine, given.out, given.projects, given.marts)
        return 0
    if not given.before:
        parser.error("name the package as it was: --before DIRECTORY")
    # All marts of the package as it was are built: they are kept, whichever are asked for next.
    before = [side(given.before.resolve(), given.engine, [name], []) for name in given.projects]
    after = side(given.after.resolve(), given.engine, given.projects, given.marts)
    said = [
        line
        for name, folder in zip(given.projects, before, strict=True)
        for line in compare_sides(folder, after, given.engine, [name], given.marts)
    ]
    print("\n".join(said) or "Every mart is equal.")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
