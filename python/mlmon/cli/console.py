"""How the command line looks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

SEVERITY_STYLES = {"critical": "bold red", "warning": "yellow", "ok": "green"}

# Where nobody has said how wide a page is, as in a file or a log.
PAGE_WIDTH = 100


def console(*, stderr: bool = False) -> Console:
    """A console that wraps at the terminal's width, or at a fixed one where there is none."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else PAGE_WIDTH)
