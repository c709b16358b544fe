"""``mlmon demo``: generate the flights logs, build the tables, and say what was caught."""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

PROJECT = Path("examples") / "flights"

# What is announced, of the tenth of the flights on DuckDB: measured with an idle machine of two cores. The end of
# each demo says what it took; change this where it is no longer so.
USUAL_TIME = "about a minute"


@click.command()
@click.option("--full", is_flag=True, help="Log every flight, not a tenth: ten times the rows.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where logs, tables and dbt's files go. [default: examples/flights]",
)
@click.option(
    "--target",
    type=click.Choice(["duckdb", "postgres"]),
    default="duckdb",
    show_default=True,
    help="The warehouse. postgres is found by PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE.",
)
@click.option(
    "--project-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The demo's dbt project. [default: examples/flights of this checkout]",
)
def demo(full: bool, directory: Path | None, target: str, project_dir: Path | None) -> None:
    """Watch two models of New York's flights of 2013, from their logs to alerts.

    Real flights, weather and outcomes; simulated models and log traffic; nine injected incidents.
    Says what it usually takes and, at the end, what it took. Writes only into the directory, which
    git ignores.

    \b
    mlmon demo
    mlmon demo --full --directory ~/flights
    """
    from mlmon.cli.console import console
    from mlmon.cli.demo_summary import print_summary
    from mlmon.profile import read_target

    page = console()
    took = _Took()
    project = find_demo(project_dir)
    place = (directory or project).resolve()
    environment = demo_environment(place, target)
    longer = ", with all flights several times as long" if full else ""
    page.print(f"This takes {USUAL_TIME} on two cores{longer}.")
    _generate(page, project, place, full)
    took.ends("logs")
    found = read_target(project, project, target=target, environment=environment)
    if target == "postgres":
        from mlmon.demo.postgres import land_in_postgres

        land_in_postgres(found, place / "logs_landed")
        took.ends("landing them")
    _build(page, project, place, target, environment)
    took.ends("dbt")
    print_summary(page, found, place)
    took.ends("summary")
    page.print(took.words())


class _Took:
    """How long each step took."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._steps: list[tuple[str, float]] = []

    def ends(self, step: str) -> None:
        now = monotonic()
        self._steps.append((step, now - self._began))
        self._began = now

    def words(self) -> str:
        """All of it and each step, in seconds."""
        steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in self._steps)
        return f"It took {sum(seconds for _, seconds in self._steps):.0f} s: {steps}."


def find_demo(project_dir: Path | None) -> Path:
    """The demo's project: as given, in the checkout around here, or in that of this package.

    Raises ConfigurationError outside a checkout.
    """
    from mlmon.errors import ConfigurationError

    here = Path.cwd()
    around = [place / PROJECT for place in (here, *here.parents)]
    beside = Path(__file__).resolve().parents[3] / PROJECT
    for place in [project_dir] if project_dir else [*around, beside]:
        if (place / "dbt_project.yml").is_file() and (place / "data").is_dir():
            return place.resolve()
    raise ConfigurationError(
        f"The demo lives in a clone of mlmon, in {PROJECT}, and {project_dir or here} is in none."
        " Run `mlmon demo` inside the clone, or name that directory with --project-dir."
    )


def demo_environment(place: Path, target: str) -> dict[str, str]:
    """The variables that the demo's profile, its sources and dbt read."""
    return {
        "FLIGHTS_TARGET": target,
        "FLIGHTS_LOGS": str(place / "logs_landed"),
        "FLIGHTS_DUCKDB": str(place / "flights.duckdb"),
        "DBT_TARGET_PATH": str(place / "target"),
        "DBT_LOG_PATH": str(place / "logs"),
    }


def _generate(page: Console, project: Path, place: Path, full: bool) -> None:
    from mlmon.errors import ConfigurationError

    with page.status("importing pandas and scikit-learn") as status:
        try:
            from mlmon.demo.generate import generate

            generate(
                project / "data",
                place / "logs_landed",
                full=full,
                progress=lambda step: _step(page, status.update, step),
            )
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"The demo needs {error.name}, which is not installed:"
                f" {sys.executable} -m pip install 'mlmon[demo]'."
            ) from None


def _step(page: Console, update: object, step: str) -> None:
    if page.is_terminal and callable(update):
        update(step)
    else:
        page.print(f"· {step}")


def _build(
    page: Console, project: Path, place: Path, target: str, environment: dict[str, str]
) -> None:
    from mlmon.dbt_process import run_dbt_with_progress

    if not page.is_terminal:
        page.print("· building the tables with dbt")
    commands = [["build", "--target", target, "--full-refresh"]]
    if not (project / "dbt_packages" / "mlmon" / "dbt_project.yml").is_file():
        commands.insert(0, ["deps"])
    for command in commands:
        run = run_dbt_with_progress(
            page,
            command,
            project_dir=project,
            profiles_dir=project,
            environment=environment,
            log_path=place / "logs" / "dbt.log",
        )
    page.print(f"· dbt built {run.n_done} models and seeds")
