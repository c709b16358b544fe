"""``mlmon validate``: the gate. Is the configuration right, and does what landed keep its contract?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlmon.cli.console import SEVERITY_STYLES, cell, console, table
from mlmon.cli.options import DIRECTORY, echo_json, format_option, project_options, vars_option
from mlmon.errors import FAILED
from mlmon.output import echo

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mlmon.gate.plan import Plan
    from mlmon.gate.results import LogResult, Verdict
    from mlmon.gate.run import Outcome
    from mlmon.profile import Target

_TIMES = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
# How many rows of a failed check are shown; the warehouse has more.
_SHOWN = 3


@click.command()
@project_options
@vars_option
@click.option("--monitor", "monitors", multiple=True, help="Only this monitor. May be repeated.")
@click.option(
    "--since",
    type=click.DateTime(_TIMES),
    help="Check what was loaded from this time on (UTC), and remember nothing of it.",
)
@click.option(
    "--suites",
    type=DIRECTORY,
    help="Directory of your own suites. [default: gate, in the project]",
)
@click.option("--warn-only", is_flag=True, help="Tell what fails, and let it pass.")
@click.option(
    "--configuration-only",
    is_flag=True,
    help="Check the configuration alone; the warehouse is not asked.",
)
@format_option("Tables for people, or one object for programs.")
def validate(
    variables: str | None,
    monitors: tuple[str, ...],
    since: datetime | None,
    suites: Path | None,
    warn_only: bool,
    configuration_only: bool,
    output: str,
    **place: Any,
) -> None:
    """Check the configuration, and the rows that have newly landed in the logs.

    The configuration first: every problem is named with its monitor and key, what was found, and how
    to mend it; the exit code is then 2. Then the rows that were loaded since the last gate that
    passed are held to what the monitors declare, what the reference holds and what your own suites
    expect. A critical failure is exit code 1; the rows are then looked at again next time.

    What was found is kept in the warehouse, in mlmon_gate.results and mlmon_gate.examples.

    \b
    mlmon validate --project-dir my_dbt && dbt build
    mlmon validate --warn-only
    mlmon validate --configuration-only
    """
    from mlmon.configuration import parse
    from mlmon.profile import read_target

    found = read_target(**place)
    if configuration_only:
        _warn(parse(found, variables).warnings)
        echo(f"The configuration of {found.project_dir} is right.")
        return
    plan = planned(found, variables)
    outcome = _gate(found, plan, monitors, since, suites, warn_only)
    if output == "json":
        echo_json(_as_objects(outcome))
    else:
        _print(console(), found, outcome)
    if outcome.n_critical and not warn_only:
        click.get_current_context().exit(FAILED)


def planned(target: Target, variables: str | None) -> Plan:
    """What there is to check, with dbt's warnings told."""
    from mlmon.gate.plan import read_plan

    plan, run = read_plan(target, variables)
    _warn(run.warnings)
    return plan


def check_landed(target: Target, plan: Plan, *, warn_only: bool) -> None:
    """Check all that has landed and tell it, as the command does without options."""
    outcome = _gate(target, plan, (), None, None, warn_only)
    _print(console(), target, outcome)
    if outcome.n_critical and not warn_only:
        raise click.exceptions.Exit(FAILED)


def _gate(
    target: Target,
    plan: Plan,
    monitors: tuple[str, ...],
    since: datetime | None,
    suites: Path | None,
    warn_only: bool,
) -> Outcome:
    from mlmon.gate.run import run_gate

    outcome = run_gate(
        target, plan, monitors=monitors, since=since, suites=suites, warn_only=warn_only
    )
    for log in outcome.absent:
        _warn(
            [f"{log.relation} is not built yet: the {log.name} of {log.monitor} are not checked."]
        )
    for result in outcome.results:
        if not result.has_reference:
            log = result.slice.log
            _warn([f"{log.monitor} has no reference yet: only what is declared is checked."])
    return outcome


def _warn(texts: list[str]) -> None:
    # On the error stream: JSON stays JSON.
    for text in dict.fromkeys(texts):
        echo(f"Warning: {text}", err=True)


def _print(page: Console, target: Target, outcome: Outcome) -> None:
    page.print(cell(f"The configuration of {target.project_dir} is right."), soft_wrap=True)
    for result in outcome.results:
        page.print(cell(headline(result)), style="bold" if result.verdicts else "")
        failed = [verdict for verdict in result.verdicts if verdict.status != "ok"]
        if failed:
            page.print(verdict_table(failed))
    if not outcome.results and not outcome.absent:
        page.print("There are no monitors: nothing to check.")


def headline(result: LogResult) -> str:
    """What was looked at of one log and how it went, in a sentence."""
    log, new = result.slice.log, result.slice
    name = f"{log.monitor} {log.name}"
    if not new.n_rows:
        return f"{name}: nothing new."
    loaded = ""
    if new.loaded_from and new.seen.loaded_through:
        loaded = f" loaded {_minute(new.loaded_from)} – {_minute(new.seen.loaded_through)}"
    counts = ", ".join(
        f"{n} {status}"
        for status in ("critical", "warning", "ok")
        if (n := result.counted(status))  # type: ignore[arg-type]
    )
    return f"{name}: {new.n_rows:,} new rows{loaded}: {counts}."


def verdict_table(verdicts: list[Verdict]) -> Table:
    """Failed checks as a table, the worst first."""
    shown = table()
    shown.add_column("", no_wrap=True)
    shown.add_column("column\nexpectation", ratio=2)
    shown.add_column("expected", ratio=3)
    shown.add_column("found", ratio=2)
    shown.add_column("value (request)", ratio=3)
    for verdict in sorted(verdicts, key=lambda verdict: verdict.status != "critical"):
        style = SEVERITY_STYLES[verdict.status]
        name = verdict.check.name
        shown.add_row(
            f"[{style}]{verdict.status}[/]",
            f"{cell(verdict.check.column)}\n[dim]{cell(name)}[/]",
            cell(verdict.check.expected),
            cell(verdict.found),
            "\n".join(
                cell(f"{value} ({'no id' if request_id is None else request_id})")
                for value, request_id in verdict.examples[:_SHOWN]
            ),
        )
    return shown


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _as_objects(outcome: Outcome) -> dict[str, Any]:
    return {
        "run_id": outcome.run_id,
        "n_critical": outcome.n_critical,
        "logs": [
            {
                "monitor": result.slice.log.monitor,
                "log": result.slice.log.name,
                "n_rows": result.slice.n_rows,
                "loaded_from": _utc(result.slice.loaded_from),
                "loaded_through": _utc(result.slice.seen.loaded_through),
                "checks": [_as_object(verdict) for verdict in result.verdicts],
            }
            for result in outcome.results
        ],
    }


def _as_object(verdict: Verdict) -> dict[str, Any]:
    check = verdict.check
    return {
        "column": check.column,
        "check": check.name,
        "expectation": check.expectation,
        "suite": check.source,
        "expected": check.expected,
        "found": verdict.found,
        "n_checked": verdict.n_checked,
        "n_failed": verdict.n_failed,
        "status": verdict.status,
        "examples": [
            {"value": value, "request_id": request_id} for value, request_id in verdict.examples
        ],
    }


def _utc(time: datetime | None) -> str | None:
    return None if time is None else time.replace(tzinfo=UTC).isoformat()
