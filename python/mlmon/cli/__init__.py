"""The command line. One module a command; what is heavy is imported when a command needs it."""

from __future__ import annotations

import os
from typing import Any

import click

from mlmon import __version__
from mlmon.cli.alerts import alerts
from mlmon.cli.demo import demo
from mlmon.cli.run import run
from mlmon.cli.validate import validate
from mlmon.errors import FAILED, MlmonError
from mlmon.output import accept_any_character, discard_output, echo, echo_error


class _Group(click.Group):
    """Prints errors as a sentence and leaves with their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        accept_any_character()
        try:
            return super().invoke(ctx)
        except MlmonError as error:
            echo_error(error)
            ctx.exit(error.exit_code)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # The reader has gone, as in `mlmon alerts | head`.
            discard_output()
            ctx.exit(FAILED)
        except Exception as error:  # noqa: BLE001
            said = f"Unexpected error: {type(error).__name__}: {error}"
            if os.environ.get("MLMON_DEBUG"):
                import traceback

                said += "\n" + "".join(traceback.format_exception(error))
            else:
                said += "\nSet MLMON_DEBUG=1 to see where it comes from."
            echo(said, err=True)
            ctx.exit(FAILED)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "Exit codes: 0 fine; 1 failed; 2 wrong usage or configuration; 3 undeliverable alerts;"
        " 75 something is in the way, try again."
    ),
)
@click.version_option(__version__, prog_name="mlmon")
def main() -> None:
    """Monitor machine-learning models inside the warehouse.

    \b
    mlmon demo                              see it work on real flights
    mlmon validate --project-dir my_dbt     is what landed as it should be?
    mlmon run --project-dir my_dbt          check, build, tell: what a schedule starts
    mlmon alerts --project-dir my_dbt       what fires now?
    mlmon alerts send --project-dir my_dbt  tell people

    The numbers themselves are made by dbt: `dbt build` in a project that installs the package.
    """


main.add_command(demo)
main.add_command(validate)
main.add_command(run)
main.add_command(alerts)
