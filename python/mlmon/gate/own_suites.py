"""Suites of the user's own: files in the form of Great Expectations' suites, as YAML or JSON.

``<monitor>.<log>.yml`` in the project's directory ``gate`` extends what is checked of that log. What
needs a whole slice in memory is refused, with the list of what can be checked batch by batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlmon.errors import ConfigurationError
from mlmon.gate.checks import Check, Rows
from mlmon.gate.expectations import TOTALS
from mlmon.gate.plan import Log, Plan

DIRECTORY = "gate"
ENDINGS = (".yml", ".yaml", ".json")

_BY_ROW = (
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_pair_values_to_be_in_set",
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_dateutil_parseable",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_json_parseable",
    "expect_column_values_to_be_null",
    "expect_column_values_to_match_json_schema",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_match_regex_list",
    "expect_column_values_to_match_strftime_format",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_not_match_regex",
    "expect_column_values_to_not_match_regex_list",
    "expect_multicolumn_sum_to_equal",
    "expect_multicolumn_values_to_be_equal",
    "expect_select_column_values_to_be_unique_within_record",
)
_BY_KEY = (
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
)
_OF_ALL = (
    "expect_column_max_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_to_exist",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_set",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
)
_ROWS: dict[str, Rows] = {
    **dict.fromkeys(_BY_ROW, "all"),
    **dict.fromkeys(_BY_KEY, "keys"),
    **dict.fromkeys(_OF_ALL, "whole"),
}
_KEYS = ("type", "kwargs", "meta", "notes", "description", "severity", "id", "rendered_content")
_SEVERITIES = ("critical", "warning")


def read_suites(directory: Path, plan: Plan) -> dict[tuple[str, str], list[Check]]:
    """The checks of every suite, by monitor and log.

    Raises ConfigurationError for a file that names no log, is no suite, or expects what cannot be
    checked.
    """
    logs = {
        f"{monitor.name}.{log.name}": (monitor.name, log.name)
        for monitor in plan.monitors
        for log in monitor.logs
    }
    found: dict[tuple[str, str], list[Check]] = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.suffix not in ENDINGS:
            continue
        if path.stem not in logs:
            raise ConfigurationError(
                f"{path} extends no log: it should be named after one of"
                f" {', '.join(sorted(logs)) or 'none: there are no monitors'}, as"
                f" {min(logs, default='churn.predictions')}.yml."
            )
        found.setdefault(logs[path.stem], []).extend(_checks(path))
    return found


def own_columns(checks: Sequence[Check], log: Log) -> list[str]:
    """Columns of the log beyond those of the monitor that the checks name.

    Raises ConfigurationError for a column that the log does not have.
    """
    known = {column.name for column in log.columns if column.sql is not None}
    wanted: dict[str, str] = {}
    for check in checks:
        if check.rows != "whole" or check.expectation in TOTALS:
            wanted |= dict.fromkeys(columns_of(check), check.source)
    beyond = [name for name in wanted if name not in known]
    for name in beyond:
        if log.types and name not in log.types:
            raise ConfigurationError(
                f"{wanted[name]}: there is no column {name!r} in the {log.name} log; it has"
                f" {', '.join(log.types)}."
            )
    return beyond


def columns_of(check: Check) -> list[str]:
    """The columns that an expectation names."""
    names: list[str] = []
    for key in ("column", "column_A", "column_B"):
        if key in check.kwargs:
            names.append(str(check.kwargs[key]))
    names += [str(name) for name in check.kwargs.get("column_list") or ()]
    return names


def _checks(path: Path) -> list[Check]:
    import yaml

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is no valid YAML: {error}") from None
    expectations = given.get("expectations") if isinstance(given, Mapping) else None
    if not isinstance(expectations, list):
        raise ConfigurationError(
            f"{path} should be a suite of Great Expectations: `expectations:` and below it a list,"
            " each with `type:` and `kwargs:`."
        )
    return [_check(path, position, entry) for position, entry in enumerate(expectations, 1)]


def _check(path: Path, position: int, entry: Any) -> Check:
    where = f"{path}, expectation {position}"
    if not isinstance(entry, Mapping) or not isinstance(entry.get("kwargs", {}), Mapping):
        raise ConfigurationError(f"{where}: found {entry!r}; it should have `type:` and `kwargs:`.")
    unknown = [str(key) for key in entry if key not in _KEYS]
    if unknown:
        raise ConfigurationError(
            f"{where}: unknown key {', '.join(unknown)}; allowed: {', '.join(_KEYS)}."
        )
    kind = entry.get("type")
    if kind not in _ROWS:
        raise ConfigurationError(
            f"{where}: found {kind!r}, which cannot be checked batch by batch; allowed:"
            f" {', '.join(sorted(_ROWS))}."
        )
    severity = entry.get("severity", "critical")
    if severity not in _SEVERITIES:
        raise ConfigurationError(
            f"{where}: found severity {severity!r}; allowed: {', '.join(_SEVERITIES)}."
        )
    kwargs = dict(entry.get("kwargs", {}))
    mostly = _mostly(where, kwargs.pop("mostly", 1))
    if "row_condition" in kwargs and _ROWS[kind] != "all":
        raise ConfigurationError(
            f"{where}: a row_condition is allowed of expectations about single rows, and {kind}"
            " is about all of them."
        )
    check = Check(
        column="",
        name=kind,
        expectation=kind,
        kwargs=kwargs,
        expected=str(entry.get("description") or _words(kwargs, mostly)),
        warning=0.0 if severity == "warning" else None,
        critical=0.0 if severity == "critical" else None,
        allowed=1 - mostly,
        rows=_ROWS[kind],
        source=path.name,
    )
    return _named(check)


def _named(check: Check) -> Check:
    return replace(check, column=", ".join(columns_of(check)) or "all")


def _mostly(where: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
        raise ConfigurationError(f"{where}: found mostly {given!r}; allowed: from 0 to 1.")
    return float(given)


def _words(kwargs: Mapping[str, Any], mostly: float) -> str:
    shown = [
        f"{name} {value}"
        for name, value in kwargs.items()
        if name not in {"column", "column_A", "column_B", "column_list"} and value is not None
    ]
    if mostly < 1:
        shown.append(f"of at least {100 * mostly:.6g} %")
    return ", ".join(shown) or "every row"
