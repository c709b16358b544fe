"""Keeps secrets out of everything that is written: logs, tables, errors, messages.

Values are registered when they are read from the environment; `scrub` takes them out of a text in
the forms in which libraries repeat them.
"""

from __future__ import annotations

import base64
import os
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from mlmon.errors import ConfigurationError

HIDDEN = "***"

# Shorter parts of a secret URL are words like "services": hiding them would hide everything.
_SHORTEST_PART = 8

_secrets: set[str] = set()


def secret(variable: str) -> str:
    """The value of an environment variable, from now on hidden wherever it would appear.

    Raises ConfigurationError where the variable is not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(f"The environment variable {variable} is not set.")
    register(value)
    return value


def register(value: str) -> None:
    """Hide a value from now on: as it is, quoted for a URL, in base64, and parts of a URL."""
    forms = {value, quote(value, safe=""), quote(value), quote_plus(value)}
    forms.add(base64.b64encode(value.encode()).decode())
    parts = urlsplit(value) if "://" in value else None
    if parts:
        texts = [*parts.path.split("/"), parts.query, parts.username or "", parts.password or ""]
        if parts.query:
            texts += [pair.partition("=")[2] for pair in parts.query.split("&")]
        forms |= {text for text in texts if len(text) >= _SHORTEST_PART}
        forms |= {parts.path} if len(parts.path) >= _SHORTEST_PART else set()
    _secrets.update(form for form in forms if form)


def scrub(text: str) -> str:
    """The text without any secret that was registered."""
    for value in sorted(_secrets, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def scrub_all(value: Any) -> Any:
    """The same for texts inside dicts, lists and tuples."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub_all(key): scrub_all(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub_all(entry) for entry in value]
    return value
