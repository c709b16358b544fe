"""The channels: the file that configures them, what each is given to send, and what it answers.

A secret never stands in the file, only the name of its environment variable. What is wrong in the
file is named by channel and key, all at once, before anything is sent.

One module a service renders the neutral content, escapes what that service would interpret, and
cuts what it would refuse for its length. The console and Apprise take plain text: they are here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from mlmon.errors import ConfigurationError
from mlmon.output import discard_output, printable
from mlmon.profile import read_yaml
from mlmon.redaction import secret, variable_problem

if TYPE_CHECKING:
    from mlmon.alerts.content import Content
    from mlmon.alerts.outbox import Event

FILE = "mlmon_channels.yml"
SEVERITIES = ("warning", "critical")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel: its keys, and ways to configure it, of which one has to be complete.

    Keys that end in ``_env`` name environment variables.
    """

    keys: tuple[str, ...] = ()
    needs_one_of: tuple[tuple[str, ...], ...] = ()


HTTP_KEYS = ("ca_file", "allow_http", "timeout_seconds")
KINDS = {
    "console": Kind(),
    "slack": Kind(
        ("webhook_url_env", "token_env", "channel", "base_url", *HTTP_KEYS),
        (("webhook_url_env",), ("token_env", "channel")),
    ),
    "pagerduty": Kind(("routing_key_env", "base_url", *HTTP_KEYS), (("routing_key_env",),)),
    "email": Kind(
        ("host", "port", "security", "username_env", "password_env", "from", "to", "ca_file",
         "timeout_seconds"),
        (("host", "from", "to"),),
    ),
    "webhook": Kind(
        ("url", "url_env", "secret_env", "token_env", "max_bytes", *HTTP_KEYS),
        (("url",), ("url_env",)),
    ),
    "alertmanager": Kind(("url", "token_env", "username", "password_env", *HTTP_KEYS), (("url",),)),
    "apprise": Kind(("url_env",), (("url_env",),)),
}  # fmt: skip

# Keys that are no texts, with the test of their values and what is allowed in words.
_WHOLE = (lambda value: type(value) is int, "a whole number")
_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "port": _WHOLE,
    "max_bytes": _WHOLE,
    "allow_http": (lambda value: isinstance(value, bool), "true, false"),
    "timeout_seconds": (
        lambda value: type(value) in {int, float} and 0 < value <= 60,
        "a number above 0, at most 60",
    ),
    "to": (
        lambda value: (
            isinstance(value, list) and bool(value) and all(isinstance(x, str) for x in value)
        ),
        "a list of texts",
    ),
}
_TEXT = (lambda value: isinstance(value, str) and value != "", "a text")
_SECURITIES = ("starttls", "tls", "none")


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
        return [name for name in self.variables if name != self.options.get("username_env")]

    @property
    def variable_problems(self) -> list[str]:
        """Why it cannot be used now: variables that are not set, or hold what nothing can send."""
        problems = {name: variable_problem(name) for name in self.variables}
        unset = [name for name, problem in problems.items() if problem == "is not set"]
        said = [f"not set in the environment: {', '.join(unset)}"] if unset else []
        return said + [
            f"{name} {problem}"
            for name, problem in problems.items()
            if problem and name not in unset
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

    # A century: the largest numbers that a time can be moved by.
    MOST: ClassVar[Mapping[str, int]] = {
        "group_above": 1_000_000,
        "flapping_triggers": 1_000_000,
        "flapping_minutes": 52_560_000,
        "lease_seconds": 86_400,
        "max_attempts": 1_000,
        "keep_days": 36_500,
    }

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


@dataclass(frozen=True, slots=True)
class Notification:
    """A message and whom it is for. ``thread`` is what the service calls the first message of the
    same episode; ``key`` stays the same however often it is tried."""

    key: str
    series_id: str
    event: Event
    severity: str
    content: Content
    channel: Channel
    now: datetime
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The service has taken it; ``provider_ref`` is what it calls the message."""

    provider_ref: str | None = None
    status_code: int | None = None
    note: str = ""


class SendError(Exception):
    """It was not taken, or nobody knows.

    ``is_final``: trying again will not help. ``is_ambiguous``: it may have been taken although no
    answer came. ``retry_at``: not before then, as the service asks.
    """

    def __init__(
        self,
        text: str,
        *,
        is_final: bool = False,
        is_ambiguous: bool = False,
        retry_at: datetime | None = None,
        status_code: int | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.is_final = is_final
        self.is_ambiguous = is_ambiguous
        self.retry_at = retry_at
        self.status_code = status_code


def sender(kind: str) -> Callable[[Notification], Receipt]:
    """The function that sends for a kind of channel; it raises SendError.

    What it needs is imported only now.
    """
    if kind == "console":
        return _print
    if kind == "apprise":
        return _send_by_apprise
    send: Callable[[Notification], Receipt] = import_module(f"mlmon.alerts.channels.{kind}").send
    return send


def _print(notification: Notification) -> Receipt:
    from mlmon.alerts.content import as_text

    try:
        sys.stdout.write(printable(as_text(notification.content)) + "\n\n")
        sys.stdout.flush()
    except OSError as error:
        discard_output()
        raise SendError(f"the output: {type(error).__name__}", is_ambiguous=True) from None
    return Receipt()


def _send_by_apprise(notification: Notification) -> Receipt:
    """Apprise says only whether it worked, not why; so what failed is tried again."""
    from mlmon.alerts.content import as_text, defused_content

    try:
        import apprise
    except ModuleNotFoundError:
        raise SendError("Apprise is not installed: pip install 'mlmon[apprise]'") from None

    url = secret(str(notification.channel.options["url_env"]))
    if urlsplit(url).hostname in LOOPBACK:
        # Nothing that stays on this machine is for a proxy of the environment.
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
            filter(None, [os.environ.get("NO_PROXY"), *sorted(LOOPBACK)])
        )
    service = apprise.Apprise()
    if not service.add(url):
        raise SendError("Apprise does not know the URL of this channel", is_final=True)
    content = defused_content(notification.content)
    kind = "failure" if notification.severity == "critical" else "warning"
    if notification.event == "resolve":
        kind = "success"
    is_sent = service.notify(
        title=content.title,
        body=as_text(content, with_title=False),
        notify_type=kind,
        body_format=apprise.NotifyFormat.TEXT,
    )
    if not is_sent:
        raise SendError("Apprise could not send it", is_ambiguous=True)
    return Receipt()


def read_settings(path: Path | None, project_dir: Path) -> Settings:
    """The settings of a file, else of mlmon_channels.yml in the project, else the console alone.

    Raises ConfigurationError, which lists every problem of the file.
    """
    found = path or project_dir / FILE
    console = {"console": Channel("console", "console")}
    if not found.is_file():
        if path is not None:
            raise ConfigurationError(f"The channels file {path} is not there.")
        return Settings(console)
    content = read_yaml(found)
    problems = [
        f"{key}: unknown; allowed: mlmon_channels, mlmon_delivery"
        for key in content
        if key not in {"mlmon_channels", "mlmon_delivery"}
    ]
    channels = _channels(content.get("mlmon_channels") or {}, problems)
    delivery = _delivery(content.get("mlmon_delivery") or {}, problems)
    if problems:
        counted = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError("\n  ".join([f"{counted} in {found}:", *problems]))
    return Settings({**console, **channels}, delivery)


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
        if severity not in SEVERITIES:
            problems.append(f"{key}.min_severity: found {severity!r}; allowed: warning, critical")
        problems += [f"{key}.{text}" for text in _option_problems(entry["kind"], options)]
        found[str(name)] = Channel(str(name), entry["kind"], options, severity)
    return found


def _option_problems(kind_name: str, options: Mapping[str, Any]) -> list[str]:
    kind = KINDS[kind_name]
    problems = []
    for key, value in options.items():
        is_allowed, allowed = _VALUES.get(key, _TEXT)
        if key not in kind.keys:
            known = ", ".join(["kind", "min_severity", *kind.keys])
            problems.append(f"{key}: unknown for {kind_name}; allowed: {known}")
        elif not is_allowed(value):
            problems.append(f"{key}: found {value!r}; allowed: {allowed}")
        elif key.endswith("_env") and not str(value).isidentifier():
            # Perhaps the secret itself: it is not repeated.
            problems.append(
                f"{key}: not the name of an environment variable; fix: put the secret into a"
                " variable and write its name here"
            )
        elif key in {"url", "base_url"}:
            problems += [f"{key}: {text}" for text in url_problems(value, options)]
    ways = kind.needs_one_of
    if len(ways) == 1:
        problems += [f"{key}: missing" for key in ways[0] if key not in options]
    elif ways and not any(all(key in options for key in keys) for keys in ways):
        forms = " or ".join(" and ".join(keys) for keys in ways)
        problems.append(f"kind: {kind_name} needs {forms}")
    return problems + _pair_problems(kind_name, options)


def _pair_problems(kind_name: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with keys that belong together."""
    problems = []
    if options.get("security", "starttls") not in _SECURITIES:
        problems.append(
            f"security: found {options['security']!r}; allowed: {', '.join(_SECURITIES)}"
        )
    user = {"alertmanager": "username", "email": "username_env"}.get(kind_name)
    if user and (user in options) != ("password_env" in options):
        problems.append(f"{user}: goes together with password_env")
    if options.get("security") == "none" and "password_env" in options:
        problems.append("security: a password is sent only over TLS; allowed here: starttls, tls")
    return problems


def url_problems(url: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with a URL; it is not repeated, for it may hold a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ["not a URL; allowed: https://host/path"]
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return ["not a URL; allowed: https://host/path"]
    if parts.username or parts.password:
        return ["holds a user or password; fix: name environment variables for them"]
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not options.get("allow_http"):
        return ["without TLS; allowed: https, or http with allow_http: true"]
    return []


def _delivery(content: Any, problems: list[str]) -> Delivery:
    known = [item.name for item in fields(Delivery)]
    allowed = ", ".join(known)
    if not isinstance(content, dict):
        problems.append(f"mlmon_delivery: should be a mapping; allowed: {allowed}")
        return Delivery()
    values = {}
    for key, value in content.items():
        if key not in known:
            problems.append(f"mlmon_delivery.{key}: unknown; allowed: {allowed}")
        elif type(value) is not int or not 1 <= value <= Delivery.MOST[key]:
            problems.append(
                f"mlmon_delivery.{key}: found {value!r}; allowed: a whole number from 1 to"
                f" {Delivery.MOST[key]}"
            )
        else:
            values[key] = value
    if values.get("lease_seconds", 180) < 120:
        problems.append(
            "mlmon_delivery.lease_seconds: allowed: 120 or more, longer than one message may take"
        )
    return Delivery(**values)
