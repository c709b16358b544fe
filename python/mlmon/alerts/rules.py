"""Alert rules outside of dbt: reads a file of them and judges stored metrics, as the alert models do.

The twin of int_mlmon__alert_rules, fct_mlmon__alert_evaluations and fct_mlmon__alert_episodes for
rules that dbt has not built: the same problems in the same words, the same windows and episodes.
It knows no clock and no channels.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from mlmon.errors import ConfigurationError

# What a rule is about, the most telling first, and what each means where it is left out.
SELECTORS = {
    "monitor": "*",
    "model_version": "*",
    "metric": "",
    "column_role": "*",
    "column_name": "*",
    "class_label": "all",
    "segment_name": "all",
    "segment_value": "*",
    "label_age": "horizon",
}


NUMBERS = {
    "for_windows": 1,
    "resolve_windows": 1,
    "min_samples": 0,
    "cooldown_minutes": 0,
    "repeat_minutes": 0,
    "no_data_minutes": 0,
    "max_age_minutes": 0,
}


TEXTS = (
    "rule_id",
    "name",
    "measure",
    "span_windows",
    "resolve_span_windows",
    "warning_condition",
    "critical_condition",
    "inhibited_by",
    "channels",
    "runbook",
    "owner",
    "enabled",
)


COLUMNS = (*TEXTS, *SELECTORS, *NUMBERS)


MEASURES = ("value", "change", "relative_change", "status_rank")


FORMS = "> 0.1, >= 5, < 0.8, <= 1, != 0, outside 0.2 0.8"


PRIMARY_METRIC = "{primary_metric}"


_NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")


_OPERATORS = (">=", "<=", "!=", ">", "<")


@dataclass(frozen=True, slots=True)
class Limits:
    """A condition as numbers: what is said of it, and where a breach begins.

    A value above ``upper`` or below ``lower`` is a breach. These lie a little beside the thresholds,
    so that a verdict never hangs on the last bit of a value; None breaks nothing.
    """

    threshold_low: float | None = None
    threshold_high: float | None = None
    lower: float | None = None
    upper: float | None = None

    def are_broken_by(self, value: float) -> bool:
        """Whether a value is a breach."""
        is_high = self.upper is not None and value > self.upper
        return is_high or (self.lower is not None and value < self.lower)


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A row of the alert rules with what was left out filled in; None for a number that is none."""

    rule_id: str
    selectors: Mapping[str, str]
    measure: str
    span_text: str
    resolve_span_text: str
    warning_condition: str
    critical_condition: str
    numbers: Mapping[str, int | None]
    channels: str
    enabled_text: str

    @property
    def is_enabled(self) -> bool:
        """Whether it judges; a row that is switched off switches off what it selects best."""
        return self.enabled_text == "true"

    @property
    def warning(self) -> Limits:
        """The numbers of its warning condition."""
        return parse_condition(self.warning_condition) or NO_LIMITS

    @property
    def critical(self) -> Limits:
        """The numbers of its critical condition."""
        return parse_condition(self.critical_condition) or NO_LIMITS

    @property
    def key(self) -> str:
        """The hash of what it selects under its name, as in the tables."""
        parts = [self.rule_id, *(part.replace("|", "||") for part in self.selectors.values())]
        return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()

    @property
    def exactness(self) -> int:
        """How exactly it selects: more exact selectors win, then those further left."""
        return sum(
            1000 + 2 ** (8 - place)
            for place, selector in enumerate(self.selectors.values())
            if not selector.endswith("*")
        )


def read_rules(path: Path) -> list[RuleRow]:
    """The rows of a CSV file with columns of the seed alert_rules; a column may be left out.

    Raises ConfigurationError where it is no such file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            unknown = [name for name in names if name not in COLUMNS]
            if unknown or len(set(names)) != len(names) or "rule_id" not in names:
                raise ConfigurationError(
                    f"{path} does not have the columns of the alert rules: found"
                    f" {', '.join(names) or 'nothing'}; allowed, each once: {', '.join(COLUMNS)}."
                )
            reader.fieldnames = names
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path} cannot be read as CSV: {error}") from None
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise ConfigurationError(
                f"Row {number} of {path} does not have {len(names)} values, as its first line has."
            )
    if not rows:
        raise ConfigurationError(f"{path} has no rule.")
    return [rule_row(row) for row in rows]


def rule_row(written: Mapping[str, str | None]) -> RuleRow:
    """A row as written, made whole."""
    texts = {name: (written.get(name) or "").strip(" ") for name in COLUMNS}
    return RuleRow(
        rule_id=texts["rule_id"],
        selectors={name: texts[name] or left_out for name, left_out in SELECTORS.items()},
        measure=texts["measure"] or "value",
        span_text=texts["span_windows"] or "default",
        resolve_span_text=texts["resolve_span_windows"] or "same",
        warning_condition=texts["warning_condition"],
        critical_condition=texts["critical_condition"],
        numbers={
            name: whole_number(texts[name]) if texts[name] else left_out
            for name, left_out in NUMBERS.items()
        },
        channels=texts["channels"],
        enabled_text=texts["enabled"].lower(),
    )


def parse_condition(text: str) -> Limits | None:
    """The limits of a condition such as ``> 0.1`` or ``outside 0.2 0.8``; None for any other text."""
    words = text.lower()
    if words.startswith("outside "):
        operator, (first, _, second) = "outside", words[8:].strip(" ").partition(" ")
    else:
        operator = next((sign for sign in _OPERATORS if words.startswith(sign)), "")
        first = second = words[len(operator) :].strip(" ")
    low, high = plain_number(first), plain_number(second.strip(" "))
    if not operator or low is None or high is None or low > high:
        return None
    has_low, has_high = operator not in {">", ">="}, operator not in {"<", "<="}
    lower = low + _slack(low) if operator == "<=" else low - _slack(low)
    upper = high - _slack(high) if operator == ">=" else high + _slack(high)
    return Limits(
        threshold_low=low if has_low else None,
        threshold_high=high if has_high else None,
        lower=lower if has_low else None,
        upper=upper if has_high else None,
    )


def plain_number(text: str) -> float | None:
    """A text such as 5, -0.25 or .5 as a number; None for anything else, 1e3 included."""
    return float(text) if len(text) <= 40 and _NUMBER.fullmatch(text) else None


def whole_number(text: str) -> int | None:
    """A text of one to nine digits as a number; None for anything else."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def names_metric(selector: str, metric: str) -> bool:
    """Whether a rule's ``metric`` names a metric: whole, or by its beginning and ``*``."""
    if selector.endswith("*") and metric.startswith(selector[:-1]):
        return True
    return metric == selector


def problems_of(rows: Iterable[RuleRow], known_metrics: Iterable[str]) -> list[str | None]:
    """By row why it cannot be used: what was found, what is allowed; None for a sound one."""
    checked, metrics = list(rows), list(known_metrics)
    times = Counter(row.key for row in checked)
    return [_problem(row, times[row.key], metrics) for row in checked]


def _problem(row: RuleRow, n_rows: int, known_metrics: Iterable[str]) -> str | None:
    metric = row.selectors["metric"]
    if row.rule_id == "":
        return "rule_id is empty; fix: give the rule a name of its own"
    if n_rows > 1:
        return "another row of this rule selects exactly the same; fix: keep one"
    if PRIMARY_METRIC not in metric and not any(names_metric(metric, m) for m in known_metrics):
        return (
            f"metric: found '{metric}'; allowed: a metric of dim_mlmon__metrics, its beginning"
            " and *, or {primary_metric}_..."
        )
    if row.measure not in MEASURES:
        return _found_allowed("measure", row.measure, ", ".join(MEASURES))
    if row.enabled_text not in {"true", "false"}:
        return _found_allowed("enabled", row.enabled_text, "true, false")
    return _condition_problem(row) or _number_problem(row)


def _condition_problem(row: RuleRow) -> str | None:
    if not row.warning_condition and not row.critical_condition:
        return f"warning_condition and critical_condition are empty; allowed: {FORMS}"
    for name in ("warning_condition", "critical_condition"):
        text: str = getattr(row, name)
        if text and parse_condition(text) is None:
            return _found_allowed(name, text, FORMS)
    return None


def _number_problem(row: RuleRow) -> str | None:
    spans = {"span_windows": (row.span_text, ("default",)),
             "resolve_span_windows": (row.resolve_span_text, ("same", "default"))}  # fmt: skip
    for name, (text, words) in spans.items():
        if text not in words and not whole_number(text):
            return _found_allowed(name, text, ", ".join([*words, "a whole number from 1"]))
    for name in ("for_windows", "resolve_windows"):
        if not row.numbers[name]:
            return f"{name}: allowed: a whole number from 1"
    for name in ("min_samples", "cooldown_minutes", "repeat_minutes", "no_data_minutes",
                 "max_age_minutes"):  # fmt: skip
        if row.numbers[name] is None:
            return f"{name}: allowed: a whole number"
    return None


def _found_allowed(key: str, found: str, allowed: str) -> str:
    return f"{key}: found '{found}'; allowed: {allowed}"


def _slack(threshold: float) -> float:
    """How far from a threshold a value still counts as equal to it."""
    return abs(threshold) * 1e-12 + 1e-300


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
class MonitorSettings:
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


class RuleTiming(NamedTuple):
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
    timing: RuleTiming
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
    monitors: Iterable[MonitorSettings],
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


def _target(rule: RuleRow, monitor: MonitorSettings, metric: str, family: str) -> RuleTarget:
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
            timing = RuleTiming(
                for_windows=numbers["for_windows"] or 0,
                resolve_windows=numbers["resolve_windows"] or 0,
                cooldown_minutes=numbers["cooldown_minutes"] or 0,
                repeat_minutes=numbers["repeat_minutes"] or 0,
                channels=target.rule.channels,
            )
            judged[series] = History(target.rule.measure, timing, windows)
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

    def __init__(self, floor: int, timing: RuleTiming) -> None:
        self.floor, self.timing = floor, timing
        self.breaches = self.passes = 0
        self.is_firing = False

    def see(self, level: int) -> None:
        if level >= self.floor:
            self.breaches, self.passes = self.breaches + 1, 0
        else:
            self.breaches, self.passes = 0, self.passes + 1
        if self.breaches >= self.timing.for_windows:
            self.is_firing = True
        elif self.passes >= self.timing.resolve_windows:
            self.is_firing = False


def firing_states(history: History) -> list[int]:
    """What holds after every window: 0 does not fire, 1 fires as a warning, 2 as critical.

    Critical is the same rule applied to critical breaches alone. A window without a judgement
    changes nothing.
    """
    warning, critical = _Level(1, history.timing), _Level(2, history.timing)
    states = []
    for window in history.windows:
        if window.level is not None:
            warning.see(window.level)
            critical.see(window.level)
        states.append(warning.is_firing + (warning.is_firing and critical.is_firing))
    return states


def firing_episodes(series: Series, history: History) -> list[Episode]:
    """The times that an alert fires, in order."""
    found: list[Episode] = []
    since: datetime | None = None
    firing_since: datetime | None = None
    during: list[tuple[Window, int]] = []
    for window, state in zip(history.windows, firing_states(history), strict=True):
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
