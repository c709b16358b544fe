"""`mlmon run` starts dbt where something is new, and only there. A stand-in takes dbt's place: what is
tested is the decision. tests/integration/test_run.py has a run with dbt itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from mlmon.cli import main
from mlmon.dbt_process import DbtRun
from mlmon.errors import FAILED, OK
from mlmon.last_build import fingerprint as state
from mlmon.last_build.completeness import NotKnownError, what_was_built
from mlmon.last_build.sources import WatchedSource
from support.alerts import NOW, OTHER_TABLES, TABLES, AlertProject, alert_project
from support.alerts import state as alert_state
from support.dbt_project import ROOT
from support.warehouses import SCHEMA, Engine, MakeWarehouse

NOTHING_NEW = "Nothing new since the build of "


def rows(n: int, loaded: str = "2024-03-01") -> pd.DataFrame:
    at = pd.Series(pd.date_range(loaded, periods=n, freq="h")).astype("datetime64[us]")
    return pd.DataFrame({"request_id": [f"r{i}" for i in range(n)], "loaded_at": at})


def limits(warning: float) -> pd.DataFrame:
    return pd.DataFrame({"rule_id": ["drift_share", "latency"], "warning": [warning, 5.0]})


@dataclass(slots=True)
class StandIn:
    """A project with monitor `shop`, and what takes dbt's place on it."""

    alerts: AlertProject
    builds: list[list[str]] = field(default_factory=list)
    exit_code: int = 0
    while_it_builds: Callable[[], Any] = lambda: None
    own_nodes: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        return self.alerts.directory

    def land(self, name: str, frame: pd.DataFrame) -> None:
        """Replace a log. On DuckDB it is a file, so that the warehouse's own file does not change."""
        if self.alerts.warehouse.engine == "duckdb":
            frame.to_parquet(self.directory / f"{name}.parquet")
        else:
            self.alerts.warehouse.load(name, frame)

    def relation(self, name: str) -> str:
        is_file = self.alerts.warehouse.engine == "duckdb"
        return f"'{self.directory / name}.parquet'" if is_file else f'"logs"."{name}"'

    def write(self, path: str, text: str) -> None:
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def run(self, *arguments: str) -> Result:
        folder = str(self.directory)
        place = ["--project-dir", folder, "--profiles-dir", folder, "--now", NOW.isoformat()]
        return CliRunner().invoke(main, ["run", *place, "--no-gate", *arguments])

    def dbt(self, arguments: Sequence[str], **_: Any) -> DbtRun:
        """What `mlmon.dbt_process.run_dbt` would return."""
        if arguments[0] == "run-operation":
            return DbtRun(logged=["mlmon_gate_plan " + json.dumps(self.plan())])
        self.builds.append(list(arguments))
        self.while_it_builds()
        if self.exit_code:
            return DbtRun(exit_code=self.exit_code, errors=["a model failed"])
        self.alerts.states(alert_state(channels="console"))
        run = DbtRun(invocation_id=uuid.uuid4().hex, n_done=3)
        self.write("target/manifest.json", json.dumps(self.manifest()))
        built = [name for name in self.manifest()["nodes"] if name not in self.left_out]
        results = [{"unique_id": name, "status": "success"} for name in built]
        metadata = {"invocation_id": run.invocation_id}
        self.write(
            "target/run_results.json", json.dumps({"metadata": metadata, "results": results})
        )
        return run

    def plan(self) -> dict[str, Any]:
        def log(name: str, table: str) -> dict[str, Any]:
            return {
                "name": name,
                "relation": self.relation(table),
                "is_there": True,
                "columns": [],
                "types": {},
                "loaded_at": "loaded_at",
                "is_success": None,
                "spec": {"source": ["logs", table]},
            }

        names = ("predictions", "labels", "reference")
        reference = {"kind": "table", "first_days": None, "from": None, "to": None}
        logs = [log(name, name) for name in names]
        seed = {"name": "alert_rules", "relation": self.relation("my_rules")}
        return {
            "schema": SCHEMA,
            "problems": [],
            "limits": {},
            "other_kind_share": 0.1,
            "min_event_at": "2000-01-01",
            "utc_now": "current_timestamp",
            "monitors": [{"name": "shop", "logs": logs, "reference": reference}],
            "seeds": [{**seed, "spec": {"source": ["logs", "my_rules"]}}],
        }

    def manifest(self) -> dict[str, Any]:
        return manifest(
            **{f"model.mlmon.{name}": node("mlmon", name) for name in (*TABLES, *OTHER_TABLES)},
            **self.own_nodes,
        )


def node(package: str, name: str, **changes: Any) -> dict[str, Any]:
    """A table as dbt's manifest has it."""
    return {
        "package_name": package,
        "name": name,
        "alias": name,
        "schema": SCHEMA,
        "resource_type": "model",
        "relation_name": f'"{SCHEMA}"."{name}"',
        "config": {"materialized": changes.pop("materialized", "table")},
        "depends_on": {"nodes": changes.pop("parents", [])},
        **changes,
    }


def manifest(**nodes: Any) -> dict[str, Any]:
    tables = ("predictions", "labels", "reference", "my_rules", "orders")
    sources = {f"source.mine.logs.{name}": {"source_name": "logs", "name": name} for name in tables}
    return {"nodes": nodes, "sources": sources}


@pytest.fixture
def project(
    tmp_path: Path, make_warehouse: MakeWarehouse, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> StandIn:
    """A project of which a complete build is remembered."""
    made = StandIn(alert_project(tmp_path, make_warehouse(engine)))
    made.write("seeds/my_seed.csv", "a\n1\n")
    made.write("models/mine.sql", 'select \'{{ env_var("MY_LIMIT", "1") }}\' as one')
    made.write("dbt_packages/mlmon/dbt_project.yml", "name: mlmon\n")
    made.write("dbt_packages/mlmon/macros/one.sql", "{% macro one() %}1{% endmacro %}")
    for name in ("predictions", "labels", "reference"):
        made.land(name, rows(5))
    made.land("my_rules", limits(0.1))
    monkeypatch.setattr("mlmon.dbt_process.run_dbt", made.dbt)
    monkeypatch.setattr("mlmon.configuration.run_dbt", made.dbt)
    first = made.run("--no-alerts")
    assert first.exit_code == OK, first.output
    assert len(made.builds) == 1
    return made


def said(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]


def test_nothing_new_is_said_in_one_line_and_people_are_told_all_the_same(
    project: StandIn,
) -> None:
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    artifact = project.directory / "target" / "run_results.json"
    before = artifact.stat().st_mtime_ns
    again = project.run()
    assert again.exit_code == OK, again.output
    assert len(project.builds) == 1
    assert artifact.stat().st_mtime_ns == before
    [line] = [line for line in again.stdout.splitlines() if "Nothing new" in line]
    assert line.startswith(NOTHING_NEW + today)
    assert line.endswith(" UTC: dbt was not started (--always forces a build).")
    assert [(one["step"], one["exit_code"]) for one in said(again) if one["event"] == "ends"] == [
        ("alerts", OK)
    ]
    assert list(project.alerts.outbox()["status"]) == ["sent"]


def test_a_machine_that_has_never_run_dbt_sends_alerts_where_nothing_is_new(
    project: StandIn,
) -> None:
    shutil.rmtree(project.directory / "target")
    done = project.run()
    assert done.exit_code == OK, done.output
    assert NOTHING_NEW in done.stdout
    assert len(project.builds) == 1
    assert not (project.directory / "target").exists()
    assert list(project.alerts.outbox()["status"]) == ["sent"]


Change = Callable[[StandIn, pytest.MonkeyPatch], Any]

CHANGES: dict[str, Change] = {
    "the predictions of shop": lambda p, _: p.land("predictions", rows(6)),
    "the labels of shop": lambda p, _: p.land("labels", rows(5).iloc[[0, 1, 3, 4]]),
    "the reference of shop": lambda p, _: p.land("reference", rows(5, "2024-03-02")),
    "the alert_rules": lambda p, _: p.land("my_rules", limits(0.2)),
    "the files of the project": lambda p, _: p.write("seeds/my_seed.csv", "a\n2\n"),
    "the files of the project ": lambda p, _: p.write("models/other.sql", "select 1 as one"),
    "the files of the project  ": lambda p, _: p.write(
        "dbt_project.yml", "name: mine\nprofile: mine\nvars: {mlmon_lookback_days: 7}\n"
    ),
    "the packages of the project": lambda p, _: p.write(
        "dbt_packages/mlmon/macros/one.sql", "{% macro one() %}2{% endmacro %}"
    ),
    "the versions": lambda _, m: m.setattr(state, "version", lambda name: f"2 of {name}"),
    "the environment": lambda _, m: m.setenv("MY_LIMIT", "2"),
    "the tables are not": lambda p, _: p.alerts.warehouse.execute(
        f"drop table {SCHEMA}.fct_mlmon__alert_states"
    ),
    "the tables are not ": lambda p, _: p.alerts.warehouse.execute(f"drop schema {SCHEMA} cascade"),
    "the tables are not  ": lambda p, _: p.alerts.states(alert_state(3, channels="console")),
    "DBT_FULL_REFRESH": lambda _, m: m.setenv("DBT_FULL_REFRESH", "1"),
}


@pytest.mark.parametrize("why", CHANGES, ids=lambda why: why.strip().replace(" ", "_"))
def test_whatever_a_build_is_made_of_starts_one_when_it_changes(
    project: StandIn, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert NOTHING_NEW in project.run("--no-alerts").stdout
    CHANGES[why](project, monkeypatch)
    done = project.run("--no-alerts")
    [told] = [one["because"] for one in said(done) if one["event"] == "begins"]
    # A dropped schema takes the mark with it where the mark is a table.
    assert why.strip() in told or "no complete build is remembered" in told
    assert len(project.builds) == 2
    monkeypatch.delenv("DBT_FULL_REFRESH", raising=False)
    assert NOTHING_NEW in project.run("--no-alerts").stdout


@pytest.mark.parametrize(
    "arguments",
    [("--always",), ("--vars", "{mlmon_lookback_days: 7}"), ("--exclude", "tag:nightly")],
    ids=lambda arguments: arguments[0],
)
def test_what_is_asked_for_differently_is_built(
    project: StandIn, arguments: tuple[str, ...]
) -> None:
    assert project.run("--no-alerts", *arguments).exit_code == OK
    assert len(project.builds) == 2
    given = [one for one in arguments if one != "--always"]
    assert project.builds[1] == ["build", *given]


def test_a_run_with_the_gate_is_not_spared_by_one_without(project: StandIn) -> None:
    from mlmon.last_build.record import read_record, what_changed
    from mlmon.profile import read_target

    target = read_target(project.directory, project.directory)
    mark = read_record(target)
    assert mark is not None
    assert what_changed(target, mark, mark.state, gate=False) is None
    assert (
        what_changed(target, mark, mark.state, gate=True) == "the gate has not seen what was built"
    )


def test_rows_that_land_while_dbt_builds_are_new_to_the_next_run(project: StandIn) -> None:
    project.while_it_builds = lambda: project.land("predictions", rows(7))
    project.run("--always", "--no-alerts")
    project.while_it_builds = lambda: None
    project.run("--no-alerts")
    assert len(project.builds) == 3
    assert NOTHING_NEW in project.run("--no-alerts").stdout


def test_a_failed_build_is_not_taken_for_done(project: StandIn) -> None:
    project.exit_code = 1
    assert project.run("--always", "--no-alerts").exit_code == FAILED
    assert project.run("--no-alerts").exit_code == FAILED
    project.exit_code = 0
    assert project.run("--no-alerts").exit_code == OK
    assert len(project.builds) == 4
    assert NOTHING_NEW in project.run("--no-alerts").stdout


def test_a_build_of_a_part_is_not_taken_for_the_whole(project: StandIn) -> None:
    project.left_out = ("model.mlmon.fct_mlmon__metrics",)
    for _ in range(2):
        done = project.run("--no-alerts", "--select", "+fct_mlmon__alert_states")
        [told] = [one["because"] for one in said(done) if one["event"] == "not remembered"]
        assert "only a part was built" in told
    assert len(project.builds) == 3


KILLED = """
import sys, time
from pathlib import Path
import mlmon.dbt_process
def dbt(arguments, **_):
    Path(sys.argv[1]).touch()
    time.sleep(60)
mlmon.dbt_process.run_dbt = dbt
from mlmon.cli import main
main(sys.argv[2:])
"""


def test_a_killed_build_is_not_taken_for_done(project: StandIn, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    folder = str(project.directory)
    place = ["--project-dir", folder, "--profiles-dir", folder]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(begun), "run", "--no-gate", "--always", *place],
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert project.run("--no-alerts").exit_code == OK
    assert len(project.builds) == 2


SHOP = {"source": ["logs", "predictions"]}
FACTS = node("mlmon", "facts", parents=["source.mine.logs.predictions"])
LOG, ORDERS = "source.mine.logs.predictions", "source.mine.logs.orders"


def concluded(tmp_path: Path, own: Mapping[str, Any], spec: Mapping[str, Any] = SHOP) -> list[str]:
    """The names of what is watched after a build with these nodes beside the package's."""
    found = manifest(**{"model.mlmon.facts": FACTS}, **own)
    results = [{"unique_id": name, "status": "success"} for name in found["nodes"]]
    (tmp_path / "manifest.json").write_text(json.dumps(found))
    (tmp_path / "run_results.json").write_text(
        json.dumps({"metadata": {"invocation_id": "a"}, "results": results})
    )
    _, watched = what_was_built(
        DbtRun(invocation_id="a"), tmp_path, [WatchedSource("log", "select 1", False, spec)]
    )
    return [one.name for one in watched]


@pytest.mark.parametrize(
    ("spec", "own"),
    [
        (SHOP, {}),
        (SHOP, {"model.mine.on_top": node("mine", "on_top", parents=["model.mlmon.facts"])}),
        (SHOP, {"model.mine.seen": node("mine", "seen", materialized="view", parents=[ORDERS])}),
        (
            SHOP,
            {"test.mine.of_log": node("mine", "of_log", resource_type="test", parents=[LOG])},
        ),
        # A view shows the newest rows, so that it can be asked.
        (
            {"ref": "log"},
            {"model.mine.log": node("mine", "log", materialized="view", parents=[ORDERS])},
        ),
    ],
    ids=["package_alone", "table_of_its_tables", "view", "test_of_a_log", "log_is_a_view"],
)
def test_what_follows_from_the_logs_leaves_nothing_open(
    tmp_path: Path, spec: dict[str, Any], own: dict[str, Any]
) -> None:
    assert concluded(tmp_path, own, spec) == ["log"]


@pytest.mark.parametrize(
    ("spec", "own"),
    [
        (SHOP, {"model.mine.mart": node("mine", "mart", parents=[ORDERS])}),
        (SHOP, {"model.mine.by_hand": node("mine", "by_hand")}),
        (SHOP, {"snapshot.mine.s": node("mine", "s", resource_type="snapshot", parents=[ORDERS])}),
        (SHOP, {"test.mine.t": node("mine", "t", resource_type="test", parents=[ORDERS])}),
        ({"ref": "log"}, {"model.mine.log": node("mine", "log", parents=[ORDERS])}),
        (
            {"ref": ["mine", "log"]},
            {
                "model.mine.log": node(
                    "mine", "log", materialized="view", parents=["model.mine.t"]
                ),
                "model.mine.t": node("mine", "t", materialized="incremental", parents=[ORDERS]),
            },
        ),
    ],
    ids=["table", "no_parents", "snapshot", "test", "log_is_a_table", "log_is_a_view_of_a_table"],
)
def test_where_dbt_makes_tables_of_other_rows_nothing_is_concluded(
    tmp_path: Path, spec: dict[str, Any], own: dict[str, Any]
) -> None:
    with pytest.raises(NotKnownError, match="that mlmon does not look at"):
        concluded(tmp_path, own, spec)


def test_a_seed_that_dbt_writes_is_known_by_its_file(tmp_path: Path) -> None:
    own = {"seed.mine.rules": node("mine", "rules", resource_type="seed", materialized="seed")}
    assert concluded(tmp_path, own, {"ref": "rules"}) == []


def test_only_what_dbt_reads_is_part_of_a_project(tmp_path: Path) -> None:
    from mlmon.profile import Target

    def seen() -> dict[str, str]:
        return state.project_fingerprints(target, variables=None, select=None, exclude=None)

    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump({"macro-paths": ["own"]}))
    target = Target(tmp_path, tmp_path, "p", "t", "duckdb", {"path": "x", "password": "one"})
    before = seen()
    for path in ("target/manifest.json", "logs/dbt.log", "macros/a.sql", "data/log.parquet"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("anything")
    target = Target(tmp_path, tmp_path, "p", "t", "duckdb", {"path": "x", "password": "two"})
    assert seen() == before
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.sql").write_text("{% macro a() %}{% endmacro %}")
    assert seen() != before
