"""``mlmon alerts``: what fires now, on the console; its commands tell people."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlmon.cli.alerts_backtest import backtest
from mlmon.cli.alerts_kept import ack, list_, retry, show, silence, unsilence
from mlmon.cli.alerts_send import send
from mlmon.cli.console import SEVERITY_STYLES, console
from mlmon.cli.options import project_options

if TYPE_CHECKING:
    from rich.table import Table

    from mlmon.warehouse import Row


@click.group(invoke_without_command=True)
@project_options
@click.option(
    "--all",
    "show_all",
    is_flag=True,
    help="Also alerts about model versions that no longer serve.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A table for people, or a list of objects for programs.",
)
@click.pass_context
def alerts(
    ctx: click.Context,
    project_dir: Path | None,
    profiles_dir: Path | None,
    profile: str | None,
    target: str | None,
    show_all: bool,
    output: str,
) -> None:
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
        ctx.obj = {
            "project_dir": project_dir,
            "profiles_dir": profiles_dir,
            "profile": profile,
            "target": target,
        }
        return
    from mlmon.firing import firing_alerts, rule_problems
    from mlmon.profile import read_target

    chosen = read_target(project_dir, profiles_dir, profile, target)
    found = firing_alerts(chosen)
    for problem in rule_problems(chosen):
        # On the error stream: JSON stays JSON, and a rule that never judges is not passed over.
        click.echo(f"Rule {problem['rule_id']!r} is not used. {problem['rule_problem']}", err=True)
    shown = [alert for alert in found if show_all or alert["is_active"]]
    if output == "json":
        import json

        click.echo(json.dumps(shown, indent=2, default=_as_json, ensure_ascii=False))
        return
    page = console()
    if shown:
        page.print(alert_table(shown))
    page.print(headline(shown, len(found) - len(shown)))


def headline(shown: list[Row], n_hidden: int) -> str:
    """How many alerts fire, in a sentence."""
    counts = {
        severity: sum(alert["severity"] == severity for alert in shown)
        for severity in ("critical", "warning")
    }
    said = ", ".join(f"{n} {severity}" for severity, n in counts.items() if n)
    text = f"{_count(len(shown), 'alert')} firing: {said}." if shown else "Nothing fires."
    if n_hidden:
        text += f" {_count(n_hidden, 'more')} about versions that no longer serve: --all shows."
    return text


def alert_table(shown: list[Row]) -> Table:
    """The alerts as a table, the worst first."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from mlmon.alerts.records import Alert
    from mlmon.words import value_and_limit, where

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("severity", no_wrap=True)
    table.add_column("rule, monitor\nmetric")
    table.add_column("value\nlimit", no_wrap=True)
    table.add_column("since (UTC)\nrunbook", no_wrap=True)
    for alert in shown:
        style = SEVERITY_STYLES.get(alert["severity"], "none")
        record = Alert.of(alert)
        value, limit = value_and_limit(record)
        about = f"{alert['rule_id']}, {alert['monitor']} {alert['model_version']}"
        since = f"{alert['since_window_end']:%Y-%m-%d %H:%M}"
        table.add_row(
            f"[{style}]{alert['severity']}[/]",
            f"{escape(about)}\n[dim]{escape(where(record))}[/]",
            f"{value}\n[dim]{escape(limit)}[/]",
            f"{since}\n[dim]{escape(alert['runbook'] or '')}[/]",
        )
    return table


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 or noun == "more" else f"{n} {noun}s"


def _as_json(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


for command in (send, silence, unsilence, ack, list_, show, retry, backtest):
    alerts.add_command(command)
