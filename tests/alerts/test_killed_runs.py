"""`mlmon run` that is ended or killed: dbt ends with it, and nobody builds beside a dbt that goes on.

In place of dbt a program of the same name, which says that it began, is interrupted only once it may,
and ends when it is told to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.alerts import AlertProject
from support.dbt_project import ROOT

DBT = """
import os, pathlib, signal, sys, time
place = pathlib.Path(os.environ["PLACE"])
signals = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: signals.append(signal.Signals(number).name))
(place / f"pid.{os.getpid()}").touch()
while not (place / "go").exists():
    (place / "signals").write_text(" ".join(signals))
    time.sleep(0.02)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    package = tmp_path / "fake" / "dbt" / "cli"
    package.mkdir(parents=True)
    for directory in (package, package.parent):
        (directory / "__init__.py").touch()
    (package / "main.py").write_text(DBT)
    return tmp_path


def start(project: AlertProject, place: Path, **options: Any) -> subprocess.Popen[str]:
    folder = str(project.directory)
    arguments = ["run", "--project-dir", folder, "--profiles-dir", folder]
    arguments += ["--always", "--no-gate", "--no-alerts"]
    return subprocess.Popen(
        [sys.executable, "-c", f"from mlmon.cli import main\nmain({arguments!r})"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(place / "fake"), str(ROOT / "python")]),
            "PLACE": str(place),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def until(is_so: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    for _ in range(1500):
        found = is_so()
        if found:
            return found
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    raise AssertionError("it never was so")


def pid_of_dbt(place: Path, process: subprocess.Popen[str]) -> int:
    [found] = until(lambda: list(place.glob("pid.*")), process)
    return int(found.suffix[1:])


def is_alive(pid: int) -> bool:
    try:
        # A child of this process that has ended and was not waited for is none.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def signals(place: Path) -> list[str]:
    return (place / "signals").read_text().split() if (place / "signals").exists() else []


def busy(project: AlertProject, place: Path) -> bool:
    """Whether a run at this moment finds another one at work."""
    process = start(project, place)
    said, _ = process.communicate(timeout=120)
    assert process.returncode in {0, 75}, said
    return process.returncode == 75


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_run_that_is_ended_interrupts_dbt_and_waits_for_it(
    alerts: AlertProject, place: Path, number: signal.Signals
) -> None:
    process = start(alerts, place)
    pid = pid_of_dbt(place, process)
    process.send_signal(number)
    assert until(lambda: signals(place), process) == ["SIGINT"]
    # dbt still cancels its queries: nobody builds beside it.
    assert process.poll() is None
    assert busy(alerts, place)
    (place / "go").touch()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == (1 if number == signal.SIGINT else -number), said
    assert not is_alive(pid)
    assert not busy(alerts, place)


def test_whoever_asks_twice_is_in_a_hurry(duckdb_alerts: AlertProject, place: Path) -> None:
    process = start(duckdb_alerts, place)
    pid = pid_of_dbt(place, process)
    process.terminate()
    until(lambda: signals(place), process)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert not is_alive(pid)


def test_a_dbt_that_outlives_its_run_holds_the_lock(alerts: AlertProject, place: Path) -> None:
    process = start(alerts, place)
    pid = pid_of_dbt(place, process)
    process.kill()
    process.wait(timeout=60)
    assert is_alive(pid)
    assert busy(alerts, place)
    os.kill(pid, signal.SIGKILL)
    for _ in range(500):
        if not is_alive(pid):
            break
        time.sleep(0.02)
    (place / "go").touch()
    # PostgreSQL hears of the closed connection a moment later.
    assert not all(busy(alerts, place) for _ in range(5))


def test_a_run_in_the_background_can_be_ended(duckdb_alerts: AlertProject, place: Path) -> None:
    """A shell without job control starts it with interrupts ignored, which dbt must not inherit."""
    process = start(
        duckdb_alerts, place, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    )
    pid_of_dbt(place, process)
    process.send_signal(signal.SIGINT)
    process.terminate()
    assert until(lambda: signals(place), process) == ["SIGINT"]
    (place / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
