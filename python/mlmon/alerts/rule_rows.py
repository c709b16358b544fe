"""Alert rules as a file has them: what each row means, and what is wrong with it.

The twin of int_mlmon__alert_rules for rows that dbt has not built. It says the same of a row in the
same words, and reads no table.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

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
