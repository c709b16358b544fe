"""The golden drift pairs and what is expected of them, as tests/golden/README.md describes them."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "drift"
Kind = Literal["numeric", "categorical"]
Sides = dict[str, npt.NDArray[Any]]

# What a tool printed (pair, tool, method) that the library has another number for, and why.
BEST_KNOWN = {
    ("num_huge", "evidently", "hellinger"): "the tool's widths overflow",
    ("num_huge", "evidently", "wasserstein"): "the tool's standard deviation overflows",
    ("num_no_shift", "nannyml", "kolmogorov_smirnov"): "the tool estimates from 10,000 bins",
    ("num_no_shift", "nannyml", "wasserstein"): "the tool estimates from 10,000 bins",
    ("num_small_shift", "nannyml", "kolmogorov_smirnov"): "the tool estimates from 10,000 bins",
    ("num_small_shift", "nannyml", "wasserstein"): "the tool estimates from 10,000 bins",
}


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def samples() -> dict[str, tuple[Kind, Sides]]:
    """By pair: its kind, and the values of the sides ``reference`` and ``current``."""
    found: dict[str, tuple[Kind, Sides]] = {}
    kinds: tuple[Kind, ...] = ("numeric", "categorical")
    for kind in kinds:
        table = pq.read_table(FOLDER / f"pairs_{kind}.parquet").to_pydict()
        lists: dict[str, dict[str, list[Any]]] = {}
        for pair, side, value in zip(table["pair"], table["side"], table["value"], strict=True):
            lists.setdefault(pair, {"reference": [], "current": []})[side].append(value)
        dtype = np.float64 if kind == "numeric" else np.object_
        for pair, sides in lists.items():
            found[pair] = (
                kind,
                {side: np.array(values, dtype=dtype) for side, values in sides.items()},
            )
    return found


def is_close(found: float, expected: float, relative: float, absolute: float) -> bool:
    """Equal within the tolerance; NaN equals NaN alone, as what is undefined must stay so."""
    if math.isnan(found) or math.isnan(expected):
        return math.isnan(found) and math.isnan(expected)
    return abs(found - expected) <= relative * abs(expected) + absolute
