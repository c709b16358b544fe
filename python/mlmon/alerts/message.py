"""Writes what a message says: from a planned intent and the details of its alert to its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mlmon.alerts.ages import known_until
from mlmon.alerts.content import LONGEST_LINE, MOST_LINES, Content, clean, cut
from mlmon.alerts.plan import Intent
from mlmon.alerts.reading import Details
from mlmon.alerts.records import SHORT_ID, Alert, MonitorFacts, rank
from mlmon.words import duration, number, sparkline, utc, value_and_limit, where

# A version that began within this time is named: the first thing to suspect.
NEW_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What messages refer to beyond their own alert."""

    now: datetime
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    monitors: Mapping[str, MonitorFacts] = field(default_factory=dict)
    details: Mapping[str, Details] = field(default_factory=dict)
    inhibited: Mapping[str, Sequence[Alert]] = field(default_factory=dict)
    # The data of the last message of the same series and channel, by the key of the new one.
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def write(intent: Intent, around: Surroundings) -> Content:
    """The content of a planned message."""
    if intent.is_group:
        return _write_group(intent, around)
    if intent.alert is None:
        return _write_gone(intent, around)
    return _write_alert(intent, intent.alert, around)


def headline(alert: Alert, metric_name: str | None = None) -> str:
    """Monitor, version, metric in words and where, value against limit."""
    value, limit = value_and_limit(alert)
    about = clean(f"{alert.monitor} {alert.model_version}" if alert.model_version != "all"
                  else alert.monitor)  # fmt: skip
    what = _where(alert, metric_name)
    if alert.metric == "no_data":
        return f"{about}, no data for {duration(timedelta(minutes=alert.value or 0))}"
    return f"{about}, {what}: {value}" + (f" (limit {limit})" if limit else "")


def _where(alert: Alert, metric_name: str | None) -> str:
    words = metric_name or alert.metric.replace("_", " ")
    return clean(where(alert, words), 240)


def _title(intent: Intent, alert: Alert, details: Details) -> str:
    severity = intent.severity.upper()
    prefix = {
        "trigger": severity,
        "escalate": f"Now {severity}",
        "repeat": f"Still {severity}",
        "resolve": "Resolved",
    }[intent.event]
    flapping = " (flapping)" if intent.is_flapping else ""
    if intent.event == "resolve" and alert.metric == "no_data":
        return f"{prefix}: {clean(alert.monitor)}, data again"
    return f"{prefix}{flapping}: {headline(alert, details.metric_name)}"


def _write_alert(intent: Intent, alert: Alert, around: Surroundings) -> Content:
    details = around.details.get(alert.series_id, Details())
    monitor = around.monitors.get(alert.monitor)
    facts = _facts(intent, alert, details, monitor, around)
    sections = [] if intent.event == "resolve" else _sections(alert, details, around)
    value, limit = value_and_limit(alert)
    return Content(
        title=cut(_title(intent, alert, details), 400),
        event=intent.event,
        severity=intent.severity,
        summary=_summary(intent, alert),
        facts=tuple((label, cut(text, LONGEST_LINE)) for label, text in facts),
        sections=tuple(sections),
        sparkline=sparkline(list(details.history)),
        links=_links(alert.runbook_url, monitor),
        commands=_commands(alert.series_id, details, with_acts=intent.event != "resolve"),
        labels={
            **{label: clean(text) for label, text in alert.labels.items()},
            "owner": clean(alert.owner or ""),
        },
        data={
            "value": alert.value,
            "value_text": value,
            "limit": limit,
            "n": alert.n,
            "state": alert.state,
            "window_start": _iso(alert.window_start),
            "window_end": _iso(alert.window_end),
            "span_windows": alert.span_windows,
            "since": _iso(alert.since_window_end),
            "opened_at": _iso(_opened_at(intent, alert)),
            "streak": alert.n_breached,
            "why": intent.why,
        },
    )


def _summary(intent: Intent, alert: Alert) -> str:
    said = clean(alert.reason, LONGEST_LINE)
    if intent.event == "resolve":
        why = clean(intent.why, LONGEST_LINE)
        return why[:1].upper() + why[1:] + ("" if why.endswith(".") else ".")
    if intent.is_flapping:
        said += " It has begun several times lately: its end is told once it stays quiet."
    if alert.immediate_action:
        said += f" Do first: {clean(alert.immediate_action, LONGEST_LINE)}."
    return said.strip()


def _facts(
    intent: Intent,
    alert: Alert,
    details: Details,
    monitor: MonitorFacts | None,
    around: Surroundings,
) -> list[tuple[str, str]]:
    facts = _ending(intent, alert, details, around) if intent.event == "resolve" else []
    if alert.metric != "no_data":
        facts += _measured(alert, details)
    if alert.window_start and alert.window_end:
        span = f"{alert.span_windows} window" + ("" if alert.span_windows == 1 else "s")
        facts.append(("Window", f"{utc(alert.window_start)} to {utc(alert.window_end)} ({span})"))
    until = known_until(alert, monitor)
    if until:
        facts.append(("Data until", f"{utc(until)}, {duration(around.now - until)} ago"))
    if alert.since_window_end and intent.event != "resolve":
        streak = "" if alert.metric == "no_data" else f", {number(alert.n_breached)} in a row"
        facts.append(("First breach", f"{utc(alert.since_window_end)}{streak}"))
    optional = {
        "Since last message": _change(intent, alert, around),
        "New version": _new_version(alert, monitor),
        "Owner": clean(alert.owner or ""),
    }
    return facts + [(label, text) for label, text in optional.items() if text]


def _measured(alert: Alert, details: Details) -> list[tuple[str, str]]:
    """The value, what it is held against, and how much stands behind it."""
    value, limit = value_and_limit(alert)
    if details.value_low is not None and details.value_high is not None:
        value += f" ({number(details.value_low)} to {number(details.value_high)})"
    facts = [("Value", f"{value}, limit {limit}" if limit else value)]
    if details.reference_value is not None:
        facts.append(("Reference", number(details.reference_value)))
    if alert.n is not None:
        facts.append(("Samples", number(alert.n)))
    if alert.label_age != "none":
        age = clean(alert.label_age)
        if details.label_coverage is not None:
            age += f", {details.label_coverage:.0%} of predictions labelled"
        facts.append(("Label age", age))
    return facts


def _opened_at(intent: Intent, alert: Alert) -> datetime | None:
    """When it began: the first breach as told at the time, else as the tables have it."""
    return alert.since_window_end or (intent.before.opened_at if intent.before else None)


def _ending(
    intent: Intent, alert: Alert, details: Details, around: Surroundings
) -> list[tuple[str, str]]:
    """How long it lasted and how bad it was: by the tables, else as long as people know of it."""
    episode = details.episode
    if episode is None or episode.resolved_at is None:
        return _remembered(intent, around)
    began, ended = episode.since_window_end, episode.resolved_at
    lasted = f"{duration(ended - began)}, from {utc(began)} to {utc(ended)}"
    peak = value_and_limit(replace(alert, value=episode.peak_value))[0]
    return [("Lasted", lasted), ("Peak", peak)]


def _remembered(intent: Intent, around: Surroundings) -> list[tuple[str, str]]:
    opened = intent.before.opened_at if intent.before else None
    return [("Told since", f"{utc(opened)}, {duration(around.now - opened)}")] if opened else []


def _change(intent: Intent, alert: Alert, around: Surroundings) -> str:
    """What is different from the last message in this channel."""
    before = around.before.get(intent.key)
    if (
        not before
        or intent.event == "resolve"
        or intent.before is None
        or not intent.before.is_open
    ):
        return ""
    said = []
    old, new = before.get("value_text"), value_and_limit(alert)[0]
    if old and old != new:
        said.append(f"value {old} → {new}")
    if intent.before.severity != intent.severity:
        said.append(f"severity {intent.before.severity} → {intent.severity}")
    told = intent.before.last_told_at
    after = f" after {duration(around.now - told)}" if told else ""
    return (", ".join(said) or "unchanged") + after


def _new_version(alert: Alert, monitor: MonitorFacts | None) -> str:
    if monitor is None or alert.window_end is None:
        return ""
    fresh = [
        f"{clean(version)}, first seen {utc(first)}"
        for version, first in sorted(monitor.first_predicted.items(), key=lambda pair: pair[1])
        if first >= alert.window_end - NEW_FOR and len(monitor.first_predicted) > 1
    ]
    return "; ".join(fresh[-2:])


def _sections(
    alert: Alert, details: Details, around: Surroundings
) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    if details.top_columns:
        lines = [
            f"{clean(name)}: psi {number(psi)}"
            + (f", {share:.0%} of all psi" if share is not None else "")
            for name, psi, share in details.top_columns
        ]
        found.append(("Columns that drifted most", tuple(lines)))
    if details.findings:
        lines = [
            f"{status}: {clean(check)}" + ("" if column == "all" else f" of {clean(column)}")
            for check, column, status in details.findings
        ]
        found.append(("Quality findings in these windows", tuple(lines)))
    others = [
        other
        for other in around.alerts.values()
        if other.is_firing
        and other.series_id != alert.series_id
        and other.monitor == alert.monitor
        and other.rule_id == alert.rule_id
    ]
    if others:
        found.append(("Also firing by this rule", _listed(others)))
    held = around.inhibited.get(alert.series_id, ())
    if held:
        found.append(("Held back because of this", _listed(held)))
    return found


def _listed(alerts: Sequence[Alert]) -> tuple[str, ...]:
    worst = sorted(alerts, key=lambda alert: (-rank(alert.severity), alert.series_id))
    lines = [f"{alert.severity}: {cut(headline(alert), 300)}" for alert in worst[:MOST_LINES]]
    if len(worst) > MOST_LINES:
        lines.append(f"and {len(worst) - MOST_LINES} more")
    return tuple(lines)


def _links(runbook_url: str | None, monitor: MonitorFacts | None) -> tuple[tuple[str, str], ...]:
    links = []
    if runbook_url:
        links.append(("Runbook", clean(runbook_url, LONGEST_LINE)))
    if monitor and monitor.dashboard_url:
        links.append(("Dashboard", clean(monitor.dashboard_url, LONGEST_LINE)))
    return tuple(links)


def _commands(series_id: str, details: Details, *, with_acts: bool) -> tuple[tuple[str, str], ...]:
    commands = []
    if details.statement:
        commands.append(("SQL", details.statement))
    if with_acts:
        short = series_id[:SHORT_ID]
        commands.append(("Acknowledge", f"mlmon alerts ack {short}"))
        commands.append(("Silence", f"mlmon alerts silence 'series={short}*' --hours 4"))
    return tuple(commands)


def _write_gone(intent: Intent, around: Surroundings) -> Content:
    """The end of an alert of which the tables know nothing any more."""
    before = around.before.get(intent.key, {})
    labels = around.labels.get(intent.key, {})
    name = " ".join(part for part in (labels.get("monitor"), labels.get("version")) if part)
    what = f"{labels.get('metric', '')} (rule {labels.get('rule', '')})"
    facts = _remembered(intent, around)
    if before.get("value_text"):
        facts.append(("Last value", f"{before['value_text']}, limit {before.get('limit', '')}"))
    why = clean(intent.why, LONGEST_LINE)
    return Content(
        title=cut(f"Resolved: {name}, {what}", 400),
        event=intent.event,
        severity=intent.severity,
        summary=why[:1].upper() + why[1:] + ".",
        facts=tuple(facts),
        labels=dict(labels),
        data={"why": intent.why, "state": "gone", "opened_at": before.get("opened_at")},
    )


def _write_group(intent: Intent, around: Surroundings) -> Content:
    """One message for many alerts: how many, of which monitors and rules, and the worst of them."""
    alerts = [member.alert for member in intent.members if member.alert]
    monitors = sorted({alert.monitor for alert in alerts})
    counts: dict[tuple[str, str], int] = {}
    for alert in alerts:
        counts[alert.monitor, alert.rule_id] = counts.get((alert.monitor, alert.rule_id), 0) + 1
    names = clean(", ".join(monitors[:3]) + (" and others" if len(monitors) > 3 else ""))
    prefix = {
        "trigger": intent.severity.upper(),
        "repeat": f"Still {intent.severity.upper()}",
        "resolve": "Resolved",
    }.get(intent.event, intent.event)
    lines = [
        f"{clean(monitor)}, rule {clean(rule)}: {n}"
        for (monitor, rule), n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more rules"]
    is_over = intent.event == "resolve"
    title = f"{prefix}: {number(len(alerts))} alerts" + (f" in {names}" if names else "")
    return Content(
        title=cut(title, 400),
        event=intent.event,
        severity=intent.severity,
        summary=(
            "All of it is over."
            if is_over
            else "They began together, so look for one cause first: a late or broken feed, a"
            " deployment."
        ),
        facts=tuple(_remembered(intent, around)),
        sections=(
            ("By rule", tuple(lines)),
            *(() if is_over else (("The worst", _listed(alerts)),)),
        ),
        commands=(
            ()
            if is_over
            else (
                ("All of them", "mlmon alerts list"),
                ("Acknowledge", f"mlmon alerts ack {intent.series_id[:SHORT_ID]}"),
            )
        ),
        labels={"rule": "group", "monitor": names, "series": intent.series_id},
        data={"n_alerts": len(alerts), "series": [alert.series_id for alert in alerts][:100]},
    )


def _iso(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z" if at else None
