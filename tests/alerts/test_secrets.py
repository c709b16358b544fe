"""A secret is never in a table, a log, a message, an error or a trace, however it goes wrong."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import Any

import pytest

from mlmon.redaction import redact, redact_all, register_secret
from support.alerts import NOW, AlertProject, state
from support.loopback import Reply, Request, Service, service

CANARY = "c4n4ry+/s3cr3t=c4n4ry"
QUOTED = "c4n4ry%2B%2Fs3cr3t%3Dc4n4ry"


def channels(url: str) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """A channel of every kind with a secret, and the variables that hold it."""
    host, port = url.removeprefix("http://").split(":")
    return {
        "webhook": (
            {
                "kind": "webhook",
                "url_env": "WEBHOOK_A",
                "secret_env": "WEBHOOK_B",
                "token_env": "WEBHOOK_C",
            },
            {
                "WEBHOOK_A": f"{url}/hooks/{QUOTED}?key={QUOTED}",
                "WEBHOOK_B": CANARY,
                "WEBHOOK_C": CANARY,
            },
        ),
        "slack webhook": (
            {"kind": "slack", "webhook_url_env": "SLACK_WEBHOOK_A"},
            {"SLACK_WEBHOOK_A": f"{url}/services/{QUOTED}"},
        ),
        "slack bot": (
            {"kind": "slack", "token_env": "SLACK_BOT_A", "channel": "#ml", "base_url": url},
            {"SLACK_BOT_A": CANARY},
        ),
        "pagerduty": (
            {"kind": "pagerduty", "routing_key_env": "PAGERDUTY_A", "base_url": url},
            {"PAGERDUTY_A": CANARY},
        ),
        "alertmanager": (
            {"kind": "alertmanager", "url": url, "username": "u", "password_env": "ALERTMANAGER_A"},
            {"ALERTMANAGER_A": CANARY},
        ),
        "email": (
            {
                "kind": "email",
                "host": host,
                "port": int(port),
                "from": "a@example.org",
                "to": ["b@example.org"],
                "username_env": "EMAIL_A",
                "password_env": "EMAIL_B",
                "timeout_seconds": 1,
            },
            {"EMAIL_A": CANARY, "EMAIL_B": CANARY},
        ),
        "apprise": (
            {"kind": "apprise", "url_env": "APPRISE_A"},
            {"APPRISE_A": f"{url.replace('http', 'json')}/{QUOTED}"},
        ),
    }


def everything(alerts: AlertProject) -> str:
    """All that is kept, as one text."""
    kept = alerts.kept_warehouse()
    tables = kept.tables("analytics_mlmon_alerts")
    assert "alert_deliveries" in tables
    return "".join(
        json.dumps(kept.read(table, "analytics_mlmon_alerts").to_dict("records"), default=str)
        for table in tables
    )


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret is known from an earlier test."""
    monkeypatch.setattr("mlmon.redaction._secrets", set())


@pytest.mark.parametrize("answer", ["echo", "refusal", "drop", "unreachable"])
def test_the_canary_is_nowhere(alerts: AlertProject, hook: Service, answer: str) -> None:
    def echo(request: Request, _: int) -> Reply:
        """Repeats everything it was sent, as careless services do in their errors."""
        said = json.dumps([request.path, request.headers, request.body.decode("utf-8", "replace")])
        return Reply(500 if answer == "echo" else 400, body=said.encode())

    hook.behaviour = (lambda *_: Reply(0)) if answer == "drop" else echo
    named = channels("http://127.0.0.1:9" if answer == "unreachable" else hook.url)
    alerts.channels({name: channel for name, (channel, _) in named.items()})
    for _, variables in named.values():
        alerts.environment |= variables
    alerts.states(state(channels=";".join(named), reason=f"somebody logged {CANARY}"))
    shown = ""
    for more in ({}, {"MLMON_DEBUG": "1"}):
        result = alerts.send(now=NOW, **more)
        assert result.exit_code in {3, 75}, result.output
        shown += result.output + result.stderr + str(result.exception)
    assert set(alerts.outbox()["attempts"]) == {1}
    shown += everything(alerts) + alerts.run("list").output
    shown += alerts.run("show", state()["series_id"]).output
    assert "attempt 1" in shown
    for form in (CANARY, QUOTED, base64.b64encode(f"u:{CANARY}".encode()).decode()):
        assert form not in shown


@pytest.mark.parametrize("debug", ["", "1"])
def test_the_canary_is_in_nothing_that_a_process_prints(
    duckdb_alerts: AlertProject, hook: Service, debug: str
) -> None:
    """A process of its own has what libraries log, and the trace of what nobody foresaw."""
    hook.behaviour = lambda request, _: Reply(
        500, body=json.dumps([request.path, request.headers]).encode()
    )
    named = channels(hook.url)
    duckdb_alerts.channels({name: channel for name, (channel, _) in named.items()})
    for _, variables in named.values():
        duckdb_alerts.environment |= variables
    duckdb_alerts.environment["MLMON_DEBUG"] = debug
    duckdb_alerts.states(state(channels=";".join(named)))
    # After everything was tried, an error that repeats a secret.
    late = (
        "import os\n"
        "from mlmon.alerts.outbox import Outbox\n"
        "def fail(*_): raise RuntimeError('broken: ' + os.environ['WEBHOOK_B'])\n"
        "Outbox.delete_expired = fail"
    )
    process = duckdb_alerts.start(before=late, options=["--wait", "0"])
    shown, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Unexpected error: RuntimeError: broken: ***" in errors
    assert ("Traceback" in errors) == bool(debug)
    assert errors.count('"event": "retry"') + errors.count('"event": "dead"') == len(named)
    for form in (CANARY, QUOTED, base64.b64encode(f"u:{CANARY}".encode()).decode()):
        assert form not in shown + errors


def test_a_secret_in_a_log_is_hidden_once_it_is_known() -> None:
    register_secret("https://hooks.example/services/T000/B000/abcdefgh1234?token=zyxwvuts9876")
    assert redact("at /services/T000/B000/abcdefgh1234") == "at ***"
    assert redact("token zyxwvuts9876 and abcdefgh1234") == "token *** and ***"
    assert redact_all({"a": ["zyxwvuts9876", 1, None]}) == {"a": ["***", 1, None]}
    assert redact("services") == "services"


def test_a_password_in_the_outbox_url_is_refused_on_the_command_line(
    duckdb_alerts: AlertProject,
) -> None:
    url = "postgresql://mlmon:c4n4ry-c4n4ry@127.0.0.1:1/db"
    result = duckdb_alerts.send("--state", url)
    assert result.exit_code == 2
    assert "c4n4ry" not in result.output
    result = duckdb_alerts.send(MLMON_ALERTS_STATE=url)
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert "c4n4ry" not in result.output


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ({"kind": "slak"}, "kind: found 'slak'; allowed: console, slack"),
        ({"kind": "slack"}, "slack needs webhook_url_env or token_env and channel"),
        ({"kind": "pagerduty"}, "routing_key_env: missing"),
        (
            {"kind": "pagerduty", "routing_key_env": "c4n4ry-of-nobody"},
            "not the name of an environment variable",
        ),
        ({"kind": "webhook", "url": "http://hooks.example/c4n4ry"}, "without TLS"),
        ({"kind": "webhook", "url": "https://u:c4n4ry@hooks.example/"}, "user or password"),
        ({"kind": "webhook", "url": "c4n4ry"}, "not a URL"),
        ({"kind": "webhook", "url": "https://x.example", "nonsense": 1}, "nonsense: unknown"),
        ({"kind": "console", "min_severity": "high"}, "found 'high'; allowed: warning, critical"),
        (
            {"kind": "email", "host": "h", "from": "a@b", "to": ["c@d"], "security": "none",
             "username_env": "U", "password_env": "P"},
            "a password is sent only over TLS",
        ),
        ({"kind": "email", "host": "h", "from": "a@b", "to": "c@d"}, "allowed: a list of texts"),
        ({"kind": "alertmanager", "url": "http://10.0.0.1:9093"}, "allow_http: true"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_channels_file_is_named_and_no_secret_repeated(
    duckdb_alerts: AlertProject, channel: dict[str, Any], expected: str
) -> None:
    duckdb_alerts.channels({"hook": channel})
    result = duckdb_alerts.send()
    assert result.exit_code == 2
    assert "mlmon_channels.hook." in result.output
    assert expected in result.output
    assert "c4n4ry" not in result.output


def test_every_problem_of_the_channels_file_is_named_at_once(
    duckdb_alerts: AlertProject, tmp_path: Path
) -> None:
    duckdb_alerts.channels({"a": {"kind": "x"}, "b;c": {"kind": "console"}}, group_above=0, what=1)
    result = duckdb_alerts.send()
    assert result.exit_code == 2
    assert "4 problems in" in result.output
    assert duckdb_alerts.send("--channels", str(tmp_path / "none.yml")).exit_code == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_a_variable_as_a_mounted_file_has_it_is_refused_by_its_name(
    alerts: AlertProject, hook: Service, end: str
) -> None:
    """A header cannot hold a line break; what says so must not quote the header."""
    named = channels(hook.url)
    alerts.channels({name: channel for name, (channel, _) in named.items()})
    for _, variables in named.values():
        alerts.environment |= {name: value + end for name, value in variables.items()}
    alerts.states(state(channels=";".join(named)))
    result = alerts.send()
    assert result.exit_code == 3
    assert "SLACK_BOT_A begins or ends with white space" in result.stderr
    shown = result.output + result.stderr + everything(alerts) + alerts.run("list").output
    for form in (CANARY, QUOTED):
        assert form not in shown
    assert hook.received == []
    # Nothing is lost: with the variable put right it is sent.
    alerts.environment |= {
        name: value for _, pair in named.values() for name, value in pair.items()
    }
    alerts.channels({"slack bot": named["slack bot"][0]})
    hook.answers(Reply(body=b'{"ok": true, "channel": "C1", "ts": "1.0"}'))
    alerts.send()
    assert len(hook.received) == 1


def test_a_control_character_within_a_variable_is_refused(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "webhook", "url": hook.url, "token_env": "TOKEN_A"}})
    duckdb_alerts.states(state())
    result = duckdb_alerts.send(TOKEN_A="c4n4ry\x07c4n4ry")
    assert result.exit_code == 3
    assert "TOKEN_A holds a control character" in result.stderr
    assert "c4n4ry" not in result.stderr


@pytest.mark.parametrize("secret", ["qu\"ote<&'s3cr3t", "back\\slash\ns3cr3t", "ünïcödé-s3cr3t"])
def test_a_secret_is_hidden_in_every_form_that_repeats_it(secret: str) -> None:
    register_secret(secret)
    for form in (
        secret,
        secret.strip(),
        repr(secret),
        repr(f"Bearer {secret}".encode()),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        html.escape(secret),
    ):
        assert "s3cr3t" not in redact(f"Illegal header value {form}")
        assert "s3cr3t" not in json.dumps(redact_all({"a": [form]}))


@pytest.mark.parametrize(
    "place",
    [
        "postgresql://u:c4n4ry-c4n4ry@127.0.0.1:9/db",
        "postgresql://u@127.0.0.1:9/db?password=c4n4ry-c4n4ry",
        "host=127.0.0.1 port=9 password=c4n4ry-c4n4ry",
        "mysql://u:c4n4ry-c4n4ry@127.0.0.1/db",
    ],
)
def test_a_state_that_holds_a_password_is_refused_and_not_repeated(
    duckdb_alerts: AlertProject, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(duckdb_alerts.directory)
    before = sorted(duckdb_alerts.directory.rglob("*"))
    given = duckdb_alerts.run("list", "--state", place)
    assert given.exit_code == 2
    assert "--state holds a password" in given.stderr
    named = duckdb_alerts.run("list", MLMON_ALERTS_STATE=place)
    assert named.exit_code == (1 if place.startswith("postgres") else 2)
    assert "c4n4ry" not in given.output + named.output
    assert sorted(duckdb_alerts.directory.rglob("*")) == before


@pytest.mark.parametrize(
    "line",
    [
        "password: *c4n4ry",
        "password: !c4n4ry",
        "password: [c4n4ry",
        "password: '{{ c4n4ry( }}'",
        "password: '{{ \"c4n4ry\" | as_number }}'",
        "password: \"{{ 'c4n4ry' | as_number }}\"",
        "password: \"{{ ''.__class__.__mro__ | as_native }}\"",
        "password: \"{{ {}['c4n4ry'].a }}\"",
    ],
)
def test_a_profile_that_cannot_be_read_shows_no_line_of_it(
    duckdb_alerts: AlertProject, line: str
) -> None:
    path = duckdb_alerts.directory / "profiles.yml"
    path.write_text("mine:\n  target: a\n  outputs:\n    a:\n      type: duckdb\n      " + line)
    for more in ({}, {"MLMON_DEBUG": "1"}):
        result = duckdb_alerts.send(**more)
        assert result.exit_code == 2, result.output
        assert "c4n4ry" not in result.output
        assert "class" not in result.output.replace("project", "")


def test_a_token_for_this_machine_goes_to_no_proxy(duckdb_alerts: AlertProject) -> None:
    """In a process of its own, for a proxy is one of the environment."""
    with service() as hook, service() as proxy:
        named = channels(hook.url)
        del named["email"]
        duckdb_alerts.channels({name: channel for name, (channel, _) in named.items()})
        for _, variables in named.values():
            duckdb_alerts.environment |= variables
        names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
        duckdb_alerts.environment |= dict.fromkeys(names, proxy.url)
        duckdb_alerts.states(state(channels=";".join(named)))
        process = duckdb_alerts.start(options=["--wait", "0"])
        _, errors = process.communicate(timeout=120)
        assert len(hook.received) == len(named), errors
        assert proxy.received == []
