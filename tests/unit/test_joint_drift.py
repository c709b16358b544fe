"""What int_mlmon__joint_drift compares: even samples of spans and references, from the samples of their windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from mlmon.joint_drift import SCHEMA, measure

ALL = 2**32
COLUMNS = pd.DataFrame(
    {
        "monitor": ["m", "m", "m", "other"],
        "column_name": ["size", "kind", "score", "size"],
        "column_role": ["feature", "feature", "score", "feature"],
        "column_kind": ["numeric", "categorical", "numeric", "numeric"],
        "slot": ["numeric_1", "category_1", "score", "numeric_1"],
        "column_position": [1, 2, 3, 1],
    }
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def window(
    index: int, n: int, share: float = 1.0, size: float = 0.0, version: str = "v1"
) -> pd.DataFrame:
    """A window with n rows, of which those with a hash below a share of all hashes were kept."""
    random = np.random.default_rng(index)
    rows = pd.DataFrame(
        {
            "window_key": f"w{index}",
            "monitor": "m",
            "model_version": version,
            "window_index": index,
            "sample_hash": random.integers(0, ALL, n),
            "cut_hash": int(ALL * share),
            "numeric_1": random.normal(size, 1, n),
            "category_1": random.choice(np.array(["a", "b", None], dtype=object), n),
        }
    )
    return rows[rows["sample_hash"] < rows["cut_hash"]]


def span(key: str, first: int, last: int, **given: Any) -> dict[str, Any]:
    return {
        "window_key": key,
        "monitor": "m",
        "model_version": "v1",
        "first_index": first,
        "window_index": last,
        "is_default_span": True,
        "reference_key": "r",
        **given,
    }


def measured(
    connection: duckdb.DuckDBPyConnection,
    spans: list[dict[str, Any]],
    windows: list[pd.DataFrame],
    references: dict[str, list[str]] | None = None,
) -> pd.DataFrame:
    """Without other references the windows of `r` are the one of the first day."""
    of_references = references or {"r": ["w0"]}
    given = {
        "stale": pd.DataFrame({"window_key": [one["window_key"] for one in spans] + ["gone"]}),
        "spans": pd.DataFrame(
            [*spans, span("fresh", 1, 1), {**spans[0], "is_default_span": False}]
        ),
        "settings": pd.DataFrame(
            {"monitor": ["m", "other"], "multivariate_rows": pd.array([1500, None], dtype="Int64")}
        ),
        "columns": COLUMNS,
        "references": pd.DataFrame(
            [(key, "m", "table", key, None, None, None) for key in of_references],
            columns=[
                "reference_key",
                "monitor",
                "reference_kind",
                "reference_version",
                "logged_version",
                "first_index",
                "last_index",
            ],
        ),
        "windows": pd.DataFrame(
            [("m", "reference", name, key) for name, keys in of_references.items() for key in keys],
            columns=["monitor", "source", "reference_version", "window_key"],
        ),
        "samples": pd.concat(windows),
    }
    relations = {name: connection.from_df(frame) for name, frame in given.items()}
    found = measure(**relations).to_pandas().set_index("window_key")
    assert set(found.index) == {one["window_key"] for one in spans}
    assert found.index.is_unique
    return found


def test_a_span_is_sampled_by_its_rows_and_not_by_its_windows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """A tenth of a busy window was kept, and all of a quiet one: the span takes a tenth of both."""
    windows = [window(0, 2000), window(1, 10_000, share=0.1), window(2, 1000, size=5.0)]
    found = measured(connection, [span("a", 1, 2)], windows)
    below = sum(int((rows["sample_hash"] < ALL * 0.1).sum()) for rows in windows[1:])
    assert found.loc["a", "n_current"] == below
    assert 1000 < below < 1200
    # The quiet window is all different, but a tenth of the rows: the AUC says so.
    assert 0.5 < found.loc["a", "value"] < 0.6


def test_a_span_of_many_rows_is_cut_to_what_is_wanted(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = measured(connection, [span("a", 1, 3)], [window(i, 2000) for i in range(4)])
    assert (found.loc["a", "n_current"], found.loc["a", "n_reference"]) == (1500, 1500)
    assert found.loc["a", "p_value"] > 0.01


def test_each_end_is_held_against_its_own_reference(connection: duckdb.DuckDBPyConnection) -> None:
    windows = [
        window(0, 300),
        window(1, 300),
        window(2, 300, size=5.0),
        window(0, 300, version="it's v2", size=5.0).assign(
            sample_hash=lambda r: r["sample_hash"] + 1, window_key="quote's"
        ),
        # A window of a reference table has no version.
        window(9, 600, size=5.0).assign(model_version=None, window_index=-1),
    ]
    found = measured(
        connection,
        [
            span("log", 1, 1),
            span("later", 2, 2),
            span("both", 1, 1, reference_key="all"),
            span("table", 2, 2, reference_key="t"),
            span("quoted", 0, 0, model_version="it's v2", reference_key="it's v2"),
            span("none", 1, 1, reference_key="gone"),
            span("nothing", 7, 8),
        ],
        windows,
        {"r": ["w0"], "all": ["w0", "quote's"], "t": ["w9"], "it's v2": ["quote's"]},
    )
    assert found["n_reference"].to_dict() == {
        "log": 300, "later": 300, "both": 600, "table": 600, "quoted": 300, "none": 0,
        "nothing": 300,
    }  # fmt: skip
    assert found.loc["nothing", "n_current"] == 0
    assert found.loc[["none", "nothing"], "value"].isna().all()
    assert found.loc["log", "p_value"] > 0.01
    assert found.loc["later", "value"] > 0.99
    assert found.loc["later", "top_column_name"] == "size"
    assert pd.isna(found.loc["later", "second_column_name"])
    assert found.loc["both", "value"] > 0.6
    assert found.loc["table", "p_value"] > 0.01
    assert found.loc["quoted", "value"] == 0.5


def test_without_ends_the_result_is_empty_and_typed(connection: duckdb.DuckDBPyConnection) -> None:
    spans = connection.from_df(pd.DataFrame([span("k", 1, 1)]))
    settings = connection.sql("select 'm' as monitor, 10 as multivariate_rows")
    stale = connection.sql("select 'k' as window_key where false")
    empty = connection.sql("select 1 as a where false")
    found = measure(
        stale=stale,
        spans=spans,
        settings=settings,
        columns=empty,
        references=empty,
        windows=empty,
        samples=empty,
    )
    assert found.num_rows == 0
    assert found.schema == SCHEMA
