"""Where windows begin and end: time zones with summer time, hours, and runs in between, on both engines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import ENGINES, Engine

# Two Sundays of 2026: 8 March has 23 hours in New York and 29 March has 23 in Berlin; 25 October has 25 in
# Berlin, 1 November has 25 in New York. Lord Howe moves by half an hour, on 5 April.
SPANS = [("2026-03-07", 3), ("2026-03-28", 9), ("2026-10-24", 9)]
ZONES = {
    "utc": "UTC", "new_york": "America/New_York", "berlin": "Europe/Berlin",
    "lord_howe": "Australia/Lord_Howe", "kathmandu": "Asia/Kathmandu",
}  # fmt: skip


def log(spans: Sequence[tuple[str, int]] = SPANS) -> pd.DataFrame:
    """A prediction every 30 minutes around the changes of the clock, at :00 and :30 exactly, and a microsecond
    before each hour.
    """
    times: list[datetime] = []
    for start, days in spans:
        first = datetime.fromisoformat(start)
        for step in range(days * 48):
            times.append(first + timedelta(minutes=30 * step))
            if step % 2 == 0:
                times.append(first + timedelta(minutes=30 * step, microseconds=-1))
    made = pd.Series(times).astype("datetime64[us]")
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(len(made))],
            "predicted_at": made,
            "loaded_at": made + pd.Timedelta(seconds=30),
            "prediction": [i % 2 for i in range(len(made))],
            "score": [(i % 10) / 10 for i in range(len(made))],
        }
    )


def labels(predictions: pd.DataFrame) -> pd.DataFrame:
    """A label for each, after five hours, exactly a day, or a microsecond more."""
    number = pd.Series(range(len(predictions)))
    delays = [timedelta(hours=5), timedelta(days=1), timedelta(days=1, microseconds=1)]
    came = predictions["predicted_at"] + pd.to_timedelta([delays[i % 3] for i in number])
    return pd.DataFrame(
        {
            "request_id": predictions["request_id"],
            "label": ((number * 7 % 10) > 4).astype(int),
            "labeled_at": came.astype("datetime64[us]"),
            "loaded_at": came.astype("datetime64[us]"),
        }
    )


LABELLED = {"labels": {"source": ["logs", "labels"]}, "label_horizon_days": 1}


def configured() -> dict[str, Any]:
    shared = {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "reference": None,
        "features": {},
    }
    found: dict[str, Any] = {
        name: {**shared, "timezone": zone, "spans": ["1d", "2d"]} for name, zone in ZONES.items()
    }
    found["new_york"] |= LABELLED
    found["lord_howe"] |= LABELLED
    found["hourly"] = {
        **shared,
        **LABELLED,
        "predictions": {"source": ["logs", "three_days"]},
        "grain": "hour",
        "timezone": "America/New_York",
        "spans": ["1h", "6h"],
        "reference": {"first_days": 1},
    }
    return found


VARS = {
    "mlmon_monitors": configured(),
    "mlmon_lookback_days": 0,
    "mlmon_max_gap_days": 3,
    # The same tests on both engines.
    "mlmon_python_models": False,
}


@pytest.fixture(scope="module")
def projects(make_project: Any) -> dict[Engine, DbtProject]:
    """On DuckDB the log arrives in two runs, on PostgreSQL at once."""
    made = {}
    rows = log()
    cut = rows["predicted_at"] < pd.Timestamp("2026-03-29 00:30:00")
    for engine in ENGINES:
        project: DbtProject = make_project(
            engine, vars=VARS, sources={"logs": ["predictions", "three_days", "labels"]}
        )
        project.warehouse.load("labels", labels(rows))
        if engine == "duckdb":
            project.warehouse.load("predictions", rows[cut])
            project.warehouse.load("three_days", log(SPANS[:1])[:80])
            project.build_with_facts("fct_mlmon__performance", "fct_mlmon__drift")
        project.warehouse.load("predictions", rows)
        project.warehouse.load("three_days", log(SPANS[:1]))
        project.build()
        made[engine] = project
    return made


@pytest.fixture(scope="module")
def windows(projects: dict[Engine, DbtProject]) -> pd.DataFrame:
    rows: pd.DataFrame = projects["duckdb"].read("fct_mlmon__windows")
    return rows[(rows["model_version"] == "all") & (rows["n_predictions"] > 0)]


def test_two_runs_on_duckdb_equal_one_on_postgres(projects: dict[Engine, DbtProject]) -> None:
    names = [
        name
        for name in projects["duckdb"].warehouse.tables()
        if name.startswith(("fct_mlmon__", "dim_mlmon__"))
    ]
    unequal = {
        name: found
        for name in names
        if (found := differences(projects["duckdb"].read(name), projects["postgres"].read(name)))
    }
    assert unequal == {}


@pytest.mark.parametrize("monitor", ZONES)
def test_days_begin_at_local_midnight(windows: pd.DataFrame, monitor: str) -> None:
    zone = ZoneInfo(ZONES[monitor])
    local = log()["predicted_at"].dt.tz_localize("UTC").dt.tz_convert(zone)
    wanted = local.dt.date.value_counts().to_dict()
    rows = windows[windows["monitor"] == monitor]
    found = {}
    for row in rows.to_dict("records"):
        day = pd.Timestamp(row["window_date"]).date()
        midnight = pd.Timestamp(day).tz_localize(zone)
        after = pd.Timestamp(day + timedelta(days=1)).tz_localize(zone)
        assert pd.Timestamp(row["window_start"]).tz_localize("UTC") == midnight
        assert pd.Timestamp(row["window_end"]).tz_localize("UTC") == after
        found[day] = row["n_predictions"]
    assert found == wanted


def test_days_that_change_the_clock_are_shorter_and_longer(windows: pd.DataFrame) -> None:
    by_day = {
        (row["monitor"], str(row["window_date"])[:10]): (
            (row["window_end"] - row["window_start"]) / pd.Timedelta(hours=1)
        )
        for row in windows.to_dict("records")
        if row["monitor"] != "hourly"
    }
    assert by_day["new_york", "2026-03-08"] == 23
    assert by_day["new_york", "2026-11-01"] == 25
    assert by_day["berlin", "2026-03-29"] == 23
    assert by_day["berlin", "2026-10-25"] == 25
    assert by_day["lord_howe", "2026-04-05"] == 24.5
    assert by_day["utc", "2026-03-08"] == 24


@pytest.mark.parametrize("monitor", ["new_york", "lord_howe", "hourly"])
@pytest.mark.parametrize("age", ["1d", "latest"])
def test_performance_is_that_of_the_local_day_or_the_hour(
    projects: dict[Engine, DbtProject], monitor: str, age: str
) -> None:
    logged = log(SPANS[:1]) if monitor == "hourly" else log()
    known = logged.merge(labels(log()), on="request_id")
    if age == "1d":
        known = known[known["labeled_at"] - known["predicted_at"] <= timedelta(days=1)]
    at = known["predicted_at"].dt.tz_localize("UTC")
    if monitor == "hourly":
        known["start"] = at.dt.floor("h").dt.tz_localize(None)
    else:
        # Midnight where the day begins, whatever the clock does later that day.
        days = at.dt.tz_convert(ZoneInfo(ZONES[monitor])).dt.date.map(pd.Timestamp)
        midnight = days.dt.tz_localize(ZONES[monitor]).dt.tz_convert("UTC")
        known["start"] = midnight.dt.tz_localize(None)
    wanted = {
        start: (
            len(rows),
            (rows["prediction"] == rows["label"]).mean(),
            roc_auc_score(rows["label"], rows["score"]) if rows["label"].nunique() > 1 else None,
        )
        for start, rows in known.groupby("start")
    }
    found = projects["duckdb"].read("fct_mlmon__performance")
    found = found[
        found["monitor"].eq(monitor) & found["model_version"].eq("unversioned")
        & found["span_windows"].eq(1) & found["label_age"].eq(age) & found["n"].gt(0)
    ]  # fmt: skip
    accuracy = found[found["metric"].eq("accuracy")].set_index("window_start")
    areas = found[found["metric"].eq("roc_auc")].set_index("window_start")["value"]
    assert len(accuracy) >= (60 if monitor == "hourly" else 18)
    for start, row in accuracy.iterrows():
        n, value, area = wanted[start]
        assert row["n"] == n
        assert row["value"] == pytest.approx(value, rel=1e-9)
        if area is not None:
            assert areas[start] == pytest.approx(area, rel=1e-9)


def test_throughput_divides_by_real_seconds(projects: dict[Engine, DbtProject]) -> None:
    rows = projects["duckdb"].read("fct_mlmon__operations")
    rows = rows[(rows["span_windows"] == 1) & (rows["n_requests"] > 0)]
    seconds = (rows["window_end"] - rows["window_start"]).dt.total_seconds()
    assert ((rows["requests_per_second"] * seconds - rows["n_requests"]).abs() < 1e-6).all()


def test_hours_are_hours(windows: pd.DataFrame) -> None:
    rows = windows[windows["monitor"] == "hourly"]
    assert set(rows["window_end"] - rows["window_start"]) == {pd.Timedelta(hours=1)}
    wanted = log(SPANS[:1])["predicted_at"].dt.floor("h").value_counts().to_dict()
    found = dict(zip(rows["window_start"], rows["n_predictions"], strict=True))
    assert found == wanted


def test_a_span_of_hours_sums_its_windows(projects: dict[Engine, DbtProject]) -> None:
    rows = projects["duckdb"].read("fct_mlmon__operations")
    rows = rows[(rows["monitor"] == "hourly") & (rows["model_version"] == "all")]
    single = rows[rows["span_windows"] == 1].set_index("window_end")["n_requests"]
    six = rows[rows["span_windows"] == 6].set_index("window_end")["n_requests"]
    end = pd.Timestamp("2026-03-08 12:00:00")
    assert six[end] == sum(single[end - pd.Timedelta(hours=i)] for i in range(6)) == 6 * 3
