"""Edges of references, columns and labels, each in a monitor of its own that lives through two runs.

In the end every mart has what a full refresh over the same rows makes, but for what the log lost in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from support.compare import differences
from support.dbt_project import DbtProject
from support.histories import marts
from support.warehouses import Engine

START = pd.Timestamp("2026-03-02")
# The day on which each run takes place, counted from START.
RUNS = (5, 14)
N = 48
COMPLETE_DAYS, MOVES_DAYS = 7, 2
UNIT_DAY, CORRECTED_DAY, CUT_DAY = 8, 3, 4
CITIES = np.array([f"city {i}" for i in range(3000)])
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}


def rows(number: int, seed: int = 0) -> pd.DataFrame:
    """The predictions of one day, each with the label that it will get."""
    random = np.random.default_rng([number + 100, seed])
    predicted = START + pd.Timedelta(days=number) + pd.to_timedelta(np.arange(N) * 30, unit="min")
    score = random.random(N).round(3)
    return pd.DataFrame(
        {
            "request_id": [f"{seed}-{number}-{i}" for i in range(N)],
            "predicted_at": predicted,
            "loaded_at": predicted + pd.Timedelta(minutes=1),
            "prediction": (score > 0.5).astype(int),
            "score": score,
            "x": np.where(random.random(N) < 0.05, np.nan, random.normal(10, 1, N).round(3)),
            "colour": random.choice(["red", "green", "blue"], N),
            "city": random.choice(CITIES, N),
            "region": random.choice(["east", "west"], N),
            "label": (random.random(N) < score).astype(int),
        }
    )


def days(first: int, end: int, seed: int = 0) -> pd.DataFrame:
    return pd.concat([rows(number, seed) for number in range(first, end)], ignore_index=True)


def reference(run: int) -> pd.DataFrame:
    """Four weeks before the log; `run` is another each time it changes."""
    return days(-28, 0, seed=1 + run).drop(columns=["request_id", "loaded_at"])


@dataclass(frozen=True)
class Edge:
    """What a monitor is compared with, what becomes of its log, and which reference table each run finds."""

    reference: dict[str, Any] | str = field(
        default_factory=lambda: {"source": ["logs", "reference"]}
    )
    tables: tuple[int, ...] = (0, 0)

    def configured(self, name: str) -> dict[str, Any] | str:
        changes = len(set(self.tables)) > 1
        return {"source": ["logs", f"{name}_reference"]} if changes else self.reference


MOVES = {"first_days": COMPLETE_DAYS, "rolling_days": MOVES_DAYS}
EDGES = {
    "no_reference": Edge("none"),
    # Complete from the second run on.
    "completes": Edge({"first_days": COMPLETE_DAYS}),
    "completes_and_moves": Edge(MOVES),
    "changes": Edge(tables=(0, 1)),
    "many_categories": Edge(),
    # Kilometres become metres, which no row of the reference reaches: all are in the open cell above it.
    "unit": Edge(),
    # Two days later those that it is compared with are there, too.
    "unit_moves": Edge(MOVES),
    # A label that counts at the age of one day is another at three, and some are taken back after the horizon.
    "corrected": Edge(),
    # The log loses days that were counted; in the second case its own reference.
    "frozen": Edge(),
    "frozen_own": Edge({"first_days": 3}),
}
FROZEN = [name for name in EDGES if name.startswith("frozen")]


def predictions(name: str, run: int) -> pd.DataFrame:
    found = days(0, RUNS[run])
    if name.startswith("unit"):
        late = found["predicted_at"] >= START + pd.Timedelta(days=UNIT_DAY)
        found.loc[late, "x"] *= 1000
    if name in FROZEN and run > 0:
        found = found[found["predicted_at"] >= START + pd.Timedelta(days=CUT_DAY)]
    return found.reset_index(drop=True)


def labels(name: str, run: int) -> pd.DataFrame:
    """Labels that are there at the end of the run's last day: each a day and a half late, some corrected."""
    found = days(0, RUNS[run])
    hours = np.where(np.arange(len(found)) % 3 == 0, 12, 36)
    found["labeled_at"] = found["predicted_at"] + pd.to_timedelta(hours, unit="h")
    if name == "corrected":
        day = found["predicted_at"].dt.normalize()
        turned = found[day >= START + pd.Timedelta(days=CORRECTED_DAY)].iloc[::4]
        corrections = [
            turned.assign(
                label=1 - turned["label"],
                labeled_at=turned["predicted_at"] + pd.Timedelta(hours=after),
            )
            for after in (60, 110)
        ]
        # The second correction takes every other of them back.
        corrections[1] = corrections[1].iloc[::2].assign(label=lambda rows: 1 - rows["label"])
        found = pd.concat([found, *corrections], ignore_index=True)
    found["loaded_at"] = found["labeled_at"] + pd.Timedelta(minutes=5)
    seen = found["loaded_at"] < START + pd.Timedelta(days=RUNS[run])
    return found.loc[seen, ["request_id", "label", "labeled_at", "loaded_at"]]


def tables() -> list[str]:
    logs = [f"{name}_{log}" for name in EDGES for log in ("predictions", "labels")]
    return [*logs, "reference", "changes_reference"]


def monitors() -> dict[str, Any]:
    shared: dict[str, Any] = {
        "task": "binary",
        "columns": {"latency_ms": None, "outcome": None, "model_version": None},
        "segments": ["region"],
        "spans": ["1d", "3d"],
        "drift_methods": "all",
        "label_horizon_days": 4,
        "label_ages_days": [1, 3],
    }
    kinds = {"x": "numeric", "colour": "categorical"}
    city = {"city": {"kind": "categorical", "bins": {"k": 20}}}
    return {
        name: {
            **shared,
            "predictions": {"source": ["logs", f"{name}_predictions"]},
            "labels": {"source": ["logs", f"{name}_labels"]},
            "reference": edge.configured(name),
            "features": {**kinds, **(city if name == "many_categories" else {})},
        }
        for name, edge in EDGES.items()
    }


def land(project: DbtProject, run: int) -> None:
    for name in EDGES:
        frame = predictions(name, run).drop(columns="label")
        project.warehouse.load(f"{name}_predictions", frame, types=TIMES)
        project.warehouse.load(f"{name}_labels", labels(name, run), types=TIMES)
    project.warehouse.load("reference", reference(0), types=TIMES)
    project.warehouse.load(
        "changes_reference", reference(EDGES["changes"].tables[run]), types=TIMES
    )


Marts = dict[str, pd.DataFrame]


def read(project: DbtProject) -> Marts:
    found = {mart: project.read(mart) for mart in marts(project)}
    return {mart: rows for mart, rows in found.items() if "monitor" in rows}


@pytest.fixture(scope="module")
def lives(make_project: Any, engine: Engine) -> tuple[Marts, Marts, Marts]:
    """The marts after each run, and after a full refresh in the end."""
    settings = {"mlmon_monitors": monitors(), "mlmon_lookback_days": 10}
    project: DbtProject = make_project(engine, vars=settings, sources={"logs": tables()})
    found = []
    for run in range(len(RUNS)):
        land(project, run)
        project.build()
        found.append(read(project))
    project.build("--full-refresh")
    first, last = found
    return first, last, read(project)


def of(found: pd.DataFrame, name: str) -> pd.DataFrame:
    return found[found["monitor"] == name].reset_index(drop=True)


def since(rows: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    return rows[rows["window_start"] >= start].reset_index(drop=True)


def until(rows: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    return rows[rows["window_end"] <= end].reset_index(drop=True)


def drift(found: Marts, name: str) -> pd.DataFrame:
    """Drift of the whole monitor."""
    return of(found["fct_mlmon__drift"], name).query("segment_name == 'all'")


def day(number: int) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


@pytest.mark.parametrize("name", [name for name in EDGES if name not in FROZEN])
def test_the_end_is_that_of_a_full_refresh(lives: tuple[Marts, Marts, Marts], name: str) -> None:
    _, last, whole = lives
    unequal = {
        mart: found
        for mart, rows in whole.items()
        if (found := differences(of(last[mart], name), of(rows, name)))
    }
    assert len(whole) > 20
    assert unequal == {}


def test_without_a_reference_nothing_has_drifted(lives: tuple[Marts, Marts, Marts]) -> None:
    _, last, _ = lives
    rows = of(last["fct_mlmon__drift"], "no_reference")
    assert len(rows) > 0
    assert rows["value"].isna().all()
    assert set(rows["reason_code"]) == {"no_reference"}


@pytest.mark.parametrize("name", ["completes", "completes_and_moves"])
def test_windows_before_a_reference_was_complete_are_judged_once_it_is(
    lives: tuple[Marts, Marts, Marts], name: str
) -> None:
    first, last, _ = lives
    assert len(drift(first, name)) > 0
    assert drift(first, name)["value"].isna().all()
    # The reference moves on from its third day: before it there are too few days to compare with.
    begin = day(MOVES_DAYS) if name == "completes_and_moves" else START
    psi = drift(last, name).query("method == 'psi' and span_windows == 1")
    assert set(psi["column_name"]) == {"x", "colour", "score", "prediction"}
    assert psi[psi["window_start"] >= begin]["value"].notna().all()
    assert psi["window_start"].min() == START


def test_a_changed_reference_judges_all_again(lives: tuple[Marts, Marts, Marts]) -> None:
    keys = ["window_end", "span_windows", "column_name", "method"]
    first, last, _ = (drift(found, "changes") for found in lives)
    both = first.merge(last, on=keys, suffixes=("", "_last"))
    assert len(both) == len(first) > 0
    assert (both["reference_hash"] != both["reference_hash_last"]).all()
    psi = both[both["method"] == "psi"]
    assert (psi["value"] != psi["value_last"]).all()


def test_many_categories_share_cells(lives: tuple[Marts, Marts, Marts]) -> None:
    _, last, _ = lives
    shares = of(last["fct_mlmon__distributions"], "many_categories").query("column_name == 'city'")
    counts = shares.groupby("bin_kind")["current_count"].sum()
    assert counts[["category", "other", "unseen"]].gt(0).all()


def raw(name: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.Series:
    log = predictions(name, len(RUNS) - 1)
    return log.loc[log["predicted_at"].ge(start) & log["predicted_at"].lt(end), "x"].dropna()


@pytest.mark.parametrize("name", ["unit", "unit_moves"])
def test_a_changed_unit_is_within_value_error_of_the_raw_values(
    lives: tuple[Marts, Marts, Marts], name: str
) -> None:
    _, last, _ = lives
    rows = drift(last, name).query("column_name == 'x' and method in ('ks', 'wasserstein')")
    rows = rows[rows["value"].notna()].sort_values("window_start")
    fixed = reference(0)["x"].dropna()
    exact = []
    for one in rows.itertuples():
        days_before = (one.window_start - pd.Timedelta(days=MOVES_DAYS), one.window_start)
        against = fixed if name == "unit" else raw(name, *days_before)
        current = raw(name, one.window_start, one.window_end)
        exact.append(
            ks_2samp(against, current).statistic
            if one.method == "ks"
            else wasserstein_distance(against, current)
        )
    off = (rows["value"] - exact).abs()
    assert (off <= rows["value_error"] + 1e-9).all()

    changed = rows[rows["window_start"] >= day(UNIT_DAY)]
    ks = changed["method"] == "ks"
    if name == "unit":
        # No value of the one side is among those of the other: nothing is hidden.
        assert len(changed) == 6
        assert (changed["value_error"] < 1e-9).all()
        assert (changed.loc[ks, "value"] == 1).all()
    else:
        # Once the days before are in metres, both sides are in the one open cell, which hides all but their ends.
        assert changed.loc[ks, "value_error"].tolist() == pytest.approx([0, 0.5, 1], abs=0.1)


def test_a_corrected_label_counts_from_its_age_on(lives: tuple[Marts, Marts, Marts]) -> None:
    """Accuracy of each day and age is that of the raw rows."""
    _, last, _ = lives
    log = predictions("corrected", len(RUNS) - 1)
    given = labels("corrected", len(RUNS) - 1).sort_values("loaded_at")
    given = given.merge(log[["request_id", "predicted_at", "prediction"]], on="request_id")
    age = given["labeled_at"] - given["predicted_at"]
    rows = of(last["fct_mlmon__performance"], "corrected").query(
        "metric == 'accuracy' and segment_name == 'all' and span_windows == 3"
        " and model_version == 'unversioned'"
    )
    ages = {"1d": 1, "3d": 3, "4d": 4, "latest": 99}
    assert len(rows) == len(ages) * (RUNS[-1] - 1)
    off = []
    for one in rows.itertuples():
        within = given["predicted_at"].ge(one.window_start) & given["predicted_at"].lt(
            one.window_end
        )
        seen = given[within & (age <= pd.Timedelta(days=ages[one.label_age]))]
        counts = seen.groupby("request_id").tail(1)
        off.append(abs(one.value - (counts["prediction"] == counts["label"]).mean()))
    assert max(off) < 1e-9
    values = rows.pivot(index="window_end", columns="label_age", values="value")
    # Those of the last five days are not taken back yet.
    turned = values.loc[day(CORRECTED_DAY + 1) : day(RUNS[-1] - 5)]
    assert len(turned) == 6
    assert (turned["3d"] < turned["latest"]).all()
    assert (turned["3d"] < turned["1d"]).all()


# Marts of which each row says from which windows it is.
OF_SPANS = [
    f"fct_mlmon__{name}"
    for name in ("distributions", "drift", "column_drift", "dataset_drift", "performance",
                 "confusion", "calibration", "estimated_performance", "operations", "profiles")
]  # fmt: skip
# What hangs on how many labels have come by now, there and on other days.
OF_MATURITY = [
    "is_mature", "is_complete", "expected_label_coverage", "n_labelled", "realised_value",
    "estimation_error", "is_covered",
]  # fmt: skip


def test_what_a_log_lost_stays_and_the_rest_is_that_of_a_full_refresh(
    lives: tuple[Marts, Marts, Marts],
) -> None:
    unequal = {}
    for mart in OF_SPANS:
        before, after, refreshed = (
            of(found[mart], "frozen").drop(columns=OF_MATURITY, errors="ignore") for found in lives
        )
        kept = [since(rows, day(CUT_DAY)) for rows in (after, refreshed)]
        assert len(kept[0]) > 0, mart
        unequal[mart, "kept"] = differences(*kept)
        # Labels of the day after were still to come.
        lost = [until(rows, day(1)) for rows in (before, after)]
        assert len(lost[0]) > 0, mart
        assert refreshed["window_start"].min() > START, mart
        unequal[mart, "lost"] = differences(*lost)
    assert {key: found for key, found in unequal.items() if found} == {}


@pytest.mark.parametrize("name", FROZEN)
def test_windows_and_a_reference_that_the_log_lost_stay(
    lives: tuple[Marts, Marts, Marts], name: str
) -> None:
    _, last, _ = lives
    windows = of(last["fct_mlmon__windows"], name).query("model_version == 'unversioned'")
    assert windows["n_predictions"].tolist() == [N] * RUNS[-1]
    n_reference = 28 * N if name == "frozen" else 3 * N
    psi = drift(last, name).query("column_name == 'x' and method == 'psi' and span_windows == 1")
    assert psi["n_reference"].tolist() == [n_reference] * (RUNS[-1] - 1)
    assert psi["value"].notna().all()
