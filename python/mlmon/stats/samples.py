"""Samples of one column: which values are missing, and the rest as numbers or texts."""

from __future__ import annotations

import numpy as np

from mlmon.stats.inputs import ArrayLike, Flags, Floats, Values, as_floats, refusal


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
