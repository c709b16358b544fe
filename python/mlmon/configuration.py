"""Whether the configuration of a project is right, in dbt's words cut down to what has to change."""

from __future__ import annotations

import re

from mlmon.dbt_process import DbtRun, run_dbt
from mlmon.errors import ConfigurationError, MlmonError, TryAgainError
from mlmon.profile import Target

# How the package's own checks begin each problem: monitor and key.
_PROBLEM = re.compile(r"^\W*(mlmon_\w+(?:\.\S+)?:\s.+)$")
# Where in dbt's Jinja it was found, which helps nobody who has made a typing error.
_NOISE = re.compile(r"^\s*(> (in macro|called by)|Encountered an error:?)")
_NO_PACKAGE = re.compile(r"could not find a macro with the name .\w+. in the .mlmon. package")
_NOT_PARSED = 2


def parse(target: Target, variables: str | None = None) -> DbtRun:
    """Check what YAML alone can tell, without the warehouse. Raises ConfigurationError.

    ``variables`` are vars as dbt's option ``--vars`` takes them.
    """
    run = fresh_run(["parse"], target, variables)
    if run.exit_code != 0:
        raise ConfigurationError(problems(run.errors or list(run.other)))
    return run


def fresh_run(arguments: list[str], target: Target, variables: str | None = None) -> DbtRun:
    """Run a dbt command for a target, with the project parsed anew.

    A saved parse would hide what only a fresh one finds.
    """
    given = ["--vars", variables] if variables else []
    where = ["--profile", target.profile, "--target", target.name]
    return run_dbt(
        [*arguments, "--no-partial-parse", *given, *where],
        project_dir=target.project_dir,
        profiles_dir=target.profiles_dir,
    )


def failure(run: DbtRun, target: Target) -> MlmonError:
    """The error that a failed operation of the package means."""
    errors = run.errors or list(run.other)
    said = "\n".join(errors)
    if "Could not set lock on file" in said:
        return TryAgainError(
            f"Another process holds the DuckDB file: try again.\n{problems(errors)}"
        )
    if _NO_PACKAGE.search(said):
        return ConfigurationError(
            f"The dbt project {target.project_dir} does not have mlmon: name it in packages.yml and"
            " run `dbt deps`."
        )
    text = problems(errors)
    is_wrong = run.exit_code == _NOT_PARSED or any(map(_PROBLEM.match, said.splitlines()))
    return ConfigurationError(text) if is_wrong else MlmonError(text)


def problems(errors: list[str]) -> str:
    """What dbt said, cut down to what a person has to change."""
    lines = [line for error in errors for line in error.splitlines()]
    named = [match[1] for line in lines if (match := _PROBLEM.match(line))]
    if named:
        return listed(list(dict.fromkeys(named)))
    kept = [line for line in lines if line.strip() and not _NOISE.match(line)]
    return "\n".join(dict.fromkeys(kept)) or "dbt cannot parse the project and said nothing."


def listed(named: list[str]) -> str:
    """Problems as one text."""
    counted = "1 problem" if len(named) == 1 else f"{len(named)} problems"
    return "\n".join([f"{counted} in the configuration:", *(f"  {text}" for text in named)])
