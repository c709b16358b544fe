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
from functools import cached_property

from mlmon.alerts.channels import Channel, Delivery
from mlmon.alerts.marts import Alert, MonitorLogs, Snapshot, rank
from mlmon.alerts.outbox import Ack, Event, Message, Silence, digest, key_of

# After a message was refused for good, the next one of its alert waits this long.
REFUSED_FOR = timedelta(days=1)


@dataclass(frozen=True)
class History:
    """What a channel has been told of a series: its messages, oldest first; none at the beginning."""

    series_id: str
    channel: str
    rows: tuple[Message, ...] = ()

    @cached_property
    def effective(self) -> tuple[Message, ...]:
        """The messages that were sent or will be."""
        return tuple(row for row in self.rows if row.status not in {"dead", "superseded"})

    @cached_property
    def episode(self) -> tuple[Message, ...]:
        """Those since the alert was last told to be over."""
        rows = self.effective
        ends = [index for index, row in enumerate(rows) if row.event == "resolve"]
        return rows[ends[-1] + 1 :] if ends else rows

    @property
    def is_open(self) -> bool:
        """Whether the last word was that it fires."""
        return bool(self.episode)

    @property
    def unsent(self) -> tuple[Message, ...]:
        """The messages of the episode, where surely nobody has read any of them."""
        return () if any(row.may_be_known for row in self.episode) else self.episode

    @property
    def is_unsettled(self) -> bool:
        """Whether a message is still on its way."""
        return any(row.status in {"pending", "claimed"} for row in self.effective)

    @property
    def next_seq(self) -> int:
        return self.rows[-1].seq + 1 if self.rows else 1

    @property
    def last(self) -> Message | None:
        """The last message that was sent or will be."""
        return self.effective[-1] if self.effective else None

    @property
    def last_word(self) -> Message | None:
        """The same, or one that was refused for good after it."""
        rows = [row for row in self.rows if row.status != "superseded"]
        return rows[-1] if rows else None

    @property
    def severity(self) -> str:
        """The severity that was told last; of a message refused for good, too."""
        return self.last_word.severity if self.last_word else "none"

    @property
    def last_told_at(self) -> datetime | None:
        return self.last.told_at if self.last else None

    @property
    def opened_at(self) -> datetime | None:
        """When it was first told in this episode."""
        return self.episode[0].told_at if self.episode else None

    @property
    def may_be_open(self) -> bool:
        """Whether it was given up although a service may have taken it: its end is told, too."""
        last = self.last_word
        return (
            last is not None
            and last.status == "dead"
            and last.maybe_sent
            and (last.event != "resolve")
        )

    @property
    def is_group(self) -> bool:
        return any(row.is_group for row in self.rows)

    @property
    def group_key(self) -> str | None:
        """The grouped message that carried the last word, or None."""
        return self.last.group_key if self.last else None

    @property
    def is_grouped(self) -> bool:
        return self.is_open and self.group_key is not None

    @property
    def rule_id(self) -> str:
        return self.rows[-1].rule_id if self.rows else ""

    def is_refused(self, now: datetime) -> bool:
        """Whether the last message was refused for good, so that the next one has to wait."""
        last = self.last_word
        if last is None or last.status != "dead" or last.created_at is None:
            return False
        return now < last.created_at + REFUSED_FOR

    def is_acknowledged(self, ack: Ack | None) -> bool:
        """Whether somebody has said, since it was told, that they look after it."""
        return ack is not None and self.opened_at is not None and ack.created_at >= self.opened_at

    def triggers_since(self, since: datetime) -> int:
        """How often it began, as told, since then."""
        return sum(row.event == "trigger" and row.told_at >= since for row in self.effective)


def histories(rows: Iterable[Message]) -> dict[tuple[str, str], History]:
    """The history of every series and channel among the rows, in an order that is always the same."""
    found: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for row in rows:
        found[row.series_id, row.channel].append(row)
    return {
        pair: History(*pair, tuple(sorted(rows, key=lambda row: row.seq)))
        for pair, rows in sorted(found.items())
    }


def silent_logs(snapshot: Snapshot, now: datetime) -> list[Alert]:
    """One alert a rule and monitor whose log should have had rows by now, and one that is ok where
    rows came: the tables know no clock, so this is judged here."""
    watched: dict[tuple[str, str], Alert] = {}
    for alert in snapshot.alerts:
        if alert.no_data_minutes > 0:
            known = watched.get((alert.rule_id, alert.monitor))
            if known is None or alert.no_data_minutes < known.no_data_minutes:
                watched[alert.rule_id, alert.monitor] = alert
    found = []
    for (rule_id, monitor), like in sorted(watched.items()):
        logs = snapshot.monitors.get(monitor)
        last = (logs.last_arrival_at or logs.data_through_at) if logs else None
        if last is None:
            continue
        outage_at = last + timedelta(minutes=like.no_data_minutes)
        alert = Alert(
            series_id=digest(["no_data", rule_id, monitor]),
            rule_id=rule_id,
            rule_name=like.rule_name,
            monitor=monitor,
            metric="no_data",
            threshold_high=float(like.no_data_minutes),
            condition=f"> {like.no_data_minutes} minutes",
            window_end=last,
            reason=f"The log of {monitor} has rows again, the newest of {last:%Y-%m-%d %H:%M} UTC.",
            immediate_action=like.immediate_action,
            runbook=like.runbook,
            runbook_url=like.runbook_url,
            channels=like.channels,
            owner=like.owner,
            cooldown_minutes=like.cooldown_minutes,
            repeat_minutes=like.repeat_minutes,
            max_age_minutes=like.max_age_minutes,
        )
        if now > outage_at:
            alert = replace(
                alert,
                state="firing",
                severity="critical",
                value=(now - last).total_seconds() / 60,
                fired_at=outage_at,
                since_window_end=last,
                reason=f"The log of {monitor} is silent since {last:%Y-%m-%d %H:%M} UTC.",
            )
        found.append(alert)
    return found


def data_until(alert: Alert, logs: MonitorLogs | None) -> datetime | None:
    """Up to when an alert's data tells: the end of its window, and as much later as its labels are
    waited for, but no later than the newest row of the logs."""
    if alert.window_end is None:
        return None
    is_in_days = alert.label_age.endswith("d") and alert.label_age[:-1].isdigit()
    # No label is waited for longer than a century.
    days = min(int(alert.label_age[:-1]), 36_500) if is_in_days else 0
    until = alert.window_end + timedelta(days=days)
    through = logs.data_through_at if logs else None
    return min(until, through) if through else until


def is_stale(alert: Alert, logs: MonitorLogs | None, now: datetime) -> bool:
    """Whether an alert is old news: nobody is paged about it.

    A silent log has no data to be of an age: it is old news when the silence began long ago, as
    every log is silent that ended years ago.
    """
    until = alert.fired_at if alert.metric == "no_data" else data_until(alert, logs)
    if alert.max_age_minutes <= 0 or until is None:
        return False
    return now - until > timedelta(minutes=alert.max_age_minutes)


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
class HeldBack:
    """A message that would be due, and what holds it back."""

    series_id: str
    channel: str
    why: str


@dataclass(slots=True)
class Plan:
    """What to add to the outbox, what to withdraw from it, and what waits."""

    intents: list[Intent] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    held: list[HeldBack] = field(default_factory=list)
    # Alerts held back by a worse one, by the series of the worse one.
    inhibited: dict[str, dict[str, Alert]] = field(default_factory=lambda: defaultdict(dict))
    alerts: dict[str, Alert] = field(default_factory=dict)


def plan(
    snapshot: Snapshot,
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
        [*snapshot.alerts, *silent_logs(snapshot, now)], key=lambda alert: alert.series_id
    )
    planner = _Planner(
        plan=Plan(alerts={alert.series_id: alert for alert in alerts}),
        past=histories(told),
        now=now,
        channels=channels,
        delivery=delivery,
        silences=silences,
        acks={ack.series_id: ack for ack in sorted(acks, key=lambda ack: ack.created_at)},
        monitors=snapshot.monitors,
        inhibitors=_inhibitors(alerts, snapshot.monitors, now),
        invalid_rules={rule.rule_id for rule in snapshot.invalid_rules},
    )
    planner.decide()
    return planner.plan


def names_in(text: str) -> list[str]:
    """The names in a list of a rule, such as its channels, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(";") if name.strip()))


def silence_of(alert: Alert, silences: Sequence[Silence], now: datetime) -> Silence | None:
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


def _inhibitors(
    alerts: Iterable[Alert], monitors: Mapping[str, MonitorLogs], now: datetime
) -> dict[str, Alert]:
    """By held-back series the critical alert on the same monitor that holds it back.

    What is held back already holds nothing back itself where that would close a circle: of alerts
    that name each other, one is told.
    """
    worst: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    for alert in alerts:
        logs = monitors.get(alert.monitor)
        if alert.is_firing and alert.severity == "critical" and not is_stale(alert, logs, now):
            worst[alert.rule_id, alert.monitor].append(alert)
    found: dict[str, Alert] = {}
    for alert in alerts:
        for rule_id in names_in(alert.inhibited_by):
            for other in worst.get((rule_id, alert.monitor), ()):
                versions = {alert.model_version, other.model_version}
                is_same = len(versions) == 1 or "all" in versions
                if is_same and other.series_id != alert.series_id and other.series_id not in found:
                    found.setdefault(alert.series_id, other)
    return found


@dataclass(slots=True)
class _Planner:
    """Decides for every series and channel, and fills the plan."""

    plan: Plan
    past: Mapping[tuple[str, str], History]
    now: datetime
    channels: Mapping[str, Channel]
    delivery: Delivery
    silences: Sequence[Silence]
    acks: Mapping[str, Ack]
    monitors: Mapping[str, MonitorLogs]
    inhibitors: Mapping[str, Alert]
    invalid_rules: set[str]

    def decide(self) -> None:
        addressed: set[tuple[str, str]] = set()
        alerts = self.plan.alerts.values()
        for alert in sorted(alerts, key=lambda alert: (-rank(alert.severity), alert.series_id)):
            for channel in names_in(alert.channels):
                pair = (alert.series_id, channel)
                addressed.add(pair)
                self._decide_alert(alert, self.past.get(pair) or History(*pair))
        for pair, history in self.past.items():
            if history.is_group:
                self._decide_group(history)
            elif pair not in addressed and (history.is_open or history.may_be_open):
                self._decide_gone(history)
        self._group_storms()

    def _decide_alert(self, alert: Alert, history: History) -> None:
        if not alert.is_firing:
            if history.is_open or history.may_be_open:
                self._end(history, alert, _why_over(alert))
        elif history.is_open:
            self._decide_firing(alert, history)
        else:
            self._decide_new(alert, history)

    def _decide_new(self, alert: Alert, history: History) -> None:
        channel = self.channels.get(history.channel)
        if channel and rank(alert.severity) < rank(channel.min_severity):
            return
        reason = self._reason_to_hold(alert)
        if not reason and rank(alert.severity) <= rank(history.severity):
            cooldown = timedelta(minutes=alert.cooldown_minutes)
            if history.is_refused(self.now):
                reason = "refused"
            elif history.last_told_at and self.now < history.last_told_at + cooldown:
                reason = "cooldown"
        if reason:
            self._hold(history, reason)
            return
        is_flapping = self._n_triggers(history) + 1 >= self.delivery.flapping_triggers
        self._add(history, "trigger", alert.severity, alert=alert, is_flapping=is_flapping)

    def _decide_firing(self, alert: Alert, history: History) -> None:
        """An alert that was told and still fires: worse, or told again after a while."""
        is_worse = rank(alert.severity) > rank(history.severity)
        if not is_worse and not self._is_repeat_due(alert, history):
            return
        reason = self._reason_to_hold(alert)
        if not reason and history.is_grouped and history.is_unsettled:
            reason = "its group is under way"
        if not reason and not is_worse:
            if history.is_acknowledged(self.acks.get(history.series_id)):
                reason = "acknowledged"
            elif history.is_refused(self.now):
                reason = "refused"
        if reason:
            self._hold(history, reason)
        elif is_worse and history.unsent and not history.is_grouped:
            # Nobody has read the milder message: it is replaced, not followed.
            self._withdraw(history)
            self._add(history, "trigger", alert.severity, alert=alert)
        else:
            event: Event = "escalate" if is_worse else "repeat"
            self._add(history, event, alert.severity, alert=alert)

    def _is_repeat_due(self, alert: Alert, history: History) -> bool:
        if alert.repeat_minutes <= 0 or history.is_grouped or history.is_unsettled:
            return False
        wait = timedelta(minutes=max(alert.repeat_minutes, alert.cooldown_minutes))
        return self.now - (history.last_told_at or self.now) >= wait

    def _decide_gone(self, history: History) -> None:
        """An alert that was told and is no longer in the tables, or no longer for this channel."""
        if history.rule_id in self.invalid_rules:
            self._hold(history, "rule cannot be used")
            return
        alert = self.plan.alerts.get(history.series_id)
        if alert is None:
            why = "it is no longer judged: its rule, monitor or data is gone or switched off"
        elif alert.is_firing:
            why = "its rule no longer names this channel"
        else:
            why = _why_over(alert)
        self._end(history, alert, why)

    def _end(self, history: History, alert: Alert | None, why: str) -> None:
        """Say that it is over, to those who may know of it; withdraw what nobody has read."""
        if history.is_grouped:
            return  # told with its group
        if history.unsent:
            self._withdraw(history)
        elif history.channel not in self.channels:
            return
        elif self._n_triggers(history) >= self.delivery.flapping_triggers:
            self._hold(history, "flapping")
        elif history.is_refused(self.now) and not history.may_be_open:
            self._hold(history, "refused")
        else:
            self._add(history, "resolve", history.severity, alert=alert, why=why)

    def _decide_group(self, history: History) -> None:
        """A grouped message that was told: over when all of it is, told again like any other."""
        if not history.is_open or history.channel not in self.channels:
            return
        members = self._members(history)
        alerts = [self.plan.alerts.get(member.series_id) for member in members]
        firing = [alert for alert in alerts if alert and alert.is_firing]
        if firing:
            self._repeat_group(history, firing)
        elif any(
            alert is None and member.rule_id in self.invalid_rules
            for member, alert in zip(members, alerts, strict=True)
        ):
            self._hold(history, "rule cannot be used")
        elif history.unsent:
            self._withdraw(history)
        elif history.is_refused(self.now):
            self._hold(history, "refused")
        else:
            ends = tuple(
                _intent(member, "resolve", member.severity, alert=alert)
                for member, alert in zip(members, alerts, strict=True)
            )
            self._add(history, "resolve", history.severity, why="all of it is over", members=ends)

    def _members(self, group: History) -> list[History]:
        """The series that are told with a group. What becomes worse in this very plan is told by
        itself from now on."""
        keys = {row.delivery_key for row in group.rows}
        leaving = {
            intent.series_id
            for intent in self.plan.intents
            if intent.event == "escalate" and intent.channel == group.channel
        }
        return [
            other
            for other in self.past.values()
            if other.channel == group.channel
            and other.is_grouped
            and other.group_key in keys
            and other.series_id not in leaving
        ]

    def _repeat_group(self, history: History, firing: Sequence[Alert]) -> None:
        waits = [alert.repeat_minutes for alert in firing if alert.repeat_minutes > 0]
        loud = [alert for alert in firing if not self._reason_to_hold(alert)]
        waited = self.now - (history.last_told_at or self.now)
        is_due = bool(waits) and waited >= timedelta(minutes=min(waits))
        if not is_due or not loud or history.is_unsettled or history.is_refused(self.now):
            return
        if history.is_acknowledged(self.acks.get(history.series_id)):
            self._hold(history, "acknowledged")
            return
        # Members without a key are shown, and nothing is kept of them that is not known.
        shown = tuple(
            Intent("", alert.series_id, history.channel, 0, "repeat", alert.severity, alert=alert)
            for alert in loud
        )
        self._add(history, "repeat", _worst(shown), members=shown)

    def _group_storms(self) -> None:
        """One message instead of many, where more alerts begin at once than a person can read."""
        begun: dict[str, list[Intent]] = defaultdict(list)
        for intent in self.plan.intents:
            channel = self.channels.get(intent.channel)
            # The Alertmanager groups by itself; what still waits for an earlier message waits alone.
            is_free = intent.before is None or not intent.before.is_unsettled
            is_grouping = channel is not None and channel.kind != "alertmanager"
            if intent.event == "trigger" and is_free and is_grouping:
                begun[intent.channel].append(intent)
        for channel_name, members in sorted(begun.items()):
            if len(members) > self.delivery.group_above:
                grouped = {member.key for member in members}
                self.plan.intents = [one for one in self.plan.intents if one.key not in grouped]
                # The identity of a group is that of its members.
                series_id = digest(["group", channel_name, *sorted(grouped)])
                group = _intent(
                    History(series_id, channel_name), "trigger", _worst(members), members=members
                )
                self.plan.intents.append(replace(group, before=None))

    def _reason_to_hold(self, alert: Alert) -> str:
        """What keeps an alert that fires from being told, or '' where nothing does."""
        if is_stale(alert, self.monitors.get(alert.monitor), self.now):
            return "stale"
        if silence_of(alert, self.silences, self.now):
            return "silenced"
        inhibitor = self.inhibitors.get(alert.series_id)
        if inhibitor is None:
            return ""
        self.plan.inhibited[inhibitor.series_id][alert.series_id] = alert
        return f"inhibited by {inhibitor.rule_id}"

    def _n_triggers(self, history: History) -> int:
        return history.triggers_since(self.now - self.delivery.flapping_time)

    def _hold(self, history: History, why: str) -> None:
        self.plan.held.append(HeldBack(history.series_id, history.channel, why))

    def _withdraw(self, history: History) -> None:
        self.plan.superseded += [row.delivery_key for row in history.unsent]

    def _add(
        self,
        history: History,
        event: Event,
        severity: str,
        *,
        alert: Alert | None = None,
        why: str = "",
        is_flapping: bool = False,
        members: Sequence[Intent] = (),
    ) -> None:
        intent = _intent(history, event, severity, alert=alert, members=members)
        self.plan.intents.append(replace(intent, why=why, is_flapping=is_flapping))


def _intent(
    history: History,
    event: Event,
    severity: str,
    *,
    alert: Alert | None = None,
    members: Sequence[Intent] = (),
) -> Intent:
    """The next message of a series and channel."""
    return Intent(
        key=key_of(history.series_id, history.channel, history.next_seq),
        series_id=history.series_id,
        channel=history.channel,
        seq=history.next_seq,
        event=event,
        severity=severity,
        alert=alert,
        before=history,
        members=tuple(members),
        is_group=bool(members) or history.is_group,
    )


def _worst(intents: Iterable[Intent]) -> str:
    return max(intents, key=lambda intent: rank(intent.severity)).severity


def _why_over(alert: Alert) -> str:
    if alert.metric == "no_data":
        return alert.reason
    if not alert.is_active:
        return f"version {alert.model_version} no longer serves"
    if alert.n_judged == 0:
        return "it can no longer be judged"
    return "back within its limit"
