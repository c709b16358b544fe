"""What alert rules would have done on the stored metrics: how often, how long, how restlessly.

It reads dbt's tables, writes nothing and tells nobody. Rules in force are taken as dbt judged them;
rules of a file are judged over the same metrics. MessageCounts are those that the planner would have
sent to a channel that always answers, without silences, acknowledgements, inhibition or stale data.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict

from mlmon.alerts.channels import Delivery
from mlmon.alerts.marts import problems_in
from mlmon.alerts.outbox import Event
from mlmon.alerts.rules import (
    SEVERITIES,
    Episode,
    History,
    MonitorSettings,
    RuleRow,
    RuleTarget,
    RuleTiming,
    Series,
    Window,
    firing_episodes,
    firing_states,
    judge,
    problems_of,
    rule_targets,
)
from mlmon.errors import ConfigurationError
from mlmon.profile import Target
from mlmon.warehouse import Connection, connect, relation, text_literal

# The dispatcher looks this often at what waits for a time to be over.
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A series as a channel hears of it. ``states`` has what holds from each of ``times`` on: 0 does
    not fire, 1 fires as a warning, 2 as critical. What holds last is told once and not waited for."""

    times: Sequence[datetime]
    states: Sequence[int]
    cooldown_minutes: int = 0
    repeat_minutes: int = 0


@dataclass(frozen=True, slots=True)
class SimulatedMessage:
    """A message about one series; ``storm`` counts the storms of the channel where one carried it,
    None where it was sent by itself."""

    event: Event
    at: datetime
    storm: int | None = None


@dataclass(slots=True)
class Storm:
    """Alerts that began together: one message for all of them, told again and ended like any."""

    number: int
    members: list[_SimulatedSeries]
    told: list[tuple[Event, datetime]]

    @property
    def is_over(self) -> bool:
        return self.told[-1][0] == "resolve"

    def next_message(self, now: datetime) -> tuple[Event | None, datetime]:
        """What is due for all that are still part of it, and when."""
        firing = [member for member in self.members if member.storm is self and member.state]
        if not firing:
            return "resolve", now
        waits = [member.repeat for member in firing if member.repeat]
        return ("repeat", max(now, self.told[-1][1] + min(waits))) if waits else (None, now)


def simulate_messages(
    timelines: Sequence[Timeline], delivery: Delivery
) -> tuple[list[list[SimulatedMessage]], list[Storm]]:
    """The messages of every timeline in a channel that they share, in order, and its storms."""
    all_series = [_SimulatedSeries(timeline, delivery) for timeline in timelines]
    storms: list[Storm] = []
    moments = sorted({at for timeline in timelines for at in timeline.times})
    for now, then in zip(moments, [*moments[1:], None], strict=True):
        for series in all_series:
            series.advance(now)
        _send_until(all_series, storms, now, then, delivery.group_above)
    return [series.told for series in all_series], storms


def _send_until(
    all_series: Sequence[_SimulatedSeries],
    storms: list[Storm],
    now: datetime,
    then: datetime | None,
    group_above: int,
) -> None:
    """Tell all that is due until the next moment at which a state may change."""
    while True:
        live = [series for series in all_series if series.state or series.is_open]
        waiting = [(*series.next_message(now), series) for series in live]
        waiting = [one for one in waiting if one[0] and one[1] < one[2].until(then)]
        shared = [(*storm.next_message(now), storm) for storm in storms if not storm.is_over]
        until = then or now + MINUTE
        shared = [one for one in shared if one[0] and one[1] < until]
        if not waiting and not shared:
            return
        now = min(due for _, due, _ in [*waiting, *shared])
        together = [
            (event, series) for event, due, series in waiting if due == now and event is not None
        ]
        begun = [series for event, series in together if event == "trigger"]
        for event, series in together:
            if event != "trigger" or len(begun) <= group_above:
                series.send(event, now)
        for _, due, storm in shared:
            if due == now:
                _send_storm(storm, now)
        if len(begun) > group_above:
            storms.append(Storm(len(storms), begun, [("trigger", now)]))
            for series in begun:
                series.send("trigger", now, storms[-1])


def _send_storm(storm: Storm, now: datetime) -> None:
    event, due = storm.next_message(now)
    if event is None or due > now:
        return  # those that became worse have just left it
    storm.told.append((event, now))
    if event == "resolve":
        for member in storm.members:
            if member.storm is storm:
                member.send("resolve", now, storm)


@dataclass(slots=True)
class _SimulatedSeries:
    """What was told of a timeline so far, and what is due next."""

    timeline: Timeline
    delivery: Delivery
    told: list[SimulatedMessage] = field(default_factory=list)
    state: int = 0
    severity: int = 0
    is_open: bool = False
    storm: Storm | None = None
    _next: int = 0

    @property
    def cooldown(self) -> timedelta:
        return timedelta(minutes=self.timeline.cooldown_minutes)

    @property
    def repeat(self) -> timedelta:
        return timedelta(minutes=self.timeline.repeat_minutes)

    def advance(self, now: datetime) -> None:
        """Take over what holds from now on, where something does."""
        if self._next < len(self.timeline.times) and self.timeline.times[self._next] == now:
            self.state = self.timeline.states[self._next]
            self._next += 1

    def until(self, then: datetime | None) -> datetime:
        """Up to when it is told: what holds last is not waited for."""
        if self._next == len(self.timeline.times):
            last: datetime = self.timeline.times[-1]
            return last + MINUTE
        assert then is not None
        return then

    def next_message(self, now: datetime) -> tuple[Event | None, datetime]:
        """What is due while a state holds, and when: now or later."""
        last = self.told[-1].at if self.told else None
        if self.state and not self.is_open:
            is_free = last is None or self.state > self.severity
            return "trigger", now if is_free or last is None else max(now, last + self.cooldown)
        if self.state > self.severity:
            return "escalate", now
        if self.storm:
            return None, now  # told with its storm
        if self.state and self.repeat and last is not None:
            return "repeat", max(now, last + max(self.repeat, self.cooldown))
        if not self.state and self.is_open:
            return "resolve", self._quiet(now)
        return None, now

    def _quiet(self, now: datetime) -> datetime:
        """When it has stopped flapping."""
        begun = [told.at for told in self.told if told.event == "trigger"]
        most = self.delivery.flapping_triggers
        if len(begun) < most:
            return now
        return max(now, begun[-most] + self.delivery.flapping_time + MINUTE)

    def send(self, event: Event, at: datetime, storm: Storm | None = None) -> None:
        self.told.append(SimulatedMessage(event, at, storm.number if storm else None))
        self.is_open = event != "resolve"
        self.storm = storm if self.is_open else None
        if self.is_open:
            self.severity = self.state


WEEK = timedelta(days=7)


Histories = Mapping[Series, History]


class _ComparisonOptions(TypedDict):
    """How histories are compared: the options of `compare`."""

    since: datetime | None
    again_within: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What a rule did on a monitor within the time that is looked at.

    Windows are counted once a series. ``episodes`` are those that began in the time; the longest
    may have begun before, and ``n_firing`` counts what was left of it. ``messages`` are those to
    each channel of the rule; ``n_grouped`` more alerts began in ``n_storms`` storms, which have
    messages for all of their alerts.
    """

    n_series: int = 0
    n_windows: int = 0
    n_judged: int = 0
    n_firing: int = 0
    n_fired_again: int = 0
    episodes: tuple[Episode, ...] = ()
    longest: Episode | None = None
    messages: Mapping[Event, int] = field(default_factory=dict)
    n_grouped: int = 0
    n_storms: int = 0

    @property
    def n_critical(self) -> int:
        """How many of the alerts were critical at some time."""
        return sum(episode.severity == "critical" for episode in self.episodes)

    @property
    def firing_share(self) -> float | None:
        """The share of windows after which it fired."""
        return self.n_firing / self.n_windows if self.n_windows else None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule on a monitor; ``in_force`` is what the rule of that name does now, where another
    was judged. ``only_new`` and ``only_in_force`` are the alerts without a counterpart."""

    rule_id: str
    monitor: str
    starts_at: datetime
    ends_at: datetime
    tally: Tally
    in_force: Tally | None = None
    only_new: tuple[Episode, ...] = ()
    only_in_force: tuple[Episode, ...] = ()

    @property
    def weeks(self) -> float:
        """How long the time that is looked at is."""
        return (self.ends_at - self.starts_at) / WEEK

    def per_week(self, tally: Tally) -> float:
        """How many alerts began in a week."""
        return len(tally.episodes) / self.weeks


@dataclass(frozen=True, slots=True)
class Backtest:
    """Findings, the noisiest first, the messages of their storms, and what could not be said."""

    findings: list[Finding] = field(default_factory=list)
    storms: list[Storm] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def backtest(
    target: Target,
    rules: Sequence[RuleRow] | None = None,
    *,
    rules_file: Path | None = None,
    since: datetime | None = None,
    again_within: int = 7,
    delivery: Delivery | None = None,
    target_path: Path | None = None,
) -> Backtest:
    """What the rules in force did, or what ``rules`` (as read from ``rules_file``) would have done.

    Windows that end after ``since`` count; what came before them is judged all the same, so that
    an alert which fires then is known. An alert fires again where it does so at most
    ``again_within`` windows after its end. ``delivery`` says what flapping is for the dispatcher.

    Raises ConfigurationError, which names every row that cannot be used.
    """
    names = {
        model: relation(target, model, target_path)
        for model in (
            "dim_mlmon__metrics",
            "dim_mlmon__monitors",
            "fct_mlmon__metrics",
            "fct_mlmon__alert_evaluations",
            "int_mlmon__alert_rules",
        )
    }
    with connect(target) as warehouse:
        monitors = _monitors(warehouse, names)
        timing = _rule_timings(warehouse, names)
        targets: list[RuleTarget] | None = None
        notes = []
        if rules is not None:
            targets = _targets(warehouse, names, rules, monitors, rules_file)
        else:
            notes = [
                f"Rule {row['rule_id']!r} is not used. {row['rule_problem']}"
                for row in problems_in(warehouse, names["int_mlmon__alert_rules"])
            ]
        how: _ComparisonOptions = {"since": since, "again_within": again_within}
        findings = []
        told: dict[Series, History] = {}
        told_in_force: dict[Series, History] = {}
        heard: set[str] = set()
        for monitor in monitors:
            rule_ids = None if rules is None else {rule.rule_id for rule in rules}
            in_force = _in_force(warehouse, names, monitor.monitor, timing, rule_ids)
            if targets is None:
                findings += compare(in_force, None, **how)
                told |= _firing(in_force)
                continue
            here = [target for target in targets if target.monitor == monitor.monitor]
            new = judge(here, _metrics(warehouse, names, here)) if here else {}
            heard |= {series.rule_id for series in new}
            findings += compare(new, in_force, **how)
            told |= _firing(new)
            told_in_force |= _firing(in_force)
    new_messages = MessageCounts(told, since, delivery or Delivery())
    old_messages = MessageCounts(told_in_force, since, delivery or Delivery())
    findings = [with_messages(finding, new_messages, old_messages) for finding in findings]
    findings.sort(key=lambda one: (-one.per_week(one.tally), one.rule_id, one.monitor))
    return Backtest(findings, new_messages.storms, notes + _silent(rules or (), heard))


def compare(
    new: Histories,
    in_force: Histories | None,
    *,
    since: datetime | None = None,
    again_within: int = 7,
) -> list[Finding]:
    """The findings about some histories, beside those in force where there are any to hold them to.

    MessageCounts are told afterwards, for alerts of several rules and monitors share them in a storm.
    """
    grouped = _grouped(new)
    others = _grouped(in_force or {})
    findings = []
    for pair in sorted({*grouped, *others}):
        mine, theirs = grouped.get(pair, {}), others.get(pair)
        time = _time([*mine.values(), *(theirs or {}).values()], since)
        if time is None:
            continue
        tally = _tally(mine, since, again_within)
        if theirs is None:
            findings.append(Finding(*pair, *time, tally))
            continue
        other = _tally(theirs, since, again_within)
        all_mine = [one for item in mine.items() for one in firing_episodes(*item)]
        all_theirs = [one for item in theirs.items() for one in firing_episodes(*item)]
        only_new = _without_counterpart(tally.episodes, all_theirs)
        only_in_force = _without_counterpart(other.episodes, all_mine)
        findings.append(Finding(*pair, *time, tally, other, only_new, only_in_force))
    return findings


def _grouped(histories: Histories) -> dict[tuple[str, str], dict[Series, History]]:
    found: dict[tuple[str, str], dict[Series, History]] = defaultdict(dict)
    for series, history in histories.items():
        found[series.rule_id, series.monitor][series] = history
    return found


def _time(histories: Iterable[History], since: datetime | None) -> tuple[datetime, datetime] | None:
    """From the start of the first base window that counts to the end of the last; None if none."""
    counted = [history.windows for history in histories]
    ends = [windows[-1].window_end for windows in counted]
    if not ends or (since is not None and max(ends) <= since):
        return None
    starts = []
    for windows in counted:
        first = windows[0]
        length = (first.window_end - first.window_start) / first.span_windows
        starts.append(first.window_end - length)
    start = min(starts)
    return (start if since is None else max(start, since)), max(ends)


def _tally(histories: Histories, since: datetime | None, again_within: int) -> Tally:
    n_series = n_windows = n_judged = n_firing = n_fired_again = 0
    begun: list[Episode] = []
    open_in_time: list[Episode] = []
    for series, history in histories.items():
        is_counted = [since is None or window.window_end > since for window in history.windows]
        n_series += any(is_counted)
        n_windows += sum(is_counted)
        n_judged += sum(
            counts and window.level is not None
            for counts, window in zip(is_counted, history.windows, strict=True)
        )
        before: Episode | None = None
        for episode in firing_episodes(series, history):
            n_firing += sum(is_counted[episode.first : episode.over])
            if is_counted[episode.over - 1]:
                open_in_time.append(episode)
            if is_counted[episode.first]:
                begun.append(episode)
                if before and episode.first - before.over <= again_within:
                    n_fired_again += 1
            before = episode
    return Tally(
        n_series=n_series,
        n_windows=n_windows,
        n_judged=n_judged,
        n_firing=n_firing,
        n_fired_again=n_fired_again,
        episodes=tuple(sorted(begun, key=_order)),
        longest=min(open_in_time, key=lambda one: (-one.n_windows, *_order(one)), default=None),
    )


def _firing(histories: Histories) -> Histories:
    """Those of which somebody is told."""
    return {series: history for series, history in histories.items() if any(firing_states(history))}


class MessageCounts:
    """What the channels of some histories were told since a time, and in which storms.

    Rules that name the same channels share their storms.
    """

    def __init__(self, histories: Histories, since: datetime | None, delivery: Delivery) -> None:
        self._told: dict[tuple[str, str], list[SimulatedMessage]] = defaultdict(list)
        self.storms: list[Storm] = []
        by_channels: dict[str, dict[Series, History]] = defaultdict(dict)
        for series, history in histories.items():
            by_channels[history.timing.channels][series] = history
        for shared in by_channels.values():
            told, storms = simulate_messages(
                [_timeline(history) for history in shared.values()], delivery
            )
            for series, messages in zip(shared, told, strict=True):
                self._told[series.rule_id, series.monitor] += [
                    message for message in messages if since is None or message.at > since
                ]
            self.storms += [storm for storm in storms if since is None or storm.told[0][1] > since]

    def of(self, finding: Finding, tally: Tally) -> Tally:
        """The tally of a rule on a monitor with its messages."""
        told = self._told[finding.rule_id, finding.monitor]
        grouped = [one for one in told if one.storm is not None and one.event == "trigger"]
        return replace(
            tally,
            messages=dict(Counter(one.event for one in told if one.storm is None)),
            n_grouped=len(grouped),
            n_storms=len({(one.storm, one.at) for one in grouped}),
        )


def _timeline(history: History) -> Timeline:
    return Timeline(
        [window.window_end for window in history.windows],
        firing_states(history),
        cooldown_minutes=history.timing.cooldown_minutes,
        repeat_minutes=history.timing.repeat_minutes,
    )


def with_messages(finding: Finding, new: MessageCounts, in_force: MessageCounts) -> Finding:
    """A finding with what the channels were told."""
    return replace(
        finding,
        tally=new.of(finding, finding.tally),
        in_force=in_force.of(finding, finding.in_force) if finding.in_force else None,
    )


def _order(episode: Episode) -> tuple[datetime, Series]:
    return episode.fired_at, episode.series


def _without_counterpart(
    episodes: Iterable[Episode], others: Iterable[Episode]
) -> tuple[Episode, ...]:
    """The episodes that overlap none of the others in their own series, first breach to end."""
    by_series: dict[Series, list[Episode]] = defaultdict(list)
    for other in others:
        by_series[other.series].append(other)
    return tuple(
        episode
        for episode in episodes
        if not any(_overlap(episode, other) for other in by_series[episode.series])
    )


def _overlap(one: Episode, other: Episode) -> bool:
    def ends_after(episode: Episode, at: datetime) -> bool:
        return episode.resolved_at is None or episode.resolved_at > at

    return ends_after(one, other.since_window_end) and ends_after(other, one.since_window_end)


def _targets(
    warehouse: Connection,
    names: Mapping[str, str],
    rules: Sequence[RuleRow],
    monitors: Sequence[MonitorSettings],
    rules_file: Path | None,
) -> list[RuleTarget]:
    families = {
        row["metric"]: row["family"]
        for row in warehouse.rows(f"select metric, family from {names['dim_mlmon__metrics']}")
    }
    problems = [
        f"row {number}, rule {rule.rule_id!r}: {problem}"
        for number, (rule, problem) in enumerate(
            zip(rules, problems_of(rules, families), strict=True), 1
        )
        if problem
    ]
    if problems:
        counted = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError(
            "\n  ".join([f"{counted} in {rules_file or 'the rules'}:", *problems])
        )
    return rule_targets(rules, monitors, families)


def _monitors(warehouse: Connection, names: Mapping[str, str]) -> list[MonitorSettings]:
    rows = warehouse.rows(
        f"""
        select
            monitor,
            max(default_span_windows) as default_span_windows,
            max(verdict_span_windows) as verdict_span_windows,
            max(label_horizon_days) as label_horizon_days,
            max(primary_metric) as primary_metric
        from {names["dim_mlmon__monitors"]}
        group by monitor
        order by monitor
        """
    )
    return [MonitorSettings(**row) for row in rows]


def _rule_timings(warehouse: Connection, names: Mapping[str, str]) -> dict[str, RuleTiming]:
    """By rule_version how patient a rule is."""
    rows = warehouse.rows(
        f"""
        select rule_version, {", ".join(RuleTiming._fields)}
        from {names["int_mlmon__alert_rules"]}
        where rule_problem is null
        """
    )
    return {
        row["rule_version"]: RuleTiming(*(row[name] for name in RuleTiming._fields)) for row in rows
    }


def _silent(rules: Iterable[RuleRow], heard: Set[str]) -> list[str]:
    """What to say of rules that judged nothing: those that are not among the heard."""
    enabled: dict[str, bool] = {}
    for rule in rules:
        enabled[rule.rule_id] = enabled.get(rule.rule_id, False) or rule.is_enabled
    return [
        f"Rule {rule_id!r} judged nothing: "
        + ("no stored metric is selected by it." if is_enabled else "it is switched off.")
        for rule_id, is_enabled in enabled.items()
        if rule_id not in heard
    ]


def _in_force(
    warehouse: Connection,
    names: Mapping[str, str],
    monitor: str,
    timing: Mapping[str, RuleTiming],
    rule_ids: Iterable[str] | None,
) -> dict[Series, History]:
    """What dbt judged on a monitor, all of it or some rules."""
    wanted = "" if rule_ids is None else f" and {_is_in('rule_id', rule_ids)}"
    rows = warehouse.rows(
        f"""
        select
            {", ".join(Series._fields)},
            measure, rule_version, window_start, window_end, span_windows, is_breached, severity,
            value, threshold_low, threshold_high
        from {names["fct_mlmon__alert_evaluations"]}
        where monitor = {text_literal(monitor)}{wanted}
        order by window_end
        """
    )
    return histories_in_force(rows, timing)


def histories_in_force(
    evaluations: Iterable[Mapping[str, Any]], timing: Mapping[str, RuleTiming]
) -> dict[Series, History]:
    """The histories behind rows of fct_mlmon__alert_evaluations, which come in order of time.

    ``timing`` has that of every rule by its rule_version.
    """
    windows: dict[tuple[Series, str, str], list[Window]] = defaultdict(list)
    for row in evaluations:
        series = Series(*(row[name] for name in Series._fields))
        if row["rule_version"] in timing:
            windows[series, row["measure"], row["rule_version"]].append(
                Window(
                    window_start=row["window_start"],
                    window_end=row["window_end"],
                    span_windows=row["span_windows"],
                    level=None if row["is_breached"] is None else SEVERITIES.index(row["severity"]),
                    value=row["value"],
                    threshold_low=row["threshold_low"],
                    threshold_high=row["threshold_high"],
                )
            )
    return {
        series: History(measure, timing[version], tuple(found))
        for (series, measure, version), found in windows.items()
    }


def _metrics(
    warehouse: Connection, names: Mapping[str, str], targets: Sequence[RuleTarget]
) -> list[dict[str, Any]]:
    """The rows of one monitor that the rules may look at. The conditions are plain, so that the
    view of metrics reads only what is asked for."""
    spans = sorted({span for target in targets for span in target.spans})
    conditions = [
        f"monitor = {text_literal(targets[0].monitor)}",
        _is_in("metric", {target.metric for target in targets}),
        f"span_windows in ({', '.join(map(str, spans)) or 'null'})",
    ]
    for column in ("model_version", "segment_name", "class_label", "column_name"):
        selectors = {target.rule.selectors[column] for target in targets}
        if "*" not in selectors:
            conditions.append(_is_in(column, selectors))
    return warehouse.rows(
        f"""
        select
            {", ".join(Series._fields[1:])},
            window_start, window_end, span_windows,
            value, reference_value, n, status, status_rank
        from {names["fct_mlmon__metrics"]}
        where {" and ".join(conditions)}
        """
    )


def _is_in(column: str, texts: Iterable[str]) -> str:
    return f"{column} in ({', '.join(text_literal(text) for text in sorted(set(texts)))})"
