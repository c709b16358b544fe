"""``mlmon alerts backtest``: what alert rules would have told, without telling anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlmon.cli.console import cell, console, table
from mlmon.cli.options import echo_json, format_option, parse_time, project_options, target_of
from mlmon.formatting import counted
from mlmon.output import echo

if TYPE_CHECKING:
    from rich.table import Table

    from mlmon.alerts.backtest import Backtest, Finding, Storm, Tally
    from mlmon.alerts.outbox import Event
    from mlmon.alerts.rules import Episode

# How many alerts that only one of two rules has are shown to people; JSON has all.
MOST_SHOWN = 10
EVENTS: tuple[Event, ...] = ("trigger", "escalate", "repeat", "resolve")


@click.command()
@project_options
@click.option(
    "--rule",
    "rules_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file with columns of the seed alert_rules: judge its rows instead of the rules in"
    " force, and show both.",
)
@click.option("--since", "since_text", help="Count windows that end after this (ISO 8601, UTC).")
@click.option(
    "--again-within",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    metavar="WINDOWS",
    help="An alert that fires again this soon after its end is flapping.",
)
@format_option("A table for people, or a list of objects for programs.")
@click.pass_context
def backtest(
    ctx: click.Context,
    /,
    rules_file: Path | None,
    since_text: str | None,
    again_within: int,
    output: str,
    **place: Any,
) -> None:
    """Print how often rules fired, or would have; send nothing.

    Rules are replayed over the stored metrics; nothing is written. A file stands for all rows of
    the rules that it names: copy them from the seed and change a threshold, or hand over the seed
    itself before you build with it. Messages are those to each channel of a rule: beginnings,
    escalations, repeats and ends, with cooldown, flapping and storms, without silences,
    acknowledgements and inhibition.

    \b
    mlmon alerts backtest
    mlmon alerts backtest --rule seeds/alert_rules.csv --since 2024-01-01
    mlmon alerts backtest --rule stricter.csv --format json | jq '.[].only_new'
    """
    from mlmon.alerts import backtest as testing
    from mlmon.alerts.channels import read_settings
    from mlmon.alerts.rules import read_rules

    since = parse_time(since_text)
    rules = read_rules(rules_file) if rules_file else None
    target = target_of(ctx, place)
    found = testing.backtest(
        target,
        rules,
        rules_file=rules_file,
        since=since,
        again_within=again_within,
        delivery=read_settings(None, target.project_dir).delivery,
    )
    for note in found.notes:
        echo(note, err=True)
    if output == "json":
        echo_json([as_dict(one, is_compared=rules is not None) for one in found.findings])
        return
    _print(found, is_compared=rules is not None)


def as_dict(finding: Finding, *, is_compared: bool) -> dict[str, Any]:
    """A finding as an object for programs."""
    shown: dict[str, Any] = {
        "rule_id": finding.rule_id,
        "monitor": finding.monitor,
        "starts_at": finding.starts_at,
        "ends_at": finding.ends_at,
        "weeks": finding.weeks,
        **_tally_dict(finding, finding.tally),
    }
    if is_compared:
        in_force = finding.in_force
        shown["in_force"] = None if in_force is None else _tally_dict(finding, in_force)
        shown["only_new"] = [_episode_dict(one) for one in finding.only_new]
        shown["only_in_force"] = [_episode_dict(one) for one in finding.only_in_force]
    return shown


def _tally_dict(finding: Finding, tally: Tally) -> dict[str, Any]:
    return {
        "n_series": tally.n_series,
        "n_windows": tally.n_windows,
        "n_judged": tally.n_judged,
        "n_alerts": len(tally.episodes),
        "n_critical": tally.n_critical,
        "messages": {event: tally.messages.get(event, 0) for event in EVENTS},
        "n_grouped": tally.n_grouped,
        "n_storms": tally.n_storms,
        "alerts_per_week": finding.per_week(tally),
        "firing_share": tally.firing_share,
        "n_fired_again": tally.n_fired_again,
        "longest": _episode_dict(tally.longest) if tally.longest else None,
    }


def _episode_dict(episode: Episode) -> dict[str, Any]:
    labels = episode.series._asdict()
    return {
        **{name: value for name, value in labels.items() if name not in {"rule_id", "monitor"}},
        "measure": episode.measure,
        "severity": episode.severity,
        "since_window_end": episode.since_window_end,
        "fired_at": episode.fired_at,
        "resolved_at": episode.resolved_at,
        "n_windows": episode.n_windows,
        "n_breached": episode.n_breached,
        "peak_value": episode.peak_value,
    }


def _print(found: Backtest, *, is_compared: bool) -> None:
    page, findings = console(), found.findings
    if not findings:
        page.print("No rule judged anything in this time.")
        return
    page.print(_table(findings, is_compared=is_compared))
    page.print(headline(findings))
    if found.storms:
        page.print(storms_line(found.storms))
    if is_compared:
        _print_differences(findings)


def headline(findings: list[Finding]) -> str:
    """How many alerts a week all rules make together, in a sentence."""
    starts = min(finding.starts_at for finding in findings)
    ends = max(finding.ends_at for finding in findings)
    weekly = sum(finding.per_week(finding.tally) for finding in findings)
    text = f"{starts:%Y-%m-%d} to {ends:%Y-%m-%d}: {weekly:.2f} alerts a week"
    before = [finding.per_week(finding.in_force) for finding in findings if finding.in_force]
    if before:
        text += f", {sum(before):.2f} by the rules of the same names in force"
    return text + ". Nothing was sent."


def storms_line(storms: list[Storm]) -> str:
    """What was told together, in a sentence."""
    n_alerts = sum(len(storm.members) for storm in storms)
    n_messages = sum(len(storm.told) for storm in storms)
    told = f"{counted(len(storms), 'storm')}, told in {counted(n_messages, 'message')}"
    return f"{n_alerts:,} of the alerts began in {told}."


def _table(findings: list[Finding], *, is_compared: bool) -> Table:
    shown = table()
    shown.add_column("rule\nmonitor", overflow="fold", min_width=16)
    shown.add_column("alerts\na week", justify="right", no_wrap=True)
    if is_compared:
        shown.add_column("in force\na week", justify="right", no_wrap=True)
        shown.add_column("only new\nonly old", justify="right", no_wrap=True)
    shown.add_column("messages\nrepeats", justify="right", no_wrap=True)
    shown.add_column("longest\nfrom (UTC)", no_wrap=True)
    shown.add_column("firing\nagain", justify="right", no_wrap=True)
    shown.add_column("series\njudged", justify="right", no_wrap=True)
    for finding in findings:
        tally = finding.tally
        cells = [
            f"{cell(finding.rule_id)}\n[dim]{cell(finding.monitor)}[/]",
            _counted(finding, tally),
        ]
        if is_compared:
            before = finding.in_force
            only = f"{len(finding.only_new)}\n{len(finding.only_in_force)}"
            cells += [_counted(finding, before), only] if before else ["none", ""]
        cells += [
            f"{sum(tally.messages.values()):,}\n[dim]{tally.messages.get('repeat', 0):,}[/]",
            _longest(tally.longest),
            f"{_share(tally.n_firing, tally.n_windows)}\n[dim]{tally.n_fired_again:,}[/]",
            f"{tally.n_series:,}\n[dim]{_share(tally.n_judged, tally.n_windows)}[/]",
        ]
        shown.add_row(*cells)
    return shown


def _counted(finding: Finding, tally: Tally) -> str:
    return f"{len(tally.episodes):,}\n[dim]{finding.per_week(tally):.2f}[/]"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _longest(episode: Episode | None) -> str:
    if episode is None:
        return "–"
    still = "" if episode.resolved_at else ", open"
    return (
        f"{counted(episode.n_windows, 'window')}{still}\n[dim]{episode.fired_at:%Y-%m-%d %H:%M}[/]"
    )


def _print_differences(findings: list[Finding]) -> None:
    """The alerts that one of two rules has and the other has not, the first of each."""
    page = console()
    for finding in findings:
        for title, episodes in (
            ("Only the new", finding.only_new),
            ("Only the old", finding.only_in_force),
        ):
            if episodes:
                page.print("\n" + cell(f"{title} {finding.rule_id} of {finding.monitor}:"))
            for episode in episodes[:MOST_SHOWN]:
                page.print(f"  {cell(_sentence(episode))}")
            if len(episodes) > MOST_SHOWN:
                page.print(f"  and {len(episodes) - MOST_SHOWN:,} more: --format json has all.")


def _sentence(episode: Episode) -> str:
    from mlmon.formatting import measured, where

    series = episode.series
    end = f"{episode.resolved_at:%Y-%m-%d %H:%M}" if episode.resolved_at else "now"
    return (
        f"{episode.fired_at:%Y-%m-%d %H:%M} to {end}: {episode.severity},"
        f" {series.model_version}, {where(series)},"
        f" worst {measured(episode.peak_value, episode.measure)}"
    )
