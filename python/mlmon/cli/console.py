"""How the command line looks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlmon.output import printable
from mlmon.redaction import redact

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SEVERITY_STYLES = {"critical": "bold red", "warning": "yellow", "ok": "green"}

# Where nobody has said how wide a page is, as in a file or a log.
PAGE_WIDTH = 100


def console() -> Console:
    """A console that wraps at the terminal's width, or at a fixed one where there is none."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else PAGE_WIDTH)


def cell(text: object) -> str:
    """A text of one line as a page shows it: nothing in it is markup or moves a terminal."""
    from rich.markup import escape

    return escape(printable(redact(str(text))).replace("\n", " "))


def table() -> Table:
    """A table as all commands show them."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False)
