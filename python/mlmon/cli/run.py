"""``mlmon run``: gate, dbt build, alerts; what a schedule starts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlmon.cli.alerts_send import RUN_ID, SHORT_RUN, channels_option, send, state_options
from mlmon.cli.options import project_options
from mlmon.cli.validate import validate
from mlmon.errors import OK, MlmonError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from mlmon.profile import Target

_PLACE = ("project_dir", "profiles_dir", "profile", "target")
_STATE = ("state", "now_text", "lock_seconds")


@click.command()
@project_options
@state_options
@click.option("--no-gate", is_flag=True, help="Do not look at what landed before dbt reads it.")
@click.option("--warn-only", is_flag=True, help="Let the gate tell what fails, and let it pass.")
@click.option("--no-alerts", is_flag=True, help="Tell nobody.")
@click.option("--select", help="What dbt builds, in its own words. [default: everything]")
@click.option("--exclude", help="What dbt leaves out, in its own words.")
@channels_option
@click.pass_context
def run(
    ctx: click.Context,
    /,
    no_gate: bool,
    warn_only: bool,
    no_alerts: bool,
    select: str | None,
    exclude: str | None,
    channels_file: Path | None,
    **options: Any,
) -> None:
    """Check what landed, build the tables, tell people: all that a schedule has to start.

    A critical failure of the gate keeps dbt from reading the rows; a failed build leaves the tables
    that were built. People are told in either case, of what the tables say and of what is missing.
    The exit code is that of the first step that failed. Started twice at once on one warehouse, the
    second run leaves with 75.

    \b
    mlmon run --project-dir my_dbt
    mlmon run --warn-only --select package:mlmon
    """
    from mlmon.alerts.logs import start_logging
    from mlmon.one_at_a_time import one_at_a_time
    from mlmon.profile import read_target

    place = {name: options[name] for name in _PLACE}
    found = read_target(**place)
    ctx.meta[RUN_ID] = uuid.uuid4().hex[:SHORT_RUN]
    log = start_logging(ctx.meta[RUN_ID])
    with one_at_a_time(found):
        codes = []
        if not no_gate:
            codes.append(
                _step(log, "gate", lambda: ctx.invoke(validate, **place, warn_only=warn_only))
            )
        if not any(codes):
            codes.append(_step(log, "dbt build", lambda: _build(found, place, select, exclude)))
        if not no_alerts:
            state = {name: options[name] for name in _STATE}
            codes.append(
                _step(
                    log,
                    "alerts",
                    lambda: ctx.invoke(send, **place, **state, channels_file=channels_file),
                )
            )
    ctx.exit(next((code for code in codes if code), OK))


def _step(log: FilteringBoundLogger, name: str, work: Callable[[], Any]) -> int:
    """Do one step; its exit code, with the reason told where it failed."""
    log.info("begins", step=name)
    try:
        work()
    except click.exceptions.Exit as left:
        code = left.exit_code
    except MlmonError as error:
        code = error.exit_code
        click.echo(click.style("Error: ", fg="red", bold=True) + str(error), err=True)
    else:
        code = OK
    log.info("ends", step=name, exit_code=code)
    return code


def _build(target: Target, place: dict[str, Any], select: str | None, exclude: str | None) -> None:
    from mlmon.cli.console import console
    from mlmon.cli.shown_dbt import shown_dbt

    command = ["build"]
    for option, value in (
        ("--profile", place["profile"]),
        ("--target", place["target"]),
        ("--select", select),
        ("--exclude", exclude),
    ):
        command += [option, value] if value else []
    logs = Path(os.environ.get("DBT_LOG_PATH") or target.project_dir / "logs")
    page = console()
    built = shown_dbt(
        page,
        command,
        project_dir=target.project_dir,
        profiles_dir=target.profiles_dir,
        log_path=logs / "dbt.log",
    )
    page.print(f"dbt built {built.n_done} models, seeds and tests.")
