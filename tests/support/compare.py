"""Compares two tables row by row, as the package promises equality (docs/numbers.md).

Keys, counts, flags, statuses and texts must be equal; doubles to 1e-9 relative or 1e-12 absolute. Between two
versions of the package, what may differ is listed in allowed_differences.yml: see `Allowed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

RELATIVE = 1e-9
ABSOLUTE = 1e-12
# When a view that reads a clock was looked at.
CLOCKS = ("judged_at",)
MART_IS_GONE = "mart is gone"


def normalised(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with columns in name order and values that compare the same everywhere."""
    columns: dict[str, pd.Series] = {}
    for name in sorted(set(frame.columns) - set(CLOCKS)):
        series = frame[name]
        if pd.api.types.is_bool_dtype(series.dtype):
            columns[name] = series.astype(object)
        elif pd.api.types.is_numeric_dtype(series.dtype):
            columns[name] = series.astype("float64")
        elif pd.api.types.is_datetime64_any_dtype(series.dtype):
            columns[name] = series.astype("datetime64[us]")
        else:
            # Lists, such as the edges of a column's cells, as tuples: they have a hash.
            if series.map(lambda value: isinstance(value, (list, np.ndarray))).any():
                series = series.map(
                    lambda value: tuple(value) if isinstance(value, (list, np.ndarray)) else value
                )
            # Each value once: most columns have few.
            codes, values = pd.factorize(series)
            texts = np.array([*map(_as_text, values), None], dtype=object)
            columns[name] = pd.Series(texts[codes], dtype=object)
    return pd.DataFrame(columns)


def _as_text(value: object) -> object:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, float) and np.isnan(value):
        return None
    return str(value)


def differences(left: pd.DataFrame, right: pd.DataFrame, most: int = 5) -> list[str]:
    """What differs between two tables, in words; an empty list where they are equal.

    Rows are matched in the order of their non-numeric columns, then of their numbers, so no key is
    needed.
    """
    a, b = normalised(left), normalised(right)
    if list(a.columns) != list(b.columns):
        return [f"columns differ: {sorted(set(a.columns) ^ set(b.columns))}"]
    if len(a) != len(b):
        return [f"{len(a)} rows on the left, {len(b)} on the right"]
    numbers = [
        name for name in a.columns if a[name].dtype == "float64" and b[name].dtype == "float64"
    ]
    texts = [name for name in a.columns if name not in numbers]
    a, b = _ordered(a, texts, numbers), _ordered(b, texts, numbers)
    found: list[str] = []
    for name in texts:
        unequal = (a[name] != b[name]) & ~(a[name].isna() & b[name].isna())
        for row in np.flatnonzero(unequal.to_numpy())[:most]:
            found.append(
                f"{name}: {a[name].iloc[row]!r} and {b[name].iloc[row]!r} in {_key(a, row)}"
            )
    for name in numbers:
        x, y = a[name].to_numpy(), b[name].to_numpy()
        close = np.isclose(x, y, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        for row in np.flatnonzero(~close)[:most]:
            found.append(f"{name}: {x[row]!r} and {y[row]!r} in {_key(a, row)}")
    return found


def _ordered(frame: pd.DataFrame, texts: list[str], numbers: list[str]) -> pd.DataFrame:
    """The rows in an order that does not depend on the last bits of their numbers."""
    keys = frame[numbers].round(6).fillna(np.inf)
    keys.insert(0, "texts", pd.util.hash_pandas_object(frame[texts], index=False))
    return frame.iloc[np.lexsort(keys.to_numpy().T[::-1])].reset_index(drop=True)


KEYS = (
    "monitor",
    "model_version",
    "window_end",
    "span_windows",
    "segment_name",
    "segment_value",
    "column_name",
    "metric",
    "method",
    "check_name",
    "label_age",
    "bin_index",
)


def _key(frame: pd.DataFrame, row: int) -> dict[str, object]:
    return {name: frame[name].iloc[row] for name in frame.columns if name in KEYS}


@dataclass(frozen=True, slots=True)
class Allowed:
    """One difference between two versions of the package that is meant.

    ``column`` names the column whose values may differ, or is ``rows`` for rows that may be there on one side
    alone, or ``column`` + `` is new`` / `` is gone``, or ``value within value_error`` where they may differ by no
    more than another column of the mart as it is now; ``condition`` says in pandas' query language for which rows,
    ``reason`` why, in words. Where ``column`` is `MART_IS_GONE`, ``condition`` names the project in which the mart is
    not built any more, or is ``every project``.
    """

    mart: str
    column: str
    condition: str
    reason: str
    # The warehouse on which alone it may differ; '' is every one.
    engine: str = ""


def allowed_differences(path: Path) -> list[Allowed]:
    """The entries of a YAML file: a list of mart, column, condition, reason."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return [Allowed(**{key: str(value) for key, value in entry.items()}) for entry in entries]


def without_allowed(
    mart: str, before: pd.DataFrame, after: pd.DataFrame, entries: list[Allowed]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables without what the entries let differ; the tables themselves are not changed."""
    for entry in entries:
        if entry.mart != mart or entry.column == MART_IS_GONE:
            continue
        name, _, change = entry.column.partition(" is ")
        if change == "new":
            after = after.drop(columns=name)
        elif change == "gone":
            before = before.drop(columns=name)
        elif " within " in entry.column:
            name, _, bound = entry.column.partition(" within ")
            before, after = _without_bounded(before, after, entry.condition, name, bound)
        elif entry.column == "rows":
            before, after = (
                side.query(f"not ({entry.condition})").reset_index(drop=True)
                for side in (before, after)
            )
        else:
            before, after = before.copy(), after.copy()
            for side in (before, after):
                masked = side.query(entry.condition).index
                if side[name].dtype == bool:
                    side[name] = side[name].astype("boolean")
                side.loc[masked, name] = None
    return before, after


def _without_bounded(
    before: pd.DataFrame, after: pd.DataFrame, condition: str, name: str, bound: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables without those values of a column that differ by no more than `bound` says, matched by key."""
    keys = [key for key in KEYS if key in before.columns]
    pairs = (
        before.query(condition)
        .reset_index(names="row")
        .merge(
            after.query(condition).reset_index(names="row"), on=keys, suffixes=("_before", "_after")
        )
    )
    old, new = (pairs[f"{name}_{side}"].astype(float) for side in ("before", "after"))
    error = pairs[bound].astype(float)
    pairs = pairs[(old - new).abs() <= error + ABSOLUTE + RELATIVE * old.abs()]
    before, after = before.copy(), after.copy()
    before.loc[pairs["row_before"], name] = None
    after.loc[pairs["row_after"], name] = None
    return before, after


def unequal_rows(left: pd.DataFrame, right: pd.DataFrame, grain: list[str]) -> dict[str, int]:
    """In how many rows of the same grain each unequal column differs; `rows` are those that one side alone has."""
    pairs = left.merge(right, on=grain, how="outer", suffixes=(" left", " right"), indicator=True)
    both = pairs[pairs["_merge"] == "both"]
    found = {"rows": len(pairs) - len(both)}
    for name in set(left.columns) - set(grain) - set(CLOCKS):
        a, b = (normalised(both[[f"{name} {side}"]]).iloc[:, 0] for side in ("left", "right"))
        if a.dtype == b.dtype == "float64":
            close = np.isclose(a, b, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
            found[name] = int((~close).sum())
        else:
            found[name] = int(((a != b) & ~(a.isna() & b.isna())).sum())
    return {name: n for name, n in found.items() if n}
