"""The commands about what is kept: list, show, ack, silence, unsilence; and what is logged."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta

import pandas as pd
import pytest

from mlmon.output import start_logging
from support.alerts import NOW, AlertProject, calm, state
from support.loopback import Reply, Service

HOUR = timedelta(hours=1)
FRESH = {"max_age_minutes": 0}


def point(alerts: AlertProject, hook: Service) -> None:
    alerts.channels({"hook": {"kind": "webhook", "url": hook.url}})


def test_a_silence_lasts_as_long_as_it_says(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state())
    made = alerts.run("silence", "monitor=chu*", "rule=drift_share", "--hours", "4", "--by", "ann")
    assert made.exit_code == 0, made.output
    assert "until 2024-03-10 10:00 UTC" in made.output
    alerts.send(now=NOW + HOUR)
    assert hook.received == []
    assert "monitor=chu* rule=drift_share until" in alerts.run("list").output
    alerts.send(now=NOW + 4 * HOUR)
    assert hook.events == ["trigger"]


def test_a_silence_may_be_ended(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state())
    made = alerts.run("silence", "monitor=churn", "--until", "2024-03-20T00:00:00Z")
    silence_id = made.output.split()[1]
    alerts.send()
    assert hook.received == []
    assert alerts.run("unsilence", silence_id[:6]).exit_code == 0
    alerts.send()
    assert hook.events == ["trigger"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["churn", "--hours", "1"], "allowed: LABEL=PATTERN"),
        (["colour=red", "--hours", "1"], "label of rule, monitor"),
        (["rule=a", "rule=b", "--hours", "1"], "given twice"),
        (["rule=a"], "--hours or --until"),
        (["rule=a", "--hours", "1", "--until", "2024-03-11"], "--hours or --until"),
        (["rule=a", "--until", "2024-03-01"], "before it starts"),
        (["rule=a", "--until", "tomorrow"], "ISO 8601"),
        ([], "Missing argument"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(
    duckdb_alerts: AlertProject, arguments: list[str], expected: str
) -> None:
    result = duckdb_alerts.run("silence", *arguments)
    assert result.exit_code == 2
    assert expected in result.output


def test_an_acknowledged_alert_is_not_repeated(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state(**FRESH), state(0x10, **FRESH))
    alerts.send()
    ambiguous = alerts.run("ack", "0000")
    assert ambiguous.exit_code == 2
    assert "beginning of 2 ids" in ambiguous.output
    said = alerts.run("ack", state()["series_id"], "--by", "ann", "--comment", "on it")
    assert said.exit_code == 0, said.output
    alerts.send(now=NOW + 48 * HOUR)
    assert [request.json["series_id"] for request in hook.received[2:]] == [
        state(0x10)["series_id"]
    ]
    assert "acknowledged by ann" in alerts.run("list").output
    assert "Acknowledged by ann at 2024-03-10 06:00: on it" in (
        alerts.run("show", state()["series_id"]).output
    )


def test_an_alert_that_nobody_was_told_of_cannot_be_acknowledged(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    result = duckdb_alerts.run("ack", "abc")
    assert result.exit_code == 1
    assert "There is no alert that was told 'abc'" in result.output
    point(duckdb_alerts, hook)
    duckdb_alerts.states(state())
    duckdb_alerts.send()
    duckdb_alerts.states(calm())
    duckdb_alerts.send()
    assert "is over already" in duckdb_alerts.run("ack", state()["series_id"]).output


def test_the_list_has_what_is_open_and_what_was_refused(
    alerts: AlertProject, hook: Service
) -> None:
    assert "Nobody has been told" in alerts.run("list").output
    point(alerts, hook)
    alerts.states(state(1), state(2, severity="critical"), state(3))
    hook.behaviour = lambda request, _: (
        Reply(400, body=b"no") if request.json["severity"] == "critical" else Reply()
    )
    alerts.send()
    alerts.states(state(1), state(2, severity="critical"), calm(3))
    alerts.send()
    listed = json.loads(alerts.run("list", "--format", "json").output)["alerts"]
    assert [(row["series_id"], row["severity"], row["status"]) for row in listed] == [
        (state(2)["series_id"], "critical", "dead"),
        (state(1)["series_id"], "warning", "sent"),
    ]
    assert "answered 400: no" in alerts.run("list").output


def test_show_tells_what_was_said_and_how_it_went(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    hook.answers(Reply(503, body=b"busy"), Reply())
    alerts.states(state())
    alerts.send()
    alerts.send(now=NOW + HOUR)
    said = alerts.run("show", state()["series_id"]).output
    assert "attempt 1 at 2024-03-10 06:00:00: retry, answered 503: busy" in said
    assert "attempt 2 at 2024-03-10 07:00:00: sent" in said
    assert "WARNING: churn v2, drift share: 0.25 (limit >= 0.1)" in said
    assert alerts.run("show", "ffff").exit_code == 1


def test_a_place_given_before_the_command_holds_for_it(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    from click.testing import CliRunner

    from mlmon.cli import main

    point(duckdb_alerts, hook)
    duckdb_alerts.states(state())
    folder = str(duckdb_alerts.directory)
    place = ["--project-dir", folder, "--profiles-dir", folder]
    result = CliRunner().invoke(main, ["alerts", *place, "send", "--now", NOW.isoformat()])
    assert result.exit_code == 0, result.output
    assert len(hook.received) == 1
    result = CliRunner().invoke(main, ["alerts", "--all", *place, "list"])
    assert result.exit_code == 2
    assert "--all and --format" in result.output


def test_every_line_of_the_log_is_an_object_that_names_its_run_and_message(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    point(duckdb_alerts, hook)
    duckdb_alerts.states(state(1), state(2, window_end=NOW - timedelta(days=30)))
    result = duckdb_alerts.send()
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["held back", "sent", "done"]
    assert len({line["run_id"] for line in lines}) == 1
    [row] = duckdb_alerts.outbox().to_dict("records")
    assert lines[1]["delivery_key"] == row["delivery_key"]
    assert lines[2] | {"sent": 1, "dead": 0, "waiting": 0, "planned": 1} == lines[2]


def test_a_rule_that_names_what_is_not_there_judges_and_says_so(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    point(duckdb_alerts, hook)
    rules = [("drift_share", "churn"), ("drift_share", "chrun"), ("quality", "*")]
    duckdb_alerts.load(
        "int_mlmon__alert_rules",
        pd.DataFrame(rules, columns=["rule_id", "monitor"]).assign(rule_problem=None),
    )
    duckdb_alerts.monitors()
    nowhere = {"runbook": "drift_shar", "runbook_url": None, "immediate_action": None}
    duckdb_alerts.states(
        state(1, inhibited_by="quality; qualty", **nowhere), state(2, inhibited_by="quality")
    )
    result = duckdb_alerts.send()
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stderr.splitlines()]
    said = [line for line in told if line["event"] == "rule names what is not there"]
    assert [(line["rule_id"], line["column"], line["found"], line["allowed"]) for line in said] == [
        ("drift_share", "inhibited_by", "qualty", "drift_share, quality"),
        ("drift_share", "monitor", "chrun", "*, churn"),
        ("drift_share", "runbook", "drift_shar", "a runbook of the seed runbooks"),
    ]
    assert len(hook.received) == 2


def test_on_a_terminal_the_log_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    start_logging("r1").bind(delivery_key="k1").info("sent", title="what was said")
    said = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert "sent" in said
    assert "run_id=r1" in said
    assert "delivery_key=k1" in said
    assert not said.startswith("{")


def test_an_outbox_of_a_newer_mlmon_is_left_alone(alerts: AlertProject, hook: Service) -> None:
    point(alerts, hook)
    alerts.states(state())
    alerts.send()
    alerts.kept_warehouse().execute("update analytics_mlmon_alerts.alert_schema set version = 99")
    result = alerts.send()
    assert result.exit_code == 2
    assert "has format 99" in result.output


def test_a_full_refresh_of_the_tables_leaves_the_outbox(
    alerts: AlertProject, hook: Service
) -> None:
    point(alerts, hook)
    alerts.states(state())
    alerts.send()
    before = alerts.outbox()
    alerts.warehouse.execute("drop schema analytics cascade")
    alerts.states(state())
    alerts.monitors()
    alerts.send()
    assert alerts.outbox().equals(before)
