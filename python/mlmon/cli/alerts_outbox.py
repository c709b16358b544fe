"""What the outbox holds: ``mlmon alerts list``, ``show``, ``ack``, ``silence``, ``retry``."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from mlmon.cli.console import SEVERITY_STYLES, cell, console, table
from mlmon.cli.options import (
    Amount,
    echo_json,
    format_option,
    open_outbox,
    parse_time,
    project_options,
    state_options,
)
from mlmon.errors import ConfigurationError, MlmonError
from mlmon.formatting import counted
from mlmon.output import echo

if TYPE_CHECKING:
    from mlmon.alerts.outbox import Ack, Outbox, OutboxContents, Silence

LABELS = (
    "rule",
    "monitor",
    "version",
    "segment",
    "value",
    "column",
    "metric",
    "class",
    "label_age",
    "series",
)


@click.command()
@project_options
@state_options
@click.argument("matchers", nargs=-1, required=True, metavar="LABEL=PATTERN...")
@click.option("--hours", type=Amount(max=87_600, min_open=True), help="How long.")
@click.option("--starts", help="From when on (ISO 8601, UTC). [default: now]")
@click.option("--until", help="Until when (ISO 8601, UTC), instead of --hours.")
@click.option("--by", "created_by", help="Who asks for it. [default: the user's name]")
@click.option("--comment", default="", help="Why.")
@click.pass_context
def silence(
    ctx: click.Context,
    /,
    matchers: tuple[str, ...],
    hours: float | None,
    starts: str | None,
    until: str | None,
    created_by: str | None,
    comment: str,
    **place: Any,
) -> None:
    """Keep messages that match from being sent for a while.

    A message is silenced where every pattern matches its label: rule, monitor, version, segment,
    value, column, metric, class, label_age, series. `*` and `?` stand for anything. What still
    fires afterwards is told then; the end of an alert that was told before is told at once.

    \b
    mlmon alerts silence monitor=churn --hours 4 --comment 'feed is being repaired'
    mlmon alerts silence 'rule=drift_*' 'column=weather_*' --until 2024-03-01T06:00:00Z
    """
    from mlmon.alerts.outbox import Silence

    matcher = parse_matchers(matchers)
    outbox = _prepared(ctx, place)
    now = outbox.now()
    starts_at = parse_time(starts) or now
    ends_at = parse_time(until)
    if (hours is None) == (ends_at is None):
        raise click.UsageError("Say how long: --hours or --until.")
    if ends_at is None:
        ends_at = starts_at + timedelta(hours=hours or 0)
    if ends_at <= starts_at:
        raise ConfigurationError(f"The silence would end at {ends_at}, before it starts.")
    made = Silence(
        silence_id=uuid.uuid4().hex[:12],
        matcher=matcher,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=created_by or _user(),
        comment=comment,
        created_at=now,
    )
    outbox.add_silence(made)
    echo(f"Silence {made.silence_id} until {ends_at:%Y-%m-%d %H:%M} UTC.")


@click.command()
@project_options
@state_options
@click.argument("silence_id")
@click.pass_context
def unsilence(ctx: click.Context, /, silence_id: str, **place: Any) -> None:
    """End a silence now.

    \b
    mlmon alerts unsilence 4f1c2a9b77de
    """
    outbox = _prepared(ctx, place)
    known = [silence.silence_id for silence in outbox.read().silences]
    found = _one(silence_id, known, "silence")
    outbox.end_silence(found, outbox.now())
    echo(f"Silence {found} has ended.")


@click.command()
@project_options
@state_options
@click.argument("series_id")
@click.option("--by", "created_by", help="Who looks after it. [default: the user's name]")
@click.option("--comment", default="", help="What is being done.")
@click.pass_context
def ack(
    ctx: click.Context, /, series_id: str, created_by: str | None, comment: str, **place: Any
) -> None:
    """Say that you look after an alert: it is not repeated.

    It is told again when it becomes worse, and when it is over. SERIES_ID is the id in the message,
    or a beginning of it.

    \b
    mlmon alerts ack 4f1c2a9b77de --comment 'asking the weather feed'
    """
    from mlmon.alerts.outbox import Ack
    from mlmon.alerts.planner import histories

    outbox = _prepared(ctx, place)
    past = histories(outbox.read().messages)
    found = _one(series_id, {series for series, _ in past}, "alert that was told")
    if not any(history.is_open for (series, _), history in past.items() if series == found):
        raise MlmonError(f"The alert {found} is over already.")
    outbox.add_ack(Ack(found, outbox.now(), created_by or _user(), comment))
    echo(f"Acknowledged {found}.")


@click.command("list")
@project_options
@state_options
@format_option("A table for people, or an object for programs.")
@click.pass_context
def list_(ctx: click.Context, /, output: str, **place: Any) -> None:
    """Show what people have been told and is not over, what waits or was refused, and silences.

    \b
    mlmon alerts list
    mlmon alerts list --format json | jq '.alerts[] | select(.status == "dead")'
    """
    _, outbox = open_outbox(ctx, place, read_only=True)
    contents = _contents(outbox)
    listed = open_alerts(contents)
    # Without an outbox there are no silences, and no clock to ask.
    silences = [one for one in contents.silences if one.ends_at > outbox.now()]
    if output == "json":
        echo_json({"alerts": listed, "silences": [asdict(silence) for silence in silences]})
    else:
        _print_list(listed, silences)


@click.command()
@project_options
@state_options
@click.argument("some_id", metavar="ID")
@click.pass_context
def show(ctx: click.Context, /, some_id: str, **place: Any) -> None:
    """Show the messages about an alert, what they said and how their delivery went.

    ID is that of an alert or of a message, or a beginning of it.

    \b
    mlmon alerts show 4f1c2a9b77de
    """
    from mlmon.alerts.content import Content, as_text

    _, outbox = open_outbox(ctx, place, read_only=True)
    contents = _contents(outbox)
    known = [key for row in contents.messages for key in (row.series_id, row.delivery_key)]
    found = _one(some_id, known, "alert or message")
    rows = [row for row in contents.messages if found in {row.series_id, row.delivery_key}]
    rows.sort(key=lambda row: (row.created_at, row.channel, row.seq))
    payloads = outbox.payloads(row.delivery_key for row in rows)
    attempts = outbox.deliveries([row.delivery_key for row in rows])
    for row in rows:
        echo(f"{row.delivery_key}  {row.event} to {row.channel}: {row.status}")
        for attempt in attempts:
            if attempt["delivery_key"] == row.delivery_key:
                said = f", {attempt['error']}" if attempt["error"] else ""
                at = f"{attempt['finished_at']:%Y-%m-%d %H:%M:%S}"
                echo(f"  attempt {attempt['attempt']} at {at}: {attempt['outcome']}{said}")
        if row.group_key:
            echo(f"  told with {row.group_key}")
    last = next((row for row in reversed(rows) if "title" in payloads[row.delivery_key]), None)
    if last:
        echo("\n" + as_text(Content.of(payloads[last.delivery_key])))
    for made in contents.acks:
        if made.series_id == rows[0].series_id:
            said = f": {made.comment}" if made.comment else ""
            at = f"{made.created_at:%Y-%m-%d %H:%M}"
            echo(f"\nAcknowledged by {made.created_by} at {at}{said}")


@click.command()
@project_options
@state_options
@click.argument("some_id", metavar="ID")
@click.pass_context
def retry(ctx: click.Context, /, some_id: str, **place: Any) -> None:
    """Let messages that were refused for good be tried again by the next `send`.

    For when the channel has been mended. ID is that of an alert or of a message.

    \b
    mlmon alerts retry 4f1c2a9b77de
    """
    outbox = _prepared(ctx, place)
    dead = [row for row in outbox.read().messages if row.status == "dead" and not row.group_key]
    known = [key for row in dead for key in (row.series_id, row.delivery_key)]
    found = _one(some_id, known, "message that was refused")
    keys = [row.delivery_key for row in dead if found in {row.series_id, row.delivery_key}]
    outbox.retry(keys, outbox.now())
    echo(f"{counted(len(keys), 'message')} will be tried again.")


def parse_matchers(texts: Iterable[str]) -> dict[str, str]:
    """Patterns by label, of arguments such as monitor=churn."""
    found: dict[str, str] = {}
    for text in texts:
        label, sign, pattern = text.partition("=")
        if not sign or label not in LABELS or not pattern:
            raise ConfigurationError(
                f"{text!r} is no matcher; allowed: LABEL=PATTERN with a label of"
                f" {', '.join(LABELS)}."
            )
        if label in found:
            raise ConfigurationError(f"The label {label} is given twice; write two silences.")
        found[label] = pattern
    return found


def open_alerts(contents: OutboxContents) -> list[dict[str, Any]]:
    """What is told and not over, waits, or was refused as the last word: one row a channel."""
    from mlmon.alerts.planner import histories

    acks: Mapping[str, Ack] = {made.series_id: made for made in contents.acks}
    found = []
    for history in histories(contents.messages).values():
        last, made = history.last_word, acks.get(history.series_id)
        is_waiting = last is not None and last.status in {"pending", "claimed", "dead"}
        if last is None or history.is_grouped or not (history.is_open or is_waiting):
            continue
        found.append(
            {
                "series_id": history.series_id,
                "channel": history.channel,
                "severity": last.severity,
                "title": last.title,
                "event": last.event,
                "status": last.status,
                "since": history.opened_at or last.created_at,
                "last_told_at": last.sent_at,
                "acknowledged_by": (
                    made.created_by if made and history.is_acknowledged(made) else None
                ),
                "last_error": last.last_error,
            }
        )
    return sorted(
        found, key=lambda row: (row["severity"] != "critical", row["since"], row["title"])
    )


def _print_list(listed: Sequence[Mapping[str, Any]], silences: Sequence[Silence]) -> None:
    page = console()
    if listed:
        shown = table()
        shown.add_column("id\nchannel", no_wrap=True)
        shown.add_column("alert")
        shown.add_column("since (UTC)\ndelivery", no_wrap=True)
        for row in listed:
            by = row["acknowledged_by"]
            state = f"acknowledged by {by}" if by else f"{row['event']} {row['status']}"
            error = f"\n[dim]{cell(row['last_error'])}[/]" if row["last_error"] else ""
            style = SEVERITY_STYLES.get(row["severity"], "none")
            shown.add_row(
                f"{row['series_id'][:12]}\n[dim]{cell(row['channel'])}[/]",
                f"[{style}]{cell(row['title'])}[/]{error}",
                f"{row['since']:%Y-%m-%d %H:%M}\n[dim]{cell(state)}[/]",
            )
        page.print(shown)
    else:
        page.print("Nobody has been told of anything that is not over.")
    for made in silences:
        matcher = " ".join(f"{label}={pattern}" for label, pattern in made.matcher.items())
        said = f": {made.comment}" if made.comment else ""
        page.print(
            cell(
                f"Silence {made.silence_id} of {matcher} until {made.ends_at:%Y-%m-%d %H:%M} UTC"
                f" by {made.created_by}{said}"
            )
        )


def _prepared(ctx: click.Context, place: Mapping[str, Any]) -> Outbox:
    _, outbox = open_outbox(ctx, place)
    outbox.prepare()
    return outbox


def _contents(outbox: Outbox) -> OutboxContents:
    from mlmon.alerts.outbox import OutboxContents

    if not outbox.database.exists():
        return OutboxContents()
    outbox.prepare()
    return outbox.read()


def _one(given: str, known: Iterable[str], what: str) -> str:
    """The one id that begins as given."""
    found = sorted({one for one in known if one.startswith(given)})
    if given in found:
        return given
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"{given!r} is the beginning of {len(found)} ids: give more of it."
        )
    raise MlmonError(f"There is no {what} {given!r}; `mlmon alerts list` shows what there is.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
