"""``mlmon validate``: is the configuration right? For now without a look at the logs themselves."""

from __future__ import annotations

import re
from pathlib import Path

import click

from mlmon.cli.options import project_options

# How the package's own checks begin each problem: monitor and key.
_PROBLEM = re.compile(r"^\W*(mlmon_\w+(?:\.\S+)?:\s.+)$")
# Where in dbt's Jinja it was found, which helps nobody who has made a typing error.
_NOISE = re.compile(r"^\s*(> (in macro|called by)|Encountered an error:?)")


@click.command()
@project_options
def validate(
    project_dir: Path | None,
    profiles_dir: Path | None,
    profile: str | None,
    target: str | None,
) -> None:
    """Check the configuration of a dbt project that installs mlmon.

    Every problem is named with its monitor and key, what was found, and how to mend it; the exit
    code is then 2. The warehouse is not asked.

    \b
    mlmon validate --project-dir my_dbt
    """
    from mlmon.dbt_process import run_dbt
    from mlmon.errors import ConfigurationError
    from mlmon.profile import read_target

    found = read_target(project_dir, profiles_dir, profile, target)
    # A saved parse would hide what only a fresh one finds.
    run = run_dbt(
        ["parse", "--no-partial-parse", "--profile", found.profile, "--target", found.name],
        project_dir=found.project_dir,
        profiles_dir=found.profiles_dir,
    )
    for warning in run.warnings:
        click.echo(f"Warning: {warning}", err=True)
    if run.exit_code != 0:
        raise ConfigurationError(problems(run.errors or list(run.other)))
    click.echo(f"The configuration of {found.project_dir} is right.")


def problems(errors: list[str]) -> str:
    """What dbt said, cut down to what a person has to change."""
    lines = [line for error in errors for line in error.splitlines()]
    named = [match[1] for line in lines if (match := _PROBLEM.match(line))]
    named = list(dict.fromkeys(named))
    if named:
        counted = "1 problem" if len(named) == 1 else f"{len(named)} problems"
        return "\n".join([f"{counted} in the configuration:", *(f"  {text}" for text in named)])
    kept = [line for line in lines if line.strip() and not _NOISE.match(line)]
    return "\n".join(dict.fromkeys(kept)) or "dbt cannot parse the project and said nothing."
