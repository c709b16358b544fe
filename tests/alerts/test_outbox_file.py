"""The outbox as a file or schema that cannot be used: each time a message that says what to do."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from support.alerts import NOW, OUTBOX_SCHEMA, AlertProject, alert_project, state
from support.dbt_project import ROOT
from support.loopback import Service
from support.warehouses import DuckDBWarehouse, MakeWarehouse, PostgresWarehouse

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def told(duckdb_alerts: AlertProject, hook: Service) -> AlertProject:
    """One alert was told, so that there is an outbox."""
    duckdb_alerts.channels({"hook": {"kind": "webhook", "url": hook.url}})
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == 0
    return duckdb_alerts


def outbox_path(project: AlertProject) -> Path:
    kept = project.kept_warehouse()
    assert isinstance(kept, DuckDBWarehouse)
    return kept.path


def test_a_missing_folder_is_no_lock(duckdb_alerts: AlertProject, tmp_path: Path) -> None:
    duckdb_alerts.state = str(tmp_path / "block" / "lock.duckdb")
    for command in ("send", "ack"):
        result = duckdb_alerts.run(command, *(["x"] if command == "ack" else []))
        assert result.exit_code == 1
        assert f"There is no folder {tmp_path / 'block'} for the outbox: make it." in result.stderr
    assert duckdb_alerts.run("list").exit_code == 0


def spoil(path: Path, how: str) -> None:
    whole = path.read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "a stub":
        path.write_bytes(whole[:4096])
    elif how == "a short stub":
        path.write_bytes(whole[:100])
    elif how == "another file":
        path.write_bytes(b"id,name\n" * 2000)
    elif how == "zeros":
        path.write_bytes(bytes(len(whole)))
    elif how == "a broken header":
        path.write_bytes(b"\xff" * 8 + whole[8:])
    else:
        log = path.with_name(path.name + ".wal")
        code = (
            f"import duckdb, os\nopened = duckdb.connect({str(path)!r})\n"
            "opened.execute(\"set checkpoint_threshold = '1GB'\")\n"
            "opened.execute('create table t as select * from range(999)')\nos._exit(0)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
        content = bytearray(log.read_bytes())
        content[30:60] = b"\xff" * 30
        log.write_bytes(content)


@pytest.mark.parametrize(
    "how",
    ["empty", "a stub", "a short stub", "another file", "zeros", "a broken header", "a broken log"],
)
def test_a_damaged_file_says_what_to_do(told: AlertProject, how: str) -> None:
    path = outbox_path(told)
    spoil(path, how)
    for command in (["send"], ["list"], ["show", "a"], ["send", "--dry-run"], ["ack", "a"]):
        result = told.run(*command)
        assert result.exit_code == 1, result.output
        assert f"The outbox {path} is damaged" in result.stderr
        assert "move it away" in result.stderr
    # And so it is mended.
    for part in path.parent.glob(path.name + "*"):
        part.unlink()
    assert told.send(now=LATER).exit_code == 0


def test_pages_that_are_damaged_are_told(told: AlertProject) -> None:
    path = outbox_path(told)
    content = bytearray(path.read_bytes())
    content[3 * 4096 :] = b"\xff" * (len(content) - 3 * 4096)
    path.write_bytes(content)
    for command in ("send", "list"):
        result = told.run(command)
        assert result.exit_code == 1, result.output
        assert "Unexpected" not in result.output
        assert str(path) in result.stderr


def test_a_folder_in_its_place_is_told(duckdb_alerts: AlertProject, tmp_path: Path) -> None:
    duckdb_alerts.state = str(tmp_path)
    result = duckdb_alerts.send()
    assert result.exit_code == 1
    assert "is a folder: name a file with --state" in result.stderr


def test_a_duckdb_file_of_somebody_else_has_no_outbox(
    duckdb_alerts: AlertProject, tmp_path: Path
) -> None:
    path = tmp_path / "other.duckdb"
    duckdb.connect(str(path)).close()
    duckdb_alerts.state = str(path)
    result = duckdb_alerts.run("list")
    assert result.exit_code == 0, result.output
    assert "Nobody has been told" in result.stdout


def test_looking_writes_nothing_and_shares_the_file(told: AlertProject) -> None:
    """Readers may look at the same time, also where the file may only be read."""
    path = outbox_path(told)
    before = path.read_bytes()
    with duckdb.connect(str(path), read_only=True):
        code = "import sys\nfrom mlmon.cli import main\nmain(sys.argv[1:])"
        for command in (["list"], ["show", state(1)["series_id"]], ["send", "--dry-run"]):
            arguments = told.arguments(command[0], *command[1:], "--lock-seconds", "0")
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
    assert path.read_bytes() == before


@pytest.fixture
def public_place() -> Iterator[Path]:
    """A folder that other users reach, which pytest's own is not."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def test_a_user_who_may_not_write_is_told_and_may_look(
    told: AlertProject, public_place: Path
) -> None:
    path = public_place / "outbox.duckdb"
    shutil.copy(outbox_path(told), path)
    path.chmod(0o644 if os.getuid() == 0 else 0o444)
    code = (
        "import duckdb, os, sys\nfrom pathlib import Path\n"
        "from mlmon.alerts.database import DuckDBDatabase\n"
        "from mlmon.alerts.outbox import Outbox\n"
        "if os.getuid() == 0:\n    os.setgid(65534)\n    os.setuid(65534)\n"
        f"opened = DuckDBDatabase({OUTBOX_SCHEMA!r}, Path({str(path)!r}), 0.0, sys.argv[1] == 'look')\n"
        "print(len(Outbox(opened).read().messages))"
    )
    done = {
        how: subprocess.run(
            [sys.executable, "-c", code, how],
            env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "HOME": "/"},
            capture_output=True,
            text=True,
            check=False,
        )
        for how in ("look", "write")
    }
    assert done["look"].stdout == "1\n", done["look"].stderr
    assert f"This user may not write {path}" in done["write"].stderr


@pytest.mark.parametrize(("mask", "mode"), [(0o002, 0o664), (0o027, 0o640)])
def test_files_are_the_groups_as_the_umask_says(
    duckdb_alerts: AlertProject, hook: Service, mask: int, mode: int
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "webhook", "url": hook.url}})
    duckdb_alerts.states(state(1))
    folder = str(duckdb_alerts.directory)
    run = ["run", "--project-dir", folder, "--profiles-dir", folder, "--always", "--no-gate"]
    for arguments in (duckdb_alerts.arguments("send"), run):
        code = f"import os\nos.umask({mask})\nfrom mlmon.cli import main\nmain({arguments!r})"
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
            capture_output=True,
            check=False,
        )
    warehouse = duckdb_alerts.warehouse
    assert isinstance(warehouse, DuckDBWarehouse)
    lock = warehouse.path.with_name(warehouse.path.name + ".mlmon-run.lock")
    for path in (outbox_path(duckdb_alerts), lock):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path


def test_a_standby_is_named_and_may_be_looked_at(
    tmp_path: Path, make_warehouse: MakeWarehouse, hook: Service
) -> None:
    postgres_alerts = alert_project(tmp_path, make_warehouse("postgres"))
    postgres_alerts.channels({"hook": {"kind": "webhook", "url": hook.url}})
    postgres_alerts.states(state(1), state(2))
    assert postgres_alerts.send().exit_code == 0
    warehouse = postgres_alerts.warehouse
    assert isinstance(warehouse, PostgresWarehouse)
    warehouse.execute(f"alter database {warehouse.database} set default_transaction_read_only = on")
    result = postgres_alerts.run("ack", state(1)["series_id"])
    assert result.exit_code == 1
    assert "It is read-only, as a standby is: name the primary with --state" in result.stderr
    for command in (["list"], ["show", state(1)["series_id"]], ["send", "--dry-run"]):
        looked = postgres_alerts.run(*command)
        assert looked.exit_code == 0, looked.output
