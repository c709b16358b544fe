"""The cells of scores and errors: the same on both engines, in order, and narrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

ENGINES = ("duckdb", "postgres")
MODEL = """
select
    number_id,
    {{ mlmon.score_cell('x', 3) }} as score_cell_3,
    {{ mlmon.score_cell('x', 4) }} as score_cell_4,
    {{ mlmon.number_cell('x') }} as number_cell
from {{ source('logs', 'numbers') }}
"""


def numbers() -> pd.DataFrame:
    """Scores of all sizes, the edges of cells and their neighbours, and numbers that are no probabilities."""
    random = np.random.default_rng(3)
    edges = np.concatenate(
        [m * 10.0 ** -np.arange(1, 14) for m in (*range(1, 10), 0.995, 0.9995, 9.995, 9.9945)]
    )
    scores = np.concatenate(
        [
            np.arange(1001) / 1000,
            1 - np.arange(1001) / 1000,
            edges,
            1 - edges,
            random.random(20_000),
            10.0 ** -(random.random(10_000) * 12),
            1 - 10.0 ** -(random.random(10_000) * 12),
            [0.0, 0.5, 1.0],
        ]
    )
    near = [np.nextafter(scores, 0), scores, np.nextafter(scores, 1)]
    scores = np.clip(np.concatenate(near), 0, 1)
    sizes = np.concatenate([10.0 ** np.arange(-14, 18), 999.5 * 10.0 ** np.arange(-14, 14)])
    sizes = np.concatenate([sizes, np.nextafter(sizes, np.inf), [5e-324, 1e-300, 1e69, 1e300]])
    values = np.concatenate([scores, sizes, -sizes])
    return pd.DataFrame({"number_id": np.arange(len(values)), "x": values})


@pytest.fixture(scope="module")
def cells(make_project: Any) -> dict[str, pd.DataFrame]:
    found = {}
    for engine in ENGINES:
        project = make_project(
            engine, sources={"logs": ["numbers"]}, files={"models/cells.sql": MODEL}
        )
        project.warehouse.load("numbers", numbers())
        project.build("--select", "cells")
        rows = project.read("cells").sort_values("number_id").reset_index(drop=True)
        found[engine] = rows.assign(x=numbers()["x"])
    return found


def test_they_are_the_same_on_both_engines(cells: dict[str, pd.DataFrame]) -> None:
    assert len(cells["duckdb"]) > 100_000
    pd.testing.assert_frame_equal(cells["duckdb"], cells["postgres"], check_dtype=False)


@pytest.mark.parametrize("cell", ["score_cell_3", "score_cell_4", "number_cell"])
def test_they_are_in_the_order_of_what_they_hold(cells: dict[str, pd.DataFrame], cell: str) -> None:
    rows = cells["duckdb"].sort_values("x", kind="stable")
    assert (np.diff(rows[cell].to_numpy(dtype=np.int64)) >= 0).all()


@pytest.mark.parametrize("cell", ["score_cell_3", "score_cell_4"])
def test_a_decimal_has_a_cell_of_its_own_however_it_was_computed(
    cells: dict[str, pd.DataFrame], cell: str
) -> None:
    rows = cells["duckdb"]
    rows = rows[rows["x"].between(0, 1)]
    decimal = (rows["x"] * 1000).round()
    near = rows[(rows["x"] * 1000 - decimal).abs() < 1e-12]
    of_decimals = near.groupby(decimal)[cell].nunique()
    assert len(of_decimals) == 1001
    # .123 and 1 - .877 are not the same double, but in the same cell. One half, which all arithmetic gets right, is
    # the first of the upper half: the number before it is in another cell.
    assert set(of_decimals.index[of_decimals > 1]) <= {500}
    assert near.groupby(cell)["x"].agg(np.ptp).max() < 1e-12


@pytest.mark.parametrize(("cell", "width"), [("score_cell_3", 0.01), ("score_cell_4", 0.001)])
def test_a_cell_is_narrow_beside_its_distance_from_the_nearer_end(
    cells: dict[str, pd.DataFrame], cell: str, width: float
) -> None:
    rows = cells["duckdb"]
    rows = rows[rows["x"].between(0, 1)]
    bounds = rows.groupby(cell)["x"].agg(["min", "max"])
    nearer = np.minimum(bounds["max"], 1 - bounds["min"])
    assert ((bounds["max"] - bounds["min"]) <= width * nearer + 2e-11).all()
    assert len(bounds) > 5_000


def test_a_size_has_the_same_cell_with_either_sign(cells: dict[str, pd.DataFrame]) -> None:
    rows = cells["duckdb"]
    outside = rows[~rows["x"].between(0, 1)]
    positive = outside[outside["x"] > 1].set_index("x")["number_cell"]
    negative = outside[outside["x"] < -1].assign(x=lambda frame: -frame["x"]).set_index("x")
    assert len(positive) > 50
    assert (negative["number_cell"].loc[positive.index] == -positive).all()
