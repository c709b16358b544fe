"""Reads the channels file: which services exist, and in which environment variables their secrets are.

A secret itself never stands in the file. What is wrong in it is named by channel and key, all at
once, before anything is sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlmon.alerts.records import RANKS
from mlmon.errors import ConfigurationError

FILE = "mlmon_channels.yml"

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Kind:
    """The keys of a kind of channel, each with the type of its value. ``*_env`` keys name
    environment variables; of each tuple in ``one_of`` one has to be there, complete."""

    keys: Mapping[str, type]
    needed: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()


HTTP_KEYS: dict[str, type] = {"ca_file": str, "allow_http": bool, "timeout_seconds": float}

KINDS: dict[str, Kind] = {
    "console": Kind({}),
    "slack": Kind(
        {"webhook_url_env": str, "token_env": str, "channel": str, "base_url": str, **HTTP_KEYS},
        one_of=(("webhook_url_env",), ("token_env", "channel")),
    ),
    "pagerduty": Kind(
        {"routing_key_env": str, "base_url": str, **HTTP_KEYS}, needed=("routing_key_env",)
    ),
    "email": Kind(
        {
            "host": str,
            "port": int,
            "security": str,
            "username_env": str,
            "password_env": str,
            "from": str,
            "to": list,
            "ca_file": str,
            "timeout_seconds": float,
        },
        needed=("host", "from", "to"),
    ),
    "webhook": Kind(
        {
            "url": str,
            "url_env": str,
            "secret_env": str,
            "token_env": str,
            "max_bytes": int,
            **HTTP_KEYS,
        },
        one_of=(("url",), ("url_env",)),
    ),
    "alertmanager": Kind(
        {"url": str, "token_env": str, "username": str, "password_env": str, **HTTP_KEYS},
        needed=("url",),
    ),
    "apprise": Kind({"url_env": str}, needed=("url_env",)),
}

SECURITIES = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to tell people. ``options`` holds no secrets, only the names of variables."""

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    min_severity: str = "warning"

    @property
    def variables(self) -> list[str]:
        """The environment variables that it needs."""
        return [str(value) for key, value in self.options.items() if key.endswith("_env")]

    @property
    def secret_variables(self) -> list[str]:
        """Those whose values must not be shown: a user's name may be."""
        options = self.options.items()
        return [
            str(value) for key, value in options if key.endswith("_env") and key != "username_env"
        ]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How much is told, and how long it is tried."""

    group_above: int = 10
    flapping_triggers: int = 4
    flapping_minutes: int = 10080
    lease_seconds: int = 180
    max_attempts: int = 12
    keep_days: int = 400

    @property
    def flapping_time(self) -> timedelta:
        return timedelta(minutes=self.flapping_minutes)

    @property
    def kept_time(self) -> timedelta:
        """How long messages that are over are remembered: as long as planning needs, at least."""
        return max(timedelta(days=self.keep_days), self.flapping_time)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the channels file says; without a file there is the console."""

    channels: Mapping[str, Channel]
    delivery: Delivery = field(default_factory=Delivery)


CONSOLE = Channel("console", "console")


def read_settings(path: Path | None, project_dir: Path) -> Settings:
    """The settings of a file, else of mlmon_channels.yml in the project, else the console alone.

    Raises ConfigurationError, which lists every problem of the file.
    """
    found = path or project_dir / FILE
    if not found.is_file():
        if path is not None:
            raise ConfigurationError(f"The channels file {path} is not there.")
        return Settings({"console": CONSOLE})
    import yaml

    try:
        content = yaml.safe_load(found.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{found} is no valid YAML: {error}") from None
    return parse_settings(content, str(found))


def parse_settings(content: Any, where: str = FILE) -> Settings:
    """The settings of a file's content; ConfigurationError with every problem in it."""
    problems: list[str] = []
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigurationError(f"{where} should hold the key mlmon_channels, a mapping.")
    for key in content:
        if key not in {"mlmon_channels", "mlmon_delivery"}:
            problems.append(f"{key}: unknown; allowed: mlmon_channels, mlmon_delivery")
    channels = _channels(content.get("mlmon_channels") or {}, problems)
    delivery = _delivery(content.get("mlmon_delivery") or {}, problems)
    if problems:
        counted = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError("\n  ".join([f"{counted} in {where}:", *problems]))
    return Settings({"console": CONSOLE, **channels}, delivery)


def missing_variables(channel: Channel) -> list[str]:
    """The environment variables a channel names that are not set."""
    return [name for name in channel.variables if not os.environ.get(name)]


def _channels(content: Any, problems: list[str]) -> dict[str, Channel]:
    if not isinstance(content, dict):
        problems.append("mlmon_channels: should map names of channels to their settings")
        return {}
    found = {}
    for name, entry in content.items():
        key = f"mlmon_channels.{name}"
        if ";" in str(name):
            problems.append(f"{key}: a name has no semicolon; rules separate channels by it")
        if not isinstance(entry, dict) or entry.get("kind") not in KINDS:
            given = entry.get("kind") if isinstance(entry, dict) else entry
            problems.append(f"{key}.kind: found {given!r}; allowed: {', '.join(KINDS)}")
            continue
        options = {part: value for part, value in entry.items() if part != "kind"}
        severity = options.pop("min_severity", "warning")
        if severity not in RANKS or severity == "none":
            problems.append(f"{key}.min_severity: found {severity!r}; allowed: warning, critical")
        problems += [f"{key}.{text}" for text in _option_problems(entry["kind"], options)]
        found[str(name)] = Channel(str(name), entry["kind"], options, severity)
    return found


def _option_problems(kind_name: str, options: Mapping[str, Any]) -> list[str]:
    kind = KINDS[kind_name]
    problems = []
    for key, value in options.items():
        wanted = kind.keys.get(key)
        if wanted is None:
            allowed = ", ".join(["kind", "min_severity", *kind.keys])
            problems.append(f"{key}: unknown for {kind_name}; allowed: {allowed}")
        elif not _is_a(value, wanted):
            problems.append(f"{key}: found {value!r}; allowed: {_NAMES[wanted]}")
        elif key.endswith("_env") and not str(value).isidentifier():
            # Perhaps the secret itself: it is not repeated.
            problems.append(
                f"{key}: not the name of an environment variable; fix: put the secret into a"
                " variable and write its name here"
            )
        elif key in {"url", "base_url"}:
            problems += [f"{key}: {text}" for text in url_problems(value, options)]
    for key in kind.needed:
        if key not in options:
            problems.append(f"{key}: missing")
    if kind.one_of and not any(all(key in options for key in keys) for keys in kind.one_of):
        forms = " or ".join(" and ".join(keys) for keys in kind.one_of)
        problems.append(f"kind: {kind_name} needs {forms}")
    return problems + _pair_problems(kind_name, options)


def _pair_problems(kind_name: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with keys that belong together."""
    problems = []
    if options.get("security", "starttls") not in SECURITIES:
        problems.append(
            f"security: found {options['security']!r}; allowed: {', '.join(SECURITIES)}"
        )
    if kind_name == "alertmanager" and ("username" in options) != ("password_env" in options):
        problems.append("username: goes together with password_env")
    if kind_name == "email" and ("username_env" in options) != ("password_env" in options):
        problems.append("username_env: goes together with password_env")
    if kind_name == "email" and options.get("security") == "none" and "password_env" in options:
        problems.append("security: a password is sent only over TLS; allowed here: starttls, tls")
    return problems


def url_problems(url: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with a URL; it is not repeated, for it may hold a secret."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return ["not a URL; allowed: https://host/path"]
    if parts.username or parts.password:
        return ["holds a user or password; fix: name environment variables for them"]
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not options.get("allow_http"):
        return ["without TLS; allowed: https, or http with allow_http: true"]
    return []


def _delivery(content: Any, problems: list[str]) -> Delivery:
    allowed = ("group_above", "flapping_triggers", "flapping_minutes", "lease_seconds",
               "max_attempts", "keep_days")  # fmt: skip
    if not isinstance(content, dict):
        problems.append(f"mlmon_delivery: should be a mapping; allowed: {', '.join(allowed)}")
        return Delivery()
    values = {}
    for key, value in content.items():
        if key not in allowed:
            problems.append(f"mlmon_delivery.{key}: unknown; allowed: {', '.join(allowed)}")
        elif not _is_a(value, int) or value < 1:
            problems.append(
                f"mlmon_delivery.{key}: found {value!r}; allowed: a whole number from 1"
            )
        else:
            values[key] = value
    if values.get("lease_seconds", 180) < 120:
        problems.append(
            "mlmon_delivery.lease_seconds: allowed: 120 or more, longer than one message may take"
        )
    return Delivery(**values)


_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number above 0, at most 60",
    bool: "true, false",
    list: "a list of texts",
}


def _is_a(value: Any, wanted: type) -> bool:
    if wanted is float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and 0 < value <= 60
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted is list:
        return isinstance(value, list) and bool(value) and all(isinstance(x, str) for x in value)
    return isinstance(value, wanted) and value != ""
