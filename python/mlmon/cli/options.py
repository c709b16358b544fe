"""Options that several commands share, spelled as dbt spells them, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from mlmon.errors import ConfigurationError
from mlmon.output import echo

if TYPE_CHECKING:
    from mlmon.alerts.outbox import Outbox
    from mlmon.profile import Target

Command = TypeVar("Command", bound=Callable[..., Any])

PROJECT = ("project_dir", "profiles_dir", "profile", "target")
STATE = ("state", "now_text", "lock_seconds")
STATE_VARIABLE = "MLMON_ALERTS_STATE"

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


class Amount(click.FloatRange):
    """A number from 0; neither NaN nor infinite."""

    def __init__(self, max: float, *, min_open: bool = False) -> None:  # noqa: A002
        super().__init__(min=0, max=max, min_open=min_open)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found: float = super().convert(value, param, ctx)
        if found != found:  # NaN is not equal to itself
            self.fail(f"{value!r} is no number.", param, ctx)
        return found


def _all(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


# Where the dbt project is and which of its warehouses is meant.
project_options = _all(
    click.option(
        "--project-dir", type=DIRECTORY, help="Directory of the dbt project. [default: here]"
    ),
    click.option(
        "--profiles-dir",
        type=DIRECTORY,
        help="Directory of profiles.yml. [default: here, the project, ~/.dbt]",
    ),
    click.option("--profile", help="The profile. [default: as in dbt_project.yml]"),
    click.option("--target", help="The target of the profile. [default: the profile's own]"),
)

# Where the dispatcher remembers what it told, and what time it is.
state_options = _all(
    click.option(
        "--state",
        envvar=STATE_VARIABLE,
        help="The outbox: a DuckDB file or a PostgreSQL URL, also by the environment variable"
        f" {STATE_VARIABLE}. [default: beside the warehouse]",
    ),
    click.option("--now", "now_text", help="Take this as the time (ISO 8601, UTC)."),
    click.option(
        "--lock-seconds",
        type=Amount(max=86_400),
        default=30.0,
        show_default=True,
        help="How long to wait for a locked DuckDB file.",
    ),
)

vars_option = click.option(
    "--vars", "variables", help="Vars for dbt, as its own option takes them: YAML or JSON."
)

channels_option = click.option(
    "--channels",
    "channels_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The channels file. [default: mlmon_channels.yml in the project]",
)


def format_option(help_text: str) -> Callable[[Command], Command]:
    """Text for people or JSON for programs."""
    return click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help=help_text,
    )


def target_of(ctx: click.Context, given: Mapping[str, Any]) -> Target:
    """The target that is meant: by the project options of a command, else by those before it."""
    from mlmon.profile import read_target

    before = ctx.obj or {}
    return read_target(**{name: given.get(name) or before.get(name) for name in PROJECT})


def open_outbox(
    ctx: click.Context, given: Mapping[str, Any], *, read_only: bool = False
) -> tuple[Target, Outbox]:
    """The target that is meant and its outbox, not yet made."""
    from mlmon.alerts.database import open_database
    from mlmon.alerts.outbox import Outbox

    state = given["state"]
    # `mlmon run` hands on what it was given.
    around = [one for one in (ctx, ctx.parent) if one]
    if state and ParameterSource.COMMANDLINE in {
        one.get_parameter_source("state") for one in around
    }:
        _refuse_password(state)
    target = target_of(ctx, given)
    database = open_database(target, state, given["lock_seconds"], read_only=read_only)
    return target, Outbox(database, parse_time(given["now_text"]))


def _refuse_password(state: str) -> None:
    from mlmon.alerts.database import state_passwords

    if state_passwords(state):
        raise ConfigurationError(
            "--state holds a password, which every user of this machine can read. Set the"
            f" environment variable {STATE_VARIABLE} or PGPASSWORD instead."
        )


def parse_time(text: str | None) -> datetime | None:
    """A time as given on the command line, naive and UTC."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo:
            parsed = parsed.astimezone(UTC).replace(tzinfo=None)
        if not 1970 <= parsed.year <= 2200:
            raise ValueError
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"{text!r} is no time; allowed: ISO 8601 from 1970 to 2200, such as"
            " 2024-03-01T06:00:00Z."
        ) from None
    return parsed


def echo_json(value: Any) -> None:
    """Print a value for programs, times in ISO 8601."""
    import json

    echo(json.dumps(value, indent=2, default=_as_json, ensure_ascii=False))


def _as_json(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
