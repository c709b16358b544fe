"""Reads secrets from the environment, and keeps them out of everything that is written.

The only place where the values of a channel's variables are read. Each is registered then, and `redact`
takes it out of logs, tables, errors and messages in the forms in which libraries repeat it.
"""

from __future__ import annotations

import base64
import html
import json
import os
import unicodedata
from collections.abc import Iterable, Iterator
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
    """The value of an environment variable. Raises ConfigurationError, which never repeats it."""
    problem = variable_problem(name)
    if problem:
        raise ConfigurationError(f"The environment variable {name} {problem}.")
    return os.environ[name]


def variable_problem(name: str) -> str | None:
    """Why the value of a variable cannot be used, or None: a header or URL can hold no line break."""
    value = os.environ.get(name, "")
    if not value:
        return "is not set"
    if value != value.strip():
        return "begins or ends with white space, as a mounted file that ends in a line break does"
    if any(unicodedata.category(char) == "Cc" for char in value):
        return "holds a control character"
    return None


def secret(name: str) -> str:
    """The value of an environment variable, from now on hidden wherever it would appear."""
    register_secret_variables([name])
    return variable(name)


def register_secret_variables(names: Iterable[str]) -> None:
    """Hide the values of environment variables, where they are set."""
    for name in names:
        value = os.environ.get(name)
        if value:
            register_secret(value)


def register_secret(value: str) -> None:
    """Hide a value of 6 characters or more from now on, also as URLs, JSON, HTML, Python's repr and
    base64 write it, and the longer parts of a URL."""
    forms: set[str] = set()
    for text in {value, value.strip()}:
        forms |= {text, quote(text, safe=""), quote(text), quote_plus(text)}
        forms |= {html.escape(text), html.escape(text, quote=False)}
        forms |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        forms |= {repr(text)[1:-1], repr(text.encode())[2:-1]}
        forms.add(base64.b64encode(text.encode()).decode())
        forms |= {part for part in _url_parts(text) if len(part) >= _SHORTEST_PART}
    _secrets.update(form for form in forms if len(form.strip()) >= _SHORTEST)


def _url_parts(value: str) -> list[str]:
    if "://" not in value:
        return []
    try:
        url = urlsplit(value)
    except ValueError:
        return []
    parts = [*url.path.split("/"), url.path, url.query, url.username or "", url.password or ""]
    parts += [pair.partition("=")[2] for pair in url.query.split("&")]
    return parts + [unquote(part) for part in parts]


def redact(text: str) -> str:
    """The text without any secret that was registered."""
    for value in sorted(_secrets, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def redact_all(value: Any) -> Any:
    """The same for texts inside dicts, lists and tuples."""
    text = "\0".join(_texts(value))
    return _redacted(value) if any(form in text for form in _secrets) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from _texts(pair)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts(entry)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {_redacted(key): _redacted(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(entry) for entry in value]
    return value
