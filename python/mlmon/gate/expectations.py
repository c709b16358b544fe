"""Great Expectations, batch by batch: the only module that imports it.

A slice does not fit into memory, so each batch is validated by itself and what Great Expectations
counted is added up. That is exact for expectations about single rows. The others get a frame that
is small and gives the same answer: keys that occur once cannot be repeated, so uniqueness is
asked of the others alone; the largest value of all is the largest of the batches' largest.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlmon.errors import ConfigurationError, MlmonError
from mlmon.gate.checks import GENERATED, Check
from mlmon.gate.slices import ANSWERED

if TYPE_CHECKING:
    import pandas as pd

# How many offending values a verdict shows, and how many are looked at to find different ones.
SHOWN = 5
_LOOKED_AT = 100
# Rows are named by this column.
ID = "request_id"
# The first part of a batch that examples are looked for in: naming rows is slow.
_FIRST_ROWS = 2_000

ROW_COUNTS = ("expect_table_row_count_to_be_between", "expect_table_row_count_to_equal")
TOTALS = {
    "expect_column_max_to_be_between": "max",
    "expect_column_min_to_be_between": "min",
    "expect_column_sum_to_be_between": "sum",
    "expect_column_mean_to_be_between": "mean",
}


@dataclass(slots=True)
class Tally:
    """What a check has counted so far. ``observed`` is what was found where no rows are counted."""

    check: Check
    n_checked: int = 0
    n_failed: int = 0
    observed: str | None = None
    examples: list[tuple[str, str | None]] = field(default_factory=list)

    def note(self, value: str, request_id: str | None) -> None:
        """Keep an example, those with values not yet seen first."""
        if len(self.examples) < SHOWN and value not in {known for known, _ in self.examples}:
            self.examples.append((value, request_id))


class Validator:
    """Great Expectations in this process alone: no files, no telemetry, no network."""

    def __init__(self) -> None:
        # Read while it is imported.
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        try:
            import great_expectations as gx
            from great_expectations.data_context.types.base import ProgressBarsConfig
        except ModuleNotFoundError as error:
            if error.name != "great_expectations":
                raise
            raise ConfigurationError(
                "The gate needs Great Expectations: pip install 'mlmon[gate]'. Without it"
                " `mlmon validate --configuration-only` checks the configuration."
            ) from None
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(
            globally=False, metric_calculations=False
        )
        source = context.data_sources.add_pandas("mlmon")
        asset = source.add_dataframe_asset("slice")
        self._batches = asset.add_batch_definition_whole_dataframe("batch")
        self._gx = gx

    def validate(self, frame: pd.DataFrame, tallies: Sequence[Tally]) -> None:
        """Add what a frame holds to the tallies."""
        if not tallies:
            return
        results = self._results(frame, tallies, {"result_format": "BASIC"})
        for tally, (is_success, result) in zip(tallies, results, strict=True):
            if "element_count" in result:
                tally.n_checked += result["element_count"] - (result.get("missing_count") or 0)
                tally.n_failed += result["unexpected_count"]
            else:
                tally.n_checked += 1
                tally.n_failed += 0 if is_success else 1
                observed = result.get("observed_value")
                tally.observed = None if observed is None else str(observed)
        wanting = [
            tally
            for tally, (_, result) in zip(tallies, results, strict=True)
            if result.get("unexpected_count") and len(tally.examples) < SHOWN
        ]
        for tally in wanting:
            self._find_examples(frame, tally)

    def _find_examples(self, frame: pd.DataFrame, tally: Tally) -> None:
        n_rows = _FIRST_ROWS
        wanted = {
            "result_format": "SUMMARY",
            "partial_unexpected_count": _LOOKED_AT,
            "unexpected_index_column_names": [ID],
        }
        while True:
            [(_, result)] = self._results(frame.head(n_rows), [tally], wanted)
            for entry in result.get("partial_unexpected_index_list") or []:
                values = {name: value for name, value in entry.items() if name != ID}
                row = entry.get(ID)
                value = _shown(values) if values else _text(row)
                tally.note(value, None if _is_missing(row) else _text(row))
            if tally.examples or n_rows >= len(frame):
                return
            n_rows *= 8

    def _results(
        self, frame: pd.DataFrame, tallies: Sequence[Tally], result_format: Mapping[str, Any]
    ) -> list[tuple[bool, Mapping[str, Any]]]:
        suite = self._gx.ExpectationSuite(
            name="mlmon",
            expectations=[
                expectation(tally.check, position) for position, tally in enumerate(tallies)
            ],
        )
        batch = self._batches.get_batch({"dataframe": frame})
        found: dict[int, tuple[bool, Mapping[str, Any]]] = {}
        for outcome in batch.validate(suite, result_format=dict(result_format)).results:
            configuration: Any = outcome.expectation_config
            position = configuration.meta["mlmon"]
            problem = _raised(outcome.exception_info)
            if problem:
                raise _unusable(tallies[position].check, problem)
            found[position] = (bool(outcome.success), outcome.result)
        return [found[position] for position in range(len(tallies))]


def expectation(check: Check, position: int) -> Any:
    """The expectation of a check. Raises ConfigurationError where it does not exist or fit."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    given = {name: value for name, value in check.kwargs.items() if value is not None}
    try:
        return ExpectationConfiguration(
            type=check.expectation, kwargs=given, meta={"mlmon": position}
        ).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise _unusable(check, str(error)) from None


def whole_frame(check: Check, columns: Iterable[str], totals: Totals) -> pd.DataFrame:
    """The small frame that answers a check about a slice as a whole."""
    import pandas as pd

    if check.expectation in ROW_COUNTS:
        return pd.DataFrame(index=pd.RangeIndex(totals.n_rows))
    if check.expectation in TOTALS:
        name = check.kwargs["column"]
        return pd.DataFrame({name: [totals.of(name, TOTALS[check.expectation])]})
    return pd.DataFrame(columns=list(columns), dtype="object")


@dataclass(slots=True)
class Totals:
    """Sums, extremes and counts of numeric columns over all batches."""

    columns: Sequence[str]
    n_rows: int = 0
    _counts: dict[str, int] = field(default_factory=dict)
    _sums: dict[str, list[float]] = field(default_factory=dict)
    _lows: dict[str, float] = field(default_factory=dict)
    _highs: dict[str, float] = field(default_factory=dict)

    def add(self, frame: pd.DataFrame) -> None:
        """Add a batch."""
        self.n_rows += len(frame)
        for name in self.columns:
            values = frame[name].dropna()
            if len(values):
                self._counts[name] = self._counts.get(name, 0) + len(values)
                self._sums.setdefault(name, []).append(float(values.sum()))
                self._lows[name] = min(self._lows.get(name, math.inf), float(values.min()))
                self._highs[name] = max(self._highs.get(name, -math.inf), float(values.max()))

    def of(self, column: str, what: str) -> float:
        """max, min, sum or mean of a column; NaN where it has no value."""
        if column not in self._counts:
            return math.nan
        total = math.fsum(self._sums[column])
        return {
            "max": self._highs[column],
            "min": self._lows[column],
            "sum": total,
            "mean": total / self._counts[column],
        }[what]


def repeated(groups: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Frames with each key as often as ``n`` says, of at most about ``size`` rows.

    A key that is cut between two frames is in both at least twice, so that every row of it is seen
    to be repeated.
    """
    import numpy as np

    counts = groups["n"].to_numpy().astype(np.int64)
    keys = groups.drop(columns="n")
    start = 0
    while start < len(keys):
        end = start + max(1, int(np.searchsorted(np.cumsum(counts[start:]), size, side="right")))
        if end == start + 1 and counts[start] > size:
            left = int(counts[start])
            while left > 0:
                # Never one row alone at the end.
                part = left if left <= size + 1 else size
                yield keys.iloc[[start] * part].reset_index(drop=True)
                left -= part
        else:
            rows = np.repeat(np.arange(start, end), counts[start:end])
            yield keys.iloc[rows].reset_index(drop=True)
        start = end


def answered(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of requests that succeeded."""
    return frame[frame[ANSWERED]] if ANSWERED in frame else frame


def _unusable(check: Check, problem: str) -> MlmonError:
    said = " ".join(problem.split())
    where = f"{check.expectation} of {check.column}"
    if check.source == GENERATED:
        return MlmonError(f"Great Expectations could not check {where}: {said}")
    return ConfigurationError(f"{check.source}: {where} cannot be checked: {said}")


def _raised(information: Mapping[str, Any] | None) -> str | None:
    """What was raised while an expectation was checked: one block, or one by metric."""
    blocks = [information or {}, *(information or {}).values()]
    for block in blocks:
        if isinstance(block, Mapping) and block.get("raised_exception"):
            return str(block.get("exception_message") or "no message")
    return None


def _shown(values: Mapping[str, Any]) -> str:
    """An offending value as a person reads it; of several columns each by name."""
    if len(values) == 1:
        return _text(next(iter(values.values())))
    return ", ".join(f"{name} {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    if _is_missing(value):
        return "(missing)"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)[:200]


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
