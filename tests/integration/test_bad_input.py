"""Bad input, and what it gets: a row with a status, a counted quarantine, or an error in plain words.

One project with a monitor per kind of trouble, on both engines. Nothing vanishes without being counted,
no mart holds NaN or infinity, and both engines say the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import ENGINES, Engine

DAYS, PER_DAY = 3, 40
START = pd.Timestamp("2026-02-02")
HOSTILE_COLUMNS = (
    "two words", 'a "quoted" name', "it's", "select", "größe", "semi;colon", "per%cent",
    "{{ braces }}",
)  # fmt: skip
HOSTILE_VALUES = (
    "O'Hare", 'the "best"', "a;b", "trailing ", "trailing", "Trailing", "", "NULL", "__missing__",
    "{{ x }}", "100%", "back\\slash", "line\nbreak", "東京", "--",
)  # fmt: skip


def times(n: int) -> pd.Series[Any]:
    step = pd.Timedelta(days=1) / PER_DAY
    return pd.Series([START + step * i for i in range(n)]).astype("datetime64[us]")


def log(n: int = DAYS * PER_DAY, **columns: Any) -> pd.DataFrame:
    """An ordinary prediction log over three days, with columns put in or replaced."""
    made = times(n)
    frame = pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "model_version": pd.Series(["v1"] * n, dtype="str"),
            "predicted_at": made,
            "loaded_at": made + pd.Timedelta(seconds=90),
            "prediction": [i % 2 for i in range(n)],
            "score": [(i % 10) / 10 for i in range(n)],
            "x": [float(i % 7) for i in range(n)],
            "colour": [["red", "green", "blue"][i % 3] for i in range(n)],
        }
    )
    # A last row of the next day closes the days before it.
    closing = START + pd.Timedelta(days=DAYS, hours=2)
    frame.loc[frame.index == n - 1, ["predicted_at", "loaded_at"]] = closing
    return frame.assign(**columns)


def labels(of: pd.DataFrame, delay: pd.Timedelta) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "request_id": of["request_id"],
            "label": [i % 2 for i in range(len(of))],
            "labeled_at": of["predicted_at"] + delay,
            "loaded_at": of["loaded_at"],
        }
    )


def inputs(engine: Engine) -> dict[str, Any]:
    """Every table of the project. Arrow keeps NaN apart from NULL where pandas does not."""
    n = DAYS * PER_DAY
    plain = log()
    odd_times = log()
    odd_times.loc[3, "predicted_at"] = pd.Timestamp("1900-01-01")
    odd_times.loc[4, "predicted_at"] = pd.Timestamp("2099-12-31")
    odd_times.loc[5, ["predicted_at", "loaded_at"]] = pd.NaT
    null_ids = log()
    null_ids.loc[[1, 2, 3, 4], "request_id"] = None
    numbers = pa.Table.from_pandas(log().drop(columns=["x"]), preserve_index=False)
    odd = [0.5, float("nan"), float("inf"), float("-inf"), None, 1e300, -1e300, 3.0]
    numbers = numbers.append_column("x", pa.array([odd[i % len(odd)] for i in range(n)]))
    numbers = numbers.append_column("empty", pa.array([None] * n, pa.float64()))
    texts = log(
        x=pd.Series(
            [["1.5", "oops", " 2 ", "", "1e3", "NaN"][i % 6] for i in range(n)], dtype="str"
        ),
        score=pd.Series([["0.5", "high", "0.25"][i % 3] for i in range(n)], dtype="str"),
    )
    hostile_columns = plain.assign(**dict.fromkeys(HOSTILE_COLUMNS, plain["x"]))
    # DuckDB does not tell columns by case, PostgreSQL does.
    if engine == "postgres":
        hostile_columns["Case"], hostile_columns["case"] = plain["x"], plain["x"] + 1
    else:
        hostile_columns["Case"], hostile_columns["lower_case"] = plain["x"], plain["x"] + 1
    versions = log(
        model_version=pd.Series([["v1", "v2", None][i % 3] for i in range(n)], dtype="str")
    )
    return {
        "reference": log(),
        "empty": log(0),
        "plain": plain,
        "odd_times": odd_times,
        "null_ids": null_ids,
        "odd_numbers": numbers,
        "odd_numbers_reference": numbers,
        "text_numbers": texts,
        "hostile_columns": hostile_columns,
        "hostile_values": log(
            colour=[HOSTILE_VALUES[i % len(HOSTILE_VALUES)] for i in range(n)]
        ),
        "many_values": log(
            12_000, colour=[f"sku {i % 10_000}" for i in range(12_000)],
            predicted_at=[START] * 11_999 + [START + pd.Timedelta(days=3)],
            loaded_at=[START] * 11_999 + [START + pd.Timedelta(days=3)],
        ),
        "versions": versions,
        "early_labels": labels(plain, pd.Timedelta(hours=-5)),
        "orphan_labels": labels(plain.assign(request_id=plain["request_id"] + "x"), pd.Timedelta(0)),
        "vanishing": plain,
    }  # fmt: skip


def configured(engine: Engine) -> dict[str, Any]:
    def monitor(table: str, **more: Any) -> dict[str, Any]:
        return {
            "task": "binary",
            "predictions": {"source": ["logs", table]},
            "reference": {"source": ["logs", "reference"]},
            "features": {"x": "numeric", "colour": "categorical"},
            "spans": ["1d"],
            **more,
        }

    def label_source(table: str) -> dict[str, Any]:
        return {"labels": {"source": ["logs", table]}, "label_horizon_days": 1}

    by_case = {"Case": "Case", "lower": "case" if engine == "postgres" else "lower_case"}
    hostile = {
        name: {"kind": "numeric", "column": column, "quote": True}
        for name, column in [*zip(HOSTILE_COLUMNS, HOSTILE_COLUMNS, strict=True), *by_case.items()]
    }
    return {
        "empty_log": monitor("empty"),
        "without_labels": monitor("plain"),
        "empty_reference": monitor("plain", reference={"source": ["logs", "empty"]}),
        "no_reference": monitor("plain", reference=None),
        "odd_times": monitor("odd_times"),
        "only_event_times": monitor("odd_times", columns={"loaded_at": None}),
        "null_ids": monitor("null_ids"),
        "odd_numbers": monitor(
            "odd_numbers",
            reference={"source": ["logs", "odd_numbers_reference"]},
            features={
                "x": {"kind": "numeric", "min": -1e6, "max": 1e6},
                "empty": "numeric",
                "colour": "categorical",
            },
        ),
        "text_numbers": monitor("text_numbers"),
        "hostile_columns": monitor(
            "hostile_columns",
            reference={"source": ["logs", "hostile_columns"]},
            features=hostile,
        ),
        "hostile_values": monitor(
            "hostile_values", reference={"source": ["logs", "hostile_values"]}, segments=["colour"]
        ),
        "many_values": monitor("many_values", reference={"source": ["logs", "many_values"]}),
        "versions": monitor("versions"),
        "early_labels": monitor("plain", **label_source("early_labels")),
        "orphan_labels": monitor("plain", **label_source("orphan_labels")),
        "vanishing": monitor("vanishing", segments=["colour"]),
    }


def made_project(make_project: Any, engine: Engine) -> DbtProject:
    tables = inputs(engine)
    project: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": configured(engine),
            "mlmon_lookback_days": 0,
            "mlmon_python_models": False,
            "mlmon_package_tests": True,
        },
        sources={"logs": list(tables)},
    )
    types = {"loaded_at": "timestamp", "predicted_at": "timestamp", "labeled_at": "timestamp"}
    for name, rows in tables.items():
        given = set(rows.column_names if isinstance(rows, pa.Table) else rows.columns)
        known = {column: kind for column, kind in types.items() if column in given}
        if name == "empty":
            known |= {"request_id": "text", "colour": "text", "x": "double precision",
                      "score": "double precision", "prediction": "bigint"}  # fmt: skip
        project.warehouse.load(name, rows, types=known)
    without_tests = ["--exclude-resource-type", "test", "unit_test"]
    project.build(
        "--select", "+fct_mlmon__column_drift", "int_mlmon__schema_history", *without_tests
    )
    # The second run: a feature and a segment have vanished from one log, another feature has become text, and there
    # is a column that was not. PostgreSQL drops the views on the log with it; dbt makes them again.
    cascade = " cascade" if engine == "postgres" else ""
    project.warehouse.execute(f"alter table logs.vanishing drop column colour{cascade}")
    project.warehouse.execute("alter table logs.vanishing alter column x type text")
    project.warehouse.execute("alter table logs.vanishing add column extra bigint")
    project.build()
    return project


@pytest.fixture(scope="module")
def projects(make_project: Any) -> dict[Engine, DbtProject]:
    return {engine: made_project(make_project, engine) for engine in ENGINES}


@pytest.fixture(params=ENGINES)
def project(request: pytest.FixtureRequest, projects: dict[Engine, DbtProject]) -> DbtProject:
    return projects[request.param]


def rows_of(project: DbtProject, mart: str, monitor: str, **given: str) -> pd.DataFrame:
    rows: pd.DataFrame = project.read(mart if mart.startswith("dim") else f"fct_mlmon__{mart}")
    rows = rows[rows["monitor"] == monitor]
    for column, value in given.items():
        rows = rows[rows[column] == value]
    return rows


def marts(project: DbtProject) -> list[str]:
    return [
        name
        for name in project.warehouse.tables()
        if name.startswith(("fct_mlmon__", "dim_mlmon__"))
    ]


def test_both_engines_say_the_same(projects: dict[Engine, DbtProject]) -> None:
    duckdb, postgres = projects["duckdb"], projects["postgres"]
    assert marts(duckdb) == marts(postgres)
    unequal = {}
    for name in marts(duckdb):
        left, right = duckdb.read(name), postgres.read(name)
        if "expression" in left.columns:
            # The column that differs by case alone has another name on DuckDB.
            left, right = left.drop(columns="expression"), right.drop(columns="expression")
        if found := differences(left, right):
            unequal[name] = found
    assert unequal == {}


def test_no_mart_holds_nan_or_infinity(project: DbtProject) -> None:
    odd = ", ".join(f"cast('{x}' as double precision)" for x in ("inf", "-inf", "nan"))
    types = project.warehouse.query(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'analytics' and data_type in ('DOUBLE', 'double precision')"
    )
    names = marts(project)
    wrong = []
    for name, columns in types.groupby("table_name")["column_name"]:
        if name not in names:
            continue
        is_odd = " or ".join(f'"{column}" in ({odd})' for column in columns)
        found = project.warehouse.query(
            f'select count(*) as n from analytics."{name}" where {is_odd}'
        )
        if int(found["n"].iloc[0]) > 0:
            wrong.append(name)
    assert types["table_name"].nunique() > 20
    assert wrong == []


def test_an_empty_log_is_a_monitor_without_windows(project: DbtProject) -> None:
    [monitor] = rows_of(project, "dim_mlmon__monitors", "empty_log").to_dict("records")
    assert monitor["model_version"] == "none"
    assert not monitor["is_active"]
    health = rows_of(project, "monitor_health", "empty_log")
    assert len(rows_of(project, "windows", "empty_log")) == 0
    assert len(health) == 0


def test_without_labels_there_is_no_performance_and_no_error(project: DbtProject) -> None:
    assert len(rows_of(project, "performance", "without_labels").dropna(subset=["value"])) == 0
    windows = rows_of(project, "windows", "without_labels")
    assert windows["label_coverage"].isna().all()
    assert len(rows_of(project, "drift", "without_labels").dropna(subset=["value"])) > 0


@pytest.mark.parametrize("monitor", ["empty_reference", "no_reference"])
def test_without_a_reference_drift_says_no_reference(project: DbtProject, monitor: str) -> None:
    rows = rows_of(project, "column_drift", monitor)
    assert len(rows) >= 3 * DAYS
    assert set(rows["status"]) == {"no_reference"}
    assert rows["psi"].isna().all()
    assert set(rows_of(project, "dataset_drift", monitor)["status"]) == {"no_reference"}


@pytest.mark.parametrize("monitor", ["odd_times", "only_event_times"])
def test_odd_times_are_quarantined_and_do_not_stretch_the_windows(
    project: DbtProject, monitor: str
) -> None:
    quarantine = rows_of(project, "quarantine", monitor)
    counted = quarantine.groupby("reason_code")["n_rows"].sum().to_dict()
    assert counted == {"implausible_time": 2, "missing_time": 1}
    windows = rows_of(project, "windows", monitor, model_version="v1")
    assert len(windows) == DAYS + 1
    assert windows["n_log_rows"].sum() == DAYS * PER_DAY - 3


def test_rows_without_id_are_quarantined(project: DbtProject) -> None:
    quarantine = rows_of(project, "quarantine", "null_ids")
    assert quarantine.groupby("reason_code")["n_rows"].sum().to_dict() == {"missing_request_id": 4}
    windows = rows_of(project, "windows", "null_ids", model_version="v1")
    assert windows["n_log_rows"].sum() == DAYS * PER_DAY - 4


def test_a_feature_that_is_all_null_is_missing_everywhere(project: DbtProject) -> None:
    rows = rows_of(project, "profiles", "odd_numbers", column_name="empty")
    assert len(rows) >= DAYS
    assert (rows["missing_share"] == 1).all()
    drift = rows_of(project, "column_drift", "odd_numbers", column_name="empty")
    assert set(drift["status"]) <= {"ok", "insufficient_data"}


def test_nan_is_missing_and_infinity_is_out_of_range(project: DbtProject) -> None:
    rows = rows_of(project, "profiles", "odd_numbers", column_name="x")
    rows = rows[rows["n_rows"] == PER_DAY]
    assert (rows["n_missing"] == PER_DAY // 4).all()
    checks = rows_of(project, "quality_checks", "odd_numbers", column_name="x")
    assert checks[checks["check_name"] == "out_of_range"]["n_failed"].max() >= PER_DAY // 4
    drift = rows_of(project, "distributions", "odd_numbers", column_name="x")
    per_window = drift.groupby("window_end")["current_count"].sum()
    assert set(per_window) <= {PER_DAY, PER_DAY - 1}


def test_text_where_numbers_are_expected_is_missing(project: DbtProject) -> None:
    rows = rows_of(project, "profiles", "text_numbers", column_name="x")
    rows = rows[rows["n_rows"] == PER_DAY]
    # 'oops', '' and 'NaN' of six values are no numbers.
    assert np.allclose(rows["missing_share"], 0.5, atol=0.03)
    checks = rows_of(project, "quality_checks", "text_numbers", column_name="x")
    assert "critical" in set(checks[checks["check_name"] == "missing"]["status"])


def test_hostile_column_names_are_monitored_like_any(project: DbtProject) -> None:
    rows = rows_of(project, "column_drift", "hostile_columns", column_role="feature")
    assert set(rows["column_name"]) == {*HOSTILE_COLUMNS, "Case", "lower"}
    assert set(rows["status"]) <= {"ok", "insufficient_data"}
    assert (rows["missing_change"] == 0).all()
    profiles = rows_of(project, "profiles", "hostile_columns")
    means = profiles.groupby("column_name")["mean"].max()
    assert np.isclose(means["lower"] - means["Case"], 1)


def test_hostile_values_are_told_apart(project: DbtProject) -> None:
    rows = rows_of(project, "distributions", "hostile_values", column_name="colour")
    found = rows[rows["bin_kind"] == "category"]
    assert set(found["bin_label"]) == set(HOSTILE_VALUES)
    assert not (rows["bin_kind"] == "missing").any()
    segments = rows_of(project, "column_drift", "hostile_values", segment_name="colour")
    # A segment has only its text to be told by, so the package's own words go to __other__.
    told_apart = set(HOSTILE_VALUES) - {"__missing__"}
    assert set(segments["segment_value"]) == told_apart | {"__other__"}


def test_ten_thousand_categories_stay_a_hundred_bins(project: DbtProject) -> None:
    rows = rows_of(project, "distributions", "many_values", column_name="colour")
    assert rows.groupby("window_end").size().max() <= 103
    assert rows.groupby("window_end")["current_count"].sum().max() == 11_999
    assert {"category", "other"} <= set(rows["bin_kind"])


def test_versions_in_one_window_are_separate_and_together(project: DbtProject) -> None:
    windows = rows_of(project, "windows", "versions")
    assert set(windows["model_version"]) == {"v1", "v2", "unversioned", "all"}
    per_version = windows.groupby("model_version")["n_predictions"].sum()
    assert per_version["all"] == per_version.drop("all").sum() == DAYS * PER_DAY


def test_labels_before_their_predictions_are_age_zero_and_counted(project: DbtProject) -> None:
    windows = rows_of(project, "windows", "early_labels", model_version="v1")
    assert windows["n_early_labels"].sum() == DAYS * PER_DAY
    rows = rows_of(project, "performance", "early_labels", metric="accuracy", label_age="1d")
    assert (rows["value"] == 1).all()


def test_labels_without_predictions_wait_in_quarantine(project: DbtProject) -> None:
    quarantine = rows_of(project, "quarantine", "orphan_labels")
    assert quarantine["n_rows"].sum() == DAYS * PER_DAY
    assert set(quarantine["reason_code"]) == {"label_without_prediction"}
    assert set(quarantine["log_name"]) == {"labels"}


def test_a_vanished_column_is_critical_and_stops_nothing(project: DbtProject) -> None:
    checks = rows_of(project, "quality_checks", "vanishing", check_group="schema")
    gone = checks[checks["column_name"] == "colour"]
    assert "critical" in set(gone["status"])
    kept = checks[checks["column_name"] == "x"]
    assert "critical" not in set(kept["status"])
    assert len(rows_of(project, "column_drift", "vanishing", column_name="x")) >= DAYS


def test_what_a_run_finds_changed_in_a_log_is_told(project: DbtProject) -> None:
    checks = rows_of(project, "quality_checks", "vanishing", check_name="schema_change")
    told = {row["column_name"]: row for row in checks.to_dict("records")}
    assert {name: (row["reason_code"], row["status"]) for name, row in told.items()} == {
        "colour": ("column_vanished", "warning"),
        "extra": ("column_appeared", "ok"),
        "x": ("column_type_changed", "warning"),
    }
    assert told["x"]["reason"] == "The column is text now; it was number."
    assert told["extra"]["reason"] == "The log of predictions has this column now."
    assert rows_of(project, "quality_checks", "plain", check_name="schema_change").empty


def test_an_empty_build_notes_no_column(make_project: Any) -> None:
    made = make_project(
        "duckdb",
        vars={
            "mlmon_monitors": {
                "plain": {
                    "task": "binary",
                    "predictions": {"source": ["logs", "plain"]},
                    "features": {"x": "numeric"},
                }
            }
        },
        sources={"logs": ["plain"]},
    )
    made.warehouse.load("plain", log())
    made.build("--empty", "--select", "+int_mlmon__schema_history")
    assert made.read("int_mlmon__schema_history").empty
    made.build_for("int_mlmon__schema_history")
    noted = made.read("int_mlmon__schema_history")
    assert set(noted["change"]) == {"first_seen"}
    assert len(noted) == len(log().columns)
    made.warehouse.execute("alter table logs.plain add column extra bigint")
    made.build("--empty", "--select", "+int_mlmon__schema_history")
    assert differences(noted, made.read("int_mlmon__schema_history")) == []
    made.build_for("int_mlmon__schema_history")
    newest = made.read("int_mlmon__schema_history")
    assert list(newest[newest["change"] == "appeared"]["column_name"]) == ["extra"]


def test_a_column_of_another_type_than_the_reference_has_is_told(project: DbtProject) -> None:
    checks = rows_of(project, "quality_checks", "vanishing", check_name="schema", column_name="x")
    assert set(checks["reason_code"]) == {"differs_from_reference"}
    assert set(checks["reason"]) == {"The log has text, the reference number."}
    # What can be read as numbers is.
    missing = rows_of(project, "quality_checks", "vanishing", check_name="missing", column_name="x")
    assert (missing["n_failed"] == 0).all()
    assert (missing["n_checked"] > 0).any()


def test_text_in_a_numeric_column_is_counted_and_shown(project: DbtProject) -> None:
    checks = rows_of(project, "quality_checks", "text_numbers", check_name="unparsable")
    by_column = checks[checks["n_checked"] == PER_DAY].groupby("column_name")["value"].mean()
    # 'oops' is one of six values, 'high' one of three; an empty text is missing, NaN is a number that is none.
    assert np.isclose(by_column["x"], 1 / 6, atol=0.03)
    assert np.isclose(by_column["score"], 1 / 3, atol=0.03)
    examples = rows_of(project, "quality_examples", "text_numbers", check_name="unparsable")
    found = examples.groupby("column_name")["example_value"].unique().map(list).to_dict()
    assert found == {"score": ["high"], "x": ["oops"]}
    odd = rows_of(project, "quality_examples", "text_numbers", check_name="not_finite")
    assert set(odd["example_value"]) == {"NaN"}


def test_infinite_values_are_told_by_their_sign(project: DbtProject) -> None:
    examples = rows_of(project, "quality_examples", "odd_numbers", check_name="not_finite")
    assert set(examples["example_value"]) == {"NaN", "inf", "-inf"}
    checks = rows_of(
        project, "quality_checks", "odd_numbers", check_name="not_finite", column_name="x"
    )
    whole = checks[checks["n_checked"] == PER_DAY]
    assert np.allclose(whole["value"], 3 / 8)
    # The reference has them as often.
    assert np.allclose(whole["reference_value"], 3 / 8)
    assert set(whole["status"]) == {"ok"}


def test_every_judged_row_has_a_status_and_a_reason(project: DbtProject) -> None:
    statuses = {"ok", "warning", "critical", "insufficient_data", "no_reference", "not_judged"}
    for name in marts(project):
        rows = project.read(name)
        if "status" in rows.columns:
            assert set(rows["status"].dropna()) <= statuses, name
            assert rows["status"].notna().all(), name
        if "reason_code" in rows.columns:
            assert rows["reason_code"].notna().all(), name


def test_a_label_table_that_does_not_exist_is_named(make_project: Any, engine: Engine) -> None:
    project = make_project(
        engine,
        vars={
            "mlmon_monitors": {
                "m": {**configured(engine)["without_labels"],
                      "labels": {"source": ["logs", "no_such_table"]}},
            }
        },
        sources={"logs": ["plain", "reference", "no_such_table"]},
    )  # fmt: skip
    project.warehouse.load("plain", log())
    project.warehouse.load("reference", log())
    done = project.run("run", "--select", "stg_mlmon__labels")
    assert not done.ok
    assert "mlmon_monitors.m.labels: found" in done.text
    assert "no_such_table" in done.text
    assert "which does not exist; allowed: a table or view that exists; fix: create it" in done.text
    assert "Traceback" not in done.text
