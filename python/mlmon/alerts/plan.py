"""What to tell whom: a pure function of what should be known, what was told, and the time.

It reads and writes nothing. The same input gives the same messages with the same keys, so that two
dispatchers which plan at once, or one that plans twice, add nothing to each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from mlmon.alerts.ages import is_stale, outages
from mlmon.alerts.history import History, histories
from mlmon.alerts.records import (
    Ack,
    Alert,
    Event,
    Message,
    MonitorFacts,
    Silence,
    Situation,
    digest,
    key_of,
    rank,
)
from mlmon.alerts.settings import Channel, Delivery


@dataclass(frozen=True, slots=True)
class Intent:
    """A message to be: what it says is written when all that is planned is known."""

    key: str
    series_id: str
    channel: str
    seq: int
    event: Event
    severity: str
    why: str = ""
    alert: Alert | None = None
    is_flapping: bool = False
    before: History | None = None
    # A grouped message carries others, which are kept as told but not sent by themselves.
    members: tuple[Intent, ...] = ()
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A message that would be due, and what holds it back."""

    series_id: str
    channel: str
    why: str


@dataclass(slots=True)
class Plan:
    """What to add to the outbox, what to withdraw from it, and what waits."""

    intents: list[Intent] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    # Alerts held back by a worse one, by the series of the worse one.
    inhibited: dict[str, list[Alert]] = field(default_factory=lambda: defaultdict(list))
    alerts: dict[str, Alert] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Context:
    now: datetime
    channels: Mapping[str, Channel]
    delivery: Delivery
    silences: Sequence[Silence]
    acks: Mapping[str, Ack]
    monitors: Mapping[str, MonitorFacts]
    inhibitors: Mapping[str, Alert]


def plan(
    situation: Situation,
    told: Iterable[Message],
    *,
    now: datetime,
    channels: Mapping[str, Channel],
    delivery: Delivery,
    silences: Sequence[Silence] = (),
    acks: Iterable[Ack] = (),
) -> Plan:
    """The messages that bring people to where the tables are.

    ``told`` has the rows of the outbox, at least those of the time that flapping is looked for and
    what is kept for good. Channels that are not configured get messages all the
    same: they wait until the channel exists or the alert is over.
    """
    alerts = sorted(
        [*situation.alerts, *outages(situation, now)], key=lambda alert: alert.series_id
    )
    found = Plan(alerts={alert.series_id: alert for alert in alerts})
    context = _Context(
        now=now,
        channels=channels,
        delivery=delivery,
        silences=silences,
        acks={ack.series_id: ack for ack in sorted(acks, key=lambda ack: ack.created_at)},
        monitors=situation.monitors,
        inhibitors=_inhibitors(alerts, situation.monitors, now),
    )
    past = histories(told)
    addressed: set[tuple[str, str]] = set()
    for alert in sorted(alerts, key=lambda alert: (-rank(alert.severity), alert.series_id)):
        for channel in channel_names(alert.channels):
            addressed.add((alert.series_id, channel))
            history = past.get((alert.series_id, channel)) or History(alert.series_id, channel)
            _decide(found, context, alert, history)
    broken = {rule.rule_id for rule in situation.broken_rules}
    for pair, history in sorted(past.items()):
        if history.is_group:
            _decide_group(found, context, history, past, broken)
        elif pair not in addressed and history.is_open:
            _decide_gone(found, context, history, broken)
    _group_storms(found, context)
    return found


def channel_names(text: str) -> list[str]:
    """The channels of a rule, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(";") if name.strip()))


def matching(alert: Alert, silences: Sequence[Silence], now: datetime) -> Silence | None:
    """The silence that covers an alert now, or None."""
    labels = alert.labels
    for silence in silences:
        is_now = silence.starts_at <= now < silence.ends_at
        if is_now and all(
            fnmatchcase(labels.get(label, ""), pattern)
            for label, pattern in silence.matcher.items()
        ):
            return silence
    return None


def is_acknowledged(history: History, acks: Mapping[str, Ack]) -> bool:
    """Whether somebody has said, since it was told, that they look after it."""
    ack = acks.get(history.series_id)
    return ack is not None and history.opened_at is not None and ack.created_at >= history.opened_at


def _inhibitors(
    alerts: Iterable[Alert], monitors: Mapping[str, MonitorFacts], now: datetime
) -> dict[str, Alert]:
    """By held-back series the critical alert on the same monitor that holds it back.

    What is held back already holds nothing back itself where that would close a circle: of alerts
    that name each other, one is told.
    """
    worst: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    for alert in alerts:
        facts = monitors.get(alert.monitor)
        if alert.is_firing and alert.severity == "critical" and not is_stale(alert, facts, now):
            worst[alert.rule_id, alert.monitor].append(alert)
    found: dict[str, Alert] = {}
    for alert in alerts:
        rules = [name.strip() for name in alert.inhibited_by.split(";") if name.strip()]
        for rule_id in rules:
            for other in worst.get((rule_id, alert.monitor), ()):
                versions = {alert.model_version, other.model_version}
                is_same = len(versions) == 1 or "all" in versions
                if is_same and other.series_id not in {alert.series_id, *found}:
                    found.setdefault(alert.series_id, other)
    return found


def _decide(found: Plan, context: _Context, alert: Alert, history: History) -> None:
    if history.is_open:
        if alert.is_firing:
            _decide_firing(found, context, alert, history)
        else:
            _end(found, context, history, alert, _why_over(alert))
    elif alert.is_firing:
        _decide_new(found, context, alert, history)


def _decide_new(found: Plan, context: _Context, alert: Alert, history: History) -> None:
    channel = context.channels.get(history.channel)
    if channel and rank(alert.severity) < rank(channel.min_severity):
        return
    reason = _held_back(found, context, alert)
    is_worse = rank(alert.severity) > rank(history.severity)
    if not reason and history.refused_until and context.now < history.refused_until:
        reason = "refused" if not is_worse else ""
    if not reason and history.last_told_at and not is_worse:
        cooled = history.last_told_at + timedelta(minutes=alert.cooldown_minutes)
        reason = "cooldown" if context.now < cooled else ""
    if reason:
        found.held.append(Held(alert.series_id, history.channel, reason))
        return
    fired = history.triggers_since(context.now - context.delivery.flapping_time)
    is_flapping = fired + 1 >= context.delivery.flapping_triggers
    _add(found, history, "trigger", alert.severity, alert=alert, is_flapping=is_flapping)


def _decide_firing(found: Plan, context: _Context, alert: Alert, history: History) -> None:
    """An alert that was told and still fires: worse, or told again after a while."""
    is_worse = rank(alert.severity) > rank(history.severity)
    repeats = alert.repeat_minutes > 0 and not history.is_grouped
    last = history.last_told_at or context.now
    wait = timedelta(minutes=max(alert.repeat_minutes, alert.cooldown_minutes))
    is_due = repeats and not history.is_unsettled and context.now - last >= wait
    if not is_worse and not is_due:
        return
    reason = _held_back(found, context, alert)
    if not reason and history.is_grouped and history.is_unsettled:
        reason = "its group is under way"
    if not reason and not is_worse and is_acknowledged(history, context.acks):
        reason = "acknowledged"
    if not reason and not is_worse and history.refused_until:
        reason = "refused" if context.now < history.refused_until else ""
    if reason:
        found.held.append(Held(alert.series_id, history.channel, reason))
    elif is_worse and history.unsent and not history.is_grouped:
        # Nobody has read the milder message: it is replaced, not followed.
        found.superseded += [row.delivery_key for row in history.unsent]
        _add(found, history, "trigger", alert.severity, alert=alert)
    else:
        event: Event = "escalate" if is_worse else "repeat"
        _add(found, history, event, alert.severity, alert=alert)


def _decide_gone(found: Plan, context: _Context, history: History, broken: set[str]) -> None:
    """An alert that was told and is no longer in the tables, or no longer for this channel."""
    if history.rule_id in broken:
        found.held.append(Held(history.series_id, history.channel, "rule cannot be used"))
        return
    alert = found.alerts.get(history.series_id)
    if alert is None:
        why = "it is no longer judged: its rule, monitor or data is gone or switched off"
    elif alert.is_firing:
        why = "its rule no longer names this channel"
    else:
        why = _why_over(alert)
    _end(found, context, history, alert, why)


def _end(found: Plan, context: _Context, history: History, alert: Alert | None, why: str) -> None:
    """Say that it is over, to those who may know of it; withdraw what nobody has read."""
    if history.is_grouped:
        return  # told with its group
    if history.unsent:
        found.superseded += [row.delivery_key for row in history.unsent]
        return
    if history.channel not in context.channels:
        return
    reason = ""
    if history.refused_until and context.now < history.refused_until:
        reason = "refused"
    fired = history.triggers_since(context.now - context.delivery.flapping_time)
    if fired >= context.delivery.flapping_triggers:
        reason = "flapping"
    if reason:
        found.held.append(Held(history.series_id, history.channel, reason))
        return
    _add(found, history, "resolve", history.severity, alert=alert, why=why)


def _held_back(found: Plan, context: _Context, alert: Alert) -> str:
    """What keeps an alert that fires from being told, or '' where nothing does."""
    if is_stale(alert, context.monitors.get(alert.monitor), context.now):
        return "stale"
    if matching(alert, context.silences, context.now):
        return "silenced"
    inhibitor = context.inhibitors.get(alert.series_id)
    if inhibitor:
        listed = found.inhibited[inhibitor.series_id]
        if alert not in listed:
            listed.append(alert)
        return f"inhibited by {inhibitor.rule_id}"
    return ""


def _why_over(alert: Alert) -> str:
    if alert.metric == "no_data":
        return alert.reason
    if not alert.is_active:
        return f"version {alert.model_version} no longer serves"
    if alert.n_judged == 0:
        return "it can no longer be judged"
    return "back within its limit"


def _add(
    found: Plan,
    history: History,
    event: Event,
    severity: str,
    *,
    alert: Alert | None = None,
    why: str = "",
    is_flapping: bool = False,
) -> None:
    seq = history.next_seq
    found.intents.append(
        Intent(
            key=key_of(history.series_id, history.channel, seq),
            series_id=history.series_id,
            channel=history.channel,
            seq=seq,
            event=event,
            severity=severity,
            why=why,
            alert=alert,
            is_flapping=is_flapping,
            before=history,
        )
    )


def _group_storms(found: Plan, context: _Context) -> None:
    """One message instead of many, where more alerts begin at once than a person can read."""
    begun: dict[str, list[Intent]] = defaultdict(list)
    for intent in found.intents:
        channel = context.channels.get(intent.channel)
        # The Alertmanager groups by itself; what still waits for an earlier message waits alone.
        is_free = intent.before is None or not intent.before.is_unsettled
        is_grouping = channel is not None and channel.kind != "alertmanager"
        if intent.event == "trigger" and is_free and is_grouping:
            begun[intent.channel].append(intent)
    for channel_name, members in sorted(begun.items()):
        if len(members) <= context.delivery.group_above:
            continue
        kept = {member.key for member in members}
        found.intents = [intent for intent in found.intents if intent.key not in kept]
        found.intents.append(group_of(channel_name, members))


def group_of(channel: str, members: Sequence[Intent]) -> Intent:
    """The message that stands for several; its identity is that of its members."""
    series_id = digest(["group", channel, *sorted(member.key for member in members)])
    worst = max(members, key=lambda member: rank(member.severity)).severity
    return Intent(
        key=key_of(series_id, channel, 1),
        series_id=series_id,
        channel=channel,
        seq=1,
        event="trigger",
        severity=worst,
        members=tuple(members),
        is_group=True,
    )


def _decide_group(
    found: Plan,
    context: _Context,
    history: History,
    past: Mapping[tuple[str, str], History],
    broken: set[str],
) -> None:
    """A grouped message that was told: over when all of it is, told again like any other."""
    if not history.is_open or history.channel not in context.channels:
        return
    keys = {row.delivery_key for row in history.rows}
    # What becomes worse in this very plan is told by itself from now on.
    leaving = {
        intent.series_id
        for intent in found.intents
        if intent.event == "escalate" and intent.channel == history.channel
    }
    members = [
        other
        for other in past.values()
        if other.channel == history.channel
        and other.is_grouped
        and other.group_key in keys
        and other.series_id not in leaving
    ]
    alerts = {member.series_id: found.alerts.get(member.series_id) for member in members}
    firing = [alert for alert in alerts.values() if alert and alert.is_firing]
    is_refused = history.refused_until is not None and context.now < history.refused_until
    if not firing and any(
        alerts[member.series_id] is None and member.rule_id in broken for member in members
    ):
        found.held.append(Held(history.series_id, history.channel, "rule cannot be used"))
        return
    if not firing:
        ends = tuple(_member_end(member, alerts[member.series_id]) for member in members)
        if history.unsent:
            found.superseded += [row.delivery_key for row in history.unsent]
            return
        if is_refused:
            found.held.append(Held(history.series_id, history.channel, "refused"))
            return
        _add(found, history, "resolve", history.severity, why="all of it is over")
        found.intents[-1] = replace(found.intents[-1], members=ends, is_group=True)
        return
    waits = [alert.repeat_minutes for alert in firing if alert.repeat_minutes > 0]
    loud = [alert for alert in firing if not _held_back(found, context, alert)]
    last = history.last_told_at or context.now
    is_due = bool(waits) and context.now - last >= timedelta(minutes=min(waits, default=0))
    if is_due and loud and not history.is_unsettled and not is_refused:
        if is_acknowledged(history, context.acks):
            found.held.append(Held(history.series_id, history.channel, "acknowledged"))
            return
        worst = max(loud, key=lambda alert: rank(alert.severity)).severity
        _add(found, history, "repeat", worst)
        shown = tuple(
            Intent(
                key="",
                series_id=alert.series_id,
                channel=history.channel,
                seq=0,
                event="repeat",
                severity=alert.severity,
                alert=alert,
            )
            for alert in loud
        )
        found.intents[-1] = replace(found.intents[-1], members=shown, is_group=True)


def _member_end(member: History, alert: Alert | None) -> Intent:
    seq = member.next_seq
    return Intent(
        key=key_of(member.series_id, member.channel, seq),
        series_id=member.series_id,
        channel=member.channel,
        seq=seq,
        event="resolve",
        severity=member.severity,
        alert=alert,
        before=member,
    )
