"""What may be over tomorrow kills no message: answers that cannot be read, proxies, clocks, consoles."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from mlmon.alerts.channels.http import retry_at
from mlmon.alerts.planner import histories
from support.alerts import NOW, AlertProject, calm, state
from support.dbt_project import ROOT
from support.loopback import Reply, Service
from support.planner import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def point(alerts: AlertProject, kind: str, url: str, **options: Any) -> None:
    """A channel named hook of a kind whose service is at a URL."""
    channels: dict[str, dict[str, Any]] = {
        "webhook": {"url": url},
        "slack": {"token_env": "TOKEN", "channel": "#ml", "base_url": url},
        "pagerduty": {"routing_key_env": "TOKEN", "base_url": url},
    }
    alerts.channels({"hook": {"kind": kind, **channels[kind], **options}})
    alerts.environment["TOKEN"] = "t0ken-t0ken"


@contextmanager
def raw_service(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answers each connection with bytes as they are, the last one for all that follow."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    received.append(connection.recv(65_536))
                    connection.sendall(answers[min(len(received), len(answers)) - 1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", received
        server.shutdown(socket.SHUT_RDWR)


BROKEN_BODIES = {
    "undecodable": Reply(body=b"\xff\xfe\x00", headers={"Content-Type": "application/json"}),
    "no gzip": Reply(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
    "cut gzip": Reply(body=gzip.compress(b"x" * 999)[:20], headers={"Content-Encoding": "gzip"}),
    "unknown encoding": Reply(body=b"{}", headers={"Content-Encoding": "rot13"}),
    "deep json": Reply(body=b"[" * 60_000),
    "huge number": Reply(body=b'{"ok": ' + b"9" * 60_000 + b"}"),
    "a list": Reply(body=b"[1]"),
    "a proxy's page": Reply(body=b"<html>log in</html>"),
    "other words": Reply(body=b'{"ok": "yes", "error": {"a": 1}}'),
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_an_answer_that_cannot_be_read_is_judged_by_its_status(
    duckdb_alerts: AlertProject, hook: Service, name: str
) -> None:
    hook.answers(BROKEN_BODIES[name])
    point(duckdb_alerts, "webhook", hook.url)
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == 0
    assert list(duckdb_alerts.outbox()["status"]) == ["sent"]


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_slack_that_says_nothing_of_its_own_may_have_taken_it(
    duckdb_alerts: AlertProject, hook: Service, name: str
) -> None:
    hook.answers(BROKEN_BODIES[name])
    point(duckdb_alerts, "slack", hook.url)
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == 75
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert (row["status"], row["maybe_sent"]) == ("pending", True)


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_an_incident_that_pagerduty_accepted_gets_its_resolve(
    alerts: AlertProject, hook: Service, name: str
) -> None:
    broken = BROKEN_BODIES[name]
    hook.answers(Reply(202, broken.headers, broken.body))
    point(alerts, "pagerduty", hook.url)
    alerts.states(state(1))
    assert alerts.send().exit_code == 0
    alerts.states(calm(1))
    assert alerts.send(now=NOW + HOUR).exit_code == 0
    assert [request.json["event_action"] for request in hook.received] == ["trigger", "resolve"]


def test_an_incident_whose_answers_were_lost_gets_its_resolve(
    alerts: AlertProject, hook: Service
) -> None:
    """Given up after many attempts, of which the service may have taken any."""
    channels = {"hook": {"kind": "pagerduty", "routing_key_env": "TOKEN", "base_url": hook.url}}
    alerts.channels(channels, max_attempts=1)
    alerts.environment["TOKEN"] = "t0ken-t0ken"
    hook.answers(Reply(0))
    alerts.states(state(1))
    assert alerts.send().exit_code == 3
    hook.answers(Reply(202))
    alerts.states(calm(1))
    assert alerts.send(now=NOW + HOUR).exit_code == 0
    assert [request.json["event_action"] for request in hook.received] == ["trigger", "resolve"]
    assert alerts.send(now=NOW + 2 * HOUR).exit_code == 0
    assert len(hook.received) == 2


def test_what_was_refused_for_good_and_never_taken_has_no_end() -> None:
    world = World()
    world.tell(state(), status="dead")
    assert world.plan(calm()).intents == []
    [history] = histories(world.rows).values()
    assert not history.may_be_open


@pytest.mark.parametrize("status", [407, 502, 503])
def test_a_proxy_that_refuses_kills_nothing(duckdb_alerts: AlertProject, status: int) -> None:
    """In a process of its own, for a proxy is one of the environment; the host is not this one."""
    refusal = f"HTTP/1.1 {status} no\r\nContent-Length: 0\r\n\r\n".encode()
    with raw_service(refusal) as (proxy, received):
        point(duckdb_alerts, "webhook", "https://hooks.invalid/a")
        duckdb_alerts.environment |= {"HTTPS_PROXY": proxy, "https_proxy": proxy}
        duckdb_alerts.states(state(1))
        process = duckdb_alerts.start(options=["--wait", "0"])
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 75, errors
    assert received[0].startswith(b"CONNECT hooks.invalid:443")
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert (row["status"], row["maybe_sent"]) == ("pending", False)


ANSWERS = {
    "a redirect to a broken URL": (
        b"HTTP/1.1 307 go\r\nLocation: http://[::1/x\r\nContent-Length: 0\r\n\r\n", True),
    "no HTTP at all": (b"SSH-2.0-OpenSSH_9.6\r\n", True),
    "a status of its own": (b"HTTP/1.1 999 what\r\nContent-Length: 0\r\n\r\n", True),
    "a header that breaks off": (b"HTTP/1.1 200 OK\r\nContent-Le", True),
    "a body that breaks off": (b"HTTP/1.1 503 no\r\nContent-Length: 50\r\n\r\nshort", True),
    "a proxy in the way": (b"HTTP/1.1 407 who\r\nContent-Length: 0\r\n\r\n", False),
    "a Retry-After of no time": (
        b"HTTP/1.1 503 no\r\nRetry-After: \xb2\xb3\r\nContent-Length: 0\r\n\r\n", False),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_what_nobody_foresaw_is_tried_again(alerts: AlertProject, name: str) -> None:
    answer, is_ambiguous = ANSWERS[name]
    with raw_service(answer, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, _):
        point(alerts, "webhook", url)
        alerts.states(state(1))
        assert alerts.send().exit_code == 75
        [row] = alerts.outbox().to_dict("records")
        assert (row["status"], row["maybe_sent"]) == ("pending", is_ambiguous)
        assert alerts.send(now=NOW + HOUR).exit_code == 0


@pytest.mark.parametrize(
    "text",
    ["²", "nan", "-5", "1e9", "inf", "Fri, 31 Dec 9999 23:59:59 -1200", "Mon, 01 Jan 0001 00:00:00 GMT",
     "Fri, 99 Foo 2024 99:99:99 GMT", "9" * 5_000, "0x10", "", "  ", "Mon, 01 Jan 2024 00:00:00 +9999"],
)  # fmt: skip
def test_a_retry_after_that_cannot_be_read_is_none(text: str) -> None:
    found = retry_at(text, NOW)
    assert found is None or NOW <= found <= NOW + DAY


def test_a_retry_after_in_years_is_a_day(alerts: AlertProject, hook: Service) -> None:
    far = format_datetime(datetime(2300, 1, 1))
    hook.answers(Reply(429, {"Retry-After": far}))
    point(alerts, "webhook", hook.url)
    alerts.states(state(1))
    alerts.send()
    assert list(alerts.outbox()["next_attempt_at"]) == [NOW + DAY]


@pytest.mark.parametrize("broken", ["the library", "the send"])
def test_a_missing_library_or_a_mistake_in_a_channel_kills_nothing(
    duckdb_alerts: AlertProject, broken: str
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "apprise", "url_env": "URL"}})
    duckdb_alerts.environment["URL"] = "json://127.0.0.1:9/"
    duckdb_alerts.states(state(1))
    before = {
        "the library": "import sys; sys.modules['apprise'] = None",
        "the send": "import apprise\ndef fail(*_, **__): raise KeyError('c4n4ry')\n"
        "apprise.Apprise.notify = fail",
    }[broken]
    process = duckdb_alerts.start(before=before, options=["--wait", "0"])
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 75, errors
    assert "c4n4ry" not in errors
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert (row["status"], row["maybe_sent"]) == ("pending", broken == "the send")


def test_a_clock_that_was_wrong_silences_nobody(alerts: AlertProject, hook: Service) -> None:
    """It jumped to 2030, where a message was planned and tried, and came back."""
    wrong = datetime(2030, 1, 1)
    point(alerts, "webhook", hook.url)
    fresh = {"max_age_minutes": 0, "cooldown_minutes": 600, "repeat_minutes": 600}
    alerts.states(state(1, **fresh))
    hook.answers(Reply(503))
    assert alerts.send(now=wrong).exit_code == 75
    assert alerts.outbox()["next_attempt_at"][0].year == 2030
    hook.answers(Reply())
    assert alerts.send(now=NOW).exit_code == 0
    assert hook.events == ["trigger", "trigger"]
    # Neither is it silent until 2030 what comes after a message that was told then.
    alerts.states(state(1, **fresh), state(2, **fresh))
    assert alerts.send(now=wrong).exit_code == 0
    alerts.states(calm(1, **fresh), state(2, **fresh))
    assert alerts.send(now=NOW + HOUR).exit_code == 0
    assert hook.events[-1] == "resolve"
    alerts.states(state(2, severity="critical", **fresh), state(1, **fresh))
    alerts.send(now=NOW + 12 * HOUR)
    assert set(hook.events[-2:]) == {"escalate", "trigger"}


def test_a_lease_of_a_wrong_clock_ends(alerts: AlertProject, hook: Service) -> None:
    point(alerts, "webhook", hook.url)
    alerts.states(state(1, max_age_minutes=0))
    kill = (
        "import os, signal, mlmon.alerts.dispatcher as d\n"
        "d._send_within = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    )
    alerts.start(now=datetime(2030, 1, 1), before=kill).communicate(timeout=120)
    assert list(alerts.outbox()["status"]) == ["claimed"]
    assert alerts.send(now=NOW).exit_code == 0
    assert hook.events == ["trigger"]


@pytest.mark.parametrize(
    ("delivery", "most"),
    [("keep_days", 36_500), ("flapping_minutes", 52_560_000), ("lease_seconds", 86_400),
     ("max_attempts", 1_000), ("group_above", 1_000_000), ("flapping_triggers", 1_000_000)],
)  # fmt: skip
def test_an_absurd_number_of_the_file_is_named(
    duckdb_alerts: AlertProject, hook: Service, delivery: str, most: int
) -> None:
    channels = {"hook": {"kind": "webhook", "url": hook.url}}
    duckdb_alerts.states(state(1))
    for number in (most + 1, 10**30):
        duckdb_alerts.channels(channels, **{delivery: number})
        result = duckdb_alerts.send()
        assert result.exit_code == 2
        assert f"mlmon_delivery.{delivery}: found {number}; allowed: a whole" in result.stderr
    duckdb_alerts.channels(channels, **{delivery: most})
    assert duckdb_alerts.send().exit_code == 0


@pytest.mark.parametrize(
    "options",
    [
        ("send", "--wait", "nan"),
        ("send", "--wait", "inf"),
        ("send", "--lock-seconds", "nan"),
        ("send", "--now", "0001-01-01"),
        ("send", "--now", "9999-12-31T23:59:59-12:00"),
        ("silence", "rule=a", "--hours", "nan"),
        ("silence", "rule=a", "--hours", "inf"),
        ("silence", "rule=a", "--hours", "1e300"),
        ("silence", "rule=a", "--until", "9999-12-31"),
        ("silence", "rule=a", "--starts", "0001-01-01T00:00:00+12:00", "--hours", "1"),
    ],
)
def test_an_absurd_number_of_an_option_is_refused(
    duckdb_alerts: AlertProject, options: tuple[str, ...]
) -> None:
    command, *rest = options
    result = duckdb_alerts.run(command, *rest)
    assert result.exit_code == 2, result.output
    assert "Unexpected" not in result.output


def test_a_state_with_absurd_numbers_is_planned(alerts: AlertProject, hook: Service) -> None:
    point(alerts, "webhook", hook.url)
    most = 999_999_999
    numbers = {"cooldown_minutes": most, "repeat_minutes": most, "max_age_minutes": most}
    alerts.states(state(1, label_age=f"{most}d", n=2**60, value=1e308, **numbers))
    assert alerts.send().exit_code == 0
    assert alerts.send(now=NOW + HOUR).exit_code == 0
    assert hook.events == ["trigger"]


def to_the_console(alerts: AlertProject, count: int) -> list[str]:
    alerts.channels({}, group_above=1000)
    alerts.states(
        *[state(n, channels="console", max_age_minutes=0, owner="…é▁") for n in range(count)]
    )
    code = (
        f"from mlmon.cli import main\nmain({alerts.arguments('send', '--wait', '0', now=None)!r})"
    )
    return [sys.executable, "-c", code]


def test_a_closed_pipe_is_no_dead_message(duckdb_alerts: AlertProject) -> None:
    command = to_the_console(duckdb_alerts, 30)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed:
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, env=environment, check=False, text=True
        )
    assert done.returncode == 75, done.stderr
    assert "Exception ignored" not in done.stderr
    assert set(duckdb_alerts.outbox()["status"]) == {"pending"}


def test_an_ascii_console_is_no_dead_message(duckdb_alerts: AlertProject) -> None:
    command = to_the_console(duckdb_alerts, 2)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\\u2026\\xe9\\u2581" in done.stdout
    assert set(duckdb_alerts.outbox()["status"]) == {"sent"}
    for line in done.stderr.decode("ascii").splitlines():
        json.loads(line)
    place = [argument for argument in command if argument]
    place[-1] = place[-1].replace("'send'", "'list'").replace(", '--wait', '0'", "")
    listed = subprocess.run(place, capture_output=True, env=environment, check=False)
    assert listed.returncode == 0, listed.stderr
