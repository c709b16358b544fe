"""Labels as they come: a feed that stalls, some that turn after a month, half of them, and classes in other words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
HORIZON_DAYS = 3
DAYS, PER_DAY = 44, 40
STALL = 30
# When the logs are read last.
LAST_DAY = DAYS + 0.1
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
# What labels are called, and how they come.
MONITORS = ("stalled", "turned", "half", "words", "mapped", "flags", "rare")


def requests() -> pd.DataFrame:
    n = DAYS * PER_DAY
    random = np.random.default_rng(31)
    day = np.repeat(np.arange(DAYS), PER_DAY)
    predicted_at = START + pd.to_timedelta(day, unit="D")
    predicted_at += pd.to_timedelta(np.tile(np.arange(PER_DAY) * 900, DAYS), unit="s")
    score = np.round(random.uniform(size=n), 3)
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "day": day,
            "predicted_at": predicted_at,
            "loaded_at": predicted_at + pd.Timedelta(minutes=1),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "truth": (random.uniform(size=n) < 0.2 + 0.6 * score).astype(int),
            "delay": random.choice([0.2, 1.5, 2.9], size=n),
            "draw": random.uniform(size=n),
        }
    )


def labels(monitor: str) -> pd.DataFrame:
    rows = requests()
    rows["labeled_at"] = rows["predicted_at"] + pd.to_timedelta(rows["delay"], unit="D")
    if monitor == "stalled":
        # The feed goes down: what came before its end has come, and nothing after.
        rows = rows[rows["labeled_at"] < START + pd.Timedelta(days=STALL)]
    elif monitor == "half":
        rows = rows[rows["draw"] < 0.5]
    elif monitor == "turned":
        again = rows[rows["day"] < 5].assign(truth=lambda found: 1 - found["truth"])
        again["labeled_at"] += pd.Timedelta(days=32)
        rows = pd.concat([rows, again])
    words: dict[str, dict[int, Any]] = {
        "words": {1: "yes", 0: "no"}, "mapped": {1: "yes", 0: "no"},
        "flags": {1: True, 0: False}, "rare": {1: "0", 0: "0"},
    }  # fmt: skip
    label = rows["truth"].map(words[monitor]) if monitor in words else rows["truth"]
    return pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "label": label,
            "labeled_at": rows["labeled_at"],
            "loaded_at": rows["labeled_at"] + pd.Timedelta(minutes=5),
        }
    )


def land(project: DbtProject, day: float) -> None:
    now = START + pd.Timedelta(days=day)
    rows = requests()
    columns = ["request_id", "predicted_at", "loaded_at", "score", "prediction"]
    project.warehouse.load("predictions", rows.loc[rows["loaded_at"] < now, columns], types=TIMES)
    for monitor in MONITORS:
        found = labels(monitor)
        kind = {"flags": "boolean", "words": "text", "mapped": "text", "rare": "text"}
        types = {**TIMES, **({"label": kind[monitor]} if monitor in kind else {})}
        project.warehouse.load(f"{monitor}_labels", found[found["loaded_at"] < now], types=types)


def monitor(name: str) -> dict[str, Any]:
    return {
        "task": "binary",
        "predictions": {"source": ["logs", "predictions"]},
        "labels": {"source": ["logs", f"{name}_labels"]},
        "reference": {"first_days": 7},
        "columns": {"latency_ms": None, "outcome": None, "model_version": None},
        "features": {},
        "spans": ["1d", "4d"],
        "label_horizon_days": HORIZON_DAYS,
        "label_ages_days": [1],
        "primary_metric": "accuracy",
        **({"label_mapping": {"yes": 1, "no": 0}} if name == "mapped" else {}),
    }


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    made: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {name: monitor(name) for name in MONITORS},
        },
        sources={"logs": ["predictions", *(f"{name}_labels" for name in MONITORS)]},
    )
    return made


@pytest.fixture(scope="module")
def lived(project: DbtProject) -> tuple[DbtProject, list[pd.DataFrame]]:
    """Built day by day while the feed is down, then once more at the end."""
    seen = []
    for day in (STALL - 1.9, STALL + 0.1, STALL + 1.1, STALL + 2.1, STALL + 4.1, LAST_DAY):
        land(project, day)
        project.build_for(
            "fct_mlmon__windows", "fct_mlmon__performance", "fct_mlmon__degradation",
            "fct_mlmon__quality_checks",
        )  # fmt: skip
        seen.append(project.read("fct_mlmon__degradation"))
    return project, seen


def day_of(rows: pd.DataFrame) -> pd.Series[Any]:
    return (pd.to_datetime(rows["window_date"]) - START).dt.days


def test_a_stalled_feed_is_never_degraded_on_any_day(
    lived: tuple[DbtProject, list[pd.DataFrame]],
) -> None:
    _, seen = lived
    late = 0
    for rows in seen:
        rows = rows[(rows["monitor"] == "stalled") & rows["is_deciding"]]
        down = rows[day_of(rows) >= STALL - HORIZON_DAYS]
        assert set(down["status"]) <= {"insufficient_data"}
        late += (down["reason_code"] == "labels_late").sum()
        before = rows[day_of(rows).between(15, STALL - 2 * HORIZON_DAYS - 2)]
        assert set(before["status"]) == {"ok"}
    assert late > 0
    last = seen[-1]
    last = last[(last["monitor"] == "stalled") & last["is_deciding"] & (last["span_windows"] == 4)]
    # From the first whole span without labels on.
    down = last[day_of(last).between(STALL + 4, DAYS - HORIZON_DAYS - 2)]
    assert len(down) >= 5
    assert set(down["status"]) == {"insufficient_data"}


def performance(project: DbtProject, monitor: str, age: str, span: int = 1) -> pd.DataFrame:
    rows = project.read("fct_mlmon__performance")
    rows = rows[
        (rows["monitor"] == monitor)
        & (rows["metric"] == "accuracy")
        & (rows["label_age"] == age)
        & (rows["span_windows"] == span)
        & (rows["segment_name"] == "all")
        & (rows["model_version"] == "all")
    ]
    return rows.assign(day=day_of(rows)).set_index("day").sort_index()


def test_a_label_that_turns_after_a_month_changes_the_latest_age_alone(
    lived: tuple[DbtProject, list[pd.DataFrame]],
) -> None:
    project, _ = lived
    rows = requests()
    at_horizon = performance(project, "turned", f"{HORIZON_DAYS}d")
    latest = performance(project, "turned", "latest")
    for day, part in rows.groupby("day"):
        if day > DAYS - HORIZON_DAYS - 2:
            continue
        right = accuracy_score(part["truth"], part["prediction"])
        assert at_horizon.at[day, "value"] == pytest.approx(right, rel=1e-9)
        now = 1 - right if day < 5 else right
        assert latest.at[day, "value"] == pytest.approx(now, rel=1e-9), day
    windows = project.read("fct_mlmon__windows").query("monitor == 'turned'")
    revised = windows.loc[windows["model_version"] == "all"].assign(day=day_of)
    assert set(revised.loc[revised["n_label_revisions"] > 0, "day"]) == set(range(5))


def test_half_of_the_labels_is_said_and_judged_against_what_is_usual(
    lived: tuple[DbtProject, list[pd.DataFrame]],
) -> None:
    project, seen = lived
    rows = requests()
    windows = project.read("fct_mlmon__windows")
    windows = windows[(windows["monitor"] == "half") & (windows["model_version"] == "all")]
    windows = windows.assign(day=day_of(windows)).set_index("day")
    expected = 1 - (rows["draw"] < 0.5).groupby(rows["day"]).mean()
    mature = windows[windows["is_mature"]]
    assert len(mature) > 30
    assert mature["never_labelled_share"].to_numpy() == pytest.approx(
        expected[mature.index].to_numpy()
    )
    assert windows.loc[~windows["is_mature"], "never_labelled_share"].isna().all()
    # Coverage near a half is what is usual here, and a span is judged where it is no less.
    judged = seen[-1]
    judged = judged[
        (judged["monitor"] == "half")
        & judged["is_deciding"]
        & (judged["span_windows"] == 4)
        & (judged["model_version"] == "all")
    ]
    status = judged.assign(day=day_of(judged)).set_index("day")["status"]
    covered = performance(project, "half", f"{HORIZON_DAYS}d", span=4).loc[15 : DAYS - 5]
    is_usual = covered["label_coverage"] >= covered["expected_label_coverage"] - 0.05
    assert 0.3 < is_usual.mean() < 1
    expected_status = is_usual.map({True: "ok", False: "insufficient_data"})
    assert status[covered.index].tolist() == expected_status.tolist()


def usual_coverage(covered: pd.Series[float]) -> list[float]:
    """By day what docs/decisions/08-peers.md says is to be expected, one window after the other."""
    usual = [
        float(np.median(before)) if len(before := covered[max(day - 28, 0) : day]) >= 8 else np.nan
        for day in range(len(covered))
    ]
    peers, expected = [], []
    for day, share in enumerate(covered):
        best = np.fmax.reduce(usual[: day + 1])
        if np.isnan(best) or share >= best - 0.05:
            peers.append(day)
        known = [covered[peer] for peer in peers if peer <= day - HORIZON_DAYS][-28:]
        expected.append(float(np.median(known)) if len(known) >= 8 else np.nan)
    return expected


@pytest.mark.parametrize("age", [1, HORIZON_DAYS])
@pytest.mark.parametrize("monitor", ["stalled", "half"])
def test_expected_coverage_is_that_of_earlier_windows_whose_labels_came(
    lived: tuple[DbtProject, list[pd.DataFrame]], monitor: str, age: int
) -> None:
    project, _ = lived
    came = labels(monitor).drop_duplicates("request_id")
    came = came[came["loaded_at"] < START + pd.Timedelta(days=LAST_DAY)]
    rows = requests().merge(came, how="left", on="request_id")
    in_time = rows["labeled_at"] - rows["predicted_at"] <= pd.Timedelta(days=age)
    covered = in_time.groupby(rows["day"]).mean()
    found = project.read("int_mlmon__label_coverage")
    found = found[
        found["monitor"].eq(monitor)
        & found["label_age"].eq(f"{age}d")
        & found["segment_name"].eq("all")
        & found["model_version"].eq("all")
    ].sort_values("window_index", ignore_index=True)
    assert len(found) >= DAYS - 1
    assert found["label_coverage"].to_numpy() == pytest.approx(covered[found.index].to_numpy())
    expected = pd.Series(usual_coverage(covered))[found.index]
    assert expected.notna().sum() > 25
    assert found["expected_label_coverage"].to_numpy() == pytest.approx(
        expected.to_numpy(), nan_ok=True
    )


def test_classes_that_can_never_match_are_told(
    lived: tuple[DbtProject, list[pd.DataFrame]],
) -> None:
    project, _ = lived
    checks = project.read("fct_mlmon__quality_checks")
    checks = checks[checks["check_name"] == "classes"].set_index("monitor")
    assert set(checks.index) == set(MONITORS)
    words = checks.loc["words"]
    assert (words["status"], words["reason_code"]) == ("critical", "classes_never_match")
    assert words["reason"] == (
        "The predictions are 0, 1 and the labels no, yes: they never match."
        " label_mapping says what they mean."
    )
    assert words["n_failed"] == words["n_checked"]
    assert set(checks.drop("words")["status"]) == {"ok"}
    for monitor in ("mapped", "flags"):
        found = performance(project, monitor, f"{HORIZON_DAYS}d", span=4)["value"].dropna()
        plain = performance(project, "turned", f"{HORIZON_DAYS}d", span=4)["value"].dropna()
        assert found.to_numpy() == pytest.approx(plain.to_numpy())


def test_a_positive_class_that_a_column_cannot_hold_stops_dbt(
    lived: tuple[DbtProject, list[pd.DataFrame]],
) -> None:
    project, _ = lived
    wrong = {"words": {**monitor("words"), "positive_class": "late"}}
    project.set_vars({"mlmon_monitors": wrong})
    result = project.run("compile", "--select", "stg_mlmon__predictions")
    assert not result.ok
    assert "mlmon_monitors.words.positive_class: found 'late', where the column prediction of " in (
        result.text
    )
    assert "declare label_mapping: {1: late, 0: other}" in result.text
