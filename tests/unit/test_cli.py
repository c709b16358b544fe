"""The command line: what it prints, and the exit code it leaves with."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from mlmon.alerts.marts import firing_alerts
from mlmon.cli import main
from mlmon.cli.demo import find_demo
from mlmon.cli.demo_summary import Incident, look_for
from mlmon.configuration import failure, problems
from mlmon.dbt_process import DbtRun
from mlmon.errors import ConfigurationError, MlmonError, TryAgainError
from mlmon.profile import Target, read_target
from mlmon.warehouse import connect
from support.dbt_project import ROOT
from support.warehouses import INTERNALS, SCHEMA, Engine, MakeWarehouse, Warehouse, schema_of

MISSING_VARIABLE = "mine: {target: a, outputs: {a: {host: \"{{ env_var('NO_ONE') }}\"}}}"

HEAVY = (
    *("dbt", "duckdb", "great_expectations", "httpx", "pandas", "psycopg2", "pyarrow", "rich"),
    *("scipy", "sklearn", "structlog", "yaml"),
)

STATES = pd.DataFrame(
    {
        "series_id": ["a", "b", "c", "d"],
        "rule_id": ["drift_share", "quality", "latency", "drift_share"],
        "monitor": ["churn"] * 4,
        "model_version": ["v2", "v2", "v2", "v1"],
        "is_active": [True, True, True, False],
        "metric": ["drift_share", "check_missing", "latency_p99_ms", "drift_share"],
        "measure": ["value", "status_rank", "value", "value"],
        "segment_name": ["all", "all", "region", "all"],
        "segment_value": ["all", "all", "[north]", "all"],
        "column_name": ["all", "age", "all", "all"],
        "class_label": ["all"] * 4,
        "state": ["firing", "firing", "ok", "firing"],
        "severity": ["warning", "critical", "none", "critical"],
        "value": [0.123456, 5.0, 12.0, 0.9],
        "condition": [">= 0.1", ">= 5", "> 500", ">= 0.3"],
        "since_window_end": [datetime(2024, 3, day) for day in (1, 2, 3, 4)],
        "runbook": ["drift_share", "quality", "latency", "drift_share"],
        "runbook_url": [""] * 4,
    }
)

RULES = pd.DataFrame(
    {
        "rule_id": ["drift_share", "typo", "typo"],
        "rule_problem": [
            None,
            "warning_condition: found '>> 1'",
            "warning_condition: found '>> 1'",
        ],
    }
)


@pytest.fixture
def project(tmp_path: Path, make_warehouse: MakeWarehouse, engine: Engine) -> Path:
    """A project that dbt has built, as far as `mlmon alerts` can tell."""
    return _built(tmp_path, make_warehouse(engine))


@pytest.fixture
def duckdb_project(tmp_path: Path, make_warehouse: MakeWarehouse) -> Path:
    return _built(tmp_path, make_warehouse("duckdb"))


def _built(directory: Path, warehouse: Warehouse) -> Path:
    warehouse.load("fct_mlmon__alert_states", STATES, schema=SCHEMA)
    (directory / "dbt_project.yml").write_text("name: mine\nprofile: mine\n")
    output = {"target": "test", "outputs": {"test": warehouse.profile()}}
    (directory / "profiles.yml").write_text(yaml.safe_dump({"mine": output}))
    warehouse.load("int_mlmon__alert_rules", RULES, schema=INTERNALS)
    tables = ("fct_mlmon__alert_states", "int_mlmon__alert_rules")
    nodes = {
        f"model.mlmon.{name}": {"relation_name": f'"{schema_of(name)}"."{name}"'} for name in tables
    }
    manifest = {"nodes": nodes}
    (directory / "target").mkdir()
    (directory / "target" / "manifest.json").write_text(json.dumps(manifest))
    return directory


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from mlmon.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit as left:\n"
        "    assert left.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "python")},
    )
    assert done.stderr.strip() == "[]"
    assert "Exit codes" in done.stdout


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlmon", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "python")},
    )
    assert done.stdout.startswith("mlmon, version ")


@pytest.mark.parametrize("command", ["demo", "alerts", "validate"])
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"mlmon {command}" in result.output


def test_firing_alerts_are_shown_the_worst_first(project: Path) -> None:
    result = run("alerts", "--project-dir", project, "--profiles-dir", project)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    [quality] = [line for line in lines if "quality, churn v2" in line]
    [drift] = [line for line in lines if "drift_share, churn v2" in line]
    assert lines.index(quality) < lines.index(drift)
    assert "critical" in quality
    assert "2024-03-02 00:00" in quality
    assert "0.1235" in drift
    assert "check_missing of age" in result.output
    assert ">= critical" in result.output
    assert "latency" not in result.output


def test_alerts_about_retired_versions_are_counted_and_shown_on_request(project: Path) -> None:
    place: list[str | Path] = ["--project-dir", project, "--profiles-dir", project]
    result = run("alerts", *place)
    assert "churn v1" not in result.output
    assert "2 alerts firing: 1 critical, 1 warning. 1 more about versions" in result.output
    assert "churn v1" in run("alerts", *place, "--all").output


def test_a_rule_that_cannot_be_used_is_named(project: Path) -> None:
    result = run("alerts", "--project-dir", project)
    assert result.stderr == "Rule 'typo' is not used. warning_condition: found '>> 1'\n"
    assert result.exit_code == 0


def test_alerts_as_json_have_every_column(project: Path) -> None:
    result = run("alerts", "--project-dir", project, "--profiles-dir", project, "--format", "json")
    found = json.loads(result.stdout)
    assert [alert["series_id"] for alert in found] == ["b", "a"]
    assert set(found[0]) == set(STATES.columns)
    assert found[0]["since_window_end"] == "2024-03-02T00:00:00"


def test_silence_is_said(duckdb_project: Path) -> None:
    _execute(duckdb_project, f"update {SCHEMA}.fct_mlmon__alert_states set state = 'ok'")
    place: list[str | Path] = ["--project-dir", duckdb_project, "--profiles-dir", duckdb_project]
    result = run("alerts", *place)
    assert result.exit_code == 0
    assert result.stdout.strip() == "Nothing fires."
    assert json.loads(run("alerts", *place, "--format", "json").stdout) == []


def _execute(project: Path, sql: str) -> None:
    target = read_target(project, project)
    with duckdb.connect(target.settings["path"]) as opened:
        opened.execute(sql)


def test_a_project_that_dbt_has_not_built_is_a_failure(duckdb_project: Path) -> None:
    place: list[str | Path] = ["--project-dir", duckdb_project, "--profiles-dir", duckdb_project]
    _execute(duckdb_project, f"drop table {SCHEMA}.fct_mlmon__alert_states")
    result = run("alerts", *place)
    assert result.exit_code == 1
    assert "run `dbt build` for this target first" in result.output

    (duckdb_project / "target" / "manifest.json").unlink()
    result = run("alerts", *place)
    assert result.exit_code == 1
    assert "Run `dbt build` first" in result.output


def test_a_project_without_the_package_is_a_wrong_configuration(duckdb_project: Path) -> None:
    (duckdb_project / "target" / "manifest.json").write_text('{"nodes": {}}')
    result = run("alerts", "--project-dir", duckdb_project, "--profiles-dir", duckdb_project)
    assert result.exit_code == 2
    assert "packages.yml" in result.output


def test_a_locked_duckdb_file_is_temporary(duckdb_project: Path) -> None:
    path = read_target(duckdb_project, duckdb_project).settings["path"]
    code = (
        f"import duckdb, sys; opened = duckdb.connect({path!r}); print('open', flush=True);"
        " sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "open"
        result = run("alerts", "--project-dir", duckdb_project, "--profiles-dir", duckdb_project)
        holder.communicate()
    assert result.exit_code == 75
    assert "try again" in result.output


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({}, [], "is no dbt project"),
        ({"dbt_project.yml": "name: mine"}, [], "names no profile"),
        ({"dbt_project.yml": "a: [", "profiles.yml": "a: 1"}, [], "no valid YAML"),
        ({"dbt_project.yml": "- one", "profiles.yml": "a: 1"}, [], "a mapping"),
        (
            {"dbt_project.yml": "profile: mine", "profiles.yml": "yours: {outputs: {}}"},
            [],
            "no profile 'mine': it has yours",
        ),
        (
            {"dbt_project.yml": "profile: mine", "profiles.yml": "mine: {outputs: {dev: {}}}"},
            ["--target", "prod"],
            "no target 'prod': it has dev",
        ),
        (
            {
                "dbt_project.yml": "profile: mine",
                "profiles.yml": MISSING_VARIABLE,
            },
            [],
            "environment variable NO_ONE is not set",
        ),
        (
            {
                "dbt_project.yml": "profile: mine",
                "profiles.yml": "mine: {target: dev, outputs: {dev: {host: '{{ nothing( }}'}}}",
            },
            [],
            "cannot be rendered",
        ),
    ],
)
def test_wrong_files_are_named(
    tmp_path: Path, files: dict[str, str], options: list[str], expected: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    result = run("alerts", "--project-dir", tmp_path, *options)
    assert result.exit_code == 2, result.output
    assert expected in result.output
    assert "Traceback" not in result.output


def test_an_unknown_warehouse_is_named(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("profile: mine")
    (tmp_path / "profiles.yml").write_text("mine: {target: a, outputs: {a: {type: snowflake}}}")
    (tmp_path / "target").mkdir()
    node = {"model.mlmon.fct_mlmon__alert_states": {"relation_name": "a.b.c"}}
    (tmp_path / "target" / "manifest.json").write_text(json.dumps({"nodes": node}))
    result = run("alerts", "--project-dir", tmp_path, "--profiles-dir", tmp_path)
    assert result.exit_code == 2
    assert "of type 'snowflake'" in result.output


def test_a_profile_is_rendered_as_dbt_renders_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dbt_project.yml").write_text("profile: \"{{ env_var('WHICH', 'mine') }}\"")
    (tmp_path / "profiles.yml").write_text(
        """
mine:
  target: "{{ env_var('TARGET', 'dev') }}"
  outputs:
    dev: {type: duckdb}
    prod:
      type: postgres
      port: "{{ env_var('PORT', '5432') | as_number }}"
      keep: "{{ env_var('KEEP', 'true') | as_bool }}"
      password: "{{ env_var('PASSWORD') }}"
      search: ["{{ 'a' ~ 'b' }}"]
"""
    )
    monkeypatch.setenv("TARGET", "prod")
    monkeypatch.setenv("PASSWORD", "0123")
    target = read_target(tmp_path, tmp_path)
    assert (target.profile, target.name, target.kind) == ("mine", "prod", "postgres")
    assert target.settings["port"] == 5432
    assert target.settings["keep"] is True
    assert target.settings["password"] == "0123"
    assert target.settings["search"] == ["ab"]
    assert "0123" not in repr(target)


def test_an_unreachable_server_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("profile: mine")
    output = {"type": "postgres", "host": "127.0.0.1", "port": 1, "user": "u", "password": "s3cret"}
    (tmp_path / "profiles.yml").write_text(
        yaml.safe_dump({"mine": {"target": "a", "outputs": {"a": {**output, "dbname": "d"}}}})
    )
    (tmp_path / "target").mkdir()
    node = {"model.mlmon.fct_mlmon__alert_states": {"relation_name": "a.b.c"}}
    (tmp_path / "target" / "manifest.json").write_text(json.dumps({"nodes": node}))
    result = run("alerts", "--project-dir", tmp_path, "--profiles-dir", tmp_path)
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert "s3cret" not in result.output


def test_an_unforeseen_error_shows_no_trace(
    duckdb_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("mlmon.alerts.marts.firing_alerts", broken)
    place: list[str | Path] = ["--project-dir", duckdb_project, "--profiles-dir", duckdb_project]
    result = run("alerts", *place)
    assert result.exit_code == 1
    assert "nobody thought of this" in result.output
    assert "MLMON_DEBUG" in result.output
    monkeypatch.setenv("MLMON_DEBUG", "1")
    shown = run("alerts", *place).output
    assert "in broken" in shown
    assert "ZeroDivisionError: nobody thought of this" in shown


def test_an_unknown_option_is_wrong_usage() -> None:
    assert run("alerts", "--no-such-option").exit_code == 2


def test_validate_names_the_problems_and_nothing_else() -> None:
    said = problems(
        [
            "Encountered an error:\nCompilation Error in model stg_mlmon__predictions"
            " (models/staging/stg_mlmon__predictions.sql)\n"
            "  mlmon_monitors.churn.task: found 'binry'; allowed: binary; fix: spell it so\n"
            "  mlmon_monitors.churn.grain: found 'week'; allowed: day, hour; fix: choose one\n"
            "  \n"
            "  > in macro check_configuration (macros/config/check.sql)\n"
            "  > called by model stg_mlmon__predictions (models/staging/x.sql)"
        ]
    )
    assert said.splitlines() == [
        "2 problems in the configuration:",
        "  mlmon_monitors.churn.task: found 'binry'; allowed: binary; fix: spell it so",
        "  mlmon_monitors.churn.grain: found 'week'; allowed: day, hour; fix: choose one",
    ]


def test_validate_shows_other_errors_without_the_stack_of_macros() -> None:
    said = problems(["Encountered an error:\nEnv var required\n  > called by macro x"])
    assert said == "Env var required"


def test_validate_runs_dbt(tmp_path: Path, make_warehouse: MakeWarehouse) -> None:
    project = {"name": "mine", "version": "1.0.0", "config-version": 2, "profile": "mine"}
    outputs = {"target": "a", "outputs": {"a": make_warehouse("duckdb").profile()}}
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"mine": outputs}))
    (tmp_path / "models").mkdir()
    model = tmp_path / "models" / "one.sql"
    model.write_text("select 1 as one")
    place: list[str | Path] = ["--project-dir", tmp_path, "--profiles-dir", tmp_path]
    result = run("validate", *place, "--configuration-only")
    assert result.exit_code == 0, result.output
    assert "is right" in result.output

    result = run("validate", *place)
    assert result.exit_code == 2
    assert "does not have mlmon: name it in packages.yml and run `dbt deps`" in result.output

    model.write_text("{{ exceptions.raise_compiler_error('mlmon_monitors.a.b: found 1; fix: 2') }}")
    result = run("validate", *place, "--configuration-only")
    assert result.exit_code == 2
    assert "1 problem in the configuration:\n  mlmon_monitors.a.b: found 1; fix: 2" in result.output
    assert "Traceback" not in result.output


def test_the_demo_is_found_from_inside_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "macros")
    assert find_demo(None) == ROOT / "examples" / "flights"


def test_the_demo_says_where_it_lives(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="clone of mlmon"):
        find_demo(tmp_path)


@pytest.fixture
def daily(tmp_path: Path) -> Path:
    """Forty days of a metric without verdicts, at 100 and 101 in turn, with 300 on the last two."""
    path = tmp_path / "daily.duckdb"
    with duckdb.connect(str(path)) as opened:
        opened.execute(
            """
            create table fct_mlmon__operations as
            select
                'churn' as monitor,
                'v1' as model_version,
                1 as span_windows,
                'all' as segment_name,
                'all' as segment_value,
                timestamp '2024-01-01' + i * interval 1 day as window_start,
                timestamp '2024-01-02' + i * interval 1 day as window_end,
                case when i >= 38 then 300.0 else 100.0 + i % 2 end as latency_p99_ms
            from range(40) as days (i)
            """
        )
    return path


INCIDENT = Incident(
    name="Slow",
    monitor="churn",
    starts_at=datetime(2024, 2, 8),
    ends_at=datetime(2024, 2, 10),
    segment_name="all",
    segment_value="all",
    column_name="all",
    table_name="fct_mlmon__operations",
    check_name="latency_p99_ms",
)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_seen"),
    [
        (datetime(2024, 2, 8), datetime(2024, 2, 10), True),
        (datetime(2024, 1, 20), datetime(2024, 1, 22), False),
        (datetime(2024, 1, 3), datetime(2024, 1, 4), False),
        (datetime(2025, 1, 3), datetime(2025, 1, 4), False),
    ],
    ids=["moved", "as usual", "too early to compare", "no rows"],
)
def test_the_demo_sees_what_the_tables_show(
    daily: Path, tmp_path: Path, starts_at: datetime, ends_at: datetime, is_seen: bool
) -> None:
    (tmp_path / "dbt_project.yml").write_text("profile: mine")
    outputs = {"target": "a", "outputs": {"a": {"type": "duckdb", "path": daily.name}}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"mine": outputs}))
    incident = replace(INCIDENT, starts_at=starts_at, ends_at=ends_at)
    with connect(read_target(tmp_path, tmp_path)) as warehouse:
        assert look_for(warehouse, "fct_mlmon__operations", incident).is_seen is is_seen


def test_firing_alerts_read_the_marts_where_dbt_put_them(duckdb_project: Path) -> None:
    found = firing_alerts(read_target(duckdb_project, duckdb_project))
    assert [alert["series_id"] for alert in found] == ["b", "d", "a"]


@pytest.mark.parametrize(
    ("exit_code", "errors", "kind", "told"),
    [
        (1, ["Runtime Error\n  IO Error: Could not set lock on file"], TryAgainError, "try again"),
        (1, ["mlmon_monitors.a.b: found 1; fix: 2"], ConfigurationError, "1 problem in"),
        (2, ["Parsing Error\n  no such thing"], ConfigurationError, "no such thing"),
        (1, ["Database Error\n  connection refused"], MlmonError, "connection refused"),
        (1, [], MlmonError, "said nothing"),
    ],
)
def test_a_failed_operation_is_told_by_what_it_means(
    tmp_path: Path, exit_code: int, errors: list[str], kind: type[MlmonError], told: str
) -> None:
    target = Target(tmp_path, tmp_path, "mine", "a", "duckdb", {})
    error = failure(DbtRun(exit_code=exit_code, errors=errors), target)
    assert type(error) is kind
    assert told in str(error)
