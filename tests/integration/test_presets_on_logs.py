"""Other tools' numbers on logs: the library's over raw rows, whatever a column is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlmon.stats import presets
from mlmon.stats.presets import as_evidently, as_nannyml
from support.compare import differences
from support.dbt_project import DRIFT_MARTS, DbtProject
from support.golden_drift import is_close

TOOLS = ("evidently", "nannyml")
MODULES = {"evidently": as_evidently, "nannyml": as_nannyml}
# Of these Evidently prints a p-value.
P_VALUES = {"evidently_ks", "evidently_chisquare", "evidently_z"}

START = pd.Timestamp("2026-01-01")
SPAN, FIRST_DAYS, ROLLING_DAYS, LAST = 2, 6, 4, 15
SOURCES = {"logs": ["predictions", "training"]}
WHAT = [*DRIFT_MARTS, "dim_mlmon__metrics"]


def day(number: int, n: int = 90) -> pd.DataFrame:
    """One day: a number with missing and infinite values, one with ties, two and many categories, and failures."""
    random = np.random.default_rng([number, n])
    at = START + pd.Timedelta(days=number)
    return pd.DataFrame(
        {
            "request_id": [f"{number}-{i}" for i in range(n)],
            "model_version": "v1",
            "predicted_at": at + pd.to_timedelta(random.uniform(0, 24, n), unit="h"),
            "loaded_at": at + pd.Timedelta(hours=25),
            "outcome": np.where(random.random(n) < 0.1, "error", "ok"),
            "score": random.beta(2, 5, n),
            "prediction": random.integers(0, 2, n),
            "amount": random.choice([np.nan, np.inf, -1.0], n, p=[0.1, 0.02, 0.88])
            * -random.lognormal(number / 20, 1, n),
            "visits": random.poisson(3 + number / 10, n).astype(float),
            "channel": random.choice(np.array(["web", "shop", "", None], dtype=object), n),
            "city": [f"city {int(k)}" for k in random.pareto(1, n) * 3],
        }
    )


def days(first: int, last: int) -> pd.DataFrame:
    return pd.concat([day(number) for number in range(first, last + 1)], ignore_index=True)


LOG = days(0, LAST)
TRAINING = days(100, 105)


def monitor(**keys: Any) -> dict[str, Any]:
    return {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "reference": {"first_days": FIRST_DAYS},
        "features": {
            "amount": "numeric",
            "visits": {"kind": "numeric", "preset": "nannyml"},
            "channel": {"kind": "categorical", "preset": None},
            "city": "categorical",
        },
        "success_outcomes": ["ok"],
        "spans": ["1d", f"{SPAN}d"],
        "threshold_policy": "fixed",
        "preset": "evidently",
        **keys,
    }


COLUMNS = {
    "amount": ("numeric", "evidently"),
    "visits": ("numeric", "nannyml"),
    "city": ("categorical", "evidently"),
    "score": ("numeric", "evidently"),
    "prediction": ("categorical", "evidently"),
}
MONITORS = {
    "first_days": monitor(),
    "dates": monitor(reference={"from": "2026-01-02", "to": "2026-01-04"}),
    "training": monitor(reference={"source": ["logs", "training"]}),
    "rolling": monitor(reference={"first_days": FIRST_DAYS, "rolling_days": ROLLING_DAYS}),
    "silent": monitor(preset=None, features={"amount": "numeric", "channel": "categorical"}),
}


def preset_rows(project: DbtProject) -> pd.DataFrame:
    found: pd.DataFrame = project.read("fct_mlmon__drift")
    return found[found["method"].str.startswith(TOOLS)]


def project_of(make_project: Any, engine: str = "duckdb", **monitors: Any) -> DbtProject:
    made: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": monitors or MONITORS,
            "mlmon_lookback_days": 3,
            "mlmon_package_tests": True,
        },
        sources=SOURCES,
    )
    made.warehouse.load("training", TRAINING)
    return made


def land(project: DbtProject, first: int, last: int) -> None:
    at = LOG["predicted_at"]
    from_, to = (START + pd.Timedelta(days=number) for number in (first, last + 1))
    project.warehouse.load("predictions", LOG[(at >= from_) & (at < to)])


@pytest.fixture(scope="module")
def logged(make_project: Any) -> DbtProject:
    """Built in steps: in the second one references lie before the stretch of the log that is searched."""
    project = project_of(make_project)
    for last in (LAST - 4, LAST):
        land(project, 0, last)
        project.build_with_facts(*WHAT)
    return project


def between(rows: pd.DataFrame, first: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    return rows[(rows["predicted_at"] >= first) & (rows["predicted_at"] < end)]


def sides(name: str, end: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the reference, and of the span that ends there."""
    successful = LOG[LOG["outcome"] == "ok"]
    first = end - pd.Timedelta(days=SPAN)
    current = between(successful, first, end)
    if name == "training":
        return TRAINING, current
    if name == "rolling":
        return between(successful, first - pd.Timedelta(days=ROLLING_DAYS), first), current
    reference = {"first_days": (0, FIRST_DAYS), "dates": (1, 4)}[name]
    return between(successful, *(START + pd.Timedelta(days=d) for d in reference)), current


def expected_rows() -> dict[tuple[str, pd.Timestamp, str, str], float]:
    found = {}
    for name in ("first_days", "dates", "training", "rolling"):
        for number in range(LAST + 1):
            end = START + pd.Timedelta(days=number + 1)
            reference, current = sides(name, end)
            # A reference that moves needs half of its days, and any other is needed by every day.
            if name == "rolling" and number + 1 - SPAN < ROLLING_DAYS / 2:
                continue
            for column, (kind, tool) in COLUMNS.items():
                values = (side[column].to_numpy() for side in (reference, current))
                printed = getattr(presets, tool)(*values, kind)
                for method, value in printed.items():
                    if not np.isnan(value):
                        found[name, end, column, f"{tool}_{method}"] = float(value)
    return found


def test_every_column_has_the_numbers_of_its_preset(logged: DbtProject) -> None:
    """The monitor's, or its own, or none; against fixed and moving references, at the verdict span alone."""
    drift = preset_rows(logged)
    keys = ["monitor", "window_end", "column_name", "method"]
    printed = drift["value"].fillna(drift["p_value"])
    found = drift.assign(printed=printed).set_index(keys)["printed"].to_dict()
    expected = expected_rows()
    assert set(found) == set(expected)
    assert len(expected) > 1000
    wrong = [key for key in expected if not is_close(found[key], expected[key], 1e-9, 1e-12)]
    assert wrong == []


def test_rows_of_presets_inform_and_judge_nothing(logged: DbtProject) -> None:
    drift = preset_rows(logged)
    assert set(drift["span_windows"]) == {SPAN}
    assert drift["is_verdict"].all()
    assert set(drift["segment_name"]) == {"all"}
    assert set(drift["status"]) == {"not_judged"}
    assert set(drift["reason_code"]) == {"not_deciding"}
    assert not drift["is_deciding"].any()
    assert set(drift["value_method"]) == {"exact"}
    assert (
        drift[["threshold_warning", "threshold_critical", "adjusted_p_value"]].isna().all(axis=None)
    )
    assert (drift["smoothing"] == drift["method"].str.split("_").str[0]).all()
    printed = drift["method"].isin(P_VALUES)
    assert drift.loc[printed, "value"].isna().all()
    assert drift.loc[printed, "p_value"].notna().all()
    assert drift.loc[~printed, "value"].notna().all()
    assert drift.loc[~printed, "p_value"].isna().all()
    # What mlmon computes by itself is there as before.
    own = logged.read("fct_mlmon__drift")
    own = own[(own["column_name"] == "amount") & (own["window_end"] == drift["window_end"].max())]
    by_monitor = own[~own["method"].str.startswith(TOOLS)].groupby("monitor")["method"].agg(set)
    assert by_monitor["rolling"] == by_monitor["silent"] >= {"psi", "ks", "js_distance"}


def test_counts_are_of_all_rows_that_were_read(logged: DbtProject) -> None:
    drift = preset_rows(logged).set_index(["monitor", "window_end", "column_name"]).sort_index()
    end = drift.index.get_level_values("window_end").max()
    for column in COLUMNS:
        row = drift.loc[("rolling", end, column)].iloc[0]
        reference, current = sides("rolling", end)
        assert row["n_reference"] == len(reference), column
        assert row["n_current"] == len(current), column


def test_every_method_is_described_as_a_metric(logged: DbtProject) -> None:
    metrics = logged.read("dim_mlmon__metrics")
    described = set(metrics["metric"])
    assert set(preset_rows(logged)["method"]) <= described
    of_tools = {
        f"{tool}_{method}"
        for tool, module in MODULES.items()
        for method in (*module.NUMERIC, *module.CATEGORICAL)
    }
    assert {name for name in described if name.startswith(TOOLS)} == of_tools


def test_steps_end_as_one_build_and_another_run_reads_nothing(
    make_project: Any, logged: DbtProject
) -> None:
    whole = project_of(make_project)
    land(whole, 0, LAST)
    whole.build_for(*WHAT)
    assert differences(whole.read("fct_mlmon__drift"), logged.read("fct_mlmon__drift")) == []
    whole.build_for(*WHAT)
    assert len(whole.read("int_mlmon__preset_values")) == 0
    assert differences(whole.read("fct_mlmon__drift"), logged.read("fct_mlmon__drift")) == []
    # Switched off, the rows go and the others stay.
    off = {name: {**one, "preset": None} for name, one in MONITORS.items()}
    for one in off.values():
        one["features"] = {
            k: v if isinstance(v, str) else v["kind"] for k, v in one["features"].items()
        }
    whole.set_vars({"mlmon_monitors": off, "mlmon_lookback_days": 0})
    whole.build_for(*WHAT)
    assert len(preset_rows(whole)) == 0
    assert len(whole.read("fct_mlmon__drift")) == len(logged.read("fct_mlmon__drift")) - len(
        preset_rows(logged)
    )


def test_an_end_of_which_rows_are_gone_from_the_log_has_no_numbers(make_project: Any) -> None:
    project = project_of(make_project, rolling=MONITORS["rolling"])
    land(project, 0, LAST - 1)
    project.build_for(*WHAT)
    before = preset_rows(project)
    # The log is cut: of what the last end is compared with, two days are left.
    land(project, LAST - 3, LAST)
    project.build_for(*WHAT)
    after = preset_rows(project)
    assert differences(after, before) == []
    drift = project.read("fct_mlmon__drift")
    assert drift["window_end"].max() == START + pd.Timedelta(days=LAST + 1)


def test_a_warehouse_without_python_models_builds_and_has_no_such_rows(make_project: Any) -> None:
    project = project_of(make_project, "postgres", rolling=MONITORS["rolling"])
    land(project, 0, FIRST_DAYS + 2)
    built = project.build_for(*WHAT)
    assert not {name for name in built.statuses if "preset" in name}
    drift = project.read("fct_mlmon__drift")
    assert len(drift) > 0
    assert not drift["method"].str.startswith(TOOLS).any()
