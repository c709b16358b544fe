"""`mlmon demo` as a newcomer runs it: logs, tables, summary; and dbt's documentation of what it built."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from mlmon.cli.demo import demo_environment

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "flights"

# One column a slot, as many as the widest monitor needs, a bin edge or a label age: their names are numbers.
NUMBERED = re.compile(r"(numeric|category|segment|e|counts|n_positive|n_negative|n_excluded)_\d+")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def said(place: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mlmon", "demo", "--directory", str(place)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "COLUMNS": "160"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_shows_each_incident_and_what_fires(said: str, place: Path) -> None:
    assert "9 of 9" in said
    assert "flight_late" in said
    assert re.search(r"It took \d+ s: logs \d+ s, dbt \d+ s, summary \d+ s\.", said)
    assert str(place / "flights.duckdb") in said.replace("\n", "")
    assert (place / "flights.duckdb").is_file()


@pytest.fixture
def tables(said: str, place: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    assert said
    with duckdb.connect(str(place / "flights.duckdb"), read_only=True) as connection:
        yield connection


def days(tables: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(row[0]) for row in tables.execute(query).fetchall()]


def drifted(column: str) -> str:
    return f"""
        select distinct window_date from fct_mlmon__column_drift
        where monitor = 'flight_late' and is_verdict and segment_name = 'all'
            and column_name = '{column}' and status in ('warning', 'critical')
        order by 1
    """


def test_temperature_drifts_by_season_and_distance_and_plane_age_do_not(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    """docs/flights.md, "What drifts by itself"."""
    warm = days(tables, drifted("temp"))
    months = Counter(day[:7] for day in warm)
    assert [months[f"2013-{month:02d}"] for month in range(5, 9)] == [31, 30, 31, 31]
    assert months["2013-11"] == months["2013-12"] == 0
    assert days(tables, drifted("distance")) == []
    assert days(tables, drifted("plane_age")) == [f"2013-05-{day:02d}" for day in range(8, 12)]


def test_the_figures_of_drift_are_those_of_the_page(tables: duckdb.DuckDBPyConnection) -> None:
    """docs/flights.md, to the digits that it prints."""
    rows = tables.execute(
        """
        select
            cast(window_date as date) as day, month(window_date) as month, column_name, psi, status,
            threshold_warning
        from fct_mlmon__column_drift
        where monitor = 'flight_late' and is_verdict and segment_name = 'all' and n_current >= 300
        """
    ).df()
    psi = {name: part.set_index("month").sort_index() for name, part in rows.groupby("column_name")}

    temp = psi["temp"]
    assert set(temp["threshold_warning"].round(1)) == {6.6}
    assert set(temp["status"]) == {"ok", "warning"}
    assert set(temp.loc[5:9, "status"]) == {"warning"}
    assert (temp.loc[10, "status"] == "warning").mean() > 0.7
    summer, winter = temp.loc[5:9, "psi"], temp.loc[11:12, "psi"]
    assert (round(summer.min(), 1), round(summer.max(), 1)) == (6.9, 8.7)
    assert (round(winter.min(), 1), round(winter.max())) == (0.1, 5)
    assert (temp["psi"] > 0.25).mean() > 0.95

    assert psi["distance"]["psi"].max() < 0.09
    assert set(psi["distance"]["threshold_warning"]) == {0.1}
    age = psi["plane_age"]
    sentinel = pd.to_datetime(age["day"]).between("2013-05-06", "2013-05-12")
    assert age.loc[~sentinel, "psi"].max() < 0.07
    assert set(age["threshold_warning"]) == {0.1}

    def told(column: str, first: str, last: str) -> list[tuple[float, str]]:
        part = psi[column][pd.to_datetime(psi[column]["day"]).between(first, last)]
        part = part.sort_values("day")
        return list(zip(part["psi"].round(2).tolist(), part["status"].tolist(), strict=True))

    assert told("plane_age", "2013-05-08", "2013-05-08") == [(0.14, "warning")]
    assert told("carrier", "2013-08-05", "2013-08-06") == [(0.17, "warning"), (0.39, "critical")]
    assert told("score", "2013-11-14", "2013-11-14") == [(0.33, "warning")]


# By the name that the truth file gives an incident: what docs/flights.md prints, which is the first day, the status,
# and on how many days it stands.
CAUGHT = {
    "Sentinel in plane_age": ("2013-05-06", "critical", 3),
    "A day delivered twice": ("2013-05-22", "critical", 1),
    "Weather feed down at EWR": ("2013-06-10", "critical", 3),
    "60 % of JFK's logs lost": ("2013-07-08", "warning", 5),
    "A carrier spelled differently": ("2013-08-05", "critical", 5),
    "Label feed stalled for a week": ("2013-10-21", "critical", 7),
    "A constant fallback score for 12 hours": ("2013-11-13", "critical", 1),
    "Temperature in degrees Celsius": ("2013-12-11", "critical", 4),
}
SLOW = "Latency times three after the rollout of v2"


def truth(place: Path) -> pd.DataFrame:
    path = place / "logs_landed" / "incidents.csv"
    return pd.read_csv(path, parse_dates=["starts_at", "ends_at"]).set_index("name")


def page_row(beginning: str) -> list[str]:
    page = (ROOT / "docs" / "flights.md").read_text()
    [line] = [row for row in page.splitlines() if row.startswith(f"| {beginning} |")]
    return [cell.strip() for cell in line.split("|")[1:-1]]


@pytest.mark.parametrize("name", CAUGHT)
def test_each_incident_is_caught_by_its_check_on_its_first_day(
    tables: duckdb.DuckDBPyConnection, place: Path, name: str
) -> None:
    """docs/flights.md, "What was put in"."""
    incident = truth(place).loc[name]
    assert incident["table_name"] == "fct_mlmon__quality_checks"
    found = tables.execute(
        """
        select window_date, window_start, window_end, status from fct_mlmon__quality_checks
        where monitor = 'flight_late' and check_name = ? and column_name = ? and status in ('warning', 'critical')
            and segment_value = ?
        order by window_date
        """,
        [
            incident["check_name"],
            incident["column_name"],
            incident["segment_value"] if incident["check_name"] == "volume" else "all",
        ],
    ).df()
    inside = (found["window_start"] < incident["ends_at"]) & (
        found["window_end"] > incident["starts_at"]
    )
    during = found[inside]
    first = during.iloc[0]
    # Within one window: it is the window in which the incident began.
    assert first["window_start"] <= incident["starts_at"] < first["window_end"]
    day = pd.Timestamp(first["window_date"])
    assert (str(day.date()), first["status"], len(during)) == CAUGHT[name]
    printed = page_row(name)
    assert printed[1].startswith(f"{incident['check_name']}")
    assert printed[2] == f"{day.day} {day:%B}, {CAUGHT[name][1]}"


def test_the_slow_rollout_burns_the_error_budget_from_its_first_day(
    tables: duckdb.DuckDBPyConnection, place: Path
) -> None:
    assert truth(place).at[SLOW, "check_name"] == "error_budget_burn"
    burns = tables.execute(
        """
        select window_date, error_budget_burn from fct_mlmon__operations
        where monitor = 'flight_late' and span_windows = 1 and segment_name = 'all'
            and model_version = 'all' and is_closed
        order by 1
        """
    ).df()
    slow = pd.to_datetime(burns["window_date"]).between("2013-09-16", "2013-09-20")
    assert slow.sum() == 5
    assert burns.loc[slow, "error_budget_burn"].between(36, 41).all()
    assert burns.loc[~slow, "error_budget_burn"].max() < 2.1
    assert page_row(SLOW)[2] == "16 September, 37 times what may be"


def test_undisturbed_days_are_not_critical_but_the_one_that_has_no_weather(
    tables: duckdb.DuckDBPyConnection, place: Path
) -> None:
    """docs/flights.md, "False alarms"."""
    rows = tables.execute(
        """
        select monitor, window_date, window_start, window_end, column_name, check_name, status, value
        from fct_mlmon__quality_checks
        """
    ).df()
    disturbed = pd.Series(False, index=rows.index)
    for incident in truth(place).itertuples():
        overlaps = (rows["window_start"] < incident.ends_at) & (
            rows["window_end"] > incident.starts_at
        )
        disturbed |= overlaps & (rows["monitor"] == incident.monitor)
    undisturbed = rows[~disturbed]
    critical = undisturbed[undisturbed["status"] == "critical"]
    told = {
        (row.monitor, str(pd.Timestamp(row.window_date).date()), row.check_name, row.column_name)
        for row in critical.itertuples()
    }
    weather = ("temp", "humid", "wind_speed", "precip", "visib")
    assert told == {("flight_late", "2013-12-31", "missing", column) for column in weather}
    assert (critical["value"] == 1).all()
    n_days = undisturbed.groupby("monitor")["window_date"].nunique()
    warned = undisturbed[undisturbed["status"] == "warning"]
    n_warned = warned.groupby("monitor")["window_date"].nunique()
    page = (ROOT / "docs" / "flights.md").read_text()
    for monitor in ("flight_late", "air_time"):
        n_critical = critical[critical["monitor"] == monitor]["window_date"].nunique()
        line = f"| {monitor} | {n_days[monitor]} | {n_critical} | {n_warned[monitor]} |"
        assert line in page, line


def landed(place: Path, model: str) -> pd.DataFrame:
    """Successful predictions of the landed logs, one a request, with the label they had 14 days later."""
    logs = place / "logs_landed"
    predictions = pd.read_parquet(logs / f"{model}predictions.parquet")
    predictions = predictions.dropna(subset=["request_id", "predicted_at"])
    predictions = predictions.sort_values(["loaded_at", "predicted_at"], kind="stable")
    predictions = predictions.drop_duplicates(["model_version", "request_id"], keep="last")
    predictions = predictions[predictions["outcome"].isin(["ok"]) | predictions["outcome"].isna()]
    labels = pd.read_parquet(logs / f"{model}labels.parquet")
    labels = labels.dropna(subset=["request_id", "labeled_at", "label"])
    rows = predictions.merge(labels, on="request_id", suffixes=("", "_of_label"))
    rows = rows[rows["labeled_at"] - rows["predicted_at"] <= pd.Timedelta(days=14)]
    rows = rows.sort_values(["loaded_at_of_label", "labeled_at"], kind="stable")
    rows = rows.drop_duplicates(["model_version", "request_id"], keep="last")
    local = rows["predicted_at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    return rows.assign(day=local.dt.tz_localize(None).dt.normalize())


MONTHS = pd.date_range("2013-04-30", "2013-12-31", freq="ME")


@pytest.mark.parametrize("month", MONTHS, ids=lambda day: f"{day:%Y-%m}")
def test_months_are_those_that_scikit_learn_finds_in_the_logs(
    tables: duckdb.DuckDBPyConnection, place: Path, month: pd.Timestamp
) -> None:
    """docs/performance.md, to every digit that it prints: scikit-learn's values, and what the marts say."""

    def of_span(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["day"] > month - pd.Timedelta(days=28)) & (rows["day"] <= month)]

    late, air = of_span(landed(place, "")), of_span(landed(place, "air_time_"))
    scored = late.dropna(subset=["score"])
    expected = {
        "roc_auc": sk.roc_auc_score(scored["label"], scored["score"]),
        "f1": sk.f1_score(late["label"], late["prediction"]),
        "brier": sk.brier_score_loss(scored["label"], scored["score"]),
    }
    if month.month < 12:
        expected["mae"] = sk.mean_absolute_error(air["label"], air["prediction"])
        expected["bias"] = float(np.mean(air["prediction"] - air["label"]))
    found = tables.execute(
        """
        select metric, value, value_error, value_low, value_high from fct_mlmon__performance
        where span_windows = 28 and label_age = '14d' and model_version = 'all'
            and segment_name = 'all' and window_date = ?
            and (monitor = 'flight_late' or metric in ('mae', 'bias'))
        """,
        [month.date()],
    ).df()
    values = found.set_index("metric")
    for metric, value in expected.items():
        # 0 but for roc_auc, which is computed from cells.
        off = values.at[metric, "value_error"]
        assert (off > 0) == (metric == "roc_auc")
        assert np.isclose(values.at[metric, "value"], value, rtol=1e-9, atol=off), metric

    page = (ROOT / "docs" / "performance.md").read_text()
    [line] = [row for row in page.splitlines() if row.startswith(f"| {month:%Y-%m} |")]
    printed = [cell.strip() for cell in line.split("|")[2:-1]]
    digits = {"roc_auc": 3, "f1": 3, "brier": 3, "mae": 2, "bias": 2}
    for (metric, places), cell in zip(digits.items(), printed, strict=True):
        if metric not in expected:
            assert cell == "–"
            continue
        told = f"{values.at[metric, 'value']:.{places}f}"
        if metric in ("roc_auc", "bias"):
            low, high = (values.at[metric, bound] for bound in ("value_low", "value_high"))
            told += f" ({low:.{places}f} to {high:.{places}f})"
        assert cell == told, metric


def test_calibration_of_august_is_what_the_logs_say(
    tables: duckdb.DuckDBPyConnection, place: Path
) -> None:
    bins = tables.execute(
        """
        select bin_lower, bin_upper, n, mean_score, observed_rate from fct_mlmon__calibration
        where monitor = 'flight_late' and model_version = 'all' and window_date = '2013-08-31'
        """
    ).df()
    rows = landed(place, "").dropna(subset=["score"])
    rows = rows[(rows["day"] > "2013-08-03") & (rows["day"] <= "2013-08-31")]
    assert len(bins) == 10
    for told in bins.fillna({"bin_lower": -np.inf, "bin_upper": np.inf}).itertuples():
        inside = rows[(rows["score"] > told.bin_lower) & (rows["score"] <= told.bin_upper)]
        assert len(inside) == told.n
        assert np.isclose(inside["score"].mean(), told.mean_score, rtol=1e-9)
        assert np.isclose(inside["label"].mean(), told.observed_rate, rtol=1e-9)


def test_the_words_of_the_performance_page_hold(tables: duckdb.DuckDBPyConnection) -> None:
    page = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    verdicts = tables.execute(
        """
        select month(window_date) as month, status from fct_mlmon__degradation
        where
            monitor = 'air_time' and metric = 'mae' and model_version = 'all' and is_deciding
            and segment_name = 'all' and span_windows = 28
        """
    ).df()
    assert "over 28 days critical on every day from May to October" in page
    assert set(verdicts[verdicts["month"].between(5, 10)]["status"]) == {"critical"}
    november = verdicts[verdicts["month"] == 11]["status"]
    assert len(november) == 30 < 2 * (november == "ok").sum()
    assert "above 0.466 (0.60 on average) 74 % were late" in page
    assert "the reference's own rate (59 %)" in page
    [(low, score, rate, reference)] = tables.execute(
        """
        select bin_lower, mean_score, observed_rate, reference_observed_rate
        from fct_mlmon__calibration
        where monitor = 'flight_late' and model_version = 'all' and window_date = '2013-08-31'
        order by bin_index desc limit 1
        """
    ).fetchall()
    assert (round(low, 3), round(score, 2)) == (0.466, 0.60)
    assert (round(100 * rate), round(100 * reference)) == (74, 59)


def test_what_drift_sees_of_the_incidents(tables: duckdb.DuckDBPyConnection) -> None:
    assert days(tables, drifted("carrier")) == [f"2013-08-{day:02d}" for day in range(5, 16)]
    scores = days(tables, drifted("score"))
    assert [day for day in scores if "2013-11-10" <= day <= "2013-11-20"] == [
        "2013-11-14", "2013-11-15", "2013-11-16",
    ]  # fmt: skip
    constant = days(
        tables,
        """
        select window_date from fct_mlmon__profiles
        where monitor = 'flight_late' and column_name = 'score' and model_version = 'v2'
            and n_rows >= 50 and modal_share > 0.5
        """,
    )
    assert constant == ["2013-11-13"]
    shares = tables.execute(
        """
        select max(modal_share), max(modal_share) filter (window_date <> '2013-11-13')
        from fct_mlmon__profiles
        where monitor = 'flight_late' and column_name = 'score' and model_version = 'v2'
            and window_date between '2013-11-10' and '2013-11-16'
        """
    ).fetchone()
    assert shares is not None
    assert [round(share, 2) for share in shares] == [0.72, 0.02]
    assert not any(day >= "2013-12-01" for day in days(tables, drifted("temp")))


def test_dbt_documents_every_model_and_every_column_that_people_read(
    said: str, place: Path
) -> None:
    assert said
    dbt = Path(sys.executable).parent / "dbt"
    done = subprocess.run(
        [dbt, "--quiet", "docs", "generate", "--profiles-dir", EXAMPLE, "--project-dir", EXAMPLE],
        capture_output=True,
        text=True,
        env={**os.environ, **demo_environment(place, "duckdb")},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    catalog: dict[str, Any] = json.loads((place / "target" / "catalog.json").read_text())
    manifest: dict[str, Any] = json.loads((place / "target" / "manifest.json").read_text())
    ours = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["package_name"] == "mlmon" and node["resource_type"] in ("model", "seed")
    }
    assert len(ours) > 80
    assert set(ours) <= set(catalog["nodes"])
    undescribed = [
        f"{name}.{column}"
        for name, node in ours.items()
        # A private intermediate is described by its grain.
        for column in [
            *(catalog["nodes"][name]["columns"] if node.get("access") != "private" else []),
            None,
        ]
        if not (node["description"] if column is None else described(node, column))
    ]
    assert undescribed == []


def described(node: dict[str, Any], column: str) -> bool:
    known = node["columns"].get(column, {}).get("description")
    return bool(known) or NUMBERED.fullmatch(column) is not None


# What the words of the matrix in docs/tables.md mean in the demo, whose spans are 1, 7 (verdict) and 28 (default).
SPANS = {
    "1": {1},
    "default": {28},
    "default span": {28},
    "verdict span": {7},
    "1 and default span": {1, 28},
    "1 (volume only)": {1},
    "1, verdict and default": {1, 7, 28},
    "every": {1, 7, 28},
    "every: horizon and latest; default: all": {1, 7, 28},
    "none": set[int](),
}
AGES = {
    "all": {"1d", "3d", "7d", "14d", "latest"},
    "horizon": {"14d"},
    "horizon and latest": {"14d", "latest"},
}


def test_the_matrix_of_the_docs_says_which_rows_there_are(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    """Each table of the demo has the spans, label ages and segments that docs/tables.md says, and no others."""
    text = (ROOT / "docs" / "tables.md").read_text()
    matrix = text.split("| table | spans |")[1].split("\n\n")[0].splitlines()[2:]
    built = {name for (name,) in tables.sql("select table_name from duckdb_tables()").fetchall()}
    built |= {name for (name,) in tables.sql("select view_name from duckdb_views()").fetchall()}
    checked, wrong = 0, []
    for row in matrix:
        names, spans, ages, segments = (cell.strip() for cell in row.strip("|").split("|"))
        for name in names.split(", "):
            mart = f"fct_mlmon__{name}"
            if mart not in built or spans.startswith("as "):
                continue
            checked += 1
            columns = tables.table(mart).columns
            found: list[Any] = [
                {span for (span,) in tables.sql(f"select span_windows from {mart}").fetchall()}
            ]
            told: list[Any] = [SPANS[spans]]
            if ages != "-":
                rows = tables.sql(f"select distinct label_age from {mart}").fetchall()
                found.append({age for (age,) in rows})
                told.append(AGES[ages])
            assert (ages == "-") == ("label_age" not in columns), mart
            if segments != "-":
                rows = tables.sql(
                    f"select distinct span_windows from {mart} where segment_name <> 'all'"
                ).fetchall()
                found.append({span for (span,) in rows})
                told.append(SPANS[segments])
            assert (segments == "-") == ("segment_name" not in columns), mart
            if found != told:
                wrong.append((mart, found, told))
    assert not wrong
    assert checked >= 20
