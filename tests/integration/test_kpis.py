"""What requests are worth: held to pandas and scipy over the raw rows, and equal however the rows arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-03-02")
DAYS, PER_DAY, SPAN = 18, 60, 5
HORIZON = pd.Timedelta(days=2)
CHEAP_FROM, STALLED_FROM = 11, 15
MONITORS = ("binary", "regression", "multiclass")
TYPES = {
    "predicted_at": "timestamp",
    "loaded_at": "timestamp",
    "labeled_at": "timestamp",
    "region": "text",
    "outcome": "text",
}
WORTH = {"tp": 10, "fp": -2.5, "fn": -5, "tn": 0.25}
KPIS: dict[str, dict[str, Any]] = {
    "binary": {
        "revenue": {"expression": "amount", "unit": "EUR", "warning": 0.05, "critical": 0.1},
        "cost": {
            "expression": "case when prediction = 1 then 2.5 else 0 end + latency_ms / 1000.0",
            "is_higher_better": False,
            "warning": 0.05,
        },
        "saved": {
            "expression": "case when label = 1 and prediction = 1 then amount "
            "when label = 1 then -50 else 0 end",
            "unit": "EUR",
            "critical": 0.1,
        },
        "served": {"expression": "1"},
        "nothing": {"expression": "nullif(score, score)", "warning": 0.1},
        "far": {"expression": "1700000000 + score", "warning": 0.1},
        "huge": {"expression": "case when score > 0.5 then 1e300 else score * 1e-200 end"},
        "failed": {"expression": "case when outcome = 'error' then 1 else 0 end"},
        "of_region": {"expression": "case when region = 'tiny' then 3 else 1 end"},
        "checked": {"expression": "2", "needs_label": True},
    },
    "regression": {
        "missed": {
            "expression": "abs(prediction - label) * \"Unit Price\"",
            "is_higher_better": False,
            "warning": 0.05,
            "critical": 0.1,
        },
        "sold": {"expression": "prediction * UnitWeight", "warning": 0.05},
    },
    "multiclass": {
        "right": {"expression": "case when prediction = label then 1.0 else 0.0 end", "warning": 0.1},
        "high": {"expression": "case when prediction = '2' then 1.0 else 0.0 end", "warning": 0.1},
    },
}  # fmt: skip


def requests() -> pd.DataFrame:
    """Every request of every monitor; amounts fall on day 11, some have none or an impossible one."""
    n = DAYS * PER_DAY
    random = np.random.default_rng(3)
    day = np.repeat(np.arange(DAYS), PER_DAY)
    strength = random.normal(size=n)
    amount = np.round(random.gamma(4.0, 25.0, size=n), 2)
    amount[day >= CHEAP_FROM] *= 0.5
    draw = random.uniform(size=n)
    amount[draw < 0.06] = np.nan
    amount[draw < 0.03] = np.inf
    region = random.choice(["east", "west", "tiny"], size=n, p=[0.6, 0.35, 0.05]).astype(object)
    region[draw > 0.96] = None
    at = START + pd.to_timedelta(day, unit="D")
    at += pd.to_timedelta(np.tile(np.arange(PER_DAY) * 1200, DAYS), unit="s")
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "model_version": np.where(random.uniform(size=n) < 0.7, "v1", "v2"),
            "at": at,
            "region": region,
            "amount": amount,
            "Unit Price": np.round(random.uniform(1, 9, size=n), 2),
            "UnitWeight": np.round(random.uniform(1, 2, size=n), 2),
            "score": np.round(1 / (1 + np.exp(-strength)), 3),
            "latency_ms": np.round(random.gamma(2.0, 20.0, size=n), 1),
            "outcome": random.choice(["ok", "ok", "ok", "error"], size=n),
            "binary": (strength > 0).astype(int),
            "multiclass": np.digitize(strength, [-0.5, 0.5]).astype(str),
            "regression": np.round(strength * 10, 3),
            "binary_label": (strength + random.normal(size=n) > 0.3).astype(int),
            "multiclass_label": np.digitize(strength + random.normal(size=n), [-0.5, 0.5]).astype(str),
            "regression_label": np.round(strength * 10 + random.normal(size=n), 3),
        }
    )  # fmt: skip


def predictions(monitor: str) -> pd.DataFrame:
    """What the log holds: a twentieth arrives late, and some requests are logged again with another amount."""
    rows = requests()
    random = np.random.default_rng(4)
    late = random.choice([1, 1, 1, 55], size=len(rows), p=[0.4, 0.3, 0.25, 0.05])
    rows = rows.assign(
        prediction=rows[monitor],
        predicted_at=rows["at"],
        loaded_at=rows["at"] + pd.to_timedelta(late, unit="h"),
    )
    again = rows[random.uniform(size=len(rows)) < 0.04].copy()
    again["loaded_at"] += pd.Timedelta(hours=30)
    again["amount"] = 17.0
    columns = [
        "request_id", "model_version", "predicted_at", "loaded_at", "prediction", "score", "latency_ms",
        "outcome", "region", "amount", "Unit Price", "UnitWeight",
    ]  # fmt: skip
    return pd.concat([rows, again], ignore_index=True)[columns]


def labels(monitor: str) -> pd.DataFrame:
    """A label for most, some after the horizon, some corrected; the regression's stop on day 15."""
    rows = requests()
    random = np.random.default_rng(5)
    hours = random.choice([5, 20, 40, 60], size=len(rows), p=[0.4, 0.3, 0.25, 0.05])
    first = pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "label": rows[f"{monitor}_label"],
            "labeled_at": rows["at"] + pd.to_timedelta(hours, unit="h"),
        }
    )
    known = random.uniform(size=len(rows)) < 0.9
    if monitor == "regression":
        known &= (rows["at"] < START + pd.Timedelta(days=STALLED_FROM)).to_numpy()
    first = first[known]
    corrected = first[random.uniform(size=len(first)) < 0.1].copy()
    corrected["labeled_at"] += pd.Timedelta(hours=15)
    corrected["label"] = corrected["label"].sample(frac=1, random_state=1).to_numpy()
    found = pd.concat([first, corrected], ignore_index=True)
    return found.assign(loaded_at=found["labeled_at"] + pd.Timedelta(minutes=5))


def reference() -> pd.DataFrame:
    rows = requests().head(PER_DAY * 6)
    rows = rows.assign(prediction=rows["binary"], label=rows["binary_label"].astype("Int64"))
    rows.loc[rows.index % 7 == 0, "label"] = pd.NA
    return rows[["region", "amount", "score", "latency_ms", "prediction", "label"]]


def settings(**changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for monitor in MONITORS:
        found[monitor] = {
            "task": monitor,
            "predictions": {"source": ["logs", f"{monitor}_predictions"]},
            "labels": {"source": ["logs", f"{monitor}_labels"]},
            "segments": [{"name": "region", "values": ["east", "west"]}],
            "spans": ["1d", f"{SPAN}d"],
            "success_outcomes": ["ok"],
            "label_horizon_days": 2,
            "label_ages_days": [1],
            "kpis": {**KPIS[monitor], **changed.get(monitor, {})},
        }
    found["binary"] |= {
        "reference": {"source": ["logs", "binary_reference"]},
        "features": {"amount": "numeric", "region": "categorical"},
        "value_matrix": {**WORTH, "unit": "EUR", "warning": 0.1, "critical": 0.5},
    }
    found["regression"] |= {
        "reference": {"from": "2026-03-02", "to": "2026-03-05"},
        "features": {
            "Unit Price": {"kind": "numeric", "quote": True},
            "UnitWeight": {"kind": "numeric", "quote": True},
        },
    }
    found["multiclass"]["reference"] = None
    return {"mlmon_monitors": found, "mlmon_lookback_days": 0}


def land(project: DbtProject, days: float) -> None:
    """The logs as they stood so many days after the start."""
    now = START + pd.Timedelta(days=days)
    for monitor in MONITORS:
        for log, rows in (("predictions", predictions(monitor)), ("labels", labels(monitor))):
            seen = rows[rows["loaded_at"] <= now].reset_index(drop=True)
            project.warehouse.load(f"{monitor}_{log}", seen, types=TYPES)
    project.warehouse.load("binary_reference", reference(), types=TYPES)


def make(make_project: Any, engine: Engine) -> DbtProject:
    tables = [f"{monitor}_{log}" for monitor in MONITORS for log in ("predictions", "labels")]
    project: DbtProject = make_project(
        engine, vars=settings(), sources={"logs": [*tables, "binary_reference"]}
    )
    return project


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    made = make(make_project, engine)
    land(made, DAYS + 8)
    made.build()
    return made


def kpis(project: DbtProject) -> pd.DataFrame:
    rows = project.read("fct_mlmon__kpis")
    return rows.assign(day=(pd.to_datetime(rows["window_date"]) - START).dt.days)


# --- The same from the raw rows ---


def worth(rows: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Each KPI of the binary monitor, without a formula of ours: NaN where it has no finite value."""
    positive = rows["prediction"] == 1
    amount = rows["amount"].replace([np.inf, -np.inf], np.nan)
    found: dict[str, Any] = {
        "revenue": amount,
        "cost": positive * 2.5 + rows["latency_ms"] / 1000,
        "served": pd.Series(1.0, index=rows.index),
        "nothing": pd.Series(np.nan, index=rows.index),
        "far": 1_700_000_000 + rows["score"],
        "huge": pd.Series(0.0, index=rows.index).where(rows["score"] <= 0.5),
        "failed": pd.Series(0.0, index=rows.index),
        "of_region": rows["region"].eq("tiny") * 2 + 1.0,
    }
    if "label" in rows:
        true = rows["label"].astype("Float64").astype(float) == 1
        found = {
            "saved": pd.Series(
                np.where(positive & true, amount, np.where(true, -50.0, 0.0)), rows.index
            ),
            "checked": pd.Series(2.0, index=rows.index),
            "value": pd.Series(
                np.select(
                    [positive & true, positive & ~true, ~positive & true],
                    [WORTH["tp"], WORTH["fp"], WORTH["fn"]],
                    WORTH["tn"],
                ),
                rows.index,
            ),
        }
    return found  # fmt: skip


def counting(monitor: str, age: str) -> pd.DataFrame:
    """The requests that count, with the label that does at the age ('none': without labels)."""
    rows = predictions(monitor).sort_values("loaded_at")
    rows = rows.drop_duplicates(["request_id", "model_version"], keep="last")
    rows = rows[rows["outcome"] == "ok"]
    if age != "none":
        rows = rows.merge(labels(monitor), on="request_id", suffixes=("", "_of_label"))
        if age != "latest":
            rows = rows[rows["labeled_at"] - rows["predicted_at"] <= HORIZON]
        rows = rows.sort_values("loaded_at_of_label")
        rows = rows.drop_duplicates(["request_id", "model_version"], keep="last")
    known = rows["region"].isin(["east", "west"])
    group = rows["region"].where(known, "__other__").where(rows["region"].notna(), "__missing__")
    return rows.assign(day=(rows["predicted_at"] - START) // pd.Timedelta(days=1), group=group)


def part(rows: pd.DataFrame, version: str, day: int, span: int, group: str) -> pd.DataFrame:
    """The requests of a row of the mart."""
    rows = rows[rows["day"].between(day - span + 1, day)]
    if version != "all":
        rows = rows[rows["model_version"] == version]
    return rows if group == "all" else rows[rows["group"] == group]


def close(found: Any, expected: Any, rtol: float = 1e-9) -> bool:
    if expected is None or pd.isna(expected):
        return bool(pd.isna(found))
    return bool(np.isclose(float(found), float(expected), rtol=rtol, atol=1e-9))


def check(row: pd.Series[Any], values: pd.Series[Any], before: pd.Series[Any]) -> None:
    """One row of the mart against the values of its requests and of the reference's, with NaN for none."""
    known, before = values.dropna(), before.dropna()
    assert row["n"] == len(known)
    assert row["n_missing"] == len(values) - len(known)
    assert close(row["value"], known.sum() if len(known) else None)
    assert close(row["value_per_request"], known.mean())
    assert close(row["baseline_per_request"], before.mean())
    assert np.nan_to_num(row["n_baseline"]) == len(before)
    if len(known) > 1:
        error = stats.sem(known) if known.nunique() > 1 else 0.0
        low, high = stats.norm.interval(0.95, known.mean(), error) if error else [known.mean()] * 2
        assert close(row["value_low"], low)
        assert close(row["value_high"], high)
        # 1.7e9 + x: the width is told to the last bit of such a number.
        assert close(row["value_high"] - row["value_low"], high - low, rtol=1e-4)
        assert row["interval_method"] == "normal"
    else:
        assert row[["value_low", "value_high", "interval_method"]].isna().all()
    if not len(known) or len(before) < 2:
        return
    change = known.mean() - before.mean()
    own = known.var(ddof=1) if len(known) > 1 else 0.0
    error = np.sqrt(before.var(ddof=1) / len(before) + max(own, before.var(ddof=1)) / len(known))
    # The sums of such numbers, 3e11, are told to 6e-5 at best, their means to a few 1e-6.
    rtol, atol = (1e-9, 1e-9) if before.mean() < 1e9 else (1e-4, 1e-5)
    assert np.isclose(row["absolute_change"], change, rtol=rtol, atol=atol)
    half = stats.norm.ppf(0.975) * error
    assert np.isclose(row["change_low"], change - half, rtol=rtol, atol=atol)
    assert np.isclose(row["change_high"], change + half, rtol=rtol, atol=atol)
    if before.mean():
        assert np.isclose(row["relative_change"], change / abs(before.mean()), rtol=rtol, atol=atol)
    if error > 1e-12:
        assert np.isclose(
            row["p_value"], 2 * stats.norm.sf(abs(change) / error), rtol=1e-3, atol=1e-6
        )


KEYS = ["model_version", "day", "span_windows", "segment_value"]


@pytest.mark.parametrize("age", ["none", "2d", "latest"])
def test_values_and_intervals_are_those_of_the_raw_rows(project: DbtProject, age: str) -> None:
    rows = kpis(project)
    rows = rows[rows["monitor"].eq("binary") & rows["label_age"].eq(age)]
    logged = counting("binary", age)
    given = reference().assign(group=lambda r: r["region"].fillna("__missing__"))
    given["group"] = given["group"].where(given["group"] != "tiny", "__other__")
    given = given[given["label"].notna()] if age != "none" else given.drop(columns="label")
    assert len(rows) > 500
    assert set(rows["model_version"]) == {"v1", "v2", "all"}
    assert set(rows["segment_value"]) == {"all", "east", "west", "__other__", "__missing__"}
    assert (rows.loc[rows["segment_value"] != "all", "span_windows"] == SPAN).all()
    for (version, day, span, group), found in rows.groupby(KEYS):
        now = worth(part(logged, version, day, span, group))
        before = worth(given if group == "all" else given[given["group"] == group])
        assert set(found["kpi"]) == set(now)
        for _, row in found.iterrows():
            check(row, now[row["kpi"]], before[row["kpi"]])


def regression_worth(rows: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    missed = (rows["prediction"] - rows.get("label", np.nan)).abs() * rows["Unit Price"]
    return {"missed": missed, "sold": rows["prediction"] * rows["UnitWeight"]}


@pytest.mark.parametrize(("kpi", "age"), [("missed", "2d"), ("missed", "latest"), ("sold", "none")])
def test_a_stretch_of_the_log_is_a_baseline_and_names_may_need_quotes(
    project: DbtProject, kpi: str, age: str
) -> None:
    rows = kpis(project)
    rows = rows[rows["monitor"].eq("regression") & rows["label_age"].eq(age) & rows["kpi"].eq(kpi)]
    logged = counting("regression", age)
    given = counting("regression", "2d" if kpi == "missed" else "none")
    given = given[given["day"] < 4]
    assert len(rows) > 100
    for _, row in rows.iterrows():
        now = part(
            logged, row["model_version"], row["day"], row["span_windows"], row["segment_value"]
        )
        of_group = (
            given
            if row["segment_value"] == "all"
            else given[given["group"] == row["segment_value"]]
        )
        check(row, regression_worth(now)[kpi], regression_worth(of_group)[kpi])


def test_the_value_matrix_is_the_counts_times_what_each_is_worth(project: DbtProject) -> None:
    counts = project.read("fct_mlmon__confusion")
    counts = counts[counts["monitor"] == "binary"]
    keys = ["monitor_key", "window_end", "span_windows", "segment_value", "label_age"]
    total = (
        counts.assign(value=counts["n"] * counts["cell"].map(WORTH)).groupby(keys)["value"].sum()
    )
    rows = kpis(project)
    rows = rows[rows["kpi"].eq("value") & rows["n"].gt(0)].set_index(keys)
    assert len(rows) == len(total) > 200
    assert np.allclose(rows["value"], total.loc[rows.index], rtol=1e-9)


# --- What is said of them ---


def test_losses_that_are_large_and_sure_are_told_and_late_labels_are_not(
    project: DbtProject,
) -> None:
    rows = kpis(project)
    whole = rows[rows["segment_name"].eq("all") & rows["model_version"].eq("all")]

    def of(kpi: str, day: int, span: int = 1, age: str | None = None) -> pd.Series[Any]:
        found = whole[whole["kpi"].eq(kpi) & whole["day"].eq(day) & whole["span_windows"].eq(span)]
        [(_, row)] = (found if age is None else found[found["label_age"] == age]).iterrows()
        return row

    last = DAYS - 1
    revenue = of("revenue", last, SPAN)
    assert (revenue["status"], revenue["reason_code"]) == ("critical", "above_critical")
    assert revenue["reason"].startswith("revenue is 4")
    assert " EUR a request against 104.6070: " in revenue["reason"]
    assert of("revenue", 4, SPAN)["status"] == "ok"
    assert of("cost", 4, SPAN)["status"] == "ok"
    assert of("nothing", last)["reason_code"] == "no_value"
    assert of("far", last)["reason_code"] == "within_threshold"
    assert of("served", last)["status"] == "not_judged"
    assert of("high", last)["status"] == "no_reference"
    assert of("saved", last, SPAN, "2d")["status"] == "critical"
    assert of("saved", last, SPAN, "latest")["reason_code"] == "not_judged_here"
    # The labels of the regression monitor stop coming; what they said before is judged.
    before = of("missed", STALLED_FROM - 1, 1, "2d")
    assert before["status"] in {"ok", "warning", "critical"}
    for day in range(STALLED_FROM, DAYS):
        late = of("missed", day, 1, "2d")
        assert (late["status"], late["reason_code"]) == ("insufficient_data", "labels_late")
        assert late["label_coverage"] == 0
    judged = rows[rows["status"].isin(["warning", "critical"])]
    assert (judged["p_value"] < 0.01).all()
    limit = judged["threshold_warning"].fillna(judged["threshold_critical"])
    assert (judged["relative_change"].abs() >= limit).all()
    assert not np.isinf(rows.select_dtypes("number")).any().any()


def test_a_higher_cost_is_a_loss(project: DbtProject) -> None:
    rows = kpis(project)
    rows = rows[rows["kpi"].isin(["cost", "missed"]) & rows["reason_code"].isin(
        ["above_warning", "above_critical", "could_be_chance"]
    )]  # fmt: skip
    assert len(rows) > 5
    assert (rows["relative_change"] > 0).all()


def test_kpis_are_metrics_and_findings_like_any_other(project: DbtProject) -> None:
    rows = kpis(project)
    metrics = project.read("fct_mlmon__metrics")
    metrics = metrics[metrics["metric"].str.startswith("kpi_")]
    assert len(metrics) == rows["value_per_request"].notna().sum()
    named = project.read("dim_mlmon__metrics").set_index("metric")
    assert named.index.is_unique
    assert set(metrics["metric"]) <= set(named.index)
    assert named.loc["kpi_revenue", ["family", "unit", "source_table"]].tolist() == [
        "kpi", "EUR", "fct_mlmon__kpis",
    ]  # fmt: skip
    assert not named.loc["kpi_cost", "is_higher_better"]
    findings = project.read("fct_mlmon__findings")
    findings = findings[findings["area"] == "kpi"]
    worst = rows[rows["status"].isin(["warning", "critical"]) & rows["span_windows"].eq(SPAN)]
    assert len(findings) == len(worst) > 0


# --- However the rows arrive ---


def told_to_the_end(project: DbtProject, table: str) -> pd.DataFrame:
    """The table without what is lost where two numbers about 1.7e9 are subtracted."""
    rows = project.read(table)
    if table == "fct_mlmon__kpis":
        lost = [
            "absolute_change", "relative_change", "change_low", "change_high", "p_value", "reason",
        ]  # fmt: skip
        rows.loc[rows["kpi"] == "far", lost] = None
    return rows


def test_steps_and_a_changed_expression_come_to_the_same_as_one_full_refresh(
    make_project: Any, engine: Engine, project: DbtProject
) -> None:
    stepwise = make(make_project, engine)
    wanted = ["--select", "+fct_mlmon__kpis"]
    for days in (6.5, 13, DAYS + 8):
        land(stepwise, days)
        assert stepwise.run("build", *wanted).ok
    tables = ["int_mlmon__kpi_sums", "fct_mlmon__kpis"]
    for table in tables:
        assert differences(told_to_the_end(stepwise, table), told_to_the_end(project, table)) == []

    revenue = {"expression": "amount * 2", "unit": "EUR", "warning": 0.05, "critical": 0.1}
    stepwise.set_vars(settings(binary={"revenue": revenue}))
    assert stepwise.run("build", *wanted).ok
    changed = {table: told_to_the_end(stepwise, table) for table in tables}
    doubled = changed["fct_mlmon__kpis"].query("kpi == 'revenue'")["value"].sum()
    assert np.isclose(doubled, 2 * kpis(project).query("kpi == 'revenue'")["value"].sum())
    assert stepwise.run("build", "--full-refresh", *wanted).ok
    for table in tables:
        assert differences(told_to_the_end(stepwise, table), changed[table]) == [], table

    wrong = {"expression": "amuont * 2"}
    stepwise.set_vars(settings(binary={"revenue": wrong}))
    told = stepwise.run("build", "--select", "int_mlmon__kpi_sums")
    assert not told.ok
    assert "int_mlmon__kpi_sums" in told.text
    assert "amuont" in told.text
