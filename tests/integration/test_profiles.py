"""fct_mlmon__profiles against numpy and pandas: exact in small windows, from the chosen rows in large ones."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.dbt_project import DbtProject
from support.warehouses import Engine

LIMIT = 200
ROWS_A_DAY = {1: 150, 2: LIMIT, 3: 3000}
PERCENTS = (1, 5, 25, 50, 75, 95, 99)


def day_of(number: int, n_rows: int) -> pd.DataFrame:
    """A day with continuous, heavily tied and categorical values, some missing and some infinite."""
    random = np.random.default_rng(number)
    rows = pd.DataFrame(
        {
            "request_id": [f"d{number}-{i}" for i in range(n_rows)],
            "model_version": "v1",
            "predicted_at": pd.Timestamp(f"2026-03-0{number} 10:00"),
            "loaded_at": pd.Timestamp("2026-03-05 10:00"),
            "prediction": 1,
            "amount": random.lognormal(3, 2, n_rows),
            "items": random.poisson(1.5, n_rows).astype(float),
            "shop": random.choice(["north", "south", "west"], n_rows),
        }
    )
    rows.loc[random.random(n_rows) < 0.1, "amount"] = np.nan
    rows.loc[random.random(n_rows) < 0.02, "amount"] = np.inf
    return rows


DAYS = {number: day_of(number, n_rows) for number, n_rows in ROWS_A_DAY.items()}


def chosen(day: pd.DataFrame) -> pd.DataFrame:
    """The rows that profile a day: all up to the limit, else those whose id has a small md5."""
    if len(day) <= LIMIT:
        return day
    hashes = day["request_id"].map(lambda i: int(hashlib.md5(i.encode()).hexdigest()[:8], 16))
    return day[hashes < 2**32 * LIMIT / len(day)]


@pytest.fixture(scope="module")
def every_profile(make_project: Any, engine: Engine) -> pd.DataFrame:
    monitor = {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "features": {
            "amount": {"kind": "numeric", "max": 100},
            "items": "numeric",
            "shop": "categorical",
        },
    }
    project: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {"shop": {**monitor, "areas": ["profiles"]}, "short": monitor},
            "mlmon_profile_rows": LIMIT,
        },
        sources={"logs": ["predictions"]},
    )
    project.warehouse.load("predictions", pd.concat(DAYS.values(), ignore_index=True))
    project.build_for("fct_mlmon__profiles")
    found = project.warehouse.query(
        "select * from analytics.fct_mlmon__profiles where model_version = 'v1'"
    )
    found["day"] = pd.to_datetime(found["window_date"]).dt.day
    return found.set_index(["monitor", "day", "column_name"]).sort_index()


@pytest.fixture(scope="module")
def profiles(every_profile: pd.DataFrame) -> pd.DataFrame:
    return every_profile.loc["shop"]


@pytest.mark.parametrize("number", ROWS_A_DAY)
@pytest.mark.parametrize("column", ["amount", "items"])
def test_numbers(profiles: pd.DataFrame, number: int, column: str) -> None:
    profile = profiles.loc[(number, column)]
    day, rows = DAYS[number], chosen(DAYS[number])
    finite = day[column][np.isfinite(day[column])]
    assert profile["n_rows"] == len(day)
    assert profile["n_missing"] == day[column].isna().sum()
    assert profile["n_zeros"] == (day[column] == 0).sum()
    assert profile["mean"] == pytest.approx(finite.mean(), rel=1e-9)
    assert profile["stddev"] == pytest.approx(finite.std(), rel=1e-9)
    assert profile["value_min"] == finite.min()
    assert profile["value_max"] == finite.max()

    assert profile["quantile_method"] == ("exact" if len(day) <= LIMIT else "sampled")
    assert profile["n_profiled"] == len(rows)
    sample = rows[column][np.isfinite(rows[column])]
    for percent in PERCENTS:
        expected = np.percentile(sample, percent)
        assert profile[f"p{percent:02d}"] == pytest.approx(expected, rel=1e-9)
    counts = rows[column].value_counts()
    assert profile["n_distinct"] == len(counts)
    assert profile["modal_share"] == pytest.approx(counts.max() / len(rows), rel=1e-9)
    assert float(profile["modal_value"]) == pytest.approx(
        min(counts.index[counts == counts.max()]), abs=1e-5
    )


@pytest.mark.parametrize("number", ROWS_A_DAY)
def test_categories(profiles: pd.DataFrame, number: int) -> None:
    profile, rows = profiles.loc[(number, "shop")], chosen(DAYS[number])
    counts = rows["shop"].value_counts()
    assert profile["quantile_method"] == "none"
    assert profile["n_rows"] == len(DAYS[number])
    assert profile["n_profiled"] == len(rows)
    assert profile["n_distinct"] == len(counts)
    assert profile["modal_value"] == min(counts.index[counts == counts.max()])
    assert profile["modal_share"] == pytest.approx(counts.max() / len(rows), rel=1e-9)


def test_other_quantiles_than_the_median_have_to_be_asked_for(every_profile: pd.DataFrame) -> None:
    outer = [f"p{percent:02d}" for percent in PERCENTS if percent != 50]
    asked, short = every_profile.loc["shop"], every_profile.loc["short"]
    assert short[outer].isna().all(axis=None)
    others = [column for column in asked if column not in {*outer, "monitor_key", "column_key"}]
    pd.testing.assert_frame_equal(short[others], asked[others], rtol=1e-12)


def test_the_sample_is_about_as_large_as_asked() -> None:
    assert abs(len(chosen(DAYS[3])) - LIMIT) < 5 * LIMIT**0.5
