"""Presets: other tools' numbers as rows of fct_mlmon__drift, against what the tools themselves printed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.dbt_project import DbtProject
from support.golden_drift import BEST_KNOWN, FOLDER, is_close, rows, samples
from support.warehouses import Engine

EXPECTED = [row for row in rows("expected.csv") if row["source"] in ("evidently", "nannyml")]
P_VALUES = {"ks", "chisquare", "z"}


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    pairs = [pair for pair in samples() if pair != "cat_current_empty"]
    # PostgreSQL has no Python models: it is enough that the same project builds there.
    pairs = pairs if engine == "duckdb" else pairs[:2]
    monitors = {}
    tables = []
    for pair in pairs:
        kind = samples()[pair][0]
        monitors[pair] = {
            "task": "regression",
            "predictions": {"source": ["logs", f"{pair}_current"]},
            "reference": {"source": ["logs", f"{pair}_reference"]},
            "columns": {"prediction": {"expression": "1"}, "score": None, "latency_ms": None},
            "preset": "evidently",
            "drift_methods": ["psi"],
            "features": {
                "first": {"kind": kind, "column": "value"},
                "second": {"kind": kind, "column": "value", "preset": "nannyml"},
                "plain": {"kind": kind, "column": "value", "preset": None},
            },
            "spans": ["1d"],
        }
        tables += [f"{pair}_current", f"{pair}_reference"]
    made: DbtProject = make_project(
        engine, vars={"mlmon_monitors": monitors}, sources={"logs": tables}
    )
    for kind in ("numeric", "categorical"):
        table = pq.read_table(FOLDER / f"pairs_{kind}.parquet")
        table = table.append_column("request_id", pa.array([f"r{i}" for i in range(len(table))]))
        made.warehouse.load(kind, table)
    made.warehouse.execute(
        "".join(
            f"""
            create view logs.{pair}_{side} as
            select request_id, value, timestamp '2026-01-05 12:00:00' as predicted_at,
                timestamp '2026-01-06 12:00:00' as loaded_at
            from logs.{samples()[pair][0]} where pair = '{pair}' and side = '{side}';
            """
            for pair in pairs
            for side in ("current", "reference")
        )
    )
    made.build("--select", "+fct_mlmon__drift")
    return made


@pytest.fixture(scope="module")
def drift(project: DbtProject) -> pd.DataFrame:
    found: pd.DataFrame = project.read("fct_mlmon__drift")
    return found.set_index(["monitor", "column_name", "method"]).sort_index()


def test_the_numbers_are_those_that_the_tools_printed(drift: pd.DataFrame, engine: Engine) -> None:
    methods = set(drift.index.get_level_values("method"))
    if engine == "postgres":
        assert not any(method.startswith(("evidently", "nannyml")) for method in methods)
        return
    wrong = []
    seen = 0
    for row in EXPECTED:
        method = f"{row['source']}_{row['method']}"
        known = (row["pair"], row["source"], row["method"])
        if row["pair"] == "cat_current_empty" or known in BEST_KNOWN:
            continue
        is_p_value = row["source"] == "evidently" and row["method"] in P_VALUES
        text = row["p_value"] if is_p_value else row["value"]
        column = "first" if row["source"] == "evidently" else "second"
        key = (row["pair"], column, method)
        if text == "":
            assert key not in drift.index, key
            continue
        found = float(drift.at[key, "p_value" if is_p_value else "value"])
        tolerance = (1e-6, 1e-300) if is_p_value else (1e-9, 1e-12)
        seen += 1
        if not is_close(found, float(text), *tolerance):
            wrong.append((key, found, text))
    assert wrong == []
    assert seen > 200


def test_they_judge_nothing_and_belong_to_their_columns(
    drift: pd.DataFrame, engine: Engine
) -> None:
    preset = drift[drift["smoothing"].isin(["evidently", "nannyml"])]
    assert set(preset["status"]) <= {"not_judged"}
    assert not preset["is_deciding"].any()
    assert "plain" not in set(preset.index.get_level_values("column_name"))
    if engine == "duckdb":
        by_tool = preset.reset_index().groupby("smoothing")["column_name"].agg(set)
        assert by_tool["nannyml"] == {"second"}
        assert by_tool["evidently"] >= {"first"}
