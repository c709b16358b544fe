"""Judges metrics by alert rules and tells when alerts would have fired: the alert models in memory.

Pure functions of rules and rows of metrics. For the rows that dbt has built they give what
fct_mlmon__alert_evaluations and fct_mlmon__alert_episodes hold; they know no clock and no channels.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from mlmon.alerts.rule_rows import PRIMARY_METRIC, Limits, RuleRow, names_metric, whole_number

SEVERITIES = ("none", "warning", "critical")


class Series(NamedTuple):
    """What tells alerts of one rule apart."""

    rule_id: str
    monitor: str
    model_version: str
    segment_name: str
    segment_value: str
    column_role: str
    column_name: str
    metric: str
    class_label: str
    label_age: str


@dataclass(frozen=True, slots=True)
class MonitorSpans:
    """What a rule needs to know of a monitor to become concrete for it."""

    monitor: str
    default_span_windows: int | None
    verdict_span_windows: int | None
    label_horizon_days: int | None
    primary_metric: str | None


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """A rule row made concrete for one monitor and metric."""

    rule: RuleRow
    warning: Limits
    critical: Limits
    monitor: str
    metric: str
    label_age: str | None
    span_windows: int | None
    resolve_span_windows: int | None
    # The most exact one measures a series; between equals the lesser key.
    precedence: tuple[int, str]

    @property
    def spans(self) -> set[int]:
        """The spans whose metrics it looks at."""
        return {span for span in (self.span_windows, self.resolve_span_windows) if span}


@dataclass(frozen=True, slots=True)
class Window:
    """A closed window of a series as a rule judged it; ``level`` is None without a judgement."""

    window_start: datetime
    window_end: datetime
    span_windows: int
    # 0 is no breach, 1 a warning, 2 critical.
    level: int | None
    value: float | None
    threshold_low: float | None = None
    threshold_high: float | None = None

    @property
    def badness(self) -> tuple[int, float]:
        """What makes one breach worse than another: its level, then how far it is off."""
        excess = 0.0
        if self.value is not None:
            if self.threshold_high is not None and self.value > self.threshold_high:
                excess = self.value - self.threshold_high
            elif self.threshold_low is not None and self.value < self.threshold_low:
                excess = self.threshold_low - self.value
        return self.level or 0, excess


class Patience(NamedTuple):
    """When a rule fires and is over, how often it is told, and where."""

    for_windows: int
    resolve_windows: int
    cooldown_minutes: int
    repeat_minutes: int
    channels: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The windows of a series in order, and how patient its rule is."""

    measure: str
    patience: Patience
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Episode:
    """A time that an alert fired; ``first`` is the place of that window in its series, from 0."""

    series: Series
    measure: str
    severity: str
    since_window_end: datetime
    fired_at: datetime
    resolved_at: datetime | None
    n_windows: int
    n_breached: int
    peak_value: float | None
    first: int

    @property
    def over(self) -> int:
        """The place of the first window after which it no longer fired."""
        return self.first + self.n_windows


def rule_targets(
    rules: Iterable[RuleRow],
    monitors: Iterable[MonitorSpans],
    families: Mapping[str, str],
) -> list[RuleTarget]:
    """Sound rule rows for every monitor and metric that they name.

    ``families`` has the family of every known metric: drift is judged at the verdict span.
    """
    known = list(monitors)
    return [
        _target(rule, monitor, metric, family)
        for rule in rules
        for monitor in known
        if rule.selectors["monitor"] in {"*", monitor.monitor}
        for metric, family in families.items()
        if names_metric(
            rule.selectors["metric"].replace(PRIMARY_METRIC, monitor.primary_metric or ""), metric
        )
    ]


def _target(rule: RuleRow, monitor: MonitorSpans, metric: str, family: str) -> RuleTarget:
    usual = monitor.default_span_windows
    if family == "drift":
        usual = monitor.verdict_span_windows
    span = usual if rule.span_text == "default" else whole_number(rule.span_text)
    resolve_spans = {"default": usual, "same": span}
    label_age: str | None = rule.selectors["label_age"]
    if label_age == "horizon":
        days = monitor.label_horizon_days
        label_age = None if days is None else f"{days}d"
    return RuleTarget(
        rule=rule,
        warning=rule.warning,
        critical=rule.critical,
        monitor=monitor.monitor,
        metric=metric,
        label_age=label_age,
        span_windows=span,
        resolve_span_windows=resolve_spans.get(
            rule.resolve_span_text, whole_number(rule.resolve_span_text)
        ),
        precedence=(-rule.exactness, rule.key),
    )


def judge(
    targets: Iterable[RuleTarget], metrics: Iterable[Mapping[str, Any]]
) -> dict[Series, History]:
    """The windows of every series that the rules select, judged.

    ``metrics`` are rows of fct_mlmon__metrics in any order; those that no rule looks at are passed
    over. A series is measured by the most exact row of its rule, by none where that is switched off.
    """
    wanted: dict[tuple[str, str, int], list[RuleTarget]] = defaultdict(list)
    for target in targets:
        for span in target.spans:
            wanted[target.monitor, target.metric, span].append(target)
    # By series the target that measures it so far, and its rows.
    chosen: dict[Series, tuple[RuleTarget, list[Mapping[str, Any]]]] = {}
    for row in metrics:
        for target in wanted.get((row["monitor"], row["metric"], row["span_windows"]), ()):
            if not _selects(target, row):
                continue
            series = Series(target.rule.rule_id, *(row[name] for name in Series._fields[1:]))
            held = chosen.get(series)
            if held is None or target.precedence < held[0].precedence:
                chosen[series] = (target, [row])
            elif target is held[0]:
                held[1].append(row)
    judged = {}
    for series, (target, rows) in chosen.items():
        windows = _windows(target, rows) if target.rule.is_enabled else ()
        if windows:
            numbers = target.rule.numbers
            patience = Patience(
                for_windows=numbers["for_windows"] or 0,
                resolve_windows=numbers["resolve_windows"] or 0,
                cooldown_minutes=numbers["cooldown_minutes"] or 0,
                repeat_minutes=numbers["repeat_minutes"] or 0,
                channels=target.rule.channels,
            )
            judged[series] = History(target.rule.measure, patience, windows)
    return judged


def _selects(target: RuleTarget, row: Mapping[str, Any]) -> bool:
    """`*` stands for every one by itself; the whole ('all') has to be named."""
    selectors = target.rule.selectors
    for name in ("model_version", "segment_name", "class_label"):
        selector, found = selectors[name], row[name]
        if selector != found and (selector != "*" or found == "all"):
            return False
    for name in ("segment_value", "column_role", "column_name"):
        if selectors[name] not in {"*", row[name]}:
            return False
    return row["label_age"] == "none" or target.label_age in {"*", row["label_age"]}


def _windows(target: RuleTarget, rows: Sequence[Mapping[str, Any]]) -> tuple[Window, ...]:
    short: dict[datetime, float] = {}
    for row in rows:
        value = _judged_value(target, row)
        if row["span_windows"] != target.span_windows and value is not None:
            short[row["window_end"]] = value
    windows = [
        _window(target, row, short.get(row["window_end"]))
        for row in rows
        if row["span_windows"] == target.span_windows
    ]
    return tuple(sorted(windows, key=lambda window: window.window_end))


def _window(target: RuleTarget, row: Mapping[str, Any], short_value: float | None) -> Window:
    own_level = _level(target, _judged_value(target, row))
    short_level = _level(target, short_value)
    level = own_level
    # The short span says whether it is over; without a judgement there the long one decides.
    if own_level is not None and short_level is not None:
        level = min(own_level, short_level)
    is_critical = own_level == 2 or not target.rule.warning_condition
    limits = target.critical if is_critical else target.warning
    return Window(
        window_start=row["window_start"],
        window_end=row["window_end"],
        span_windows=row["span_windows"],
        level=level,
        value=_measured(target, row),
        threshold_low=limits.threshold_low,
        threshold_high=limits.threshold_high,
    )


def _level(target: RuleTarget, value: float | None) -> int | None:
    if value is None:
        return None
    if math.isnan(value):
        value = math.inf  # as warehouses order it
    if target.critical.are_broken_by(value):
        return 2
    return 1 if target.warning.are_broken_by(value) else 0


def _measured(target: RuleTarget, row: Mapping[str, Any]) -> float | None:
    measure = target.rule.measure
    value = row["status_rank"] if measure == "status_rank" else row["value"]
    if value is None:
        return None
    if measure not in {"change", "relative_change"}:
        return float(value)
    usual = row["reference_value"]
    if usual is None:
        return None
    change = float(value) - float(usual)
    if measure == "change":
        return change
    return change / abs(float(usual)) if usual else None


def _judged_value(target: RuleTarget, row: Mapping[str, Any]) -> float | None:
    """What the rule looks at, None where the row cannot carry a judgement."""
    if row["status"] == "insufficient_data":
        return None
    if (row["n"] or 0) < (target.rule.numbers["min_samples"] or 0):
        return None
    has_no_verdict = row["status"] in {"no_reference", "not_judged"}
    if target.rule.measure == "status_rank" and has_no_verdict:
        return None
    return _measured(target, row)


class _Level:
    """Whether a series fires at or above a level: after enough breaches in a row, until enough
    windows in a row without one."""

    def __init__(self, floor: int, patience: Patience) -> None:
        self.floor, self.patience = floor, patience
        self.breaches = self.passes = 0
        self.is_firing = False

    def see(self, level: int) -> None:
        if level >= self.floor:
            self.breaches, self.passes = self.breaches + 1, 0
        else:
            self.breaches, self.passes = 0, self.passes + 1
        if self.breaches >= self.patience.for_windows:
            self.is_firing = True
        elif self.passes >= self.patience.resolve_windows:
            self.is_firing = False


def states_of(history: History) -> list[int]:
    """What holds after every window: 0 does not fire, 1 fires as a warning, 2 as critical.

    Critical is the same rule applied to critical breaches alone. A window without a judgement
    changes nothing.
    """
    warning, critical = _Level(1, history.patience), _Level(2, history.patience)
    states = []
    for window in history.windows:
        if window.level is not None:
            warning.see(window.level)
            critical.see(window.level)
        states.append(warning.is_firing + (warning.is_firing and critical.is_firing))
    return states


def episodes_of(series: Series, history: History) -> list[Episode]:
    """The times that an alert fires, in order."""
    found: list[Episode] = []
    since: datetime | None = None
    firing_since: datetime | None = None
    during: list[tuple[Window, int]] = []
    for window, state in zip(history.windows, states_of(history), strict=True):
        if window.level is not None:
            since = (since or window.window_end) if window.level else None
        if state:
            firing_since = firing_since or since
            during.append((window, state))
        elif firing_since:
            found.append(_episode(series, history, during, firing_since, window.window_end))
            firing_since, during = None, []
    if firing_since:
        found.append(_episode(series, history, during, firing_since, None))
    return found


def _episode(
    series: Series,
    history: History,
    during: Sequence[tuple[Window, int]],
    since: datetime,
    resolved_at: datetime | None,
) -> Episode:
    windows = [window for window, _ in during]
    worst = max(windows, key=lambda window: window.badness)
    return Episode(
        series=series,
        measure=history.measure,
        severity=SEVERITIES[max(state for _, state in during)],
        since_window_end=since,
        fired_at=windows[0].window_end,
        resolved_at=resolved_at,
        n_windows=len(windows),
        n_breached=sum(bool(window.level) for window in windows),
        peak_value=worst.value,
        first=history.windows.index(windows[0]),
    )
