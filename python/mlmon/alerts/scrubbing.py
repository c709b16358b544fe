"""Keeps secrets out of everything that is written: logs, tables, errors, messages.

Values are registered when they are read from the environment; `scrub` takes them out of a text in
the forms in which libraries repeat them.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from mlmon.errors import ConfigurationError

HIDDEN = "***"

# Hiding what is shorter would hide ordinary words; a secret this short is none.
_SHORTEST = 6
# Shorter parts of a secret URL are words like "services": hiding them would hide everything.
_SHORTEST_PART = 12

_secrets: set[str] = set()


def variable(name: str) -> str:
    """The value of an environment variable; ConfigurationError where it is not set."""
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is not set.")
    return value


def secret(name: str) -> str:
    """The value of an environment variable, from now on hidden wherever it would appear."""
    value = variable(name)
    register(value)
    return value


def register_variables(names: Iterable[str]) -> None:
    """Hide the values of environment variables, where they are set."""
    for name in names:
        value = os.environ.get(name)
        if value:
            register(value)


def register(value: str) -> None:
    """Hide a value of 6 characters or more from now on: as it is, quoted for a URL, in base64, and parts of a URL."""
    forms = {value, quote(value, safe=""), quote(value), quote_plus(value)}
    forms.add(base64.b64encode(value.encode()).decode())
    parts = urlsplit(value) if "://" in value else None
    if parts:
        texts = [*parts.path.split("/"), parts.query, parts.username or "", parts.password or ""]
        if parts.query:
            texts += [pair.partition("=")[2] for pair in parts.query.split("&")]
        texts.append(parts.path)
        texts += [unquote(text) for text in texts]
        forms |= {text for text in texts if len(text) >= _SHORTEST_PART}
    _secrets.update(form for form in forms if len(form) >= _SHORTEST)


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
