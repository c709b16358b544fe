"""What is expected of a log: one check an expectation, made from the monitor and the reference.

A check is an expectation of Great Expectations and the shares of failing rows that it may have.
Here nothing of Great Expectations is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any, Literal

from mlmon.gate.plan import Column, Log, Plan
from mlmon.gate.reference import Usual
from mlmon.gate.slices import AHEAD, ANSWERED, LOADED, UNREAD

Status = Literal["ok", "warning", "critical"]

# Which rows an expectation sees: every row of a slice, those of requests that succeeded, the keys
# that occur more than once, or the slice as a whole.
Rows = Literal["all", "answered", "keys", "whole"]

GENERATED = "generated"

# Names of the frames' own columns: whether there is a value at all, and the bounds of times.
GIVEN = "given: "
LATEST = "a day after loaded_at"
SKEWED = "five seconds after loaded_at"
EARLIEST = "the earliest plausible time"
TOMORROW = "a day from now"

# Fewer offending rows than this block nothing.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Check:
    """An expectation with its limits.

    ``allowed`` is the share of rows that may fail; ``warning`` and ``critical`` are how far above it
    a verdict begins, None where that verdict does not exist. ``may_be_chance``: a share is judged
    only beyond what chance makes of the allowed one. ``expected`` says it all in words.
    """

    column: str
    name: str
    expectation: str
    kwargs: Mapping[str, Any]
    expected: str
    warning: float | None
    critical: float | None
    allowed: float = 0.0
    may_be_chance: bool = False
    fewest: int = 1
    rows: Rows = "all"
    source: str = GENERATED

    def judge(self, n_checked: int, n_failed: int) -> Status:
        """The verdict on so many failing rows of so many."""
        if n_failed == 0 or n_checked == 0:
            return "ok"
        share = n_failed / n_checked
        usual = n_checked * self.allowed
        if self.may_be_chance and n_failed - usual <= 3 * sqrt(usual * (1 - self.allowed) + 1):
            return "ok"
        above = share - self.allowed
        # A share that is the limit in decimals may be off in its last bit.
        slack = 1e-12
        is_critical = self.critical is not None and above > self.critical + slack
        if is_critical and n_failed >= self.fewest:
            return "critical"
        if is_critical or (self.warning is not None and above > self.warning + slack):
            return "warning"
        return "ok"


def checks_of(log: Log, usual: Mapping[str, Usual], plan: Plan) -> list[Check]:
    """The checks of a log, in the order of its columns."""
    rows: Rows = "answered" if log.is_success else "all"
    made = _Checks(plan.limits, plan.other_kind_share, rows)
    checks: list[Check] = []
    for column in log.columns:
        if not column.is_there:
            checks += made.absent(column)
        elif column.name == "loaded_at":
            checks += made.load_time(column)
        elif column.role == "identity" or column.name == "label":
            checks += made.identity(column)
            if column.kind == "time":
                checks += made.event_time(column, log, plan.min_event_at)
            elif column.name == "label":
                checks += made.content(column, usual.get(column.name))
        elif column.role == "score_sum":
            checks += made.declared_range(column, usual.get(column.name))
        elif column.role not in {"model_version", "outcome", "segment"}:
            checks += made.missing(column, usual.get(column.name))
            checks += made.content(column, usual.get(column.name))
    checks.append(made.duplicates(log))
    return checks


@dataclass(frozen=True, slots=True)
class _Checks:
    limits: Mapping[str, Mapping[str, float]]
    other_kind_share: float
    answered: Rows

    def absent(self, column: Column) -> list[Check]:
        if not column.is_required and column.role != "feature":
            return []  # A column that nobody mapped is one that the log does not have.
        return [
            Check(
                column=column.name,
                name="column_missing",
                expectation="expect_column_to_exist",
                kwargs={"column": column.log_column},
                expected=f"the log has a column {column.log_column}",
                warning=0.0,
                critical=0.0 if column.is_required else None,
                rows="whole",
            )
        ]

    def identity(self, column: Column) -> list[Check]:
        checks = [
            self._limited(
                "identity",
                column,
                "expect_column_values_to_not_be_null",
                {"column": GIVEN + column.name},
                "every row has one",
            )
        ]
        return checks + self.unreadable(column)

    def unreadable(self, column: Column) -> list[Check]:
        if column.unread is None:
            return []
        what = "a time between the years 1 and 9999" if column.kind == "time" else "a finite number"
        return [
            self._limited(
                "unreadable",
                column,
                "expect_column_values_to_be_null",
                {"column": UNREAD + column.name},
                f"every value can be read as {what}",
            )
        ]

    def event_time(self, column: Column, log: Log, min_event_at: str) -> list[Check]:
        checks = [
            self._in_order(
                "implausible_time", column.name, EARLIEST, column, f"from {min_event_at} on"
            )
        ]
        if log.column("loaded_at") is None:
            return [*checks, self._before_tomorrow(column)]
        return [
            *checks,
            self._in_order(
                "implausible_time",
                LATEST,
                column.name,
                column,
                "at most a day after loaded_at",
                name="later_than_loaded",
            ),
            self._in_order(
                "clock_skew",
                SKEWED,
                column.name,
                column,
                "at most five seconds after loaded_at",
            ),
        ]

    def load_time(self, column: Column) -> list[Check]:
        return [*self.unreadable(column), self._before_tomorrow(column)]

    def _before_tomorrow(self, column: Column) -> Check:
        return self._in_order(
            "implausible_time",
            TOMORROW,
            column.name,
            column,
            "at most a day from now",
            name="in_the_future",
        )

    def _in_order(
        self,
        limit: str,
        later: str,
        earlier: str,
        column: Column,
        words: str,
        *,
        name: str | None = None,
    ) -> Check:
        """One time is not before another. Bounds are columns, too: pandas compares these at once."""
        return self._limited(
            limit,
            column,
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": later, "column_B": earlier, "or_equal": True},
            words,
            name=name,
        )

    def missing(self, column: Column, usual: Usual | None) -> list[Check]:
        if usual is None:
            return []
        limits = self.limits["missing"]
        is_needed = column.is_required or column.role != "feature"
        return [
            Check(
                column=column.name,
                name="missing",
                expectation="expect_column_values_to_not_be_null",
                kwargs={"column": GIVEN + column.name},
                expected=(
                    f"at most {_percent(min(1.0, usual.missing_share + limits['warning']))} missing"
                    f" (reference {_percent(usual.missing_share)})"
                ),
                warning=limits["warning"],
                critical=limits["critical"] if is_needed else None,
                allowed=usual.missing_share,
                may_be_chance=True,
                rows=self.answered,
            )
        ]

    def content(self, column: Column, usual: Usual | None) -> list[Check]:
        if column.kind != "numeric":
            return self.known_categories(column, usual)
        checks = self.unreadable(column) if column.name != "label" else []
        return [*checks, *self.declared_range(column, usual), *self.near_reference(column, usual)]

    def declared_range(self, column: Column, usual: Usual | None) -> list[Check]:
        low, high = column.minimum, column.maximum
        if low is None and high is None:
            return []
        name = {"score": "score_range", "score_sum": "score_sum"}.get(column.role, "out_of_range")
        allowed = usual.outside_share if usual and name != "out_of_range" else 0.0
        if allowed > self.other_kind_share:
            return []
        words = "all class scores add up to 1, give or take 0.001" if name == "score_sum" else ""
        return [
            self._limited(
                name,
                column,
                "expect_column_values_to_be_between",
                {"column": column.name, "min_value": low, "max_value": high},
                words or _between(low, high),
                allowed=allowed,
                may_be_chance=allowed > 0,
            )
        ]

    def near_reference(self, column: Column, usual: Usual | None) -> list[Check]:
        if usual is None or usual.minimum is None or usual.maximum is None:
            return []
        if column.role not in {"feature", "prediction", "label"}:
            return []
        # A column that was constant has no range to measure by.
        room = (usual.maximum - usual.minimum) / 2
        if room == 0 or room == float("inf"):
            return []
        low, high = usual.minimum - room, usual.maximum + room
        return [
            self._limited(
                "far_from_reference",
                column,
                "expect_column_values_to_be_between",
                {"column": column.name, "min_value": low, "max_value": high},
                f"{_between(low, high)} (reference {_between(usual.minimum, usual.maximum)})",
                may_be_chance=True,
            )
        ]

    def known_categories(self, column: Column, usual: Usual | None) -> list[Check]:
        if usual is None or usual.categories is None:
            return []
        known = sorted(usual.categories)
        shown = ", ".join(known[:5]) + (f" … ({len(known)} values)" if len(known) > 5 else "")
        return [
            self._limited(
                "unseen_category",
                column,
                "expect_column_values_to_be_in_set",
                {"column": column.name, "value_set": known},
                f"a value that the reference has: {shown}",
                may_be_chance=True,
            )
        ]

    def duplicates(self, log: Log) -> Check:
        keys = duplicate_keys(log)
        return Check(
            column="request_id",
            name="duplicates",
            expectation="expect_compound_columns_to_be_unique"
            if len(keys) > 1
            else "expect_column_values_to_be_unique",
            kwargs={"column_list": keys} if len(keys) > 1 else {"column": keys[0]},
            expected=f"no other new row has the same {', '.join(keys)}",
            warning=self.limits["duplicates"]["warning"],
            critical=self.limits["duplicates"]["critical"],
            fewest=FEWEST,
            rows="keys",
        )

    def _limited(
        self,
        limit: str,
        column: Column,
        expectation: str,
        kwargs: Mapping[str, Any],
        expected: str,
        *,
        name: str | None = None,
        allowed: float = 0.0,
        may_be_chance: bool = False,
    ) -> Check:
        is_content = column.role not in {"identity", "label"} or may_be_chance
        return Check(
            column=column.name,
            name=name or limit,
            expectation=expectation,
            kwargs=kwargs,
            expected=expected,
            warning=self.limits[limit]["warning"],
            critical=self.limits[limit]["critical"],
            allowed=allowed,
            may_be_chance=may_be_chance,
            fewest=FEWEST,
            rows=self.answered if is_content else "all",
        )


def duplicate_keys(log: Log) -> list[str]:
    """The columns that no two rows of a slice should share: a request, or one word on its label."""
    wanted = ("model_version", "request_id", "label", "labeled_at")
    return [name for name in wanted if log.column(name)]


def frame_columns(frame: Any, log: Log, min_event_at: str, now: datetime) -> Any:
    """Add what the checks ask for to a frame of a slice, in place; nothing is copied without need."""
    for column in log.columns:
        unread = UNREAD + column.name
        if column.sql is None:
            continue
        values = frame[column.name]
        if unread in frame and frame[unread].notna().any():
            values = values.astype(object).where(values.notna(), frame[unread])
        frame[GIVEN + column.name] = values
    frame[LATEST] = frame[LOADED] + timedelta(days=1)
    frame[SKEWED] = frame[LOADED] + timedelta(seconds=5)
    frame[EARLIEST] = datetime.fromisoformat(min_event_at)
    frame[TOMORROW] = now + AHEAD
    if ANSWERED in frame:
        frame[ANSWERED] = frame[ANSWERED].astype(bool)
    return frame


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:.6g}"
    return f"at least {low:.6g}" if high is None else f"between {low:.6g} and {high:.6g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
