"""``mlmon run``: gate, dbt build, alerts; what a schedule starts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlmon.cli.alerts import RUN_ID, SHORT_RUN, send
from mlmon.cli.options import (
    PROJECT,
    STATE,
    channels_option,
    project_options,
    state_options,
    vars_option,
)
from mlmon.errors import OK, MlmonError
from mlmon.output import echo_error

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from mlmon.dbt_process import DbtRun
    from mlmon.gate.plan import Plan
    from mlmon.last_build.record import BuildRecord
    from mlmon.last_build.sources import WatchedSource
    from mlmon.profile import Target


@click.command()
@project_options
@vars_option
@state_options
@click.option("--always", is_flag=True, help="Build even where nothing is new.")
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
    always: bool,
    no_gate: bool,
    warn_only: bool,
    no_alerts: bool,
    variables: str | None,
    select: str | None,
    exclude: str | None,
    channels_file: Path | None,
    **options: Any,
) -> None:
    """Check what landed, build the tables, tell people: all that a schedule has to start.

    Where nothing is new since the last complete build, dbt is not started; people are told all the
    same. A critical failure of the gate keeps dbt from reading the rows; a failed build leaves the
    tables that were built. People are told in either case, of what the tables say and of what is
    missing. The exit code is that of the first step that failed. Started twice at once on one
    warehouse, the second run leaves with 75.

    \b
    mlmon run --project-dir my_dbt
    mlmon run --warn-only --select package:mlmon
    """
    from mlmon.output import start_logging
    from mlmon.profile import read_target
    from mlmon.run_lock import run_lock

    place = {name: options[name] for name in PROJECT}
    found = read_target(**place)
    ctx.meta[RUN_ID] = uuid.uuid4().hex[:SHORT_RUN]
    log = start_logging(ctx.meta[RUN_ID])
    with run_lock(found):
        codes = []
        building = _Building(log, found, place, variables, select, exclude, not no_gate)
        if because := building.is_needed(always=always):
            if not no_gate:
                codes.append(
                    _step(log, "gate", lambda: building.check(warn_only=warn_only), because)
                )
            if not any(codes):
                codes.append(_step(log, "dbt build", building.build, because))
        if not no_alerts:
            state = {name: options[name] for name in STATE}
            codes.append(
                _step(
                    log,
                    "alerts",
                    lambda: ctx.invoke(send, **place, **state, channels_file=channels_file),
                )
            )
    ctx.exit(next((code for code in codes if code), OK))


def _step(
    log: FilteringBoundLogger, name: str, work: Callable[[], Any], because: str | None = None
) -> int:
    """Do one step; its exit code, with the reason told where it failed."""
    log.info("begins", step=name, **({"because": because} if because else {}))
    try:
        work()
    except click.exceptions.Exit as left:
        code = left.exit_code
    except MlmonError as error:
        code = error.exit_code
        echo_error(error)
    else:
        code = OK
    log.info("ends", step=name, exit_code=code)
    return code


@dataclass(slots=True)
class _Building:
    """The gate and the build of one run, and what is remembered of them for the next.

    ``watched`` is what the logs held before anything read them, None where nobody could tell: rows
    that land while dbt builds are then new to the next run.
    """

    log: FilteringBoundLogger
    target: Target
    place: dict[str, Any]
    variables: str | None
    select: str | None
    exclude: str | None
    has_gate: bool
    state: dict[str, str] | None = None
    record: BuildRecord | None = None
    watched: list[WatchedSource] | None = None

    def is_needed(self, *, always: bool) -> str | None:
        """Why there may be something to build; None where there is not, which is said in a line."""
        why = self._why(always)
        if why or self.record is None:
            return why
        self.log.info("nothing new", since=self.record.at.isoformat())
        click.echo(
            f"Nothing new since the build of {self.record.at:%Y-%m-%d %H:%M} UTC: dbt was not started"
            " (--always forces a build)."
        )
        return None

    def _why(self, always: bool) -> str | None:
        from mlmon.last_build.fingerprint import project_fingerprints, wants_full_refresh
        from mlmon.last_build.record import can_be_recorded, read_record, what_changed

        if not can_be_recorded(self.target):
            return f"nothing is remembered in a warehouse of type {self.target.kind}"
        try:
            self.state = project_fingerprints(
                self.target, variables=self.variables, select=self.select, exclude=self.exclude
            )
            self.record = read_record(self.target)
            if always:
                return "--always"
            if wants_full_refresh():
                return "DBT_FULL_REFRESH"
            return what_changed(self.target, self.record, self.state, gate=self.has_gate)
        except MlmonError as error:
            # The step that needs it tells in full what is in the way.
            return f"it cannot be told what is new: {_first_line(error)}"

    def check(self, *, warn_only: bool) -> None:
        """The gate. What the logs hold is read before it, so that it has seen whatever counts as seen."""
        from mlmon.cli.validate import check_landed, planned

        plan = planned(self.target, self.variables)
        self._look(plan)
        check_landed(self.target, plan, warn_only=warn_only)

    def build(self) -> None:
        """dbt's build, with the record of the last one deleted before and a new one written after it."""
        from mlmon.last_build.record import delete_record

        began = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        if not self.has_gate:
            self._look(None)
        delete_record(self.target)
        run = _build(self.target, self.place, self.variables, self.select, self.exclude)
        self._remember(began, run)

    def _look(self, plan: Plan | None) -> None:
        from mlmon.gate.plan import read_plan
        from mlmon.last_build.sources import read_contents, sources_of

        if self.state is None:
            return
        try:
            if plan:
                watched = sources_of(plan)
            elif self.record and self.record.state == self.state:
                watched = list(self.record.watched)
            else:
                watched = sources_of(read_plan(self.target, self.variables)[0])
            self.watched = read_contents(self.target, watched)
        except MlmonError as error:
            self.log.info("not looked at", because=_first_line(error))

    def _remember(self, began: datetime, run: DbtRun) -> None:
        from mlmon.last_build.completeness import NotKnownError, what_was_built
        from mlmon.last_build.record import BuildRecord, identity, write_record
        from mlmon.warehouse import artifacts

        if self.state is None or self.watched is None:
            return
        try:
            built, watched = what_was_built(run, artifacts(self.target), self.watched)
            record = BuildRecord(
                at=began,
                has_gate=self.has_gate,
                state=self.state,
                watched=watched,
                tables=built.tables,
                names=built.names,
                identity=identity(self.target, built.tables),
            )
            write_record(self.target, record)
        except (NotKnownError, MlmonError, OSError) as error:
            # The tables are built; the next run builds again, that is all.
            self.log.info("not remembered", because=_first_line(error))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _build(
    target: Target,
    place: dict[str, Any],
    variables: str | None,
    select: str | None,
    exclude: str | None,
) -> DbtRun:
    from mlmon.cli.console import console
    from mlmon.dbt_process import run_dbt_with_progress

    command = ["build"]
    for option, value in (
        ("--profile", place["profile"]),
        ("--target", place["target"]),
        ("--vars", variables),
        ("--select", select),
        ("--exclude", exclude),
    ):
        command += [option, value] if value else []
    logs = Path(os.environ.get("DBT_LOG_PATH") or target.project_dir / "logs")
    page = console()
    built = run_dbt_with_progress(
        page,
        command,
        project_dir=target.project_dir,
        profiles_dir=target.profiles_dir,
        log_path=logs / "dbt.log",
    )
    page.print(f"dbt built {built.n_done} models, seeds and tests.")
    return built
