"""Drift verdicts at the edges: no false alarm where nothing changed, and none missed where everything did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wasserstein_distance

from mlmon import stats
from support.dbt_project import ROOT, DbtProject
from support.warehouses import Engine

N = 4000
RANDOM = np.random.default_rng(5)
FLAT = [f"c{i}" for i in range(5000)]
# Another spelling of Chrome that falls into its bucket, so that only the second hashing tells them apart.
RESPELLED = next(
    text
    for text in (f"chrome {i}" for i in range(500))
    if stats.bucket_of(text) == stats.bucket_of("Chrome")
)
BROWSERS = np.array(["Chrome"] * 1500 + ["Safari"] * 1500 + ["Firefox"] * (N - 3001) + ["Lynx"])
WEIGHTS = 1 / np.arange(1, 5001)
Sides = tuple[Any, Any]

# What each column holds in the reference and now, and what its verdict should be.
NUMERIC: dict[str, tuple[Sides, str]] = {
    "same": ((RANDOM.normal(size=N), RANDOM.normal(size=N)), "ok"),
    "constant": ((np.full(N, 7.0), np.full(N, 7.0)), "ok"),
    "constant_up": ((np.full(N, 7.0), np.full(N, 8.0)), "critical"),
    "constant_down": ((np.full(N, 7.0), np.full(N, 6.0)), "critical"),
    "all_missing_now": ((RANDOM.normal(size=N), np.full(N, np.nan)), "critical"),
    "all_missing_before": ((np.full(N, np.nan), RANDOM.normal(size=N)), "critical"),
    "all_missing": ((np.full(N, np.nan), np.full(N, np.nan)), "ok"),
    "huge": ((RANDOM.normal(size=N) * 1e300, RANDOM.normal(size=N) * 1e300), "ok"),
    "huge_shift": (
        (RANDOM.normal(size=N) * 1e300, (RANDOM.normal(size=N) + 1) * 1e300),
        "critical",
    ),
    "infinite": (
        (RANDOM.normal(size=N), np.where(RANDOM.random(N) < 0.5, np.inf, -np.inf)),
        "critical",
    ),
    "codes": (
        (RANDOM.integers(0, 4, N).astype(float), RANDOM.integers(0, 4, N).astype(float)),
        "ok",
    ),
    "codes_moved": (
        (RANDOM.integers(0, 4, N).astype(float), RANDOM.integers(1, 5, N).astype(float)),
        "critical",
    ),
}
CATEGORICAL: dict[str, tuple[Sides, str]] = {
    "flat_5000": ((RANDOM.choice(FLAT, N), RANDOM.choice(FLAT, N)), "ok"),
    "zipf_5000": (
        tuple(RANDOM.choice(FLAT, N, p=WEIGHTS / WEIGHTS.sum()) for _ in range(2)),  # type: ignore[dict-item]
        "ok",
    ),
    "unseen_only": ((RANDOM.choice(["a", "b"], N), RANDOM.choice(["y", "z"], N)), "critical"),
    "unseen_of_many": ((RANDOM.choice(FLAT, N), np.full(N, "new")), "critical"),
    "flag": ((RANDOM.random(N) < 0.3, RANDOM.random(N) < 0.3), "ok"),
    "flag_turned": ((RANDOM.random(N) < 0.3, RANDOM.random(N) < 0.7), "critical"),
    "respelled": ((BROWSERS, np.where(BROWSERS == "Chrome", RESPELLED, BROWSERS)), "critical"),
    # A number that came as text: its categories are others to the last.
    "kind_changed": (
        (RANDOM.integers(0, 5, N).astype(str), RANDOM.normal(size=N).astype(str)),
        "critical",
    ),
}
COLUMNS = NUMERIC | CATEGORICAL

# Counts of which a bin expects two rows to the last digit, as many as it takes to be dense.
AT_THE_LIMIT = ([10, 19, 16, 4], [24, 19, 6, 0])
SECONDS = 1.7e9
SMALL = [
    pd.DataFrame(
        {
            "request_id": [f"{name}{i}" for i in range(49)],
            "predicted_at": pd.Timestamp(at),
            "loaded_at": pd.Timestamp("2026-02-09"),
            "prediction": 1,
            "code": np.repeat(list("abcd"), counts),
            # Thirty equal values: their sums of squares leave a rest.
            "constant": [10.0] * 30 + [np.nan] * 19,
            # Eighths of a second: cells hide nothing of them.
            "seconds": SECONDS + np.round(RANDOM.uniform(-1, 1, 49) * 8) / 8,
        }
    )
    for name, at, counts in zip(
        ("s", "t"), ("2026-01-01 10:00", "2026-02-03 10:00"), AT_THE_LIMIT, strict=True
    )
]


def side(which: int, n: int, day: str, prefix: str) -> pd.DataFrame:
    """The first n rows of the reference (0) or of now (1)."""
    return pd.DataFrame(
        {
            "request_id": [f"{prefix}{i}" for i in range(n)],
            "predicted_at": pd.Timestamp(day),
            "loaded_at": pd.Timestamp("2026-02-09"),
            "prediction": 1,
            **{name: sides[which][:n] for name, (sides, _) in COLUMNS.items()},
        }
    )


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    shared: dict[str, Any] = {
        "task": "binary",
        "columns": {"score": None, "latency_ms": None, "outcome": None, "model_version": None},
        "features": {
            **dict.fromkeys(NUMERIC, "numeric"),
            **dict.fromkeys(CATEGORICAL, "categorical"),
        },
        "drift_methods": "all",
        "spans": ["1d"],
    }
    few = {"normal": "numeric", "colour": "categorical"}
    project: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {
                "many": {
                    **shared,
                    "predictions": {"source": ["logs", "log"]},
                    "reference": {"source": ["logs", "reference"]},
                },
                "tiny_reference": {
                    **shared,
                    "features": few,
                    "predictions": {"source": ["logs", "few"]},
                    "reference": {"source": ["logs", "five"]},
                },
                "undecided": {
                    **shared,
                    "features": few,
                    "predictions": {"source": ["logs", "few"]},
                    "reference": {"source": ["logs", "five"]},
                },
                "small": {
                    **shared,
                    "features": {
                        "code": "categorical",
                        "constant": "numeric",
                        "seconds": "numeric",
                    },
                    "predictions": {"source": ["logs", "small"]},
                    "reference": {"source": ["logs", "small_reference"]},
                },
            },
            "mlmon_seeds": {"drift_thresholds": {"source": ["logs", "thresholds"]}},
        },
        sources={
            "logs": ["thresholds", "log", "reference", "few", "five", "small", "small_reference"]
        },
    )
    # The log's first day holds one row, its second all.
    project.warehouse.load(
        "log",
        pd.concat([side(1, 1, "2026-02-02 10:00", "one"), side(1, N, "2026-02-03 10:00", "all")]),
    )
    project.warehouse.load("reference", side(0, N, "2026-01-01 10:00", "r"))
    five = side(0, 5, "2026-01-01 10:00", "r").assign(normal=range(5), colour=list("abcde"))
    few_rows = side(1, 3, "2026-02-03 10:00", "f").assign(normal=range(3), colour=list("aax"))
    project.warehouse.load(
        "five", five[["request_id", "predicted_at", "loaded_at", "prediction", "normal", "colour"]]
    )
    project.warehouse.load(
        "few",
        few_rows[["request_id", "predicted_at", "loaded_at", "prediction", "normal", "colour"]],
    )
    shipped = pd.read_csv(ROOT / "seeds" / "drift_thresholds.csv", dtype=str)
    only_ks = pd.DataFrame(
        [
            ["undecided", "feature", "*", "psi", "*", "0.1", "0.25", "false"],
            ["undecided", "feature", "*", "ks", "*", "0.1", None, "true"],
        ],
        columns=shipped.columns,
    )
    project.warehouse.load("thresholds", pd.concat([shipped, only_ks]))
    project.warehouse.load("small_reference", SMALL[0])
    project.warehouse.load("small", SMALL[1])
    project.build("--select", "+fct_mlmon__dataset_drift").require()
    return project


@pytest.fixture(scope="module")
def drift(project: DbtProject) -> pd.DataFrame:
    found = project.read("fct_mlmon__column_drift")
    return found.set_index(["monitor", "window_date", "column_name"]).sort_index()


def test_verdicts(drift: pd.DataFrame) -> None:
    rows = drift.loc["many"].loc[pd.Timestamp("2026-02-03")]
    found = {name: str(rows.at[name, "status"]) for name in COLUMNS}
    assert found == {name: verdict for name, (_, verdict) in COLUMNS.items()}


def test_one_row_is_too_little(drift: pd.DataFrame) -> None:
    rows = drift.loc["many"].loc[pd.Timestamp("2026-02-02")]
    assert set(rows["status"]) <= {"insufficient_data", "ok"}
    assert (rows["n_current"] == 1).all()


def test_fewer_reference_rows_than_bins(drift: pd.DataFrame) -> None:
    rows = drift.loc["tiny_reference"].loc[pd.Timestamp("2026-02-03")]
    rows = rows[rows["column_role"] == "feature"]
    assert set(rows["status"]) == {"insufficient_data"}
    assert set(rows["n_reference"]) == {5}


@pytest.fixture(scope="module")
def small(project: DbtProject) -> pd.DataFrame:
    rows = project.read("fct_mlmon__drift")
    rows = rows[(rows["monitor"] == "small") & (rows["window_date"] == pd.Timestamp("2026-02-03"))]
    return rows.set_index(["column_name", "method"]).sort_index()


def test_a_bin_at_the_limit_is_dense(small: pd.DataFrame) -> None:
    assert small.at[("code", "psi"), "p_value"] == pytest.approx(
        stats.binned_p_value(*(np.array(side) for side in AT_THE_LIMIT)), abs=2e-7
    )


def test_a_constant_has_no_spread_to_measure_in(small: pd.DataFrame) -> None:
    assert pd.isna(small.at[("constant", "wasserstein_normed"), "value"])
    assert small.at[("constant", "wasserstein"), "value"] == 0


def test_large_numbers_keep_their_last_digits(small: pd.DataFrame) -> None:
    before, now = (side["seconds"] - SECONDS for side in SMALL)
    expected = wasserstein_distance(before, now)
    assert small.at[("seconds", "wasserstein"), "value_error"] == 0
    assert small.at[("seconds", "wasserstein"), "value"] == pytest.approx(expected, rel=1e-9)
    assert small.at[("seconds", "wasserstein_normed"), "value"] == pytest.approx(
        expected / np.std(before), rel=1e-9
    )


def test_a_column_without_a_deciding_method_says_so(drift: pd.DataFrame) -> None:
    rows = drift.loc["undecided"].loc[pd.Timestamp("2026-02-03")]
    assert rows.at["normal", "deciding_method"] == "ks"
    colour = rows.loc["colour"]
    assert pd.isna(colour["deciding_method"])
    assert (colour["status"], colour["reason_code"]) == ("not_judged", "not_deciding")
    assert colour["reason"].endswith("none is computed here.")
    assert colour["psi"] > 0
