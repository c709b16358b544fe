"""Every drift statistic against golden values: computed by definition without SQL, and by scipy.

Each golden pair is a monitor of its own, whose reference and one day of predictions are the pair's two
sides. One column is monitored several times, once per policy of binning, missing values and smoothing.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.dbt_project import DbtProject
from support.warehouses import Engine

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "drift"

# The features of a monitor: a policy each, and how the golden files call its parts.
BASE = {"numeric": "quantile K=10", "categorical": "categorical top 100"}
SMOOTHINGS = ("floor_1e-4", "laplace_half", "none")
BIN_KINDS = {"(]": "interval", "=": "value", "below": "below", "__other__": "other",
             "__unseen__": "unseen", "__missing__": "missing"}  # fmt: skip


def features(kind: str) -> dict[str, Any]:
    shared = {"kind": kind, "column": "value"}
    found = {f"bin_{smoothing[:4]}": {**shared, "smoothing": smoothing} for smoothing in SMOOTHINGS}
    found["drop_floo"] = {**shared, "missing": "drop"}
    if kind == "numeric":
        found["width_floo"] = {**shared, "bins": {"policy": "equal_width"}}
    return found


def golden(name: str) -> pd.DataFrame:
    with (GOLDEN / name).open(encoding="utf-8", newline="") as file:
        return pd.DataFrame(list(csv.DictReader(file)))


EXPECTED = golden("expected.csv")
EXPECTED_BINS = golden("expected_bins.csv")
SIDE_ROWS = (
    pd.concat(
        pq.read_table(GOLDEN / f"pairs_{kind}.parquet", columns=["pair", "side"]).to_pandas()
        for kind in ("numeric", "categorical")
    )
    .value_counts()
    .unstack("side", fill_value=0)
    .rename(columns={"reference": "n_reference", "current": "n_current"})
)
PAIRS = sorted(EXPECTED["pair"].unique())


def kind_of(pair: str) -> str:
    return "numeric" if pair.startswith("num_") else "categorical"


def feature_of(policy: str) -> str | None:
    """The feature that has a golden policy, such as ``quantile K=10, missing bin, floor_1e-4``."""
    parts = policy.split(", ")
    smoothing = parts[2] if len(parts) > 2 else "floor_1e-4"
    if parts[0].startswith("equal_width"):
        return "width_floo"
    if parts[1:2] == ["missing drop"]:
        return "drop_floo"
    if parts[1:2] == ["missing bin"] and smoothing in SMOOTHINGS:
        return f"bin_{smoothing[:4]}"
    return None


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    monitors = {}
    tables: list[str] = []
    for pair in PAIRS:
        monitors[pair] = {
            "task": "regression",
            "predictions": {"source": ["logs", f"{pair}_current"]},
            "reference": {"source": ["logs", f"{pair}_reference"]},
            "columns": {"prediction": {"expression": "1"}, "score": None, "latency_ms": None},
            "features": features(kind_of(pair)),
            "success_outcomes": ["ok"],
            "spans": ["1d"],
        }
        tables += [f"{pair}_current", f"{pair}_reference"]
    made: DbtProject = make_project(
        engine, vars={"mlmon_monitors": monitors}, sources={"logs": tables}
    )
    for kind in ("numeric", "categorical"):
        rows = pq.read_table(GOLDEN / f"pairs_{kind}.parquet")
        rows = rows.append_column("request_id", pa.array([f"r{i}" for i in range(len(rows))]))
        made.warehouse.load(kind, rows)
    views = ""
    for pair in PAIRS:
        for side in ("current", "reference"):
            views += f"""
                create view logs.{pair}_{side} as
                select
                    request_id, value, 'v1' as model_version, 'ok' as outcome,
                    timestamp '2026-01-05 12:00:00' as predicted_at,
                    timestamp '2026-01-06 12:00:00' as loaded_at
                from logs.{kind_of(pair)} where pair = '{pair}' and side = '{side}'
            """
            # A day on which every request failed: a window without anything to compare.
            if (pair, side) == ("cat_current_empty", "current"):
                views += """
                    union all
                    select 'failed', 'a', 'v1', 'error',
                        timestamp '2026-01-05 12:00:00', timestamp '2026-01-06 12:00:00'
                """
            views += ";"
    made.warehouse.execute(views)
    made.build("--exclude-resource-type", "test", "unit_test")
    return made


@pytest.fixture(scope="module")
def drift(project: DbtProject) -> pd.DataFrame:
    rows = project.read("fct_mlmon__drift")
    rows = rows[rows["column_role"] == "feature"]
    return rows.set_index(["monitor", "column_name", "method"]).sort_index()


@pytest.fixture(scope="module")
def compared_bins(project: DbtProject) -> pd.DataFrame:
    return project.read("fct_mlmon__distributions")


def number(text: str) -> float:
    return float(text) if text != "" else np.nan


def deviations(cells: list[tuple[object, float, float]], relative: float = 1e-9) -> list[str]:
    """The cells (name, found, expected) that differ; NaN stands for NULL and equals itself."""
    return [
        f"{name}: {found!r}, expected {expected!r}"
        for name, found, expected in cells
        if not np.isclose(found, expected, rtol=relative, atol=1e-12, equal_nan=True)
    ]


def value_at(drift: pd.DataFrame, pair: str, feature: str, method: str, column: str) -> float:
    """A number of the mart; a method without a value has no row (psi always has one)."""
    key = (pair, feature, method)
    return float(drift.at[key, column]) if key in drift.index else np.nan


METHODS = ("psi", "js_distance", "hellinger", "total_variation", "l_infinity")


def test_every_pair_and_policy_has_a_row(drift: pd.DataFrame) -> None:
    psi = drift.xs("psi", level="method")
    assert len(psi) == 17 * 5 + 10 * 4
    assert set(psi.index.get_level_values("monitor")) == set(PAIRS)


@pytest.mark.parametrize("method", METHODS)
def test_statistic_equals_its_definition(drift: pd.DataFrame, method: str) -> None:
    rows = EXPECTED[(EXPECTED["source"] == "definition") & (EXPECTED["method"] == method)]
    cells: list[tuple[object, float, float]] = []
    for row in rows.itertuples():
        feature = feature_of(row.policy)
        assert feature is not None, row.policy
        found = value_at(drift, row.pair, feature, method, "value")
        cells.append(((row.pair, row.policy), found, number(row.value)))
    assert len(cells) >= 68
    assert deviations(cells) == []


def test_js_distance_equals_scipy(drift: pd.DataFrame) -> None:
    rows = EXPECTED[EXPECTED["method"] == "jensenshannon base 2"]
    cells = [
        (
            (row.pair, row.policy),
            value_at(drift, row.pair, feature_of(row.policy) or "", "js_distance", "value"),
            number(row.value),
        )
        for row in rows.itertuples()
    ]
    assert len(cells) == 65
    assert deviations(cells) == []


@pytest.mark.parametrize("method", ["psi", "js_distance"])
def test_minimum_detectable_effect_is_the_null_quantile(drift: pd.DataFrame, method: str) -> None:
    rows = EXPECTED[EXPECTED["method"] == f"{method}_null_quantile"]
    cells = [
        (
            (row.pair, row.policy),
            value_at(
                drift, row.pair, feature_of(row.policy) or "", method,
                "min_detectable_effect",
            ),
            number(row.value),
        )
        for row in rows.itertuples()
    ]  # fmt: skip
    assert len(cells) >= 65
    assert deviations(cells) == []


def test_missing_change_equals_its_definition(project: DbtProject) -> None:
    columns = project.read("fct_mlmon__column_drift").set_index(["monitor", "column_name"])
    rows = EXPECTED[(EXPECTED["source"] == "definition") & (EXPECTED["method"] == "missing_change")]
    cells = [
        ((row.pair, feature), float(columns.at[(row.pair, feature), "missing_change"]),
         number(row.value))
        for row in rows.itertuples()
        for feature in features(kind_of(row.pair))
    ]  # fmt: skip
    assert len(cells) == 17 * 5 + 10 * 4
    assert deviations(cells) == []


def bins_of(pair: str, policy: str) -> pd.DataFrame:
    """The golden bins of a policy's base that are not empty on both sides."""
    base = policy.split(",")[0]
    rows = EXPECTED_BINS[(EXPECTED_BINS["pair"] == pair) & (EXPECTED_BINS["policy"] == base)]
    counts = rows.assign(
        n_reference=rows["n_reference"].astype(int), n_current=rows["n_current"].astype(int)
    )
    # The golden file leaves __other__ out: it holds the rows that no listed bin has.
    rest = SIDE_ROWS.loc[pair] - counts[["n_reference", "n_current"]].sum()
    if rest.sum() > 0:
        other = {"bin_index": "100", "bin_kind": "__other__", **rest.to_dict()}
        counts = pd.concat([counts, pd.DataFrame([other])])
        counts = counts.sort_values("bin_index", key=lambda index: index.astype(int))
    return counts[counts["n_reference"] + counts["n_current"] > 0]


def edge(text: str) -> float:
    """An edge as the marts hold it: NULL where it is open."""
    value = number(text)
    return value if np.isfinite(value) else np.nan


def test_bins_and_counts_equal_the_golden_bins(compared_bins: pd.DataFrame) -> None:
    wrong = []
    seen = 0
    for (pair, policy), _ in EXPECTED_BINS.groupby(["pair", "policy"]):
        expected = bins_of(pair, policy)
        numeric = kind_of(pair) == "numeric"
        feature = feature_of(policy) if policy.startswith("equal_width") else "bin_floo"
        found = compared_bins[
            (compared_bins["monitor"] == pair) & (compared_bins["column_name"] == feature)
        ].sort_values("bin_index")
        expected_kinds = []
        for row in expected.itertuples():
            kind = BIN_KINDS[row.bin_kind]
            expected_kinds.append("category" if kind == "value" and not numeric else kind)
        problems = []
        if list(found["bin_kind"]) != expected_kinds:
            problems.append(f"kinds {list(found['bin_kind'])}, expected {expected_kinds}")
        elif list(found["reference_count"]) != list(expected["n_reference"]):
            problems.append("reference counts")
        elif list(found["current_count"]) != list(expected["n_current"]):
            problems.append("current counts")
        elif numeric:
            for name, golden_name in (("bin_lower", "lower"), ("bin_upper", "upper")):
                inner = found[~found["bin_kind"].isin(["missing", "unseen"])]
                wanted = expected[~expected["bin_kind"].isin(["__missing__", "__unseen__"])]
                edges = zip(inner[name], wanted[golden_name], strict=True)
                problems += deviations([(name, float(a), edge(b)) for a, b in edges])
        else:
            texts = expected[expected["bin_kind"] == "="]["lower"]
            if list(found[found["bin_kind"] == "category"]["bin_label"]) != list(texts):
                problems.append("labels")
        seen += len(expected)
        if problems:
            wrong.append((pair, policy, problems))
    assert seen > 400
    assert wrong == []


def has_sparse_bins(pair: str, policy: str) -> bool:
    """Whether any bin is sparse: then the p-value pools it with a dense one instead of Fisher's test."""
    counts = bins_of(pair, policy)
    if ", missing drop" in policy:
        counts = counts[counts["bin_kind"] != "__missing__"]
    n, m = counts["n_reference"].sum(), counts["n_current"].sum()
    if n == 0 or m == 0:
        return False
    expected = (counts["n_reference"] + counts["n_current"]) / (n + m) * min(n, m)
    return bool((expected < 2).any())


def test_p_values_equal_their_definition_where_no_bin_is_sparse(drift: pd.DataFrame) -> None:
    rows = EXPECTED[(EXPECTED["source"] == "definition") & (EXPECTED["method"] == "psi")]
    cells: list[tuple[object, float, float]] = []
    for row in rows.itertuples():
        if has_sparse_bins(row.pair, row.policy):
            continue
        found = value_at(drift, row.pair, feature_of(row.policy) or "", "psi", "p_value")
        cells.append(((row.pair, row.policy), found, number(row.p_value)))
    assert len(cells) >= 60
    wrong = [
        f"{name}: {found!r}, expected {expected!r}"
        for name, found, expected in cells
        if not (
            abs(found - expected) <= 2e-7 or (np.isnan(found) and np.isnan(expected))
        )
    ]  # fmt: skip
    assert wrong == []


# The statuses that differ from the definition. SQL has no Fisher's test, so sparse bins join the smallest
# dense bin; everywhere else, and in all these pairs but the listed ones, that changes no verdict.
DIFFERENT_STATUS: dict[tuple[str, str], str] = {}


def test_psi_status_equals_its_definition(drift: pd.DataFrame) -> None:
    rows = EXPECTED[EXPECTED["method"] == "psi_status"]
    different = {}
    for row in rows.itertuples():
        feature = feature_of(row.policy) or ""
        found = str(drift.at[(row.pair, feature, "psi"), "status"])
        if found != row.value:
            different[(row.pair, feature)] = found
    assert len(rows) == 68
    assert different == DIFFERENT_STATUS
