"""Associations of features with the label, and label drift: against scipy, scikit-learn and pandas over raw rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, pearsonr, pointbiserialr
from scipy.stats.contingency import association
from sklearn.metrics import mutual_info_score

from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
HORIZON_DAYS = 3
DAYS, PER_DAY = 12, 400
LAST_MATURE = DAYS - 1
REFERENCE_ROWS = 3000
# The relation of `x` and `colour` with the label turns on this day; the features themselves stay as they are.
TURN = 6
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
TASKS = ["binary", "multiclass", "regression"]
FEATURES = {
    "x": "numeric", "heavy": "numeric", "constant": "numeric", "absent": "numeric",
    "huge": "numeric", "colour": "categorical", "single": "categorical", "nothing": "categorical",
}  # fmt: skip


def drawn(task: str, n: int, seed: int, turned: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Features, and a label that depends on them; where `turned`, the other way round."""
    random = np.random.default_rng(seed)
    x = np.round(random.normal(size=n), 3)
    colour = random.choice(["red", "green", "blue"], size=n, p=[0.5, 0.3, 0.2])
    strength = np.where(turned, -1, 1) * (x + 1.5 * (colour == "red") - 0.75)
    noise = random.normal(size=n)
    if task == "binary":
        label: Any = (strength + noise > 0.4).astype(int)
    elif task == "multiclass":
        label = np.array(["low", "middle", "high"])[np.digitize(strength + noise, [-1, 1])]
    else:
        label = np.round(1e6 + 250 * (strength + noise), 2)
    heavy = random.standard_cauchy(size=n) + x
    heavy[:2] = [np.inf, -np.inf]
    huge = np.where(random.random(n) < 0.5, 1e300, 3.0)
    frame = pd.DataFrame(
        {
            "x": x, "heavy": heavy, "constant": 7.0, "absent": np.nan, "huge": huge,
            "colour": colour, "single": "only", "nothing": None, "label": label,
        }
    )  # fmt: skip
    frame["nothing"] = frame["nothing"].astype(object)
    frame.loc[random.random(n) < 0.1, "x"] = np.nan
    frame.loc[random.random(n) < 0.1, "colour"] = None
    frame["prediction"] = label if task != "regression" else np.round(1e6 + 200 * strength, 1)
    return frame


def log(task: str) -> pd.DataFrame:
    """Twelve days of predictions with labels, and what matures them."""
    day = np.repeat(np.arange(DAYS), PER_DAY)
    frame = drawn(task, len(day), 11, day >= TURN)
    second = np.tile(np.arange(PER_DAY), DAYS)
    frame["day"] = day
    frame["predicted_at"] = (
        START + pd.to_timedelta(day, unit="D") + pd.to_timedelta(second * 60, unit="s")
    )
    frame["request_id"] = [f"r{i}" for i in range(len(frame))]
    frame["model_version"] = "v1"
    frame["loaded_at"] = frame["predicted_at"] + pd.Timedelta(minutes=1)
    # One label in ten comes after the horizon, one in ten never.
    chance = np.random.default_rng(12).random(len(frame))
    frame["delay_days"] = np.select([chance < 0.1, chance < 0.2], [np.nan, 4.0], 0.5)
    return frame


def predictions_of(rows: pd.DataFrame) -> pd.DataFrame:
    after = rows.tail(1).assign(
        request_id="after", predicted_at=START + pd.Timedelta(days=DAYS + 4),
        loaded_at=START + pd.Timedelta(days=DAYS + 4, hours=1),
    )  # fmt: skip
    return pd.concat([rows, after]).drop(columns=["label", "day", "delay_days"])


def labels_of(rows: pd.DataFrame) -> pd.DataFrame:
    labelled = rows[rows["delay_days"].notna()]
    came = labelled["predicted_at"] + pd.to_timedelta(labelled["delay_days"], unit="D")
    return pd.DataFrame(
        {
            "request_id": labelled["request_id"],
            "label": labelled["label"],
            "labeled_at": came,
            "loaded_at": came + pd.Timedelta(minutes=5),
        }
    )


def reference(task: str) -> pd.DataFrame:
    return drawn(task, REFERENCE_ROWS, 13, np.zeros(REFERENCE_ROWS, dtype=bool))


def monitor(task: str, held_against: Any) -> dict[str, Any]:
    return {
        "task": task,
        "predictions": {"source": ["logs", f"{task}_predictions"]},
        "labels": {"source": ["logs", f"{task}_labels"]},
        "reference": held_against,
        "columns": {"score": None, "latency_ms": None, "outcome": None},
        "features": FEATURES,
        "spans": ["1d", "3d"],
        "label_horizon_days": HORIZON_DAYS,
        "label_ages_days": [1],
        "areas": ["association"],
        "primary_metric": {"binary": "f1", "multiclass": "accuracy", "regression": "mae"}[task],
    }


def few(task: str) -> pd.DataFrame:
    """One labelled row on the first day, five of one class on the second, none with a label on the third."""
    day = np.array([0, 1, 1, 1, 1, 1, 2, 2])
    frame = log(task).head(len(day))
    predicted_at = START + pd.to_timedelta(day, unit="D")
    return frame.assign(
        day=day,
        predicted_at=predicted_at,
        loaded_at=predicted_at + pd.Timedelta(minutes=1),
        label=frame["label"].iloc[0],
        delay_days=np.where(day == 2, np.nan, 0.5),
    )


def canary() -> pd.DataFrame:
    """The same days once more by a second version, whose labels go the other way from the first."""
    stable = log("binary")
    second = drawn("binary", len(stable), 14, np.ones(len(stable), dtype=bool))
    return stable.assign(
        **{name: second[name] for name in [*FEATURES, "label", "prediction"]},
        request_id="c" + stable["request_id"],
        model_version="v2",
    )


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    monitors = {
        **{task: monitor(task, {"source": ["logs", f"{task}_reference"]}) for task in TASKS},
        **{f"{task}_own": monitor(task, {"first_days": 2}) for task in TASKS},
        "without": monitor("binary", None),
        "canary": {
            **monitor("binary", {"first_days": 2, "version": "v1"}),
            "predictions": {"source": ["logs", "canary_predictions"]},
            "labels": {"source": ["logs", "canary_labels"]},
        },
        **{
            f"few_{task}": {
                **monitor(task, {"source": ["logs", f"few_{task}_reference"]}),
                "predictions": {"source": ["logs", f"few_{task}_predictions"]},
                "labels": {"source": ["logs", f"few_{task}_labels"]},
                "spans": ["1d"],
            }
            for task in TASKS
        },
    }
    names = TASKS + [f"few_{task}" for task in TASKS]
    tables = [f"{name}_{log}" for name in names for log in ("predictions", "labels", "reference")]
    tables += ["canary_predictions", "canary_labels"]
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": monitors, "mlmon_package_tests": True},
        sources={"logs": tables},
    )
    for task in TASKS:
        rows = log(task)
        made.warehouse.load(f"{task}_predictions", predictions_of(rows), types=TIMES)
        made.warehouse.load(f"{task}_labels", labels_of(rows), types=TIMES)
        made.warehouse.load(f"{task}_reference", reference(task))
        made.warehouse.load(f"few_{task}_predictions", predictions_of(few(task)), types=TIMES)
        made.warehouse.load(f"few_{task}_labels", labels_of(few(task)), types=TIMES)
        # A reference without labels where there are classes, of a single row where there are numbers.
        held = reference(task).assign(label=None) if task != "regression" else reference(task)[5:6]
        kind = {"label": "double precision" if task == "regression" else "text"}
        made.warehouse.load(f"few_{task}_reference", held, types=kind)
    both = pd.concat([log("binary"), canary()])
    made.warehouse.load("canary_predictions", predictions_of(both), types=TIMES)
    made.warehouse.load("canary_labels", labels_of(both), types=TIMES)
    made.build_for(
        "fct_mlmon__label_association", "fct_mlmon__label_drift", "fct_mlmon__column_drift"
    )
    return made


def at_end(day: int) -> pd.Timestamp:
    return START + pd.Timedelta(days=day + 1)


def counted(task: str, day: int, span: int = 3) -> pd.DataFrame:
    """The rows of a span whose label came within the horizon."""
    rows = log(task)
    in_span = rows["day"].between(day - span + 1, day)
    return rows[in_span & (rows["delay_days"] <= HORIZON_DAYS)]


def bins_of(task: str, name: str, rows: pd.DataFrame) -> pd.Series[Any]:
    """The package's bins of a feature, made from the reference by their definition."""
    held = reference(task)[name]
    if FEATURES[name] == "categorical":
        return (
            rows[name]
            .where(rows[name].isin(held.dropna().unique()), "unseen")
            .where(rows[name].notna(), "missing")
        )
    return numeric_bins(held.dropna(), rows[name])


def numeric_bins(held: pd.Series[Any], values: pd.Series[Any], k: int = 10) -> pd.Series[Any]:
    ordered = np.sort(held.to_numpy())
    found = sorted(set(ordered))
    if len(found) > k:
        found = sorted({ordered[-(-len(ordered) * j // k) - 1] for j in range(1, k)})
    lower = np.searchsorted(found, values.to_numpy(), side="left").astype(float)
    # The minimum as an edge has a bin of its own, apart from what is below it.
    if found and found[0] == ordered[0]:
        lower[values.to_numpy() < ordered[0]] = -1
    lower[values.isna().to_numpy()] = -2
    return pd.Series(lower, index=values.index)


def label_bins(task: str, rows: pd.DataFrame) -> pd.Series[Any]:
    if task != "regression":
        return rows["label"].astype(str)
    return numeric_bins(reference(task)["label"], rows["label"])


def correlation_ratio(groups: pd.Series[Any], values: pd.Series[Any]) -> float:
    both = pd.DataFrame({"group": groups, "value": values}).dropna()
    within = both["value"] - both.groupby("group")["value"].transform("mean")
    return float(
        np.sqrt(1 - (within**2).sum() / ((both["value"] - both["value"].mean()) ** 2).sum())
    )


def expected_of(task: str, name: str, rows: pd.DataFrame) -> float:
    """The association by scipy, or by its definition where scipy has none."""
    both = rows[rows[name].notna()]
    if FEATURES[name] == "numeric":
        both = both[np.isfinite(both[name].astype(float))]
    if both.empty or both[name].nunique() == 1 or both["label"].nunique() == 1:
        return float("nan")
    if FEATURES[name] == "categorical":
        if task == "regression":
            return correlation_ratio(both[name], both["label"])
        table = pd.crosstab(both[name], both["label"]).to_numpy()
        return float(association(table, method="cramer"))
    # Powers of two change no correlation and keep squares of 1e300 finite.
    values = both[name].astype(float) * 2.0**-600 if name == "huge" else both[name].astype(float)
    if task == "binary":
        return float(pointbiserialr(both["label"], values).statistic)
    if task == "regression":
        return float(pearsonr(values, both["label"]).statistic)
    return correlation_ratio(both["label"], values)


METHODS = {
    ("numeric", "binary"): "point_biserial", ("numeric", "multiclass"): "correlation_ratio",
    ("numeric", "regression"): "pearson", ("categorical", "binary"): "cramers_v",
    ("categorical", "multiclass"): "cramers_v", ("categorical", "regression"): "correlation_ratio",
}  # fmt: skip


@pytest.fixture(scope="module")
def associations(project: DbtProject) -> pd.DataFrame:
    rows: pd.DataFrame = project.read("fct_mlmon__label_association")
    keys = ["monitor", "window_end", "column_name", "method"]
    assert not rows.duplicated([*keys, "model_version"]).any()
    return rows.set_index(keys).sort_index()


@pytest.mark.parametrize("day", [0, 4, 7, LAST_MATURE])
@pytest.mark.parametrize("task", TASKS)
def test_associations_equal_scipys(associations: pd.DataFrame, task: str, day: int) -> None:
    rows, held = counted(task, day), reference(task)
    for name, kind in FEATURES.items():
        found = associations.loc[(task, at_end(day), name, METHODS[kind, task])]
        sides = {"value": rows, "reference_value": held}
        for column, side in sides.items():
            expected = expected_of(task, name, side)
            assert found[column] == pytest.approx(expected, rel=1e-7, abs=1e-9, nan_ok=True), (
                name, column,
            )  # fmt: skip
        assert found["value_change"] == pytest.approx(
            found["value"] - found["reference_value"], abs=1e-12, nan_ok=True
        )


@pytest.mark.parametrize("day", [4, LAST_MATURE])
@pytest.mark.parametrize("task", TASKS)
def test_mutual_information_equals_scikit_learns(
    associations: pd.DataFrame, task: str, day: int
) -> None:
    for name in FEATURES:
        found = associations.loc[(task, at_end(day), name, "mutual_information")]
        for column, rows in {
            "value": counted(task, day),
            "reference_value": reference(task),
        }.items():
            expected = mutual_info_score(bins_of(task, name, rows), label_bins(task, rows))
            assert found[column] == pytest.approx(max(expected, 0), rel=1e-9, abs=1e-12), name
        assert found["n_current"] == len(counted(task, day))
        assert found["n_reference"] == REFERENCE_ROWS
        assert found["status"] == "not_judged"


def joined(
    now: tuple[float, float, float], held: tuple[float, float, float]
) -> tuple[float, float]:
    """The interval of a difference from those of its sides, (low, estimate, high), by Zou 2007."""
    change = now[1] - held[1]
    low = np.hypot(now[1] - now[0], held[2] - held[1])
    high = np.hypot(now[2] - now[1], held[1] - held[0])
    return change - low, change + high


def pearson_interval(rows: pd.DataFrame) -> tuple[float, float, float]:
    both = rows[rows["x"].notna()]
    found = pearsonr(both["x"], both["label"])
    interval = found.confidence_interval(0.95)
    return interval.low, found.statistic, interval.high


def cramer_interval(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Bergsma's estimate, with the variance of phi squared by finite differences over the cells."""
    table = pd.crosstab(rows["colour"], rows["label"]).to_numpy().astype(float)
    n, (r, c) = table.sum(), table.shape

    def phi2(shares: Any) -> float:
        expected = np.outer(shares.sum(axis=1), shares.sum(axis=0)) / shares.sum()
        return float(((shares - expected) ** 2 / expected).sum() / shares.sum())

    shares = table / n
    steps = 1e-6 * np.eye(r * c).reshape(-1, r, c)
    slopes = np.array([(phi2(shares + h) - phi2(shares - h)) / 2e-6 for h in steps]).reshape(r, c)
    variance = ((shares * slopes**2).sum() - (shares * slopes).sum() ** 2) / n
    side = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    freedom = (r - 1) * (c - 1)
    square = (phi2(shares) - freedom / (n - 1)) / side
    spread = 1.959963984540054 * np.sqrt(variance + 2 * freedom / n**2) / side
    bend = 1.959963984540054**2 * variance / phi2(shares) / side / 4
    ends = [square - spread, square, max(square, 0) + spread + bend]
    low, estimate, high = np.sqrt(np.clip(ends, 0, 1))
    return low, estimate, high


@pytest.mark.parametrize("day", [4, LAST_MATURE])
def test_the_interval_of_a_change_joins_those_of_its_sides(
    associations: pd.DataFrame, day: int
) -> None:
    cases = [
        ("regression", "x", "pearson", pearson_interval),
        ("binary", "colour", "cramers_v", cramer_interval),
        ("multiclass", "colour", "cramers_v", cramer_interval),
    ]
    for task, name, method, interval in cases:
        found = associations.loc[(task, at_end(day), name, method)]
        expected = joined(interval(counted(task, day)), interval(reference(task)))
        assert (found["change_low"], found["change_high"]) == pytest.approx(expected, rel=1e-5)


def test_a_constant_or_missing_feature_has_no_association(associations: pd.DataFrame) -> None:
    for task in TASKS:
        for name in ("constant", "absent", "single", "nothing"):
            row = associations.loc[(task, at_end(4), name, METHODS[FEATURES[name], task])]
            assert np.isnan(row["value"])
            assert np.isnan(row["change_low"])
            assert (row["status"], row["reason_code"]) == ("insufficient_data", "undefined")


def test_a_single_row_or_class_has_no_association(
    project: DbtProject, associations: pd.DataFrame
) -> None:
    drift = project.read("fct_mlmon__label_drift").set_index(["monitor", "window_end", "method"])
    for task in TASKS:
        rows = associations.loc[f"few_{task}"]
        assert rows["value"].isna().all()
        assert set(rows["status"]) <= {"no_reference", "insufficient_data", "not_judged"}
        method = METHODS["numeric", task]
        is_held = task == "regression"
        for day, n in ((0, 1), (1, 5), (2, 0)):
            row = rows.loc[(at_end(day), "x", "mutual_information")]
            assert (row["n_current"], row["n_reference"]) == (n, 1 if is_held else 0)
            reason = rows.loc[(at_end(day), "x", method), "reason_code"]
            expected = ("undefined" if n else "no_labels") if is_held else "no_reference"
            assert reason == expected
            label = drift.loc[(f"few_{task}", at_end(day), "psi")]
            assert label["n_current"] == n
            expected = ("sample_too_small" if n else "no_labels") if is_held else "no_reference"
            assert label["reason_code"] == expected


def test_a_turned_relation_is_reported_although_no_feature_drifted(
    project: DbtProject, associations: pd.DataFrame
) -> None:
    drift = project.read("fct_mlmon__column_drift").set_index(
        ["monitor", "window_end", "column_name", "span_windows"]
    )
    for task in ("binary", "regression"):
        method = METHODS["numeric", task]
        before = associations.loc[(task, at_end(TURN - 1), "x", method)]
        after = associations.loc[(task, at_end(TURN + 2), "x", method)]
        assert before["status"] == "ok"
        assert after["status"] == "critical"
        assert after["change_low"] < after["value_change"] < after["change_high"] < 0
        assert drift.loc[(task, at_end(TURN + 2), "x", 3), "status"] == "ok"
        assert "has changed greatly" in after["reason"]
    still = associations.loc[("binary", at_end(TURN + 2), "heavy", "point_biserial")]
    assert still["status"] in {"ok", "insufficient_data"}


def test_the_labels_of_the_logs_first_days_serve_as_reference(associations: pd.DataFrame) -> None:
    for task in TASKS:
        own = counted(task, 1, span=2)
        row = associations.loc[(f"{task}_own", at_end(7), "x", METHODS["numeric", task])]
        assert row["reference_value"] == pytest.approx(expected_of(task, "x", own), rel=1e-7)
        assert row["n_reference"] == own["x"].notna().sum()


def test_a_canarys_labels_are_held_against_those_of_the_stable_version(
    project: DbtProject, associations: pd.DataFrame
) -> None:
    stable = counted("binary", 1, span=2)
    rows = associations.loc[("canary", at_end(7), "x", "point_biserial")]
    rows = rows.set_index("model_version")
    assert set(rows.index) == {"v1", "v2"}
    assert rows["reference_value"].to_numpy() == pytest.approx(
        expected_of("binary", "x", stable), rel=1e-7
    )
    assert rows.at["v2", "status"] == "critical"
    labels = project.read("fct_mlmon__label_drift").set_index(["monitor", "window_end", "method"])
    assert set(labels.loc[("canary", at_end(7), "psi"), "n_reference"]) == {len(stable)}


def test_without_reference_the_association_is_shown_and_not_judged(
    associations: pd.DataFrame,
) -> None:
    row = associations.loc[("without", at_end(4), "x", "point_biserial")]
    assert row["value"] == pytest.approx(expected_of("binary", "x", counted("binary", 4)), rel=1e-7)
    assert row["status"] == "no_reference"


def psi(held: pd.Series[Any], now: pd.Series[Any]) -> float:
    shares = pd.concat([held.value_counts(), now.value_counts()], axis=1).fillna(0).to_numpy()
    p, q = (np.maximum(shares / shares.sum(axis=0), 1e-4)).T
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


@pytest.mark.parametrize("day", [4, LAST_MATURE])
@pytest.mark.parametrize("task", TASKS)
def test_label_drift_equals_its_definition(project: DbtProject, task: str, day: int) -> None:
    found = project.read("fct_mlmon__label_drift").set_index(
        ["monitor", "window_end", "span_windows", "method"]
    )
    for span in (1, 3):
        rows, held = counted(task, day, span), reference(task)
        sides = label_bins(task, held), label_bins(task, rows)
        table = pd.concat([side.value_counts() for side in sides], axis=1).fillna(0).to_numpy()
        p, q = (table / table.sum(axis=0)).T
        test = chi2_contingency(table.T, correction=False)
        values = {
            "psi": psi(*sides),
            "js_distance": jensenshannon(p, q, base=2),
            "total_variation": abs(p - q).sum() / 2,
            "chi_square": test.statistic,
        }
        for method, value in values.items():
            row = found.loc[(task, at_end(day), span, method)]
            assert row["value"] == pytest.approx(value, rel=1e-9), method
            assert row["p_value"] == pytest.approx(test.pvalue, abs=2e-7), method
            assert (row["n_reference"], row["n_current"]) == (len(held), len(rows))
        assert found.loc[(task, at_end(day), span, "psi"), "is_deciding"]


def test_windows_whose_labels_may_still_come_are_not_judged(
    project: DbtProject, associations: pd.DataFrame
) -> None:
    late = project.read("fct_mlmon__label_drift")
    late = late[late["window_end"] > at_end(DAYS + 4) - pd.Timedelta(days=HORIZON_DAYS)]
    judged = late[late["is_deciding"] & late["monitor"].isin(TASKS)]
    assert set(judged["reason_code"]) == {"immature"}
    row = associations.loc[("binary", at_end(DAYS + 2), "x", "point_biserial")]
    assert (row["status"], row["reason_code"]) == ("insufficient_data", "immature")
    assert np.isnan(row["value"])
    assert not np.isnan(row["reference_value"])
