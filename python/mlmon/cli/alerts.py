"""``mlmon alerts``: what fires now, on the console; ``mlmon alerts send`` tells people."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlmon.cli.alerts_backtest import backtest
from mlmon.cli.alerts_outbox import ack, list_, retry, show, silence, unsilence
from mlmon.cli.console import SEVERITY_STYLES, cell, console, table
from mlmon.cli.options import (
    Amount,
    channels_option,
    echo_json,
    format_option,
    open_outbox,
    project_options,
    state_options,
)
from mlmon.errors import TryAgainError, UndeliverableError
from mlmon.formatting import counted
from mlmon.output import echo

if TYPE_CHECKING:
    from rich.table import Table

    from mlmon.alerts.channels import Settings
    from mlmon.alerts.dispatcher import Planned, Report
    from mlmon.alerts.marts import Snapshot
    from mlmon.alerts.outbox import Outbox
    from mlmon.profile import Target
    from mlmon.warehouse import Row

SHORT_RUN = 12
# Where a command that calls `send` leaves the id of its run.
RUN_ID = "mlmon.run_id"


@click.group(invoke_without_command=True)
@project_options
@click.option(
    "--all",
    "show_all",
    is_flag=True,
    help="Also alerts about model versions that no longer serve.",
)
@format_option("A table for people, or a list of objects for programs.")
@click.pass_context
def alerts(ctx: click.Context, /, show_all: bool, output: str, **place: Any) -> None:
    """Print the alerts that fire, as the last `dbt build` left them; with a command, tell people.

    \b
    mlmon alerts --project-dir examples/flights
    mlmon alerts --format json | jq '.[].rule_id'
    mlmon alerts send --dry-run
    mlmon alerts silence monitor=churn --hours 4
    mlmon alerts backtest --rule stricter.csv
    """
    if ctx.invoked_subcommand:
        if show_all or output != "text":
            raise click.UsageError(
                f"--all and --format of `mlmon alerts` go before no command; see"
                f" `mlmon alerts {ctx.invoked_subcommand} --help`."
            )
        # A place given before the command holds for it.
        ctx.obj = place
        return
    from mlmon.alerts.marts import firing_alerts, rule_problems
    from mlmon.profile import read_target

    target = read_target(**place)
    found = firing_alerts(target)
    for problem in rule_problems(target):
        # On the error stream: JSON stays JSON, and a rule that never judges is not passed over.
        echo(f"Rule {problem['rule_id']!r} is not used. {problem['rule_problem']}", err=True)
    shown = [alert for alert in found if show_all or alert["is_active"]]
    if output == "json":
        echo_json(shown)
        return
    page = console()
    if shown:
        page.print(alert_table(shown))
    page.print(headline(shown, len(found) - len(shown)))


def headline(shown: Sequence[Row], n_hidden: int) -> str:
    """How many alerts fire, in a sentence."""
    severities = Counter(alert["severity"] for alert in shown)
    said = ", ".join(
        f"{severities[name]} {name}" for name in ("critical", "warning") if severities[name]
    )
    text = f"{counted(len(shown), 'alert')} firing: {said}." if shown else "Nothing fires."
    if n_hidden:
        text += f" {n_hidden} more about versions that no longer serve: --all shows."
    return text


def alert_table(shown: Sequence[Row]) -> Table:
    """The alerts as a table, the worst first."""
    from mlmon.alerts.marts import Alert
    from mlmon.formatting import value_and_limit, where

    page = table()
    page.add_column("severity", no_wrap=True)
    page.add_column("rule, monitor\nmetric")
    page.add_column("value\nlimit", no_wrap=True)
    page.add_column("since (UTC)\nrunbook", no_wrap=True)
    for row in shown:
        style = SEVERITY_STYLES.get(row["severity"], "none")
        alert = Alert.of(row)
        value, limit = value_and_limit(alert)
        about = f"{alert.rule_id}, {alert.monitor} {alert.model_version}"
        page.add_row(
            f"[{style}]{alert.severity}[/]",
            f"{cell(about)}\n[dim]{cell(where(alert))}[/]",
            f"{cell(value)}\n[dim]{cell(limit)}[/]",
            f"{row['since_window_end']:%Y-%m-%d %H:%M}\n[dim]{cell(alert.runbook or '')}[/]",
        )
    return page


@click.command()
@project_options
@state_options
@channels_option
@click.option("--dry-run", is_flag=True, help="Print what would be told; tell and write nothing.")
@click.option(
    "--wait",
    "wait_seconds",
    type=Amount(max=86_400),
    default=60.0,
    show_default=True,
    help="How long to stay for messages that a service asked to send a little later.",
)
@click.pass_context
def send(
    ctx: click.Context,
    /,
    channels_file: Path | None,
    dry_run: bool,
    wait_seconds: float,
    **place: Any,
) -> None:
    """Tell people what fires and what is over, each once.

    Run it after every `dbt build`, or every few minutes: what was told is remembered, what a
    service refused for now is tried again. It may be killed and started twice at any time.

    \b
    mlmon alerts send --dry-run
    mlmon alerts send --state postgresql://mlmon@db/monitoring
    """
    from mlmon.alerts.channels import read_settings
    from mlmon.alerts.database import retry_while_locked
    from mlmon.alerts.dispatcher import deliver, plan_into_outbox
    from mlmon.alerts.marts import read_details, read_snapshot, unknown_names
    from mlmon.output import start_logging
    from mlmon.redaction import register_secret_variables

    target, outbox = open_outbox(ctx, place, read_only=dry_run)
    lock_seconds: float = place["lock_seconds"]
    settings = read_settings(channels_file, target.project_dir)
    # Before anything is written: somebody may have logged a secret.
    for channel in settings.channels.values():
        register_secret_variables(channel.secret_variables)
    snapshot = retry_while_locked(lambda: read_snapshot(target), lock_seconds)
    if dry_run:
        _print_planned(_planned(outbox, settings, target, snapshot), settings)
        return
    log = start_logging(ctx.meta.get(RUN_ID) or uuid.uuid4().hex[:SHORT_RUN])
    outbox.prepare()
    planned = plan_into_outbox(
        outbox,
        snapshot,
        settings,
        lambda alerts: retry_while_locked(lambda: read_details(target, alerts), lock_seconds),
    )
    for rule in snapshot.invalid_rules:
        log.warning("rule cannot be used", rule_id=rule.rule_id, problem=rule.problem)
    for name in unknown_names(snapshot):
        log.warning("rule names what is not there", **asdict(name))
    held = Counter((held.channel, held.why) for held in planned.plan.held)
    for (channel_name, reason), n in sorted(held.items()):
        log.info("held back", channel=channel_name, reason=reason, alerts=n)
    report = deliver(outbox, settings, log, wait_seconds=wait_seconds)
    n_forgotten = outbox.delete_expired(outbox.now() - settings.delivery.kept_time)
    if n_forgotten:
        log.info("forgotten", messages=n_forgotten, older_than_days=settings.delivery.keep_days)
    counts = {name: report.counts[name] for name in ("sent", "retry", "dead", "fenced")}
    log.info("done", planned=planned.n_added, waiting=report.n_waiting, **counts)
    _raise_what_is_left(report)


def _raise_what_is_left(report: Report) -> None:
    """The exit code of a run that could not tell everybody."""
    reasons = [f"channel {name}: {why}" for name, why in sorted(report.unusable.items())]
    n_dead, n_waiting = report.counts["dead"], report.n_waiting
    if n_dead:
        said = "message was" if n_dead == 1 else "messages were"
        reasons.append(f"{n_dead} {said} refused for good: see `mlmon alerts list`")
    if reasons:
        raise UndeliverableError("Not everybody can be told: " + "; ".join(reasons) + ".")
    if n_waiting:
        said = "message waits" if n_waiting == 1 else "messages wait"
        raise TryAgainError(f"{n_waiting} {said} to be sent: run `mlmon alerts send` again.")


def _planned(outbox: Outbox, settings: Settings, target: Target, snapshot: Snapshot) -> Planned:
    """What a run would add to the outbox, which need not be there."""
    from mlmon.alerts.dispatcher import plan_messages
    from mlmon.alerts.marts import read_details
    from mlmon.alerts.outbox import OutboxContents

    is_there = outbox.database.exists()
    if is_there:
        outbox.prepare()
    now = outbox.fixed_now or (outbox.now() if is_there else datetime.now(UTC).replace(tzinfo=None))
    flapping_since = now - settings.delivery.flapping_time
    return plan_messages(
        snapshot,
        outbox.read(flapping_since) if is_there else OutboxContents(),
        settings,
        now,
        lambda alerts: read_details(target, alerts),
        outbox.payloads if is_there else lambda _keys: {},
    )


def _print_planned(planned: Planned, settings: Settings) -> None:
    import json

    from mlmon.alerts.content import Content, as_text

    for new in planned.messages:
        message = new.message
        known = "" if message.channel in settings.channels else " (not in the channels file)"
        echo(f"--- to {message.channel}{known}: {message.event}")
        echo(as_text(Content.of(json.loads(message.payload))) + "\n")
    for held in planned.plan.held:
        echo(f"--- held back from {held.channel}: {held.series_id[:12]}, {held.why}")
    echo(f"{counted(len(planned.messages), 'message')} would be sent.")


for command in (send, silence, unsilence, ack, list_, show, retry, backtest):
    alerts.add_command(command)
