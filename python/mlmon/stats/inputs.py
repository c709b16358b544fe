"""What the functions of mlmon.stats accept: arrays, counts, samples with missing values.

Every refusal is a ValueError that says what was found, what is allowed and how to get there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


Integers: TypeAlias = npt.NDArray[np.int64]


Flags: TypeAlias = npt.NDArray[np.bool_]


Values: TypeAlias = npt.NDArray[Any]


ArrayLike: TypeAlias = npt.ArrayLike


def refusal(name: str, found: str, allowed: str, fix: str) -> ValueError:
    """The error that a function raises for an argument it cannot use."""
    return ValueError(f"{name}: found {found}; allowed: {allowed}; fix: {fix}")


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """``value``, where it is one of the allowed names."""
    names = list(allowed)
    if value not in names:
        raise refusal(name, repr(value), ", ".join(names), "choose one of these names")
    return value


def as_floats(name: str, values: ArrayLike) -> Floats:
    """An array of doubles of any shape; None and masked entries become NaN."""
    try:
        if isinstance(values, np.ma.MaskedArray):
            numbers: Floats = np.ma.filled(values.astype(np.float64), np.nan)
            return numbers
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise refusal(
            name, f"values that are no numbers ({error})", "numbers", "convert the column first"
        ) from error


def as_counts(name: str, values: ArrayLike) -> Floats:
    """Counts of bins: one dimension, finite, none negative."""
    counts = as_floats(name, values)
    if counts.ndim != 1:
        raise refusal(name, f"{counts.ndim} dimensions", "one", "pass one count per bin")
    if not np.isfinite(counts).all():
        raise refusal(
            name, "missing or infinite counts", "finite numbers", "count an empty bin as 0"
        )
    if (counts < 0).any():
        raise refusal(name, f"a count of {counts.min():g}", "0 and more", "pass counts of rows")
    return counts


def paired_counts(reference_counts: ArrayLike, current_counts: ArrayLike) -> tuple[Floats, Floats]:
    """Both sides' counts over the same bins, without the bins that are empty on both sides."""
    reference = as_counts("reference_counts", reference_counts)
    current = as_counts("current_counts", current_counts)
    if len(reference) != len(current):
        raise refusal(
            "current_counts",
            f"{len(current)} bins beside {len(reference)} of the reference",
            "as many bins on both sides",
            "count both samples over the same bins",
        )
    filled = (reference > 0) | (current > 0)
    return reference[filled], current[filled]


def same_shape(**arrays: ArrayLike) -> list[Floats]:
    """The named arrays as doubles of one shape; single numbers serve every row."""
    floats = [as_floats(name, values) for name, values in arrays.items()]
    try:
        return [np.array(values) for values in np.broadcast_arrays(*floats)]
    except ValueError as error:
        shapes = ", ".join(
            f"{name} {values.shape}" for name, values in zip(arrays, floats, strict=True)
        )
        raise refusal(
            "arguments", f"shapes {shapes}", "one shape", "pass one number per row, or a single one"
        ) from error


def is_share(name: str, value: float) -> float:
    """``value``, where it lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise refusal(name, repr(value), "between 0 and 1, both excluded", "0.01 is the default")
    return value


def is_missing(values: ArrayLike) -> Flags:
    """Which entries are missing: None, NaN, pandas' NA and NaT, masked ones."""
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    data = _one_dimension(values)
    if data.dtype.kind == "f":
        missing: Flags = np.isnan(data)
    elif data.dtype.kind in "mM":
        missing = np.isnat(data)
    elif data.dtype.kind == "O":
        missing = np.fromiter((_is_nothing(value) for value in data), dtype=bool, count=len(data))
    else:
        missing = np.zeros(len(data), dtype=bool)
    return missing if mask is None else missing | mask


def numbers(name: str, values: ArrayLike) -> Floats:
    """The non-missing values as doubles; ±inf stay."""
    present = _one_dimension(values)[~is_missing(values)]
    if present.dtype.kind in "USMm":
        raise refusal(
            name, f"values of type {present.dtype}", "numbers", "bin texts with categorical_bins"
        )
    return as_floats(name, present)


def texts(values: ArrayLike) -> Values:
    """The non-missing values as texts, each as it prints; booleans are true and false."""
    present = _one_dimension(values)[~is_missing(values)]
    return np.array([_text(value) for value in present.tolist()], dtype=object)


def _one_dimension(values: ArrayLike) -> Values:
    data = np.ma.getdata(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    if data.ndim != 1:
        raise refusal("values", f"{data.ndim} dimensions", "one", "pass one column")
    return data


def _is_nothing(value: object) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, (bool, np.bool_)) else str(value)
