"""Runs dbt as a process of its own and reads what it says.

A process, because dbt keeps a DuckDB file locked until its process ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlmon import run_lock
from mlmon.errors import ConfigurationError, MlmonError, TryAgainError

if TYPE_CHECKING:
    from rich.console import Console


# Called with how many of how many nodes are done and the name of the last.
Progress = Callable[[int, int, str], None]


_DONE = {"LogModelResult", "LogSeedResult", "LogTestResult", "LogSnapshotResult", "SkippingDetails"}


_NOT_PARSED = 2


@dataclass(slots=True)
class DbtRun:
    """What a dbt command said; its exit code is dbt's: 0 fine, 1 nodes failed, 2 did not start."""

    exit_code: int = 0
    # dbt's own id of the run, which its artifacts carry.
    invocation_id: str = ""
    n_done: int = 0
    n_total: int = 0
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # What macros logged for the reader.
    logged: list[str] = field(default_factory=list)
    # The last lines that were no messages: what Python says when dbt itself breaks.
    other: deque[str] = field(default_factory=lambda: deque(maxlen=20))


def run_dbt(
    arguments: Sequence[str],
    *,
    project_dir: Path,
    profiles_dir: Path,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> DbtRun:
    """Run a dbt command in the project's directory and return what it said.

    Nothing is raised for a command that fails; see `require`.
    """
    command = [sys.executable, "-m", "dbt.cli.main", "--log-format", "json", *arguments]
    command += ["--project-dir", str(project_dir), "--profiles-dir", str(profiles_dir)]
    run = DbtRun()
    with (
        _ending_first() as children,
        subprocess.Popen(
            command,
            cwd=project_dir,
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            pass_fds=run_lock.held,
            # A terminal's ^C comes here, and is handed on once.
            process_group=0,
        ) as process,
    ):
        children.append(process)
        for line in process.stdout or ():
            _hear(run, line.rstrip("\n"), progress)
    run.exit_code = process.returncode
    return run


@contextmanager
def _ending_first() -> Iterator[list[subprocess.Popen[str]]]:
    """Whatever would end this process ends dbt first, which is waited for; then it ends this one.

    dbt is interrupted as from a keyboard, for only then it cancels its queries; a second signal kills
    it. Signals that are ignored stay ignored.
    """
    children: list[subprocess.Popen[str]] = []
    if threading.current_thread() is not threading.main_thread():
        yield children
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    received: list[int] = []

    def end(number: int, _frame: object) -> None:
        if before[signal.Signals(number)] is not signal.SIG_IGN:
            received.append(number)
            for child in children:
                child.send_signal(signal.SIGINT if len(received) == 1 else signal.SIGKILL)

    # Also where a signal is ignored: dbt would inherit that, and could not be interrupted.
    for number in numbers:
        signal.signal(number, end)
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def require(run: DbtRun, log_path: Path) -> None:
    """Raise what a failed run means, in dbt's own words; nothing where it is fine.

    TryAgainError where a DuckDB file is locked, ConfigurationError where dbt did not come to run
    anything, MlmonError where nodes failed.
    """
    if run.exit_code == 0:
        return
    said = "\n".join(_unique(run.errors)) or "\n".join(run.other) or "dbt said nothing."
    if "Could not set lock on file" in said:
        raise TryAgainError(f"Another process holds the DuckDB file: try again.\n{said}")
    text = f"{said}\n\ndbt's log: {log_path}"
    if run.exit_code == _NOT_PARSED:
        raise ConfigurationError(f"dbt could not start:\n{text}")
    raise MlmonError(f"dbt failed:\n{text}")


def _hear(run: DbtRun, line: str, progress: Progress | None) -> None:
    try:
        message: dict[str, Any] = json.loads(line)
        info, data = message["info"], message["data"]
    except (ValueError, KeyError, TypeError):
        if line.strip():
            run.other.append(line)
        return
    run.invocation_id = info.get("invocation_id") or run.invocation_id
    if info["level"] == "error" and info["msg"].strip():
        run.errors.append(info["msg"])
    elif info["level"] == "warn":
        run.warnings.append(info["msg"])
    elif info["name"] == "JinjaLogInfo":
        run.logged.append(info["msg"])
    if info["name"] == "ConcurrencyLine":
        run.n_total = int(data.get("node_count", 0))
    elif info["name"] in _DONE:
        run.n_done += 1
        if progress:
            progress(run.n_done, run.n_total, data.get("node_info", {}).get("node_name", ""))


def _unique(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(text.strip() for text in texts))


def run_dbt_with_progress(
    page: Console,
    command: Sequence[str],
    *,
    project_dir: Path,
    profiles_dir: Path,
    environment: Mapping[str, str] | None = None,
    log_path: Path,
) -> DbtRun:
    """Run one dbt command under a progress bar, where somebody watches.

    Raises what `mlmon.dbt_process.require` raises where it fails.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[node]}", style="dim", markup=False),
        console=page,
        transient=True,
        disable=not page.is_terminal,
    ) as bar:
        task = bar.add_task("dbt starts", total=None, node="")

        def show(n_done: int, n_total: int, node: str) -> None:
            name = f"dbt {command[0]}"
            bar.update(task, description=name, completed=n_done, total=n_total, node=node)

        run = run_dbt(
            command,
            project_dir=project_dir,
            profiles_dir=profiles_dir,
            environment=environment,
            progress=show,
        )
    require(run, log_path)
    return run
