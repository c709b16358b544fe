"""Options that several commands share, spelled as dbt spells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


def project_options(command: Command) -> Command:
    """Where the dbt project is and which of its warehouses is meant."""
    for option in (
        click.option("--target", help="The target of the profile. [default: the profile's own]"),
        click.option("--profile", help="The profile. [default: as in dbt_project.yml]"),
        click.option(
            "--profiles-dir",
            type=_DIRECTORY,
            help="Directory of profiles.yml. [default: here, the project, ~/.dbt]",
        ),
        click.option(
            "--project-dir",
            type=_DIRECTORY,
            help="Directory of the dbt project. [default: here]",
        ),
    ):
        command = option(command)
    return command


def vars_option(command: Command) -> Command:
    """Vars for dbt, over those of the project."""
    return click.option(
        "--vars", "variables", help="Vars for dbt, as its own option takes them: YAML or JSON."
    )(command)


def place_of(ctx: click.Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """The project options of a command, those given before it where it has none of its own."""
    before = ctx.obj or {}
    names = ("project_dir", "profiles_dir", "profile", "target")
    return {name: given.get(name) or before.get(name) for name in names}
