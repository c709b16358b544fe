"""What messages say, from the tables to the text of each channel.

The files in tests/golden/messages were read and approved by people; MLMON_WRITE_GOLDEN=1 writes what
is said now, for them to read again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlmon.alerts.channels import (
    Channel,
    Notification,
    alertmanager,
    email,
    pagerduty,
    slack,
    webhook,
)
from mlmon.alerts.content import Content, as_html, as_text, clean, shortened
from mlmon.alerts.marts import Alert
from mlmon.formatting import duration, number, sparkline, value_and_limit
from support.alerts import NOW, AlertProject, calm, state
from support.dbt_project import ROOT
from support.warehouses import SCHEMA

GOLDEN = ROOT / "tests" / "golden" / "messages"
DAY = timedelta(days=1)
MIDNIGHT = datetime(2024, 3, 10)

# One that is firing beside it, and one that it holds back.
OTHERS = (
    state(2, segment_name="region", segment_value="north", severity="critical", value=0.4,
          channels=""),
    state(3, rule_id="labels_late", metric="label_coverage", value=0.31, condition="< 0.5",
          inhibited_by="drift_share", channels="console"),
)  # fmt: skip


def fill(alerts: AlertProject) -> None:
    """The tables that messages quote."""
    keys = {
        "monitor": "churn",
        "model_version": "v2",
        "segment_name": "all",
        "segment_value": "all",
        "window_start": MIDNIGHT - 7 * DAY,
        "window_end": MIDNIGHT,
        "span_windows": 7,
    }
    table = {"column_name": "all", "column_role": "table"}
    alerts.monitors()
    alerts.load("dim_mlmon__metrics", pd.DataFrame(
        [{"metric": "drift_share", "display_name": "share of drifted features"}]
    ))  # fmt: skip
    alerts.load("fct_mlmon__metrics", pd.DataFrame([
        {**keys, **table, "metric": "drift_share", "class_label": "all", "label_age": "14d",
         "value_low": 0.19, "value_high": 0.32, "reference_value": 0.05},
    ]))  # fmt: skip
    alerts.load("fct_mlmon__column_drift", pd.DataFrame([
        {**keys, "column_name": name, "column_role": "feature", "psi": psi, "psi_share": share,
         "status": status}
        for name, psi, share, status in [
            ("temp", 0.81, 0.6, "critical"), ("wind", 0.3, 0.2, "critical"),
            ("age", 0.15, 0.1, "warning"), ("carrier", 0.11, 0.08, "warning"),
            ("distance", 0.01, 0.02, "ok"),
        ]
    ]))  # fmt: skip
    alerts.load("fct_mlmon__quality_checks", pd.DataFrame([
        {**keys, "span_windows": 1, "check_name": name, "column_name": column,
         "status": status, "status_rank": rank}
        for name, column, status, rank in [
            ("missing", "temp", "critical", 5), ("volume", "all", "warning", 4),
            ("range", "wind", "ok", 1),
        ]
    ]))  # fmt: skip
    alerts.load("fct_mlmon__windows", pd.DataFrame([
        {"monitor": "churn", "model_version": "v2", "window_start": MIDNIGHT - n * DAY,
         "window_end": MIDNIGHT - (n - 1) * DAY, "n_predictions": 100, "n_labelled": 80,
         "last_loaded_at": MIDNIGHT + 2 * timedelta(hours=1)}
        for n in range(1, 15)
    ]))  # fmt: skip


def evaluations(*values: float | None, end: datetime = MIDNIGHT) -> list[dict[str, Any]]:
    return [
        {
            "series_id": state()["series_id"],
            "window_end": end - (len(values) - 1 - n) * DAY,
            "value": value,
            "is_breached": None if value is None else value >= 0.1,
        }
        for n, value in enumerate(values)
    ]


@pytest.fixture
def contents(alerts: AlertProject) -> dict[str, Content]:
    """The life of one alert: what was said when it began, became worse, went on, and ended."""
    fill(alerts)
    labelled = {"label_age": "14d", "channels": "console", "max_age_minutes": 0}
    alerts.channels({"hook": {"kind": "console"}})
    usual = (0.02, 0.03, None, 0.01, 0.02, 0.04, 0.03, 0.02, 0.02, 0.05, 0.04)
    alerts.table("fct_mlmon__alert_evaluations", evaluations(*usual, 0.07, 0.12, 0.25))
    rest = [row | {"max_age_minutes": 0} for row in OTHERS]
    alerts.states(state(**labelled), *rest)
    alerts.send()
    worse = state(severity="critical", value=0.35, n_breached=3, condition=">= 0.3",
                  threshold_high=0.3, **labelled,
                  reason="drift_share in churn v2 is 0.3500, limit >= 0.3; critical.")  # fmt: skip
    alerts.table("fct_mlmon__alert_evaluations", evaluations(*usual, 0.12, 0.25, 0.35))
    alerts.states(worse, *rest)
    alerts.send(now=NOW + timedelta(hours=5))
    alerts.send(now=NOW + timedelta(hours=30))
    end = MIDNIGHT + 2 * DAY
    alerts.table(
        "fct_mlmon__alert_evaluations", evaluations(*usual, 0.25, 0.35, 0.02, 0.03, end=end)
    )
    alerts.states(calm(window_end=end, window_start=end - 7 * DAY, value=0.03, **labelled), *rest)
    episode = {
        "series_id": state()["series_id"],
        "since_window_end": MIDNIGHT - DAY,
        "fired_at": MIDNIGHT,
        "resolved_at": end,
        "peak_value": 0.35,
        "n_windows": 3,
    }
    earlier = {"fired_at": MIDNIGHT - 90 * DAY, "peak_value": 0.9}
    alerts.table("fct_mlmon__alert_episodes", [episode | earlier, episode])
    alerts.send(now=NOW + timedelta(hours=60))
    alerts.states(*rest)
    rows = alerts.outbox().query(f"series_id == '{state()['series_id']}'")
    assert list(rows["event"]) == ["trigger", "escalate", "repeat", "resolve"]
    return {row["event"]: Content.of(json.loads(row["payload"])) for _, row in rows.iterrows()}


def notification(content: Content, kind: str = "console", **options: Any) -> Notification:
    return Notification(
        key="0123456789abcdef0123456789abcdef",
        series_id=state()["series_id"],
        event=content.event,  # type: ignore[arg-type]
        severity=content.severity,
        content=content,
        channel=Channel(kind, kind, options),
        now=NOW,
    )


def mail(content: Content) -> str:
    message: EmailMessage = email.render(
        notification(content, "email", to=["oncall@example.org"], **{"from": "mlmon@example.org"})
    )
    parts = [f"{name}: {message[name]}" for name in ("Subject", "From", "To", "Message-ID")]
    for part in message.iter_parts():
        assert isinstance(part, EmailMessage)
        parts += [f"\n--- {part.get_content_type()}", part.get_content()]
    return "\n".join(parts)


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


RENDERED = {
    "console.txt": as_text,
    "email.txt": mail,
    "slack.json": lambda content: as_json(slack.render(content)),
    "pagerduty.json": lambda content: as_json(pagerduty.render(notification(content))),
    "webhook.json": lambda content: as_json(
        json.loads(webhook.render(notification(content), 65_536))
    ),
    "alertmanager.json": lambda content: as_json(alertmanager.render(notification(content))),
}


def test_messages_say_what_they_were_approved_to_say(contents: dict[str, Content]) -> None:
    for event, content in contents.items():
        for name, render in RENDERED.items():
            check(f"{event}-{name}", render(content))


# What a person needs to act, as the golden alert has it.
ALWAYS = (
    "churn v2", "share of drifted features", "1,200", "14d, 80% of predictions labelled",
    "(7 windows)", "ago", "v2, first seen 2024-03-01 00:00 UTC", "churn-team", "▁▁▁",
    "https://wiki.example/drift_share", "https://bi.example/churn", "select window_end, value",
)  # fmt: skip
WHILE_IT_FIRES = (
    "limit >= 0.", "0.25", "0.05", "(0.19 to 0.32)", "2024-03-03 00:00 UTC to 2024-03-10 00:00 UTC",
    "2024-03-09 00:00 UTC, ", "in a row", "temp: psi 0.81, 60% of all psi", "wind: psi 0.3",
    "age: psi 0.15", "critical: missing of temp", "warning: volume",
    "churn v2, drift share at region = north: 0.4", "Do first: Compare the top columns",
    "mlmon alerts ack 000000000000", "mlmon alerts silence 'series=000000000000*' --hours 4",
)  # fmt: skip
BY_EVENT = {
    "trigger": (*WHILE_IT_FIRES, "WARNING: "),
    "escalate": (
        *WHILE_IT_FIRES, "Now CRITICAL: ", "Held back because of this",
        "value 0.25 → 0.35, severity warning → critical after 5 hours",
    ),
    "repeat": (*[text for text in WHILE_IT_FIRES if text != "0.25"], "Still CRITICAL: ",
               "unchanged after 1 day"),
    "resolve": ("Resolved: ", "3 days, from 2024-03-09 00:00 UTC to 2024-03-12 00:00 UTC",
                "0.35", "Back within its limit."),
}  # fmt: skip


def texts_of(value: Any) -> list[str]:
    """Every text in what JSON holds, keys included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_of(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts_of(part)]
    return [str(value)]


@pytest.mark.parametrize("event", BY_EVENT)
@pytest.mark.parametrize("name", RENDERED)
def test_every_channel_says_all_that_helps_to_act(event: str, name: str) -> None:
    said = (GOLDEN / f"{event}-{name}").read_text(encoding="utf-8")
    if name.endswith(".json"):
        said = "\n".join(texts_of(json.loads(said)))
    assert [text for text in (*ALWAYS, *BY_EVENT[event]) if text not in said] == []


def check(name: str, said: str) -> None:
    path: Path = GOLDEN / name
    if os.environ.get("MLMON_WRITE_GOLDEN"):
        path.write_text(said.rstrip() + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == said.rstrip() + "\n", name


def test_a_storm_says_how_many_and_the_worst(alerts: AlertProject) -> None:
    alerts.channels({"hook": {"kind": "console"}}, group_above=3)
    rows = [
        state(n, rule_id=f"rule_{n % 2}", monitor="fraud" if n > 8 else "churn",
              severity="critical" if n == 11 else "warning", column_name=f"c{n}")
        for n in range(12)
    ]  # fmt: skip
    alerts.states(*rows)
    assert alerts.send().exit_code == 0
    alerts.states(*[calm(n) for n in range(12)])
    assert alerts.send().exit_code == 0
    groups = alerts.outbox().query("is_group")
    for event, payload in zip(groups["event"], groups["payload"], strict=True):
        check(f"storm-{event}-console.txt", as_text(Content.of(json.loads(payload))))


def test_the_statement_in_a_message_runs(
    alerts: AlertProject, contents: dict[str, Content]
) -> None:
    statement = dict(contents["trigger"].commands)["SQL"]
    found = alerts.warehouse.query(statement)
    assert len(found) == 15
    assert found["window_end"].is_monotonic_decreasing


def test_the_commands_in_a_message_run(alerts: AlertProject, contents: dict[str, Content]) -> None:
    alerts.states(state(channels="console", max_age_minutes=0, cooldown_minutes=0))
    assert alerts.send(now=NOW + 5 * DAY).exit_code == 0
    for label, text in contents["trigger"].commands:
        if label == "SQL":
            continue
        program, group, command, *arguments = shlex.split(text)
        assert (program, group) == ("mlmon", "alerts")
        result = alerts.run(command, *arguments, now=NOW + 5 * DAY)
        assert result.exit_code == 0, result.output
    listed = alerts.run("list", "--format", "json", now=NOW + 5 * DAY)
    found = json.loads(listed.stdout)
    [mine] = [row for row in found["alerts"] if row["series_id"] == state()["series_id"]]
    assert mine["acknowledged_by"]
    assert [made["matcher"] for made in found["silences"]] == [{"series": "000000000000*"}]


def test_an_outage_says_since_when(alerts: AlertProject) -> None:
    fill(alerts)
    windows = alerts.warehouse.read("fct_mlmon__windows", SCHEMA)
    more = {"n_log_rows": 100, "n_late_rows": 0, "model_version": "all"}
    alerts.load("fct_mlmon__windows", windows.assign(**more))
    alerts.states(calm(no_data_minutes=120, channels="console", rule_id="no_predictions"))
    said = alerts.send().stdout
    assert "CRITICAL: churn, no data for 4 hours" in said
    assert "The log of churn is silent since 2024-03-10 02:00 UTC." in said
    [statement] = re.findall(r"SQL: (.*)", said)
    assert len(alerts.warehouse.query(statement)) == 14


def test_flapping_is_said(duckdb_alerts: AlertProject) -> None:
    duckdb_alerts.channels({}, flapping_triggers=1)
    duckdb_alerts.states(state(channels="console"))
    said = duckdb_alerts.send().stdout
    assert "WARNING (flapping): churn v2" in said
    assert "its end is told once it stays quiet" in said


def test_a_message_is_whole_where_only_the_states_are_built(
    alerts: AlertProject,
) -> None:
    alerts.states(state(channels="console", value=None, n=None, window_start=None))
    result = alerts.send()
    assert result.exit_code == 0, result.output
    assert "WARNING: churn v2, drift share: – (limit >= 0.1)" in result.stdout


def test_an_end_of_which_the_tables_know_nothing_is_told_from_memory(
    duckdb_alerts: AlertProject,
) -> None:
    duckdb_alerts.states(state(channels="console"))
    duckdb_alerts.send()
    duckdb_alerts.states()
    said = duckdb_alerts.send(now=NOW + timedelta(hours=3)).stdout
    assert "Resolved: churn v2, drift_share (rule drift_share)" in said
    assert "Told since  2024-03-10 06:00 UTC, 3 hours" in said
    assert "Last value  0.25, limit >= 0.1" in said


def test_a_share_of_what_is_expected_is_said_in_percent() -> None:
    slower = Alert.of(
        state(measure="relative_change", value=0.8, condition="> 0.5", metric="latency_p99_ms")
    )
    assert value_and_limit(slower) == ("+80%", "> +50%")
    assert value_and_limit(replace(slower, value=-0.125, condition="outside -0.1 .5")) == (
        "-12.5%",
        "outside -10% +50%",
    )


def test_values_are_one_clean_line() -> None:
    assert clean("a\n\tb\x1b[31m\u202ec\x00 ") == "a b [31m c"
    assert clean("x" * 1_000_000) == "x" * 119 + "…"
    assert clean("naïve ☂ 漢字") == "naïve ☂ 漢字"


def test_less_and_less_is_said_where_it_must_fit() -> None:
    whole = Content(
        title="t" * 400,
        event="trigger",
        severity="warning",
        summary="s",
        facts=(("a", "b"),) * 8,
        sections=(("h", ("x",) * 10),) * 3,
        commands=(("SQL", "select 1"),),
        labels={"monitor": "m" * 120},
    )
    sizes = [len(json.dumps(content.as_dict())) for content in shortened(whole)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 500
    assert "<" not in as_html(whole).split("<body")[0].replace("<!doctype html>", "").replace(
        '<html><head><meta charset="utf-8"></head>', ""
    )


def test_numbers_and_times_are_said_as_people_say_them() -> None:
    assert [number(x) for x in (None, 3.0, 0.123456, 1234567.8)] == [
        "–",
        "3",
        "0.1235",
        "1,234,568",
    ]
    assert duration(timedelta(days=3, hours=4, minutes=5)) == "3 days 4 hours"
    assert duration(timedelta(hours=1)) == "1 hour"
    assert duration(timedelta(seconds=5)) == "less than a minute"
    assert sparkline([0.0, None, 1.0, 0.5]) == "▁·█▅"
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([None]) == ""


def test_a_segment_value_of_braces_changes_nothing(alerts: AlertProject) -> None:
    """It stands in queries whose tables are filled in."""
    fill(alerts)
    alerts.channels({})
    rows = [
        state(number, segment_name="city", segment_value=value, channels="console", label_age="14d")
        for number, value in ((1, "{}"), (2, "{table}"), (3, "%s"), (4, "$now"))
    ]
    alerts.states(*rows)
    result = alerts.send()
    assert result.exit_code == 0, result.output
    assert set(alerts.outbox()["status"]) == {"sent"}
    for row in rows:
        assert f"at city = {row['segment_value']}: 0.25" in result.stdout
        assert alerts.run("show", row["series_id"]).exit_code == 0
    assert "analytics" in result.stdout
