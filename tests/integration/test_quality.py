"""What is wrong in a log, and the check that says so: every check on a day of its own, on both engines.

One monitor lives through 60 ordinary days but for what `INCIDENTS` puts into some of them; what the checks flag must
be that and nothing else. Beside it are hourly monitors, and monitors that lack features, scores, latencies or labels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import ENGINES, Engine

DAYS, PER_DAY = 60, 60
START = pd.Timestamp("2026-01-05")
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
COLOURS = np.array(["red", "green", "blue", "café"])


def values(n: int, seed: int) -> dict[str, Any]:
    """Feature values and scores, the same in the reference and the log; one in twenty sizes is missing."""
    random = np.random.default_rng(seed)
    score = random.random(n).round(6)
    return {
        "prediction": (score >= 0.5).astype(int),
        "score": score,
        "amount": random.normal(100, 10, n).round(3),
        "size": [
            None if missing else f"{size:.2f}"
            for missing, size in zip(random.random(n) < 0.05, random.exponential(5, n), strict=True)
        ],
        "colour": random.choice(COLOURS, n),
        "flag": random.choice(["no", "yes"], n, p=[0.75, 0.25]),
    }


def log() -> pd.DataFrame:
    """A prediction every 24 minutes, loaded ten seconds later; every day has its own weekday."""
    n = DAYS * PER_DAY
    at = START + pd.to_timedelta(np.arange(n) * 24, unit="min")
    made = pd.DataFrame({"request_id": [f"r{i}" for i in range(n)], "predicted_at": at})
    made = made.assign(loaded_at=at + pd.Timedelta(seconds=10), **values(n, 1))
    made["weekday"] = at.day_name()
    made["outcome"] = np.where(np.arange(n) % 50 == 0, "timeout", "ok")
    made["latency_ms"] = np.random.default_rng(2).lognormal(3, 1, n)
    return made


def day(number: int) -> slice:
    """The rows of a day."""
    return slice(number * PER_DAY, (number + 1) * PER_DAY)


Rows = pd.DataFrame


def put(column: str, value: Any, n: int = 20) -> Callable[[Rows], Rows]:
    """The first n rows of a day with another value."""

    def change(rows: Rows) -> Rows:
        changed = rows.copy()
        changed.loc[changed.index[:n], column] = value
        return changed

    return change


def late(rows: Rows) -> Rows:
    """The afternoon arrives the next night."""
    changed = rows.copy()
    changed.loc[changed.index[30:], "loaded_at"] += pd.Timedelta(hours=26)
    return changed


STOPPED = [("volume", "all"), ("feed_lag", "all"), ("orphan_labels", "all")]

# By day: what is done to its rows, and which checks of which columns then say so.
INCIDENTS: dict[int, tuple[Callable[[Rows], Rows], set[tuple[str, str]]]] = {
    30: (put("amount", None), {("missing", "amount")}),
    31: (put("amount", float("nan")), {("missing", "amount"), ("not_finite", "amount")}),
    32: (
        put("amount", float("inf")),
        {("not_finite", "amount"), ("out_of_range", "amount"), ("reference_range", "amount"),
         ("outliers", "amount"), ("constant", "amount")},
    ),
    33: (put("size", "n/a"), {("missing", "size"), ("unparsable", "size")}),
    34: (put("amount", -1.0, 1), {("out_of_range", "amount")}),
    35: (
        put("amount", 400.0, 15),
        {("reference_range", "amount"), ("outliers", "amount")},
    ),
    36: (put("amount", 132.0, 12), {("outliers", "amount")}),
    37: (put("colour", "violet"), {("unseen_category", "colour")}),
    38: (
        put("colour", " Red "),
        {("unseen_category", "colour"), ("lookalike_category", "colour")},
    ),
    39: (
        # The accent as a character of its own.
        put("colour", "cafe\u0301"),
        {("unseen_category", "colour"), ("lookalike_category", "colour")},
    ),
    40: (put("score", 0.25, 40), {("constant", "score")}),
    41: (put("score", 1.5, 3), {("score_range", "score")}),
    # What cannot be used is not there for its labels.
    42: (
        put("predicted_at", pd.Timestamp("2099-01-01"), 5),
        {("future_timestamps", "all"), ("orphan_labels", "all")},
    ),
    43: (
        put("predicted_at", pd.Timestamp("1970-01-01"), 5),
        {("ancient_timestamps", "all"), ("orphan_labels", "all")},
    ),
    44: (put("request_id", None, 5), {("unusable_rows", "all"), ("orphan_labels", "all")}),
    45: (lambda rows: rows.assign(loaded_at=rows["loaded_at"] - pd.Timedelta(hours=1)),
         {("clock_skew", "all")}),
    46: (late, {("freshness", "all")}),
    47: (lambda rows: pd.concat([rows, rows.head(20)]), {("duplicates", "all")}),
    # The log stops for the rest of the day, labels of what was lost come all the same, until two hours into the next.
    48: (lambda rows: rows.head(10), {*STOPPED}),
    49: (lambda rows: rows.head(0), {*STOPPED}),
    50: (lambda rows: rows, {("orphan_labels", "all")}),
    51: (lambda rows: rows.head(35), {*STOPPED}),
    52: (lambda rows: rows, {("orphan_labels", "all")}),
    # Three quarters is usual: hardly less than all, but all is another thing.
    54: (put("flag", "no", PER_DAY), {("constant", "flag")}),
}  # fmt: skip


def put_label(column: str, change: Callable[[Any], Any], n: int = 20) -> Callable[[Rows], Rows]:
    """The first n labels of a day with something done to a column."""

    def changed(rows: Rows) -> Rows:
        rows = rows.copy()
        first = rows.index[:n]
        rows.loc[first, column] = change(rows.loc[first, column])
        return rows

    return changed


def stalled(until: int) -> Callable[[Rows], Rows]:
    """The labels of a day come two hours into a later one."""
    return lambda rows: rows.assign(loaded_at=START + pd.Timedelta(days=until, hours=2))


# The same for the labels of the predictions of a day.
LABEL_INCIDENTS: dict[int, tuple[Callable[[Rows], Rows], set[tuple[str, str]]]] = {
    10: (put_label("labeled_at", lambda at: at - pd.Timedelta(hours=5)), {("early_labels", "all")}),
    12: (
        lambda rows: pd.concat([rows, put_label("label", lambda label: 1 - label)(rows).head(20)]),
        {("label_conflicts", "all")},
    ),
    14: (
        lambda rows: pd.concat([rows, rows.head(20).assign(request_id="nobody's")]),
        {("orphan_labels", "all")},
    ),
    16: (stalled(18), {("feed_lag", "label")}),
    17: (stalled(18), {("feed_lag", "label")}),
    20: (
        put_label("labeled_at", lambda _: pd.Timestamp("2099-01-01"), 5),
        {("future_timestamps", "label")},
    ),
    22: (put_label("request_id", lambda _: None, 5), {("unusable_rows", "label")}),
}  # fmt: skip


def disturbed(rows: Rows, incidents: dict[int, Any] = INCIDENTS) -> Rows:
    days = [rows[day(n)] for n in range(DAYS)]
    return pd.concat(
        [incidents[n][0](part) if n in incidents else part for n, part in enumerate(days)]
    )


def label_log() -> Rows:
    """Two hours after each prediction, a minute later in the log."""
    predictions = log()
    made = predictions["predicted_at"] + pd.Timedelta(hours=2)
    rows = pd.DataFrame(
        {
            "request_id": predictions["request_id"].astype(object),
            "label": np.random.default_rng(3).integers(0, 2, len(predictions)),
            "labeled_at": made,
            "loaded_at": made + pd.Timedelta(minutes=1),
        }
    )
    return disturbed(rows, LABEL_INCIDENTS)


# An hourly log in New York through the change of its clock: many requests by day and few by night, every day; one
# hour of the last days is lost, and two are of another size.
HOURLY_START, HOURLY_DAYS = pd.Timestamp("2026-02-10"), 32
LOST_HOUR = pd.Timestamp("2026-03-12 10:00")
FULL_HOUR = pd.Timestamp("2026-03-13 02:00")
HALF_HOUR = pd.Timestamp("2026-03-13 14:00")


def hourly_log() -> Rows:
    hours = pd.date_range(HOURLY_START, periods=HOURLY_DAYS * 24, freq="h")
    sizes = {LOST_HOUR: 0, FULL_HOUR: 30, HALF_HOUR: 10}
    at = [
        hour + pd.Timedelta(minutes=m)
        for hour in hours
        for n in [sizes.get(hour, 30 if 8 <= hour.hour < 20 else 3)]
        for m in np.arange(n) * 60 / max(n, 1)
    ]
    local = pd.Series(at).dt.tz_localize("America/New_York", nonexistent="shift_forward")
    made = local.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    return pd.DataFrame(
        {
            "request_id": [f"h{i}" for i in range(len(made))],
            "predicted_at": made,
            "loaded_at": made + pd.Timedelta(seconds=10),
            "prediction": [i % 2 for i in range(len(made))],
            "x": [float(i % 7) for i in range(len(made))],
        }
    )


# Nine weeks with few requests at weekends; a Wednesday of the last one is like a Sunday.
WEEKS = 9
QUIET_WEDNESDAY = pd.Timestamp("2026-03-04")


def weekly_log() -> Rows:
    days = pd.date_range(START, periods=7 * WEEKS)
    at = [
        day + pd.Timedelta(minutes=10 * i)
        for day in days
        for i in range(12 if day.day_of_week >= 5 or day == QUIET_WEDNESDAY else 60)
    ]
    ids = [f"w{i}" for i in range(len(at))]
    return pd.DataFrame({"request_id": ids, "predicted_at": at, "prediction": 1})


def arrow(rows: Rows) -> pa.Table:
    """Arrow keeps NaN and NULL apart, pandas does not."""
    columns = {}
    for name in rows.columns:
        kept = rows[name].tolist()
        if name in ("amount", "score"):
            columns[name] = pa.array(kept, pa.float64(), from_pandas=False)
        elif name in TIMES:
            columns[name] = pa.array(rows[name])
        else:
            columns[name] = pa.array([None if pd.isna(value) else value for value in kept])
    return pa.table(columns)


FEATURES = {
    "amount": {"kind": "numeric", "min": 0, "max": 1000},
    "size": "numeric",
    "colour": "categorical",
    "weekday": "categorical",
    "flag": "categorical",
}


def configured() -> dict[str, Any]:
    short = {
        "task": "binary",
        "predictions": {"source": ["logs", "few_days"]},
        "labels": {"source": ["logs", "labels"]},
        "reference": {"source": ["logs", "reference"]},
        "features": FEATURES,
        "label_horizon_days": 3,
        "label_ages_days": [1],
        "spans": ["1d", "3d"],
        "success_outcomes": ["ok"],
        "slo": {"latency_ms": 60, "target": 0.95},
    }
    without_labels = {key: value for key, value in short.items() if not key.startswith("label")}
    return {
        "daily": {
            **short,
            "predictions": {"source": ["logs", "predictions"]},
            "spans": ["1d", "7d"],
        },
        "hourly": {
            "task": "binary",
            "grain": "hour",
            "timezone": "America/New_York",
            "predictions": {"source": ["logs", "hourly"]},
            "reference": {"first_days": 7},
            "features": {"x": "numeric"},
            "spans": ["1h", "24h"],
        },
        "whole": short,
        "no_features": {**short, "features": {}},
        "no_scores": {**short, "columns": {"score": None}},
        "no_latency": {**short, "columns": {"latency_ms": None}},
        "no_outcomes": {**short, "columns": {"outcome": None}},
        "no_labels": without_labels,
        "split": {
            **without_labels,
            "reference": None,
            "features": {},
            "columns": {"model_version": "flag"},
            "segments": [{"name": "colour", "values": ["red", "green"]}],
        },
        "bare": {
            "task": "binary",
            "predictions": {"source": ["logs", "bare"]},
            "reference": None,
            "spans": ["1d", "3d"],
        },
        "weekly": {
            "task": "binary",
            "predictions": {"source": ["logs", "weekly"]},
            "reference": None,
            "spans": ["1d"],
        },
        "young": {
            "task": "binary",
            "predictions": {"source": ["logs", "young"]},
            "reference": None,
            "spans": ["1d"],
        },
    }


def reference() -> Rows:
    rows = pd.DataFrame(values(4000, 7))
    rows["weekday"] = (START + pd.to_timedelta(np.arange(len(rows)), unit="D")).day_name()
    return rows


@pytest.fixture(scope="module")
def projects(make_project: Any) -> dict[Engine, DbtProject]:
    kept_as_they_are = {"amount": object, "colour": object, "request_id": object}
    whole = log()
    tables: dict[str, Any] = {
        "predictions": arrow(disturbed(whole.astype(kept_as_they_are))),
        "labels": arrow(label_log()),
        "reference": reference(),
        "hourly": hourly_log(),
        "few_days": whole.head(6 * PER_DAY),
        "weekly": weekly_log(),
        "bare": whole.head(6 * PER_DAY)[["request_id", "predicted_at", "prediction"]],
        "young": pd.concat([whole[: 8 * PER_DAY], whole[9 * PER_DAY : 11 * PER_DAY]])[
            ["request_id", "predicted_at", "prediction"]
        ],
    }
    built = {}
    for engine in ENGINES:
        project: DbtProject = make_project(
            engine,
            vars={
                "mlmon_monitors": configured(),
                "mlmon_lookback_days": 0,
                "mlmon_python_models": False,
            },
            sources={"logs": list(tables)},
        )
        for name, rows in tables.items():
            project.warehouse.load(name, rows)
        project.build("--vars", "{mlmon_package_tests: true}")
        built[engine] = project
    return built


@pytest.fixture(params=ENGINES)
def project(request: pytest.FixtureRequest, projects: dict[Engine, DbtProject]) -> DbtProject:
    return projects[request.param]


def of(project: DbtProject, mart: str, monitor: str, **given: Any) -> Rows:
    rows: Rows = project.read(mart)
    rows = rows[rows["monitor"] == monitor]
    for column, value in given.items():
        rows = rows[rows[column] == value]
    return rows


def test_both_engines_say_the_same(projects: dict[Engine, DbtProject]) -> None:
    names = [
        name
        for name in projects["duckdb"].warehouse.tables()
        if name.startswith(("fct_mlmon__", "dim_mlmon__"))
    ]
    unequal = {
        name: found
        for name in names
        if (found := differences(*(projects[engine].read(name) for engine in ENGINES)))
    }
    assert unequal == {}


def flagged(checks: Rows) -> set[tuple[int, str, str]]:
    rows = checks[checks["status"].isin(["warning", "critical"])]
    days = (pd.to_datetime(rows["window_date"]) - START).dt.days
    return set(zip(days, rows["check_name"], rows["column_name"], strict=True))


def test_each_check_finds_its_incident_on_its_day_and_nothing_else(projects: Any) -> None:
    expected = {
        (number, *check)
        for incidents in (INCIDENTS, LABEL_INCIDENTS)
        for number, (_, checks) in incidents.items()
        for check in checks
    }
    assert flagged(of(projects["duckdb"], "fct_mlmon__quality_checks", "daily")) == expected


def test_a_day_without_rows_says_so(project: DbtProject) -> None:
    checks = of(project, "fct_mlmon__quality_checks", "daily", check_name="volume")
    empty = checks[checks["n_checked"] == 0]
    assert list(empty["window_date"]) == [START + pd.Timedelta(days=49)]
    assert list(empty["reason_code"]) == ["no_rows_at_all"]
    assert list(empty["status"]) == ["critical"]


def test_a_day_is_held_against_the_same_weekday(project: DbtProject) -> None:
    checks = of(project, "fct_mlmon__quality_checks", "weekly", check_name="volume")
    checks = checks[checks["reason_code"] != "short_history"]
    assert len(checks) >= 5 * 7
    found = checks[checks["status"] != "ok"]
    assert list(zip(found["window_date"], found["status"], strict=True)) == [
        (QUIET_WEDNESDAY, "critical")
    ]
    assert found["reference_value"].item() == pytest.approx(60)
    weekend = pd.to_datetime(checks["window_date"]).dt.day_of_week >= 5
    assert np.allclose(checks.loc[weekend, "reference_value"], 12)


def test_an_empty_day_of_a_log_too_young_for_weeks_is_told_by_the_days_before(
    project: DbtProject,
) -> None:
    checks = of(project, "fct_mlmon__quality_checks", "young", check_name="volume")
    told = dict(zip(checks["window_date"], checks["reason_code"], strict=True))
    empty = START + pd.Timedelta(days=8)
    assert told.pop(empty) == "no_rows_at_all"
    assert set(told.values()) == {"short_history"}
    [reason] = checks[checks["window_date"] == empty]["reason"]
    assert reason == "No requests, where none of the windows of two weeks was empty."


def test_what_the_reference_lacks_as_often_is_no_finding(project: DbtProject) -> None:
    checks = of(
        project, "fct_mlmon__quality_checks", "daily", check_name="missing", column_name="size"
    )
    ordinary = checks[checks["status"] == "ok"]
    expected = reference()["size"].isna().mean()
    assert np.allclose(checks["reference_value"], expected)
    assert ordinary["value"].max() > 0.1
    assert np.allclose(checks["expected_high"], expected + 0.05)


def test_an_incident_is_no_part_of_what_is_usual(project: DbtProject) -> None:
    """The four days after a late afternoon, and the week after an empty day, are held against the days without."""
    checks = of(project, "fct_mlmon__quality_checks", "daily")
    late_share = checks[checks["check_name"] == "freshness"].set_index("window_date")
    assert late_share.at[START + pd.Timedelta(days=46), "value"] == pytest.approx(0.5, abs=0.02)
    assert (late_share["reference_value"].dropna() == 0).all()
    volume = checks[checks["check_name"] == "volume"].set_index("window_date")
    for number in (48, 49, 51):
        week_after = START + pd.Timedelta(days=number + 7)
        assert volume.at[week_after, "reference_value"] == pytest.approx(60)


def examples(project: DbtProject, check: str, number: int) -> Rows:
    rows = of(project, "fct_mlmon__quality_examples", "daily", check_name=check)
    return rows[rows["window_date"] == START + pd.Timedelta(days=number)].sort_values(
        "example_rank"
    )


@pytest.mark.parametrize(
    ("check", "number", "value", "n_rows"),
    [
        ("missing", 30, "(missing)", 19),
        ("clock_skew", 45, f"r{45 * PER_DAY}", 60),
        ("freshness", 46, f"r{46 * PER_DAY + 30}", 30),
        ("not_finite", 31, "NaN", 20),
        ("not_finite", 32, "inf", 20),
        ("unparsable", 33, "n/a", 20),
        ("out_of_range", 34, "-1", 1),
        ("reference_range", 35, "400", 14),
        ("unseen_category", 37, "violet", 20),
        ("constant", 40, "0.250000", 39),
        ("score_range", 41, "1.5", 3),
        ("future_timestamps", 42, "2099-01-01 00:00:00", 5),
        ("ancient_timestamps", 43, "1970-01-01 00:00:00", 5),
        ("unusable_rows", 44, "missing_request_id", 5),
        ("orphan_labels", 14, "nobody's", 20),
    ],
)
def test_examples_show_the_value_and_how_many_rows_hold_it(
    project: DbtProject, check: str, number: int, value: str, n_rows: int
) -> None:
    found = examples(project, check, number)
    found = found[(check != "missing") | (found["column_name"] == "amount")]
    assert list(zip(found["example_value"], found["n_rows"], strict=True)) == [(value, n_rows)]
    if check in (
        "missing",
        "not_finite",
        "out_of_range",
        "unparsable",
        "unseen_category",
        "score_range",
    ):
        # Errors are not looked at: the first request of some days is one.
        assert found["example_request_id"].item() in {f"r{number * PER_DAY + i}" for i in (0, 1)}


@pytest.mark.parametrize(
    ("number", "spelling", "known"), [(38, " Red ", "red"), (39, "cafe\u0301", "café")]
)
def test_another_spelling_is_told_with_the_one_it_resembles(
    project: DbtProject, number: int, spelling: str, known: str
) -> None:
    [found] = examples(project, "lookalike_category", number).to_dict("records")
    assert (found["example_value"], found["resembles"]) == (spelling, known)
    assert examples(project, "lookalike_category", 37).empty


def test_of_many_examples_five_are_kept(project: DbtProject) -> None:
    found = examples(project, "duplicates", 47)
    assert list(found["example_rank"]) == [1, 2, 3, 4, 5]
    assert list(found["example_value"]) == [f"r{47 * PER_DAY + i}" for i in range(5)]


def test_hours_are_held_against_the_same_local_hour_through_a_change_of_the_clock(
    project: DbtProject,
) -> None:
    checks = of(project, "fct_mlmon__quality_checks", "hourly")
    found = checks[checks["status"].isin(["warning", "critical"])]
    told = {
        (start + pd.Timedelta(hours=-4), check, reason)
        for start, check, reason in zip(
            found["window_start"], found["check_name"], found["reason_code"], strict=True
        )
    }
    assert told == {
        (LOST_HOUR, "volume", "no_rows_at_all"),
        (LOST_HOUR, "feed_lag", "above_critical"),
        (FULL_HOUR, "volume", "above_critical"),
        (HALF_HOUR, "volume", "above_warning"),
    }
    judged = checks[(checks["check_name"] == "volume") & (checks["reason_code"] != "short_history")]
    assert len(judged) > 200


def test_quantiles_of_a_day_are_numpys_and_of_a_week_within_one_per_cent(
    project: DbtProject,
) -> None:
    rows = of(project, "fct_mlmon__operations", "no_features", model_version="all", is_closed=True)
    kept = log().head(6 * PER_DAY)
    n_compared = 0
    for row in rows.to_dict("records"):
        inside = kept["predicted_at"].between(
            row["window_start"], row["window_end"], inclusive="left"
        )
        latencies = kept.loc[inside, "latency_ms"]
        relative = 1e-9 if row["span_windows"] == 1 else 0.01
        assert row["quantile_method"] == (
            "exact" if row["span_windows"] == 1 or len(latencies) == 60 else "binned"
        )
        for percent in (50, 90, 95, 99):
            exact = np.percentile(latencies, percent)
            assert row[f"latency_p{percent}_ms"] == pytest.approx(exact, rel=relative), percent
        assert row["latency_mean_ms"] == pytest.approx(latencies.mean())
        assert row["latency_stddev_ms"] == pytest.approx(latencies.std())
        assert row["latency_max_ms"] == pytest.approx(latencies.max())
        attained = (latencies <= 60).mean()
        assert row["slo_attained_share"] == pytest.approx(attained)
        assert row["error_budget_burn"] == pytest.approx((1 - attained) / 0.05)
        n_compared += 1
    assert n_compared >= 8


def test_operations_of_every_version_and_segment_are_those_of_its_rows(project: DbtProject) -> None:
    kept = log().head(6 * PER_DAY)
    kept["segment"] = kept["colour"].where(kept["colour"].isin(["red", "green"]), "__other__")
    rows = of(project, "fct_mlmon__operations", "split", is_closed=True)
    assert set(rows["model_version"]) == {"all", "no", "yes"}
    assert set(rows["segment_value"]) == {"all", "red", "green", "__other__"}
    assert set(rows["span_windows"]) == {1, 3}
    for row in rows.to_dict("records"):
        inside = kept["predicted_at"].between(
            row["window_start"], row["window_end"], inclusive="left"
        )
        for given, column in (("model_version", "flag"), ("segment_value", "segment")):
            inside &= (row[given] == "all") | (kept[column] == row[given])
        found, latencies = kept[inside], kept.loc[inside, "latency_ms"]
        n_errors = (found["outcome"] != "ok").sum()
        assert (row["n_requests"], row["n_errors"]) == (len(found), n_errors)
        seconds = (row["window_end"] - row["window_start"]).total_seconds()
        assert row["requests_per_second"] == pytest.approx(len(found) / seconds)
        assert row["error_rate"] == pytest.approx(n_errors / len(found))
        relative = 1e-9 if row["quantile_method"] == "exact" else 0.01
        for percent in (50, 90, 95, 99):
            exact = np.percentile(latencies, percent)
            assert row[f"latency_p{percent}_ms"] == pytest.approx(exact, rel=relative), percent
        if row["span_windows"] == 1 and row["model_version"] != "all":
            assert row["quantile_method"] == "exact"
        assert row["latency_mean_ms"] == pytest.approx(latencies.mean())
        assert row["latency_stddev_ms"] == pytest.approx(latencies.std(), nan_ok=True)
        assert row["latency_max_ms"] == pytest.approx(latencies.max())
        assert row["slo_attained_share"] == pytest.approx((latencies <= 60).mean())


def test_a_latency_objective_that_is_missed_alerts_where_one_is_declared(
    project: DbtProject,
) -> None:
    states = project.read("fct_mlmon__alert_states")
    found = states[states["rule_id"] == "error_budget"].set_index("monitor")
    declared = {"daily", "whole", "no_features", "no_scores", "no_outcomes", "no_labels", "split"}
    # A seventh of the latencies is above 60 ms, where a twentieth may be.
    assert found[found["state"] == "firing"]["severity"].to_dict() == dict.fromkeys(
        declared, "warning"
    )
    others = found.drop(index=list(declared))
    assert {"bare", "hourly", "no_latency"} <= set(others.index)
    assert set(others["state"]) == {"ok"}


def test_outcomes_are_counted_by_what_the_log_says(project: DbtProject) -> None:
    kept = log().head(6 * PER_DAY)
    rows = of(project, "fct_mlmon__outcomes", "whole", model_version="all", is_closed=True)
    assert len(rows) >= 16
    for (start, end), found in rows.groupby(["window_start", "window_end"]):
        inside = kept[kept["predicted_at"].between(start, end, inclusive="left")]
        counts = inside["outcome"].value_counts().to_dict()
        assert dict(zip(found["outcome"], found["n"], strict=True)) == counts
        assert found["share"].sum() == pytest.approx(1)
        assert dict(zip(found["outcome"], found["is_error"], strict=True)) == {
            outcome: outcome != "ok" for outcome in counts
        }


def test_monitors_say_what_their_logs_do_not_have(project: DbtProject) -> None:
    rows = project.read("dim_mlmon__monitors").set_index("monitor")
    known = ["n_features", "has_labels", "has_score", "has_prediction", "has_latency"]
    whole = {"n_features": 5, "has_labels": True, "has_score": True, "has_prediction": True,
             "has_latency": True}  # fmt: skip
    expected = {
        "whole": whole,
        "no_features": {**whole, "n_features": 0},
        "no_scores": {**whole, "has_score": False},
        "no_latency": {**whole, "has_latency": False},
        "no_outcomes": whole,
        "no_labels": {**whole, "has_labels": False},
        "bare": {**dict.fromkeys(known, False), "n_features": 0, "has_prediction": True},
    }
    assert {name: rows.loc[name, known].to_dict() for name in expected} == expected


def test_without_features_there_is_no_drift_of_features_and_it_says_so(project: DbtProject) -> None:
    for monitor in ("no_features", "bare"):
        rows = of(project, "fct_mlmon__dataset_drift", monitor)
        assert set(rows["reason_code"]) == {"no_features"}
        assert set(rows["status"]) == {"not_judged"}
    drift = of(project, "fct_mlmon__column_drift", "no_features")
    assert set(drift["column_name"]) == {"score", "prediction"}


def test_without_scores_metrics_of_classes_are_the_same(project: DbtProject) -> None:
    metrics = {
        monitor: of(project, "fct_mlmon__performance", monitor, label_age="latest").set_index(
            ["window_end", "span_windows", "model_version", "metric"]
        )["value"]
        for monitor in ("whole", "no_scores")
    }
    without = metrics["no_scores"]
    assert {"f1", "accuracy"} <= set(without.index.get_level_values("metric"))
    assert not {"roc_auc", "brier"} & set(without.index.get_level_values("metric"))
    assert without.equals(metrics["whole"].loc[without.index])


def test_without_latencies_operations_have_the_rest_and_say_so(project: DbtProject) -> None:
    for monitor in ("no_latency", "bare"):
        rows = of(project, "fct_mlmon__operations", monitor)
        assert set(rows["quantile_method"]) == {"none"}
        assert rows["latency_p99_ms"].isna().all()
        assert rows["error_budget_burn"].isna().all()
        assert rows["requests_per_second"].gt(0).any()


def test_without_labels_there_is_neither_performance_nor_a_check_of_labels(
    project: DbtProject,
) -> None:
    for monitor in ("no_labels", "bare"):
        assert of(project, "fct_mlmon__performance", monitor).empty
        assert of(project, "fct_mlmon__degradation", monitor).empty
        checks = of(project, "fct_mlmon__quality_checks", monitor)
        assert not checks["check_name"].str.contains("label").any()
        assert not (checks["column_name"] == "label").any()
        assert set(of(project, "fct_mlmon__monitor_health", monitor)["performance_rank"]) == {0}


def test_a_column_that_the_log_never_had_is_not_missed(project: DbtProject) -> None:
    [score] = of(
        project, "fct_mlmon__quality_checks", "bare", check_name="schema", column_name="score"
    ).to_dict("records")
    assert (score["status"], score["reason_code"]) == ("not_judged", "not_logged")
    [there] = of(
        project, "fct_mlmon__quality_checks", "whole", check_name="schema", column_name="score"
    ).to_dict("records")
    assert there["status"] == "ok"
    health = of(project, "fct_mlmon__monitor_health", "bare")
    assert health["status_rank"].max() < 4
