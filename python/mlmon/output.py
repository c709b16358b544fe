"""What commands write: texts that do nothing to a terminal, errors, and the log of a run.

Whatever comes out of a log, a table or an answer may hold escape sequences and characters that turn
or break lines. `printable` is the one place where they are taken out.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlmon.redaction import redact, redact_all

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

# These repeat URLs, which may be secrets.
TALKATIVE = ("httpx", "httpcore", "apprise", "urllib3", "requests")


def printable(text: str) -> str:
    """The text with a blank for everything but visible characters and line breaks: no control
    character, none that turns the direction of writing, no other separator of lines."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(
        char if char == "\n" or unicodedata.category(char)[0] not in "CZ" else " " for char in text
    )


def echo(text: str, *, err: bool = False) -> None:
    """Print a text without secrets, and without what a terminal would obey."""
    click.echo(printable(redact(text)), err=err)


def echo_error(error: Exception) -> None:
    """Print an error that was foreseen, on the error stream."""
    click.echo(
        click.style("Error: ", fg="red", bold=True) + printable(redact(str(error))), err=True
    )


def accept_any_character() -> None:
    """Show what a console has no character for by its number, as \\u2026."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Let nobody fail any more who writes to an output that its reader has closed."""
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def start_logging(run_id: str) -> FilteringBoundLogger:
    """A logger that is bound to a run and hides secrets: JSON lines where nobody watches, readable
    lines where somebody does. On the error stream: the console channel has the output for itself."""
    import structlog

    for name in TALKATIVE:
        # Their children inherit the level.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    renderer: Any = (
        structlog.dev.ConsoleRenderer(pad_event_to=0)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _clean,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logger: FilteringBoundLogger = structlog.get_logger().bind(run_id=run_id)
    return logger


def _clean(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {
        name: printable(value) if isinstance(value, str) else value
        for name, value in redact_all(dict(event)).items()
    }
