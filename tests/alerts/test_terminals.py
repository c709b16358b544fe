"""Nothing out of a log, a table or an answer reaches a terminal that would obey it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from mlmon.cli.console import cell, console
from mlmon.cli.validate import headline, verdict_table
from mlmon.gate.checks import Check
from mlmon.gate.plan import Log
from mlmon.gate.results import LogResult, Verdict
from mlmon.gate.slices import Slice, Watermark
from mlmon.output import printable
from support.alerts import NOW, AlertProject, calm, state
from support.loopback import Reply, Service

# A title, a colour, a new line, writing from right to left, separators of lines, a C1 code, markup.
HOSTILE = "a\x1b]0;owned\x07b\x1b[31mc\rd\u202ee\u2028f\u2029g\x9b31mh\u2066i :warning: [red]j[/]"
OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def require_harmless(text: str) -> None:
    assert not OBEYED.search(text), OBEYED.findall(text)
    assert "\N{WARNING SIGN}" not in text


def hostile(number: int, **changes: Any) -> dict[str, Any]:
    names = (
        "rule_id",
        "monitor",
        "model_version",
        "segment_name",
        "segment_value",
        "column_name",
        "metric",
        "class_label",
        "reason",
        "immediate_action",
        "runbook",
        "owner",
        "condition",
    )
    return state(number, **dict.fromkeys(names, HOSTILE), max_age_minutes=0, **changes)  # fmt: skip


def test_what_a_log_holds_reaches_no_terminal(alerts: AlertProject, hook: Service) -> None:
    body = HOSTILE.encode()
    hook.answers(Reply(500, body=body), Reply(400, body=body))
    alerts.channels({"hook": {"kind": "webhook", "url": hook.url}})
    alerts.states(
        hostile(1, channels="console"),
        hostile(2, channels="hook"),
        hostile(3, inhibited_by="x\x1b[1m"),
    )
    shown = []
    results = [
        alerts.run_plain(),
        alerts.send("--dry-run"),
        alerts.send(),
        alerts.run("ack", state(1)["series_id"], "--by", HOSTILE, "--comment", HOSTILE),
        alerts.run("silence", f"rule={HOSTILE}", "--hours", "1", "--comment", HOSTILE),
        alerts.run("list"),
        alerts.run("list", "--format", "json"),
        *(alerts.run("show", state(n)["series_id"]) for n in (1, 2)),
        alerts.run("show", HOSTILE),
        alerts.run("silence", HOSTILE, "--hours", "1"),
    ]
    alerts.states(calm(1), calm(2))
    results.append(alerts.send(now=NOW + timedelta(hours=1)))
    for result in results:
        assert "Unexpected" not in result.output, result.output
        shown.append(result.stdout + result.stderr)
    require_harmless("".join(shown))
    everything = "".join(shown)
    assert ":warning:" in everything
    assert "[red]j[/]" in everything
    stored = alerts.outbox()["last_error"].dropna()
    assert len(stored)
    require_harmless("".join(stored))


def test_what_a_gate_finds_reaches_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(HOSTILE, HOSTILE, "r", True, (), {}, "loaded_at", None)
    new = Slice(log, "true", 3, datetime(2024, 1, 1), Watermark(datetime(2024, 1, 2), 1, 0))
    check = Check(HOSTILE, HOSTILE, "expect_x", {}, HOSTILE, 0.0, 0.0)
    verdict = Verdict(check, "critical", 3, 1, HOSTILE, ((HOSTILE, HOSTILE), (HOSTILE, None)))
    result = LogResult(new, (verdict,), True)
    page = console()
    page.print(cell(headline(result)))
    page.print(verdict_table([verdict]))
    said = capsys.readouterr().out
    assert ":warning:" in said
    require_harmless(said)


def test_line_breaks_stay_and_visible_texts_are_left_alone() -> None:
    assert printable("a\nb …é▁漢字") == "a\nb …é▁漢字"
    assert printable("a\tb") == "a b"
    assert printable(HOSTILE) == OBEYED.sub(" ", HOSTILE)
