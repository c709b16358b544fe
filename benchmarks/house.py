"""How large the package is, and what it costs before it counts anything: nodes, files, processor time, rows.

    python benchmarks/house.py
    python benchmarks/house.py --counts
    python benchmarks/house.py --package ../an-older-checkout --engine duckdb --row "0.1"

Builds the flights demo of a checkout of the package on the demo's logs, and beside it, in the same run, a dbt
project that installs nothing and has no models: what dbt costs by itself. Ratios to that decide; seconds say
more of the machine. Processor seconds are those of the dbt process and, on PostgreSQL, of the server.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import yaml

from mlmon.cli.demo import demo_environment
from mlmon.demo.generate import generate
from mlmon.demo.postgres import land_in_postgres
from mlmon.profile import read_target

PACKAGE = Path(__file__).resolve().parent.parent
sys.path.append(str(PACKAGE / "tests"))

KINDS = ("model", "seed", "test", "snapshot")
# Differences between warehouses and between file formats are counted apart: they grow with what is supported.
APART = ("dialect", "formats")
STEPS = ("parse", "first build", "nothing new")

Steps: TypeAlias = dict[str, float]
Rows: TypeAlias = list[tuple[Any, ...]]


@dataclass
class House:
    """What was measured of one checkout; what was not is left out."""

    counts: dict[str, str] = field(default_factory=dict)
    engines: dict[str, Engine] = field(default_factory=dict)


@dataclass
class Engine:
    """What was measured on one warehouse: processor seconds of each step, of ours and of the empty project's."""

    ours: Steps
    empty: Steps
    megabytes: float
    # By layer, after the first build and after one with nothing new: a run leaves many rows where much was stale.
    rows: dict[str, Counter[str]]
    rebuilt: dict[str, Counter[str]]

    def ratio(self, step: str) -> float:
        return self.ours[step] / self.empty[step]

    def rebuilt_share(self, step: str) -> float:
        return self.rebuilt[step].total() / max(1, self.rows[step].total())


@dataclass(frozen=True)
class Warehouse:
    """How a warehouse is asked, and how many bytes some of its tables take."""

    query: Callable[[str], Rows]
    size: Callable[[list[str]], int]


@dataclass(frozen=True)
class Project:
    """A dbt project in a folder, and the environment that its profile reads."""

    folder: Path
    environment: Mapping[str, str]
    server_seconds: Callable[[], float] = lambda: 0.0

    def dbt(self, *arguments: str) -> tuple[str, float]:
        """Runs dbt in its own process: what it printed and the processor seconds that it took."""
        before = _seconds_of_children() + self.server_seconds()
        done = subprocess.run(
            [str(Path(sys.executable).parent / "dbt"), "--quiet", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"dbt {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout, _seconds_of_children() + self.server_seconds() - before

    def manifest(self) -> dict[str, Any]:
        path = Path(self.environment["DBT_TARGET_PATH"]) / "manifest.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make_demo(folder: Path, package: Path, environment: Mapping[str, str]) -> Project:
    """The flights demo of a checkout, which installs that checkout."""
    shutil.copytree(
        package / "examples" / "flights",
        folder,
        ignore=shutil.ignore_patterns("data", "dbt_packages", "target", "logs*", "*.duckdb*"),
    )
    (folder / "packages.yml").write_text(
        yaml.safe_dump({"packages": [{"local": str(package)}]}), encoding="utf-8"
    )
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages" / "mlmon").symlink_to(package)
    return Project(folder, {**environment, "PYTHONPATH": str(package / "python")})


def make_empty(folder: Path, demo: Project) -> Project:
    """A project without anything, with the demo's profile and a warehouse file of its own."""
    (folder / "models").mkdir(parents=True)
    shutil.copy(demo.folder / "profiles.yml", folder)
    settings = {
        "name": "empty",
        "version": "0.1.0",
        "config-version": 2,
        "profile": "flights_demo",
        "flags": {"send_anonymous_usage_stats": False},
    }
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    own = {
        "FLIGHTS_DUCKDB": str(folder / "empty.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    return Project(folder, {**demo.environment, **own})


def counts(package: Path, demo: Project) -> dict[str, str]:
    """What can be counted without a build; parses the demo."""
    demo.dbt("parse")
    listed, _ = demo.dbt(
        "ls", "--resource-type", *KINDS, "--output", "json", "--output-keys", "unique_id"
    )
    nodes = {json.loads(line)["unique_id"] for line in listed.splitlines() if line.startswith("{")}
    found = {
        "nodes": f"{len(nodes):,}",
        "longest path": f"{longest_path(demo.manifest(), nodes):,}",
        "model files": f"{len([*package.glob('models/**/*.sql'), *package.glob('models/**/*.py')]):,}",
    }
    for part, paths in macro_files(package).items():
        texts = [path.read_text(encoding="utf-8") for path in paths]
        macros = sum(len(re.findall(r"\{%-?\s*(?:macro|test|materialization)\s", t)) for t in texts)
        size = sum(len(text.encode()) for text in texts)
        lines = sum(len(text.splitlines()) for text in texts)
        found[part] = f"{macros:,}, {lines:,} lines, {size / 1000:,.0f} kB"
    found["documented columns"] = f"{documented_columns(package):,}"
    return found


def longest_path(manifest: Mapping[str, Any], nodes: set[str]) -> int:
    """How many of these nodes stand on the longest path through them."""
    depths: dict[str, int] = {}

    def depth(node: str) -> int:
        if node not in depths:
            parents = manifest["nodes"][node]["depends_on"].get("nodes", [])
            depths[node] = 1 + max((depth(one) for one in parents if one in nodes), default=0)
        return depths[node]

    return max(map(depth, nodes), default=0)


def macro_files(package: Path) -> dict[str, list[Path]]:
    """The files of macros, those of each folder that is counted apart by themselves."""
    parts: dict[str, list[Path]] = {"macros": []}
    for path in sorted(package.glob("macros/**/*.sql")):
        folder = path.relative_to(package).parts[1]
        parts.setdefault(f"macros/{folder}" if folder in APART else "macros", []).append(path)
    return parts


def documented_columns(package: Path) -> int:
    """Columns of models that a YAML file names."""
    return sum(
        len(model.get("columns") or [])
        for path in package.glob("models/**/*.yml")
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models") or []
    )


def measure(demo: Project, empty: Project, warehouse: Warehouse) -> Engine:
    """Parses both projects and builds them twice: once all there is, then with nothing new."""
    ours: Steps = {}
    theirs: Steps = {}
    for project, seconds in ((empty, theirs), (demo, ours)):
        seconds["parse"] = project.dbt("parse", "--no-partial-parse")[1]
        seconds["first build"] = project.dbt("build")[1]
    first = count_rows(demo, warehouse)
    relations = [relation for relation, _, _ in stored(demo.manifest())]
    megabytes = warehouse.size(relations) / 1e6
    for project, seconds in ((empty, theirs), (demo, ours)):
        seconds["nothing new"] = project.dbt("build")[1]
    again = count_rows(demo, warehouse)
    rows, rebuilt = (
        dict(zip(STEPS[1:], found, strict=True)) for found in zip(first, again, strict=True)
    )
    return Engine(ours, theirs, megabytes, rows, rebuilt)


def count_rows(demo: Project, warehouse: Warehouse) -> tuple[Counter[str], Counter[str]]:
    """The rows of each layer, and those of tables that the last run made anew."""
    rows: Counter[str] = Counter()
    rebuilt: Counter[str] = Counter()
    for relation, layer, kind in stored(demo.manifest()):
        [(n,)] = warehouse.query(f"select count(*) from {relation}")
        rows[layer] += n
        rebuilt[layer] += n if kind == "table" else 0
    return rows, rebuilt


def stored(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every relation that holds rows, its layer (the folder it is in) and how it is made."""
    for node in manifest["nodes"].values():
        kind = node["config"]["materialized"]
        if node["package_name"] == "mlmon" and kind not in ("view", "ephemeral", "test", "unit"):
            folders = Path(node["original_file_path"]).parts
            yield node["relation_name"], folders[1 if folders[0] == "models" else 0], kind


def on_duckdb(demo: Project, empty: Project) -> Engine:
    path = Path(demo.environment["FLIGHTS_DUCKDB"])

    def query(sql: str) -> Rows:
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return measure(demo, empty, Warehouse(query, lambda _: path.stat().st_size))


def on_postgres(demo: Project, empty: Project, logs: Path) -> Engine:
    from support.postgres import server

    with server() as running, running.connect() as connection, connection.cursor() as cursor:

        def query(sql: str) -> Rows:
            cursor.execute(sql)
            return cursor.fetchall()

        def size(relations: list[str]) -> int:
            return sum(
                int(query(f"select pg_total_relation_size('{one}')")[0][0]) for one in relations
            )

        [(data,)] = query("show data_directory")
        first_line = (Path(data) / "postmaster.pid").read_text().splitlines()[0]
        process = Path("/proc") / first_line / "stat"

        def server_seconds() -> float:
            """Of the server and of all its connections that were closed."""
            times = process.read_text().rsplit(")", 1)[1].split()[11:15]
            return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

        where = {
            "FLIGHTS_TARGET": "postgres",
            "PGHOST": running.host,
            "PGPORT": str(running.port),
            "PGUSER": running.user,
        }
        ours, theirs = (
            Project(one.folder, {**one.environment, **where}, server_seconds)
            for one in (demo, empty)
        )
        folder = demo.folder
        land_in_postgres(read_target(folder, folder, environment=ours.environment), logs)
        return measure(ours, theirs, Warehouse(query, size))


@contextmanager
def project_of(package: Path) -> Iterator[tuple[Project, Path]]:
    """The demo of a checkout in a folder of its own, which goes afterwards; and where its logs belong."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        environment = demo_environment(place, "duckdb")
        yield make_demo(place / "demo", package, environment), place / "logs_landed"


def house(package: Path, engines: list[str]) -> House:
    """Measures a checkout; with no engines, only what can be counted."""
    found = House()
    with project_of(package) as (demo, logs):
        found.counts = counts(package, demo)
        if not engines:
            return found
        empty = make_empty(demo.folder.parent / "empty", demo)
        generate(PACKAGE / "examples" / "flights" / "data", logs, full=False)
        if "duckdb" in engines:
            found.engines["duckdb"] = on_duckdb(demo, empty)
        if "postgres" in engines:
            found.engines["postgres"] = on_postgres(demo, empty, logs)
    return found


def table(found: House) -> str:
    """All that was measured, for reading."""
    lines = [f"{name:<24}{value}" for name, value in found.counts.items()]
    for name, engine in found.engines.items():
        lines += ["", name]
        for step in STEPS:
            ours, empty = engine.ours[step], engine.empty[step]
            lines.append(
                f"  {step:<22}{ours:8.1f} s of processor time, {ours / empty:5.1f} x the empty"
                f" project's {empty:.1f} s"
            )
        lines.append(f"  {'size':<22}{engine.megabytes:8.0f} MB")
        for step, rows in engine.rows.items():
            lines.append(
                f"  rows after {'the first build' if step == STEPS[1] else 'a run with ' + step}"
            )
            rebuilt = engine.rebuilt[step]
            for layer, n in sorted(rows.items()):
                lines.append(f"    {layer:<20}{n:>12,}, {rebuilt[layer]:,} made anew")
            lines.append(
                f"    {'all':<20}{rows.total():>12,}, {rebuilt.total():,} made anew"
                f" ({engine.rebuilt_share(step):.1%})"
            )
    return "\n".join(lines)


def markdown_row(label: str, found: House) -> str:
    """One row of the table in docs/decisions/26-small-house.md, in the order of its columns."""
    each = list(found.engines.values())

    def told(value: Callable[[Engine], str]) -> str:
        return " / ".join(map(value, each)) or "–"

    cells = [
        label,
        f"{found.counts['nodes']}, {found.counts['longest path']}",
        found.counts["model files"],
        found.counts["macros"],
        found.counts["documented columns"],
        told(lambda one: f"{one.ratio('parse'):.1f}"),
        told(lambda one: f"{one.ratio('nothing new'):.1f}"),
        told(lambda one: f"{one.ratio('first build'):.1f}"),
        told(lambda one: f"{one.megabytes:,.0f}"),
        told(
            lambda one: (
                f"{one.rows[STEPS[2]].total() / 1e6:.1f} M, {one.rebuilt_share(STEPS[2]):.0%}"
            )
        ),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--package", type=Path, default=PACKAGE, help="the checkout to measure, such as an old one"
    )
    parser.add_argument(
        "--engine", choices=("duckdb", "postgres"), help="only this warehouse [default: both]"
    )
    parser.add_argument("--counts", action="store_true", help="only what needs no build")
    parser.add_argument("--row", metavar="LABEL", help="print one row for the decisions page")
    given = parser.parse_args()
    engines = [given.engine] if given.engine else ["duckdb", "postgres"]
    found = house(given.package.resolve(), [] if given.counts else engines)
    print(markdown_row(given.row, found) if given.row else table(found))


if __name__ == "__main__":
    main()
