"""``mlmon alerts send``: tells people what they should know and have not been told."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from mlmon.cli.options import place_of, project_options
from mlmon.errors import ConfigurationError, TryAgainError, UndeliverableError

if TYPE_CHECKING:
    from mlmon.alerts.outbox import Outbox
    from mlmon.alerts.planning import Planned
    from mlmon.alerts.records import Situation
    from mlmon.alerts.settings import Settings
    from mlmon.profile import Target

Command = TypeVar("Command", bound=Callable[..., Any])

STATE_VARIABLE = "MLMON_ALERTS_STATE"


def state_options(command: Command) -> Command:
    """Where the dispatcher remembers what it told, and what time it is."""
    for option in (
        click.option(
            "--lock-seconds",
            type=click.FloatRange(min=0),
            default=30.0,
            show_default=True,
            help="How long to wait for a locked DuckDB file.",
        ),
        click.option("--now", "now_text", help="Take this as the time (ISO 8601, UTC)."),
        click.option(
            "--state",
            envvar=STATE_VARIABLE,
            help="The outbox: a DuckDB file or a PostgreSQL URL, also by the environment variable"
            f" {STATE_VARIABLE}. [default: beside the warehouse]",
        ),
    ):
        command = option(command)
    return command


def channels_option(command: Command) -> Command:
    """Which services there are."""
    option = click.option(
        "--channels",
        "channels_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The channels file. [default: mlmon_channels.yml in the project]",
    )
    return option(command)


@click.command()
@project_options
@state_options
@channels_option
@click.option("--dry-run", is_flag=True, help="Print what would be told; tell and write nothing.")
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
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
    lock_seconds: float,
    **place: Any,
) -> None:
    """Tell people what fires and what is over, each once.

    Run it after every `dbt build`, or every few minutes: what was told is remembered, what a
    service refused for now is tried again. It may be killed and started twice at any time.

    \b
    mlmon alerts send --dry-run
    mlmon alerts send --state postgresql://mlmon@db/monitoring
    """
    from mlmon.alerts.dispatch import deliver
    from mlmon.alerts.logs import start_logging
    from mlmon.alerts.loose_ends import loose_ends
    from mlmon.alerts.planning import add_planned
    from mlmon.alerts.reading import read_details, read_situation
    from mlmon.alerts.retention import forget
    from mlmon.alerts.scrubbing import register_variables
    from mlmon.alerts.settings import read_settings
    from mlmon.alerts.store import patiently

    target, outbox = open_outbox(ctx, place, lock_seconds)
    settings = read_settings(channels_file, target.project_dir)
    # Before anything is written: somebody may have logged a secret.
    for channel in settings.channels.values():
        register_variables(channel.secret_variables)
    situation = patiently(lambda: read_situation(target), lock_seconds)
    if dry_run:
        _print_planned(_planned(outbox, settings, target, situation), settings)
        return
    log = start_logging(ctx.meta.get(RUN_ID) or uuid.uuid4().hex[:SHORT_RUN])
    outbox.prepare()
    planned = add_planned(
        outbox,
        situation,
        settings,
        lambda alerts: patiently(lambda: read_details(target, alerts), lock_seconds),
    )
    for rule in situation.broken_rules:
        log.warning("rule cannot be used", rule_id=rule.rule_id, problem=rule.problem)
    for end in loose_ends(situation):
        log.warning("rule names what is not there", **asdict(end))
    held = Counter((held.channel, held.why) for held in planned.plan.held)
    for (channel_name, reason), n in sorted(held.items()):
        log.info("held back", channel=channel_name, reason=reason, alerts=n)
    report = deliver(outbox, settings, log, wait_seconds=wait_seconds)
    n_forgotten = forget(outbox.store, outbox.now() - settings.delivery.kept_time)
    if n_forgotten:
        log.info("forgotten", messages=n_forgotten, older_than_days=settings.delivery.keep_days)
    counts = {name: report.counts[name] for name in ("sent", "retry", "dead", "fenced")}
    log.info("done", planned=planned.n_added, waiting=report.n_waiting, **counts)
    n_dead = report.counts["dead"]
    if n_dead or report.unusable:
        reasons = [f"channel {name}: {why}" for name, why in sorted(report.unusable.items())]
        if n_dead:
            noun = "message was" if n_dead == 1 else "messages were"
            reasons.append(f"{n_dead} {noun} refused for good: see `mlmon alerts list`")
        raise UndeliverableError("Not everybody can be told: " + "; ".join(reasons) + ".")
    if report.n_waiting:
        noun = "message waits" if report.n_waiting == 1 else "messages wait"
        raise TryAgainError(f"{report.n_waiting} {noun} to be sent: run `mlmon alerts send` again.")


SHORT_RUN = 12
# Where a command that calls this one leaves the id of its run.
RUN_ID = "mlmon.run_id"


def open_outbox(
    ctx: click.Context, place: dict[str, Any], lock_seconds: float
) -> tuple[Target, Outbox]:
    """The target that is meant and its outbox, not yet made."""
    from mlmon.alerts.outbox import Outbox
    from mlmon.alerts.store import open_store
    from mlmon.profile import read_target

    state = place.get("state")
    # `mlmon run` hands on what it was given.
    around = [one for one in (ctx, ctx.parent) if one]
    if state and ParameterSource.COMMANDLINE in {
        one.get_parameter_source("state") for one in around
    }:
        _refuse_password(state)
    target = read_target(**place_of(ctx, place))
    store = open_store(target, state, lock_seconds)
    return target, Outbox(store, parse_now(place.get("now_text")))


def parse_now(text: str | None) -> datetime | None:
    """A time as given on the command line, naive and UTC."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is no time; allowed: ISO 8601, such as 2024-03-01T06:00:00Z."
        ) from None
    return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed


def _refuse_password(state: str) -> None:
    from urllib.parse import urlsplit

    if "://" in state and urlsplit(state).password:
        raise ConfigurationError(
            "--state holds a password, which every user of this machine can read. Set the"
            f" environment variable {STATE_VARIABLE} or PGPASSWORD instead."
        )


def _planned(outbox: Outbox, settings: Settings, target: Target, situation: Situation) -> Planned:
    from mlmon.alerts.outbox import Memory
    from mlmon.alerts.planning import draft
    from mlmon.alerts.reading import read_details

    is_there = outbox.store.exists()
    now = outbox.fixed_now or (outbox.now() if is_there else datetime.now(UTC).replace(tzinfo=None))
    memory = outbox.read(now - settings.delivery.flapping_time) if is_there else Memory()
    return draft(
        situation,
        memory,
        settings,
        now,
        lambda alerts: read_details(target, alerts),
        outbox.payloads if is_there else lambda _keys: {},
    )


def _print_planned(planned: Planned, settings: Settings) -> None:
    import json

    from mlmon.alerts.content import Content
    from mlmon.alerts.render import as_text

    for _, drafted in planned.drafts:
        message = drafted.message
        known = "" if message.channel in settings.channels else " (not in the channels file)"
        click.echo(f"--- to {message.channel}{known}: {message.event}")
        click.echo(as_text(Content.of(json.loads(message.payload))) + "\n")
    for held in planned.plan.held:
        click.echo(f"--- held back from {held.channel}: {held.series_id[:12]}, {held.why}")
    n = len(planned.drafts)
    click.echo(f"{n} {'message' if n == 1 else 'messages'} would be sent.")
