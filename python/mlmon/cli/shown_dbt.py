"""Runs dbt commands and shows how far they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from mlmon.dbt_process import DbtRun


def shown_dbt(
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

    from mlmon.dbt_process import require, run_dbt

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[node]}"),
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
