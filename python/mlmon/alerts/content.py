"""What a message says, in a neutral form that every channel renders in its own way.

Its texts are plain: whatever comes out of a log is cleaned of control characters and cut here, and
escaped by the channel for what the channel interprets.
"""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from mlmon.alerts.marts import SHORT_ID, Alert, Details, MonitorLogs, rank
from mlmon.alerts.outbox import Message
from mlmon.alerts.planner import History, Intent, data_until
from mlmon.formatting import counted, duration, number, sparkline, utc, value_and_limit, where
from mlmon.output import printable

# How long a name or value out of the data may be, a whole line or statement, and a title.
LONGEST_VALUE = 120
LONGEST_LINE = 1_000
LONGEST_TITLE = 400
MAX_LINES = 10
# A version that began within this time is named: the first thing to suspect.
NEW_FOR = timedelta(days=14)

Pairs = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Content:
    """Title, one sentence, facts by label, lists under headings, and what to do."""

    title: str
    event: str
    severity: str
    summary: str = ""
    facts: Pairs = ()
    sections: Sequence[tuple[str, Sequence[str]]] = ()
    sparkline: str = ""
    links: Pairs = ()
    commands: Pairs = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    # Numbers and times for programs; times in ISO 8601, UTC.
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        return asdict(self)

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> Content:
        """The content that `as_dict` made the form of."""
        return cls(**{item.name: form[item.name] for item in fields(cls)})

    @property
    def web_links(self) -> list[tuple[str, str]]:
        """The links that a browser can follow."""
        return [
            (label, url) for label, url in self.links if url.startswith(("https://", "http://"))
        ]


def clean(value: object, longest: int = LONGEST_VALUE) -> str:
    """A value as one line of visible text: no control characters, no reversed writing, cut."""
    return cut(" ".join(printable(str(value)[: 4 * longest]).split()), longest)


# What begins a tag, a mention, a link or a URL.
_LIVE = re.compile(
    r"<(?=[^\s=])|@(?=\w)|\](?=[(\[])|:(?=//)|\bwww(?=\.)|\bmailto(?=:)", flags=re.IGNORECASE
)


def defused(text: str) -> str:
    """The text for services that interpret it nobody knows how: what would be a tag, a mention, a
    link or a URL is pulled apart, so that nothing in a value calls, leads or embeds."""
    return _LIVE.sub(lambda found: "< " if found[0] == "<" else f"{found[0]}\u200b", text)


def defused_content(content: Content) -> Content:
    """The content with every text defused but its links, which are configured and no value."""
    return replace(
        content,
        title=defused(content.title),
        summary=defused(content.summary),
        facts=[(label, defused(text)) for label, text in content.facts],
        sections=[(head, [defused(line) for line in lines]) for head, lines in content.sections],
        commands=[(label, defused(text)) for label, text in content.commands],
        labels={label: defused(text) for label, text in content.labels.items()},
    )


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def shortened(content: Content) -> Iterator[Content]:
    """The content, and ever less of it, down to the title."""
    yield content
    yield replace(content, sections=[(heading, lines[:3]) for heading, lines in content.sections])
    content = replace(content, sections=())
    yield content
    yield replace(content, facts=content.facts[:3], sparkline="", commands=(), data={})
    yield Content(
        title=cut(content.title, 120),
        event=content.event,
        severity=content.severity,
        labels={label: cut(value, 40) for label, value in content.labels.items()},
    )


@dataclass(frozen=True)
class MessageContext:
    """What messages refer to beyond their own alert."""

    now: datetime
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    monitors: Mapping[str, MonitorLogs] = field(default_factory=dict)
    details: Mapping[str, Details] = field(default_factory=dict)
    # Alerts held back by a worse one, by the series of the worse one.
    inhibited: Mapping[str, Mapping[str, Alert]] = field(default_factory=dict)
    # The data of the last message of the same series and channel, by the key of the new one.
    last_data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def firing(self) -> Mapping[tuple[str, str], Sequence[Alert]]:
        """What fires by monitor and rule, the worst first."""
        found: dict[tuple[str, str], list[Alert]] = defaultdict(list)
        for alert in _worst_first(self.alerts.values()):
            if alert.is_firing:
                found[alert.monitor, alert.rule_id].append(alert)
        return found


def write_content(intent: Intent, context: MessageContext) -> Content:
    """The content of a planned message."""
    if intent.is_group:
        return _of_group(intent, context)
    if intent.alert is None:
        return _of_gone(intent, context)
    return _of_alert(intent, intent.alert, context)


def headline(alert: Alert, metric_name: str | None = None) -> str:
    """Monitor, version, metric in words and where, value against limit."""
    version = "" if alert.model_version == "all" else f" {alert.model_version}"
    about = clean(alert.monitor + version)
    if alert.metric == "no_data":
        return f"{about}, no data for {duration(timedelta(minutes=alert.value or 0))}"
    value, limit = value_and_limit(alert)
    what = clean(where(alert, metric_name or alert.metric.replace("_", " ")), 240)
    return f"{about}, {what}: {value}" + (f" (limit {limit})" if limit else "")


def _of_alert(intent: Intent, alert: Alert, context: MessageContext) -> Content:
    is_over = intent.event == "resolve"
    details = context.details.get(alert.series_id, Details())
    monitor = context.monitors.get(alert.monitor)
    value, limit = value_and_limit(alert)
    short = alert.series_id[:SHORT_ID]
    commands = [("SQL", printable(details.statement))] if details.statement else []
    if not is_over:
        commands.append(("Acknowledge", f"mlmon alerts ack {short}"))
        commands.append(("Silence", f"mlmon alerts silence 'series={short}*' --hours 4"))
    urls = {"Runbook": alert.runbook_url, "Dashboard": monitor.dashboard_url if monitor else None}
    opened_at = alert.since_window_end or (intent.before.opened_at if intent.before else None)
    return Content(
        title=cut(_title(intent, alert, details), LONGEST_TITLE),
        event=intent.event,
        severity=intent.severity,
        summary=_summary(intent, alert),
        facts=[
            (label, cut(text, LONGEST_LINE))
            for label, text in _facts(intent, alert, details, monitor, context)
        ],
        sections=[] if is_over else _sections(alert, details, context),
        sparkline=sparkline(list(details.history)),
        links=[(label, clean(url, LONGEST_LINE)) for label, url in urls.items() if url],
        commands=commands,
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
            "opened_at": _iso(opened_at),
            "streak": alert.n_breached,
            "why": intent.why,
        },
    )


def _title(intent: Intent, alert: Alert, details: Details) -> str:
    prefix = _prefix(intent) + (" (flapping)" if intent.is_flapping else "")
    if intent.event == "resolve" and alert.metric == "no_data":
        return f"{prefix}: {clean(alert.monitor)}, data again"
    return f"{prefix}: {headline(alert, details.metric_name)}"


def _prefix(intent: Intent) -> str:
    severity = intent.severity.upper()
    return {
        "trigger": severity,
        "escalate": f"Now {severity}",
        "repeat": f"Still {severity}",
        "resolve": "Resolved",
    }[intent.event]


def _summary(intent: Intent, alert: Alert) -> str:
    if intent.event == "resolve":
        return _sentence(intent.why)
    said = clean(alert.reason, LONGEST_LINE)
    if intent.is_flapping:
        said += " It has begun several times lately: its end is told once it stays quiet."
    if alert.immediate_action:
        said += f" Do first: {clean(alert.immediate_action, LONGEST_LINE)}."
    return said.strip()


def _sentence(why: str) -> str:
    said = clean(why, LONGEST_LINE)
    return said[:1].upper() + said[1:] + ("" if said.endswith(".") else ".")


def _facts(
    intent: Intent,
    alert: Alert,
    details: Details,
    monitor: MonitorLogs | None,
    context: MessageContext,
) -> list[tuple[str, str]]:
    is_over = intent.event == "resolve"
    facts = _lasted(intent, alert, details, context) if is_over else []
    if alert.metric != "no_data":
        facts += _measured(alert, details)
    if alert.window_start and alert.window_end:
        span = counted(alert.span_windows, "window")
        facts.append(("Window", f"{utc(alert.window_start)} to {utc(alert.window_end)} ({span})"))
    until = data_until(alert, monitor)
    if until:
        facts.append(("Data until", f"{utc(until)}, {duration(context.now - until)} ago"))
    if alert.since_window_end and not is_over:
        streak = "" if alert.metric == "no_data" else f", {number(alert.n_breached)} in a row"
        facts.append(("First breach", f"{utc(alert.since_window_end)}{streak}"))
    optional = {
        "Since last message": "" if is_over else _change(intent, alert, context),
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


def _lasted(
    intent: Intent, alert: Alert, details: Details, context: MessageContext
) -> list[tuple[str, str]]:
    """How long it lasted and how bad it was: by the tables, else as long as people know of it."""
    episode = details.episode
    if episode is None or episode.resolved_at is None:
        return _told_since(intent.before, context.now)
    began, ended = episode.since_window_end, episode.resolved_at
    lasted = f"{duration(ended - began)}, from {utc(began)} to {utc(ended)}"
    peak = value_and_limit(replace(alert, value=episode.peak_value))[0]
    return [("Lasted", lasted), ("Peak", peak)]


def _told_since(before: History | None, now: datetime) -> list[tuple[str, str]]:
    opened = before.opened_at if before else None
    return [("Told since", f"{utc(opened)}, {duration(now - opened)}")] if opened else []


def _change(intent: Intent, alert: Alert, context: MessageContext) -> str:
    """What is different from the last message in this channel."""
    last, before = context.last_data.get(intent.key), intent.before
    if not last or before is None or not before.is_open:
        return ""
    said = []
    old, new = last.get("value_text"), value_and_limit(alert)[0]
    if old and old != new:
        said.append(f"value {old} → {new}")
    if before.severity != intent.severity:
        said.append(f"severity {before.severity} → {intent.severity}")
    told = before.last_told_at
    after = f" after {duration(context.now - told)}" if told else ""
    return (", ".join(said) or "unchanged") + after


def _new_version(alert: Alert, monitor: MonitorLogs | None) -> str:
    if monitor is None or alert.window_end is None or len(monitor.first_predicted) < 2:
        return ""
    fresh = [
        f"{clean(version)}, first seen {utc(first)}"
        for version, first in sorted(monitor.first_predicted.items(), key=lambda pair: pair[1])
        if first >= alert.window_end - NEW_FOR
    ]
    return "; ".join(fresh[-2:])


def _sections(
    alert: Alert, details: Details, context: MessageContext
) -> list[tuple[str, Sequence[str]]]:
    drifted = [
        f"{clean(name)}: psi {number(psi)}"
        + (f", {share:.0%} of all psi" if share is not None else "")
        for name, psi, share in details.top_columns
    ]
    findings = [
        f"{status}: {clean(check)}" + ("" if column == "all" else f" of {clean(column)}")
        for check, column, status in details.findings
    ]
    firing = context.firing.get((alert.monitor, alert.rule_id), ())
    # One more than is shown, for the alert itself is among them.
    others = [one for one in firing[: MAX_LINES + 1] if one.series_id != alert.series_id]
    n_others = len(firing) - (alert.is_firing and alert.series_id in context.alerts)
    held = _worst_first(context.inhibited.get(alert.series_id, {}).values())
    sections = {
        "Columns that drifted most": drifted,
        "Quality findings in these windows": findings,
        "Also firing by this rule": _lines(others, n_others),
        "Held back because of this": _lines(held, len(held)),
    }
    return [(heading, lines) for heading, lines in sections.items() if lines]


def _worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (-rank(alert.severity), alert.series_id))


def _lines(alerts: Sequence[Alert], n: int) -> list[str]:
    """The first of ``n`` alerts in a line each, and how many are left."""
    lines = [f"{alert.severity}: {cut(headline(alert), 300)}" for alert in alerts[:MAX_LINES]]
    return [*lines, f"and {n - MAX_LINES} more"] if n > MAX_LINES else lines


def _of_gone(intent: Intent, context: MessageContext) -> Content:
    """The end of an alert of which the tables know nothing any more."""
    last = context.last_data.get(intent.key, {})
    labels = _labels(intent.before.rows[-1]) if intent.before and intent.before.rows else {}
    name = " ".join(part for part in (labels.get("monitor"), labels.get("version")) if part)
    what = f"{labels.get('metric', '')} (rule {labels.get('rule', '')})"
    facts = _told_since(intent.before, context.now)
    if last.get("value_text"):
        facts.append(("Last value", f"{last['value_text']}, limit {last.get('limit', '')}"))
    return Content(
        title=cut(f"Resolved: {name}, {what}", LONGEST_TITLE),
        event=intent.event,
        severity=intent.severity,
        summary=_sentence(intent.why),
        facts=facts,
        labels=labels,
        data={"why": intent.why, "state": "gone", "opened_at": last.get("opened_at")},
    )


def _labels(row: Message) -> dict[str, str]:
    return {
        "rule": row.rule_id,
        "monitor": row.monitor,
        "version": row.model_version,
        "metric": row.metric,
        "series": row.series_id,
    }


def _of_group(intent: Intent, context: MessageContext) -> Content:
    """One message for many alerts: how many, of which monitors and rules, and the worst of them."""
    alerts = [member.alert for member in intent.members if member.alert]
    monitors = sorted({alert.monitor for alert in alerts})
    names = clean(", ".join(monitors[:3]) + (" and others" if len(monitors) > 3 else ""))
    counts = Counter((alert.monitor, alert.rule_id) for alert in alerts)
    lines = [
        f"{clean(monitor)}, rule {clean(rule)}: {n}"
        for (monitor, rule), n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"and {len(lines) - MAX_LINES} more rules"]
    title = f"{_prefix(intent)}: {number(len(alerts))} alerts" + (f" in {names}" if names else "")
    content = Content(
        title=cut(title, LONGEST_TITLE),
        event=intent.event,
        severity=intent.severity,
        summary="All of it is over.",
        facts=_told_since(intent.before, context.now),
        sections=[("By rule", lines)],
        labels={"rule": "group", "monitor": names, "series": intent.series_id},
        data={"n_alerts": len(alerts), "series": [alert.series_id for alert in alerts][:100]},
    )
    if intent.event == "resolve":
        return content
    return replace(
        content,
        summary="They began together, so look for one cause first: a late or broken feed, a"
        " deployment.",
        sections=[("By rule", lines), ("The worst", _lines(_worst_first(alerts), len(alerts)))],
        commands=[
            ("All of them", "mlmon alerts list"),
            ("Acknowledge", f"mlmon alerts ack {intent.series_id[:SHORT_ID]}"),
        ],
    )


def _iso(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z" if at else None


def as_text(content: Content, *, with_title: bool = True) -> str:
    """The content for a terminal, a plain mail, or any service that shows text."""
    blocks = [content.title] if with_title else []
    if content.summary:
        blocks.append(content.summary)
    width = max((len(label) for label, _ in content.facts), default=0)
    facts = [f"{label:<{width}}  {value}" for label, value in content.facts]
    if content.sparkline:
        facts.append(f"{'Lately':<{width}}  {content.sparkline}")
    if facts:
        blocks.append("\n".join(facts))
    for heading, lines in content.sections:
        blocks.append("\n".join([f"{heading}:", *(f"  {line}" for line in lines)]))
    actions = [f"{label}: {text}" for label, text in (*content.links, *content.commands)]
    if actions:
        blocks.append("\n".join(actions))
    return "\n\n".join(blocks)


def as_html(content: Content) -> str:
    """The content as a small HTML page; everything in it is escaped."""
    colour = {"critical": "#b3261e", "warning": "#8a6100"}.get(content.severity, "#1b6e3c")
    if content.event == "resolve":
        colour = "#1b6e3c"
    safe = html.escape
    parts = [f'<h2 style="color:{colour};font-size:18px">{safe(content.title)}</h2>']
    if content.summary:
        parts.append(f"<p>{safe(content.summary)}</p>")
    rows = [*content.facts, *([("Lately", content.sparkline)] if content.sparkline else [])]
    if rows:
        cells = "".join(
            f'<tr><td style="color:#555;padding-right:16px">{safe(label)}</td>'
            f"<td>{safe(value)}</td></tr>"
            for label, value in rows
        )
        parts.append(f'<table cellpadding="2">{cells}</table>')
    for heading, lines in content.sections:
        items = "".join(f"<li>{safe(line)}</li>" for line in lines)
        parts.append(f"<p><b>{safe(heading)}</b></p><ul>{items}</ul>")
    web = dict(content.web_links)
    for label, url in content.links:
        shown = f'<a href="{safe(url)}">{safe(url)}</a>' if label in web else safe(url)
        parts.append(f"<p>{safe(label)}: {shown}</p>")
    for label, text in content.commands:
        parts.append(f"<p>{safe(label)}</p><pre>{safe(text)}</pre>")
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8"></head>\n'
        f'<body style="font-family:sans-serif;font-size:14px">\n{body}\n</body></html>\n'
    )
