"""How messages are delivered: once, in order, tried again as asked, whoever is killed when.

Against an HTTP service on loopback that misbehaves on purpose, with the outbox in DuckDB and in
PostgreSQL.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from mlmon.alerts.channels import read_settings
from mlmon.alerts.database import DuckDBDatabase, open_database
from mlmon.alerts.dispatcher import deliver
from mlmon.alerts.outbox import Outbox
from mlmon.errors import ConfigurationError
from mlmon.output import start_logging
from mlmon.profile import Target, read_target
from support.alerts import NOW, AlertProject, calm, state
from support.loopback import Reply, Request, Service, service

LATER = NOW + timedelta(hours=1)

# Kills the process at the named point, as the kernel would.
KILL = "import os, signal; die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
KILLED_AT = {
    "after the claim": "import mlmon.alerts.dispatcher as d; d._send_within = die",
    "before the mark": "from mlmon.alerts.outbox import Outbox; Outbox.settle = die",
    "after the mark": (
        "from mlmon.alerts.outbox import Outbox\n"
        "mark = Outbox.settle\n"
        "Outbox.settle = lambda *a: (mark(*a), die())"
    ),
}


def point(alerts: AlertProject, hook: Service, **options: Any) -> None:
    """A webhook channel named hook that leads to the service."""
    delivery = options.pop("delivery", {})
    alerts.channels({"hook": {"kind": "webhook", "url": hook.url, **options}}, **delivery)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def test_an_alert_that_fires_is_told_once(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state(1), calm(2))
    assert alerts.send().exit_code == 0
    assert alerts.send(now=NOW + timedelta(minutes=5)).exit_code == 0
    assert hook.events == ["trigger"]
    [row] = alerts.outbox().to_dict("records")
    assert (row["status"], row["attempts"], row["seq"]) == ("sent", 1, 1)
    assert hook.keys == [row["delivery_key"]]


def test_planning_twice_adds_nothing(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(*[state(number) for number in range(5)])
    hook.answers(Reply(503))
    alerts.send()
    before = alerts.outbox()
    alerts.send()
    assert list(alerts.outbox()["delivery_key"]) == list(before["delivery_key"])


@pytest.mark.parametrize("when", KILLED_AT)
def test_whoever_is_killed_everything_is_delivered_and_a_duplicate_has_the_same_key(
    alerts: AlertProject, hook: Service, when: str
) -> None:
    point(alerts, hook)
    alerts.states(*[state(number) for number in range(3)])
    code, errors = finish(alerts.start(before=KILL + KILLED_AT[when]))
    assert code == -signal.SIGKILL, errors
    # The claim of the dead process still stands: nobody else takes its message.
    alerts.send()
    assert alerts.send(now=LATER).exit_code == 0
    assert set(alerts.outbox()["status"]) == {"sent"}
    counts = Counter(hook.keys)
    assert set(counts) == set(alerts.outbox()["delivery_key"])
    assert sum(counts.values()) - 3 == (1 if when == "before the mark" else 0)
    lost = alerts.deliveries().query("outcome == 'lost'")
    assert len(lost) == (0 if when == "after the mark" else 1)


def test_four_dispatchers_send_sixty_messages_once_each(
    alerts: AlertProject, hook: Service
) -> None:
    point(alerts, hook, delivery={"group_above": 100})
    # By the real clock: what is of 2024 is no news.
    alerts.states(*[state(number, max_age_minutes=0) for number in range(60)])
    processes = [alerts.start(now=None, options=["--wait", "0"]) for _ in range(4)]
    for process in processes:
        code, errors = finish(process)
        assert code in {0, 75}, errors
    assert Counter(Counter(hook.keys).values()) == {1: 60}
    assert set(alerts.outbox()["status"]) == {"sent"}


def test_who_was_stopped_past_the_lease_cannot_mark(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state(1))
    arrived, go_on = threading.Event(), threading.Event()

    def hold_the_first(_request: Request, before: int) -> Reply:
        if before == 0:
            arrived.set()
            go_on.wait(60)
        return Reply()

    hook.behaviour = hold_the_first
    stopped = alerts.start()
    assert arrived.wait(60)
    os.kill(stopped.pid, signal.SIGSTOP)
    try:
        assert alerts.send(now=LATER).exit_code == 0
        [row] = alerts.outbox().to_dict("records")
        assert row["status"] == "sent"
    finally:
        go_on.set()
        os.kill(stopped.pid, signal.SIGCONT)
    code, errors = finish(stopped)
    assert code == 0, errors
    assert '"event": "fenced"' in errors
    [after] = alerts.outbox().to_dict("records")
    assert (after["sent_at"], after["attempts"]) == (row["sent_at"], 2)
    assert sorted(alerts.deliveries()["outcome"]) == ["fenced", "lost", "sent"]
    assert len(set(hook.keys)) == 1


def test_order_is_kept_while_the_service_is_down(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    hook.answers(Reply(500))
    alerts.states(state(1))
    assert alerts.send().exit_code == 75
    # It may have been taken: so its end is told as well, after it.
    alerts.states(calm(1))
    assert alerts.send(now=NOW + timedelta(seconds=5)).exit_code == 75
    assert hook.events == ["trigger"]
    hook.answers(Reply())
    assert alerts.send(now=LATER).exit_code == 0
    assert hook.events == ["trigger", "trigger", "resolve"]
    assert list(alerts.outbox()["status"]) == ["sent", "sent"]


def test_nobody_is_told_of_an_end_who_was_not_told_of_the_beginning(
    alerts: AlertProject, hook: Service
) -> None:
    point(alerts, hook)
    hook.answers(Reply(503))
    alerts.states(state(1))
    alerts.send()
    alerts.states(calm(1))
    hook.answers(Reply())
    assert alerts.send(now=LATER).exit_code == 0
    assert hook.events == ["trigger"]
    assert list(alerts.outbox()["status"]) == ["superseded"]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_kept_in_both_forms(alerts: AlertProject, hook: Service, form: str) -> None:
    point(alerts, hook)
    due = NOW + timedelta(minutes=42)
    value = "2520" if form == "seconds" else format_datetime(due.replace(tzinfo=UTC), usegmt=True)
    hook.answers(Reply(429, {"Retry-After": value}), Reply())
    alerts.states(state(1))
    assert alerts.send().exit_code == 75
    assert list(alerts.outbox()["next_attempt_at"]) == [due]
    assert alerts.send(now=due - timedelta(seconds=1)).exit_code == 75
    assert len(hook.received) == 1
    assert alerts.send(now=due).exit_code == 0
    assert len(hook.received) == 2


def test_a_service_that_asks_to_wait_is_left_alone(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    hook.answers(Reply(429, {"Retry-After": "60"}))
    alerts.states(*[state(number) for number in range(5)])
    alerts.send()
    assert len(hook.received) == 1


def test_what_is_refused_for_good_is_dead_at_once(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    hook.answers(Reply(400, body=b"no such thing"))
    alerts.states(state(1))
    result = alerts.send()
    assert result.exit_code == 3
    assert "1 message was refused for good" in result.stderr
    [row] = alerts.outbox().to_dict("records")
    assert (row["status"], row["attempts"]) == ("dead", 1)
    assert row["last_error"] == "answered 400: no such thing"
    # Not again at every run; and its end is nobody's business.
    assert alerts.send(now=LATER).exit_code == 0
    alerts.states(calm(1))
    assert alerts.send(now=LATER).exit_code == 0
    assert len(hook.received) == 1


def test_a_mended_channel_gets_what_it_refused(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    hook.answers(Reply(404))
    alerts.states(state(1))
    assert alerts.send().exit_code == 3
    hook.answers(Reply())
    result = alerts.run("retry", state(1)["series_id"][:31])
    assert result.exit_code == 0, result.output
    assert alerts.send(now=LATER).exit_code == 0
    assert list(alerts.outbox()["status"]) == ["sent"]


def test_it_is_given_up_after_many_attempts(duckdb_alerts: AlertProject, hook: Service) -> None:
    point(duckdb_alerts, hook, delivery={"max_attempts": 3})
    hook.answers(Reply(502))
    duckdb_alerts.states(state(1, max_age_minutes=0))
    codes = [duckdb_alerts.send(now=NOW + timedelta(hours=2 * n)).exit_code for n in range(3)]
    assert codes == [75, 75, 3]
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert row["last_error"].startswith("given up after 3 attempts: answered 502")


@pytest.mark.parametrize(
    ("reply", "status", "is_ambiguous"),
    [
        (Reply(0), "pending", True),
        (Reply(500), "pending", True),
        (Reply(503), "pending", False),
        (Reply(429), "pending", False),
        (Reply(408), "pending", True),
        (Reply(401), "dead", False),
        (Reply(410), "dead", False),
        (Reply(302, {"Location": "/elsewhere"}), "dead", False),
        (Reply(308, {"Location": "https://elsewhere.example/"}), "dead", False),
        (Reply(307, {"Location": "/again"}), "dead", False),
    ],
)
def test_every_answer_has_its_meaning(
    duckdb_alerts: AlertProject, hook: Service, reply: Reply, status: str, is_ambiguous: bool
) -> None:
    point(duckdb_alerts, hook)
    hook.answers(reply)
    duckdb_alerts.states(state(1))
    duckdb_alerts.send()
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert (row["status"], row["maybe_sent"]) == (status, is_ambiguous)


def test_a_redirect_to_another_host_is_not_followed(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    point(duckdb_alerts, hook)
    with service() as thief:
        hook.answers(Reply(307, {"Location": thief.url}))
        duckdb_alerts.states(state(1))
        assert duckdb_alerts.send().exit_code == 3
        assert thief.received == []
    assert "redirects to another host" in duckdb_alerts.outbox()["last_error"][0]


def test_a_redirect_on_the_same_host_is_followed(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    point(duckdb_alerts, hook)
    hook.behaviour = lambda request, _: (
        Reply() if request.path == "/new" else Reply(307, {"Location": "/new"})
    )
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == 0
    assert hook.keys[0] == hook.keys[1]


def test_a_service_that_is_gone_is_tried_again(duckdb_alerts: AlertProject) -> None:
    duckdb_alerts.channels({"hook": {"kind": "webhook", "url": "http://127.0.0.1:9/"}})
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == 75
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert (row["status"], row["maybe_sent"]) == ("pending", False)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when a test is over: what waits for it, goes on."""
    event = threading.Event()
    yield event
    event.set()


def test_a_service_that_does_not_answer_in_time_is_tried_again(
    duckdb_alerts: AlertProject, hook: Service, over: threading.Event
) -> None:
    point(duckdb_alerts, hook, timeout_seconds=0.2)
    hook.answers(Reply(piece_after=(over, 60.0)))
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == 75
    [row] = duckdb_alerts.outbox().to_dict("records")
    # It may have been taken: the next attempt has the same key.
    assert (row["status"], row["maybe_sent"]) == ("pending", True)
    assert row["last_error"].startswith("ReadTimeout")


def test_a_service_that_answers_byte_by_byte_holds_nobody(
    duckdb_alerts: AlertProject,
    hook: Service,
    over: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every byte comes within the timeout of the connection, the whole answer never."""
    monkeypatch.setattr("mlmon.alerts.dispatcher.LONGEST_SEND", 0.5)
    point(duckdb_alerts, hook, timeout_seconds=30)
    hook.answers(Reply(body=b"x" * 1000, piece_after=(over, 0.2)))
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == 75
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert (row["status"], row["maybe_sent"]) == ("pending", True)
    assert row["last_error"].startswith("no answer within")


@pytest.mark.parametrize(("status", "code"), [(200, 0), (400, 3)])
def test_an_oversized_answer_is_read_no_further_than_it_helps(
    duckdb_alerts: AlertProject, hook: Service, status: int, code: int
) -> None:
    point(duckdb_alerts, hook)
    hook.answers(Reply(status, body=b"x" * 20_000_000))
    duckdb_alerts.states(state(1))
    assert duckdb_alerts.send().exit_code == code
    assert duckdb_alerts.deliveries()["error"].fillna("").str.len().max() < 400


def test_an_oversized_message_is_cut_and_accepted(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    point(duckdb_alerts, hook, max_bytes=2000)
    hook.behaviour = lambda request, _: Reply(413 if len(request.body) > 2000 else 200)
    huge = "x" * 1_000_000
    duckdb_alerts.states(
        state(1, segment_name="city", segment_value=huge, reason=huge, owner=huge, column_name=huge)
    )
    assert duckdb_alerts.send().exit_code == 0
    assert hook.received[0].json["title"].startswith("WARNING: churn v2, drift share of xxx")


def test_backfilling_a_year_adds_no_intent(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state(1))
    alerts.send()
    before = alerts.outbox()
    # The history behind the states is another one; a second monitor's newest window is a year old.
    old = NOW - timedelta(days=365)
    alerts.states(
        state(1, fired_at=old, since_window_end=old, n_breached=365),
        *[
            state(10 + day, monitor="old", window_end=old + timedelta(days=day))
            for day in range(300)
        ],
    )
    assert alerts.send(now=NOW + timedelta(minutes=90)).exit_code == 0
    assert list(alerts.outbox()["delivery_key"]) == list(before["delivery_key"])
    assert hook.events == ["trigger"]


def test_a_channel_without_its_variable_keeps_its_messages_and_stops_no_other(
    alerts: AlertProject, hook: Service
) -> None:
    alerts.channels(
        {
            "hook": {"kind": "webhook", "url": hook.url},
            "secret": {"kind": "webhook", "url_env": "MLMON_TEST_URL"},
        }
    )
    alerts.states(state(1, channels="secret;hook;nowhere"))
    result = alerts.send()
    assert result.exit_code == 3
    assert "channel nowhere: it is not in the channels file" in result.stderr
    assert "not set in the environment: MLMON_TEST_URL" in result.stderr
    assert len(hook.received) == 1
    alerts.states(state(1, channels="secret;hook"))
    assert alerts.send(now=LATER, MLMON_TEST_URL=hook.url + "/secret").exit_code == 0
    assert [request.path for request in hook.received] == ["/", "/secret"]


def test_a_locked_outbox_is_temporary(duckdb_alerts: AlertProject, hook: Service) -> None:
    point(duckdb_alerts, hook)
    duckdb_alerts.states(state(1))
    duckdb_alerts.send()
    path = str(duckdb_alerts.kept_warehouse().path)  # type: ignore[attr-defined]
    code = f"import duckdb, sys; o = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "open"
        result = duckdb_alerts.send("--lock-seconds", "0")
        holder.communicate()
    assert result.exit_code == 75
    assert "try again" in result.stderr


def test_the_time_is_that_of_the_database(
    alerts: AlertProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines that share an outbox share its clock; a file has none but the machine's."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(1999, 1, 1, tzinfo=tz)

    monkeypatch.setattr("mlmon.alerts.database.datetime", Wrong)
    target = read_target(alerts.directory, alerts.directory, None, None)
    told = Outbox(open_database(target, None, 1.0)).now()
    if alerts.warehouse.engine == "postgres":
        assert abs(datetime.now(UTC).replace(tzinfo=None) - told) < timedelta(days=1)
    else:
        assert told == datetime(1999, 1, 1)


def test_a_warehouse_without_an_outbox_names_the_option() -> None:
    target = Target(Path(), Path(), "mine", "dev", "snowflake", {"schema": "s"})
    with pytest.raises(ConfigurationError, match="--state"):
        open_database(target, None, 1.0)


def test_the_outbox_may_be_kept_elsewhere(
    alerts: AlertProject, hook: Service, tmp_path: Any
) -> None:
    alerts.state = str(tmp_path / "elsewhere.duckdb")
    point(alerts, hook)
    alerts.states(state(1))
    assert alerts.send().exit_code == 0
    assert list(alerts.outbox()["status"]) == ["sent"]


def test_a_dry_run_tells_and_writes_nothing(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state(1), state(2, max_age_minutes=1))
    result = alerts.send("--dry-run")
    assert result.exit_code == 0, result.output
    assert "WARNING: churn v2, drift share: 0.25 (limit >= 0.1)" in result.stdout
    assert "stale" in result.stdout
    assert "1 message would be sent." in result.stdout
    assert hook.received == []
    kept = alerts.kept_warehouse()
    if kept is alerts.warehouse:
        assert kept.tables("analytics_mlmon_alerts") == []
    else:
        assert not kept.path.exists()  # type: ignore[attr-defined]


def test_a_run_stays_for_what_may_be_sent_a_little_later(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    """By a clock of the test's own, which only sleeping moves."""
    point(duckdb_alerts, hook)
    duckdb_alerts.states(state(1))
    hook.answers(Reply(429, {"Retry-After": "40"}))
    assert duckdb_alerts.send().exit_code == 75
    hook.answers(Reply(429, {"Retry-After": "20"}), Reply())
    clock = [NOW + timedelta(seconds=40)]

    class Database(DuckDBDatabase):
        def now(self) -> datetime:
            return clock[0]

    def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    kept = duckdb_alerts.kept_warehouse().path  # type: ignore[attr-defined]
    outbox = Outbox(Database("analytics_mlmon_alerts", kept))
    settings = read_settings(None, duckdb_alerts.directory)
    log = start_logging("test")
    # The second pause is a minute or more, for it is the second attempt.
    report = deliver(outbox, settings, log, wait_seconds=30, sleep=sleep)
    assert (report.counts["retry"], report.counts["sent"], report.n_waiting) == (1, 0, 1)
    report = deliver(outbox, settings, log, wait_seconds=100, sleep=sleep)
    assert (report.counts["sent"], report.n_waiting) == (1, 0)
    assert NOW + timedelta(seconds=100) <= clock[0] <= NOW + timedelta(seconds=140)


def test_bi_sees_who_was_told_without_the_messages(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state(1))
    alerts.send()
    shown = alerts.kept_warehouse().query(
        "select * from analytics_mlmon_alerts.alert_notifications"
    )
    assert list(shown["title"]) == ["WARNING: churn v2, drift share: 0.25 (limit >= 0.1)"]
    assert not {"payload", "claim_token"} & set(shown.columns)


def test_the_time_is_naive_utc_whatever_is_given() -> None:
    from mlmon.cli.options import parse_time

    assert parse_time("2024-03-10T08:00:00+02:00") == datetime(2024, 3, 10, 6)
    assert parse_time("2024-03-10") == datetime(2024, 3, 10)
