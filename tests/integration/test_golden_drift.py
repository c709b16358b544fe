"""Every drift statistic against golden values: computed by definition without SQL, and by scipy.

Each golden pair is a monitor of its own, whose reference and one day of predictions are the pair's two
sides. One column is monitored several times, once per policy of binning, missing values and smoothing.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import kstwo

from support.dbt_project import DbtProject
from support.warehouses import Engine

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "drift"

# The features of a monitor: a policy each, and how the golden files call its parts.
BASE = {"numeric": "quantile K=10", "categorical": "categorical top 100"}
SMOOTHINGS = ("floor_1e-4", "laplace_half", "none")
BIN_KINDS = {"(]": "interval", "=": "value", "below": "below", "__other__": "other",
             "__unseen__": "unseen", "__missing__": "missing"}  # fmt: skip


def features(kind: str) -> dict[str, Any]:
    shared: dict[str, Any] = {"kind": kind, "column": "value"}
    found = {f"bin_{smoothing[:4]}": {**shared, "smoothing": smoothing} for smoothing in SMOOTHINGS}
    found["drop_floo"] = {**shared, "missing": "drop"}
    if kind == "numeric":
        found["width_floo"] = {**shared, "bins": {"policy": "equal_width"}}
    return found


def golden(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


EXPECTED = golden("expected.csv")
EXPECTED_BINS = pd.DataFrame(golden("expected_bins.csv"))
SIDE_ROWS = (
    pd.concat(
        pq.read_table(GOLDEN / f"pairs_{kind}.parquet", columns=["pair", "side"]).to_pandas()
        for kind in ("numeric", "categorical")
    )
    .value_counts()
    .unstack("side", fill_value=0)
    .rename(columns={"reference": "n_reference", "current": "n_current"})
)
PAIRS = sorted({row["pair"] for row in EXPECTED})


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
    # Statistics of values, which have no policy: any feature of the pair will do.
    if parts[0] in (
        "exact",
        "Kolmogorov series with Vrbik correction",
        "missing drop",
        "finite values",
        "all rows",
    ):
        return "bin_floo"
    assert parts[1] == "missing bin", policy
    return f"bin_{smoothing[:4]}"


def expected_rows(method: str) -> list[dict[str, str]]:
    """The golden rows of a method, as defined where more than one source has it."""
    return [
        row
        for row in EXPECTED
        if row["method"] == method and row["source"] in ("definition", "scipy")
    ]


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
            "drift_methods": "all",
            "spans": ["1d"],
        }
        tables += [f"{pair}_current", f"{pair}_reference"]
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": monitors, "mlmon_exact_ks_pairs": 10**8},
        sources={"logs": tables},
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
    marts = ("drift", "column_drift", "distributions")
    made.build("--select", *(f"+fct_mlmon__{mart}" for mart in marts))
    return made


@pytest.fixture(scope="module")
def drift(project: DbtProject) -> pd.DataFrame:
    rows: pd.DataFrame = project.read("fct_mlmon__drift")
    rows = rows[rows["column_role"] == "feature"]
    return rows.set_index(["monitor", "column_name", "method"]).sort_index()


@pytest.fixture(scope="module")
def compared_bins(project: DbtProject) -> pd.DataFrame:
    rows: pd.DataFrame = project.read("fct_mlmon__distributions")
    return rows


def number(text: str) -> float:
    return float(text) if text != "" else np.nan


Cell: TypeAlias = tuple[object, float, float]


def deviations(cells: Sequence[Cell]) -> list[str]:
    """The cells (name, found, expected) that differ; NaN stands for NULL and equals itself."""
    return [
        f"{name}: {found!r}, expected {expected!r}"
        for name, found, expected in cells
        if not np.isclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True)
    ]


def value_at(drift: pd.DataFrame, row: dict[str, str], method: str, column: str) -> float:
    """A number of the mart for a golden row; a method without a value has no row (psi always has)."""
    key = (row["pair"], feature_of(row["policy"]), method)
    found: Any = drift.at[key, column] if key in drift.index else np.nan
    return float(found)


def cells_of(
    drift: pd.DataFrame, rows: list[dict[str, str]], method: str, column: str = "value"
) -> list[Cell]:
    """Each golden value beside the mart's."""
    return [
        ((row["pair"], row["policy"]), value_at(drift, row, method, column), number(row["value"]))
        for row in rows
    ]


METHODS = (
    "psi", "js_distance", "js_divergence", "hellinger", "total_variation", "l_infinity", "chi_square",
)  # fmt: skip
RANKED = ("ks", "wasserstein", "wasserstein_normed")


def test_every_pair_and_policy_has_a_row(drift: pd.DataFrame) -> None:
    psi = drift.xs("psi", level="method")
    assert len(psi) == 17 * 5 + 10 * 4
    assert set(psi.index.get_level_values("monitor")) == set(PAIRS)


@pytest.mark.parametrize("method", METHODS)
def test_statistic_equals_its_definition(drift: pd.DataFrame, method: str) -> None:
    cells = cells_of(drift, expected_rows(method), method)
    assert len(cells) >= 68
    assert deviations(cells) == []


def beyond_error(drift: pd.DataFrame, rows: list[dict[str, str]], method: str) -> list[str]:
    """The golden values that are farther from the mart's than its value_error says; ks is never too large."""
    found = []
    for row in rows:
        value, error = (
            value_at(drift, row, method, column) for column in ("value", "value_error")
        )
        expected = number(row["value"])
        slack = 1e-12 if method == "ks" else 1e-12 + 1e-9 * abs(expected)
        least = value if method == "ks" else value - error
        if np.isnan(value) and np.isnan(expected):
            continue
        if not least - slack <= expected <= value + error + slack:
            found.append(f"{row['pair']}: {value!r} ± {error!r}, expected {expected!r}")
    return found


@pytest.mark.parametrize("method", RANKED)
def test_the_definition_of_a_rank_statistic_is_within_its_error(
    drift: pd.DataFrame, method: str
) -> None:
    rows = expected_rows(method)
    assert len(rows) == 17
    assert beyond_error(drift, rows, method) == []


@pytest.mark.parametrize(
    ("method", "function"),
    [("ks", "ks_2samp(method=auto)"), ("wasserstein", "wasserstein_distance")],
)
def test_scipys_number_is_within_the_error(
    drift: pd.DataFrame, method: str, function: str
) -> None:
    rows = expected_rows(function)
    assert len(rows) == 16
    assert beyond_error(drift, rows, method) == []


def test_the_error_of_a_rank_statistic_is_small(drift: pd.DataFrame) -> None:
    ks = drift.xs("ks", level="method")
    assert ks["value_error"].max() < 0.05
    assert ks["value_error"].mean() < 0.005
    assert ((ks["value_method"] == "exact") == (ks["value_error"] == 0)).all()


def test_ks_minimum_detectable_effect_is_the_null_quantile(drift: pd.DataFrame) -> None:
    cells = cells_of(drift, expected_rows("ks_null_quantile"), "ks", "min_detectable_effect")
    assert len(cells) == 16
    assert deviations(cells) == []


def test_js_distance_equals_scipy(drift: pd.DataFrame) -> None:
    cells = cells_of(drift, expected_rows("jensenshannon base 2"), "js_distance")
    assert len(cells) == 65
    assert deviations(cells) == []


@pytest.mark.parametrize("method", ["psi", "js_distance"])
def test_minimum_detectable_effect_is_the_null_quantile(drift: pd.DataFrame, method: str) -> None:
    rows = expected_rows(f"{method}_null_quantile")
    cells = cells_of(drift, rows, method, "min_detectable_effect")
    assert len(cells) >= 65
    assert deviations(cells) == []


def test_missing_change_equals_its_definition(project: DbtProject) -> None:
    columns = project.read("fct_mlmon__column_drift")
    found = {
        (row["monitor"], row["column_name"]): float(row["missing_change"])
        for row in columns.to_dict("records")
    }
    cells = [
        ((row["pair"], feature), found[(row["pair"], feature)], number(row["value"]))
        for row in expected_rows("missing_change")
        for feature in features(kind_of(row["pair"]))
    ]
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


def problems_of(found: pd.DataFrame, expected: pd.DataFrame, is_numeric: bool) -> list[str]:
    """In what the bins of a column differ from the golden ones."""
    kinds = [BIN_KINDS[kind] for kind in expected["bin_kind"]]
    if not is_numeric:
        kinds = ["category" if kind == "value" else kind for kind in kinds]
    if list(found["bin_kind"]) != kinds:
        return [f"kinds {list(found['bin_kind'])}, expected {kinds}"]
    problems = [
        f"{side} counts"
        for side in ("reference", "current")
        if list(found[f"{side}_count"]) != list(expected[f"n_{side}"])
    ]
    if not is_numeric:
        labels = found[found["bin_kind"] == "category"]["bin_label"]
        texts = expected[expected["bin_kind"] == "="]["lower"]
        return [*problems, *(["labels"] if list(labels) != list(texts) else [])]
    inner = found[~found["bin_kind"].isin(["missing", "unseen"])]
    wanted = expected[~expected["bin_kind"].isin(["__missing__", "__unseen__"])]
    for side in ("lower", "upper"):
        edges = zip(inner[f"bin_{side}"], wanted[side], strict=True)
        problems += deviations([(side, float(a), edge(b)) for a, b in edges])
    return problems


def test_bins_and_counts_equal_the_golden_bins(compared_bins: pd.DataFrame) -> None:
    wrong = {}
    seen = 0
    policies = EXPECTED_BINS[["pair", "policy"]].drop_duplicates().to_dict("records")
    for row in policies:
        pair, policy = str(row["pair"]), str(row["policy"])
        expected = bins_of(pair, policy)
        found = compared_bins[
            (compared_bins["monitor"] == pair)
            & (compared_bins["column_name"] == feature_of(f"{policy}, missing bin"))
        ].sort_values("bin_index")
        if problems := problems_of(found, expected, kind_of(pair) == "numeric"):
            wrong[pair, policy] = problems
        seen += len(expected)
    assert seen > 400
    assert wrong == {}


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


def p_deviations(cells: Sequence[Cell], rtol: float, atol: float) -> list[Cell]:
    return [
        cell
        for cell in cells
        if not np.isclose(float(str(cell[1])), cell[2], rtol=rtol, atol=atol, equal_nan=True)
    ]


def p_values_of(drift: pd.DataFrame, rows: list[dict[str, str]], method: str) -> list[Cell]:
    return [
        ((row["pair"], row["policy"]), value_at(drift, row, method, "p_value"),
         number(row["p_value"]))
        for row in rows
    ]  # fmt: skip


def test_p_values_equal_their_definition(drift: pd.DataFrame, engine: Engine) -> None:
    """With scipy to 1e-6; in SQL to 2e-7 absolute where no bin is sparse (docs/numbers.md)."""
    rows = expected_rows("psi")
    if engine == "duckdb":
        assert p_deviations(p_values_of(drift, rows, "psi"), 1e-6, 1e-300) == []
        return
    rows = [row for row in rows if not has_sparse_bins(row["pair"], row["policy"])]
    cells = p_values_of(drift, rows, "psi")
    assert len(cells) >= 60
    assert p_deviations(cells, 0, 2e-7) == []


def test_chi_square_p_values_equal_scipy(drift: pd.DataFrame, engine: Engine) -> None:
    cells = p_values_of(drift, expected_rows("chi2_contingency(correction=False)"), "chi_square")
    assert len(cells) == 65
    tolerance = (1e-6, 1e-300) if engine == "duckdb" else (0, 2e-7)
    assert p_deviations(cells, *tolerance) == []


def test_ks_p_values_equal_scipy(drift: pd.DataFrame, engine: Engine) -> None:
    """scipy's own, or in SQL the series of the golden file, which is near scipy's asymptotic one.

    They are taken at the mart's ks. Where that is below scipy's by what cells hide, the golden p-value changes as
    scipy's asymptotic one does between the two.
    """
    source = "ks_2samp(method=auto)" if engine == "duckdb" else "ks_p_series"
    exact, near = [], []
    for row in expected_rows("ks_2samp(method=auto)"):
        value, error, p, n, m = (
            value_at(drift, row, "ks", column)
            for column in ("value", "value_error", "p_value", "n_reference", "n_current")
        )
        golden = next(
            number(other["p_value"])
            for other in expected_rows(source)
            if other["pair"] == row["pair"]
        )
        if error == 0:
            exact.append((row["pair"], p, golden))
        else:
            rows = round(n * m / (n + m))
            golden_tail = kstwo.sf(number(row["value"]), rows)
            change = kstwo.sf(value, rows) / golden_tail if golden_tail > 0 else 1.0
            near.append((row["pair"], p, golden * change))
    assert len(exact) >= 6
    assert len(near) >= 5
    tolerance = (1e-6, 1e-300) if engine == "duckdb" else (1e-9, 1e-12)
    assert p_deviations(exact, *tolerance) == []
    assert p_deviations(near, 0.02, 1e-12) == []


def test_missing_change_p_values_equal_their_definition(
    drift: pd.DataFrame, engine: Engine
) -> None:
    cells = p_values_of(drift, expected_rows("missing_change"), "missing_change")
    assert len(cells) == 27
    tolerance = (1e-6, 1e-300) if engine == "duckdb" else (0, 2e-7)
    assert p_deviations(cells, *tolerance) == []


# SQL has no Fisher's test: sparse bins join the smallest dense bin instead (docs/numbers.md, "p-values").
# The pairs and features whose status that changes; there is none among the golden pairs.
DIFFERENT_STATUS: dict[tuple[str, str], str] = {}


def test_psi_status_equals_its_definition(drift: pd.DataFrame) -> None:
    rows = expected_rows("psi_status")
    different = {}
    for row in rows:
        feature = feature_of(row["policy"])
        found = str(drift.at[(row["pair"], feature, "psi"), "status"])
        if found != row["value"]:
            different[row["pair"], feature] = found
    assert len(rows) == 68
    assert different == DIFFERENT_STATUS
