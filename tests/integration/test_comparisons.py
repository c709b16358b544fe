"""Why a metric changed, whether groups are treated alike, and which of two versions is better: held to scipy and to
pandas over the raw rows, and equal however the rows arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-03-02")
DAYS, PER_DAY, FIRST_SHADOW = 18, 90, 7
HORIZON = pd.Timedelta(days=2)
SPAN = 5
Z = 1.959963984540054
TASKS = ("binary", "multiclass", "regression")
MARTS = [
    "fct_mlmon__change_decomposition",
    "fct_mlmon__group_fairness",
    "fct_mlmon__version_comparison",
]
QUANTILE = 0.7
REGIONS = ["east", "west", "north", "south", "void"]
TYPES = {
    "predicted_at": "timestamp",
    "loaded_at": "timestamp",
    "labeled_at": "timestamp",
    "region": "text",
}


@cache
def requests() -> pd.DataFrame:
    """Every request with its truth and what each version makes of it.

    north comes on day 10, south goes on day 8, void has no positive label, some have no region.
    """
    n = DAYS * PER_DAY
    random = np.random.default_rng(5)
    day = np.repeat(np.arange(DAYS), PER_DAY)
    region = random.choice(["east", "west"], size=n, p=[0.6, 0.4]).astype(object)
    draw = random.uniform(size=n)
    region[(day >= 10) & (draw < 0.3)] = "north"
    region[(day < 8) & (draw < 0.2)] = "south"
    region[draw > 0.9] = "void"
    region[draw > 0.98] = None
    strength = random.normal(size=n) - 9 * (region == "void")
    seen = {version: strength + random.normal(size=n) * noise for version, noise in
            (("v1", 1.0), ("v2", 0.6))}  # fmt: skip
    lenient = np.where(region == "west", 1.5, 0.0) + np.where(region == "void", 9.0, 0.0)
    at = START + pd.to_timedelta(day, unit="D")
    at += pd.to_timedelta(np.tile(np.arange(PER_DAY) * 900, DAYS), unit="s")
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "region": region,
            "plan": "basic",
            "at": at,
            "binary": (strength > 0).astype(int),
            "multiclass": np.digitize(strength, [-0.5, 0.5]),
            "regression": np.round(strength, 4),
            **{f"binary_{v}": (s + lenient > 0.2).astype(int) for v, s in seen.items()},
            # Coarse, so that scores tie; a few are missing.
            **{
                f"score_{v}": np.where(draw < 0.02, np.nan, np.round(stats.norm.cdf(s), 2))
                for v, s in seen.items()
            },
            **{f"multiclass_{v}": np.digitize(s, [-0.5, 0.5]) for v, s in seen.items()},
            **{f"regression_{v}": np.round(s, 4) for v, s in seen.items()},
        }
    )


@cache
def predictions(task: str) -> pd.DataFrame:
    """v0 served before all others; v1 scores every request; v2 from day 7 on two thirds of them, hours later."""
    rows = requests()
    random = np.random.default_rng(6)
    chosen = (rows["at"] >= START + pd.Timedelta(days=FIRST_SHADOW)) & (
        random.uniform(size=len(rows)) < 0.67
    )
    later = pd.to_timedelta(random.choice([1, 1, 1, 30], size=len(rows)), unit="h")
    before = rows.head(PER_DAY * 2).assign(at=rows["at"] - pd.Timedelta(days=4))
    before["request_id"] = "old-" + before["request_id"]
    parts = []
    for version, part, made in (
        ("v0", before, before["at"]),
        ("v1", rows, rows["at"]),
        ("v2", rows[chosen], (rows["at"] + later)[chosen]),
    ):
        column = f"{task}_{'v1' if version == 'v0' else version}"
        late = random.choice([1, 1, 1, 60], size=len(part))
        parts.append(
            pd.DataFrame(
                {
                    "request_id": part["request_id"],
                    "model_version": version,
                    "predicted_at": made,
                    "loaded_at": made + pd.to_timedelta(late, unit="h"),
                    "prediction": part[column],
                    "score": part["score_" + column.removeprefix(f"{task}_")],
                    "region": part["region"],
                    "plan": part["plan"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@cache
def labels(task: str) -> pd.DataFrame:
    """A label each, a tenth of them after the horizon, some corrected within it."""
    rows = requests()
    random = np.random.default_rng(7)
    hours = random.choice([5, 20, 33, 47, 90], size=len(rows), p=[0.3, 0.3, 0.2, 0.1, 0.1])
    truth = rows[task]
    first = pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "label": truth,
            "labeled_at": rows["at"] + pd.to_timedelta(hours, unit="h"),
        }
    )
    corrected = first[random.uniform(size=len(rows)) < 0.1].copy()
    corrected["labeled_at"] += pd.Timedelta(hours=10)
    corrected["label"] = corrected["label"] + 0.5 if task == "regression" else 0
    found = pd.concat([first, corrected], ignore_index=True)
    return found.assign(loaded_at=found["labeled_at"] + pd.Timedelta(minutes=5))


def reference(task: str) -> pd.DataFrame:
    rows = requests().head(400)
    return rows[["region", "plan"]].assign(prediction=rows[f"{task}_v1"], label=rows[task])


def settings() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for task in TASKS:
        found[task] = {
            "task": task,
            **({"quantile": QUANTILE} if task == "regression" else {}),
            "predictions": {"source": ["logs", f"{task}_predictions"]},
            "labels": {"source": ["logs", f"{task}_labels"]},
            "reference": {"source": ["logs", f"{task}_reference"]},
            "segments": [{"name": "region", "values": REGIONS}, "plan"],
            "spans": ["1d", f"{SPAN}d"],
            "label_horizon_days": 2,
            "label_ages_days": [1],
            "areas": ["common_traffic", "decomposition"],
        }
    found["multiclass"]["reference"] = {"first_days": 3}
    found["binary"]["fairness"] = ["region", "plan"]
    return {"mlmon_monitors": found, "mlmon_lookback_days": 0}


def land(project: DbtProject, days: float) -> None:
    """The logs as they stood so many days after the start."""
    now = START + pd.Timedelta(days=days)
    for task in TASKS:
        for log, rows in (("predictions", predictions(task)), ("labels", labels(task))):
            seen = rows[rows["loaded_at"] <= now].reset_index(drop=True)
            project.warehouse.load(f"{task}_{log}", seen, types=TYPES)
        project.warehouse.load(f"{task}_reference", reference(task), types=TYPES)


def make(make_project: Any, engine: Engine) -> DbtProject:
    tables = [f"{task}_{log}" for task in TASKS for log in ("predictions", "labels", "reference")]
    project: DbtProject = make_project(engine, vars=settings(), sources={"logs": tables})
    return project


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    made = make(make_project, engine)
    land(made, DAYS + 8)
    made.build()
    return made


def windowed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a mart with the day of their last base window."""
    return rows.assign(day=(pd.to_datetime(rows["window_date"]) - START).dt.days)


@cache
def labelled(task: str, version: str) -> pd.DataFrame:
    """The version's predictions with the label that counts for each at the horizon."""
    rows = predictions(task)
    if version != "all":
        rows = rows[rows["model_version"] == version]
    pairs = rows.merge(labels(task), on="request_id", suffixes=("", "_of_label"))
    pairs = pairs[pairs["labeled_at"] - pairs["predicted_at"] <= HORIZON]
    pairs = pairs.sort_values("loaded_at_of_label")
    counting = pairs.drop_duplicates(["request_id", "model_version"], keep="last")
    day = (counting["predicted_at"] - START) // pd.Timedelta(days=1)
    return counting.assign(day=day, group=counting["region"].fillna("__missing__"))


def in_span(rows: pd.DataFrame, day: int, span: int) -> pd.DataFrame:
    return rows[rows["day"].between(day - span + 1, day)]


def wilson(x: float, n: float) -> tuple[float, float]:
    found = stats.binomtest(int(x), int(n)).proportion_ci(method="wilson")
    return found.low, found.high


def newcombe(x: float, n: float, other_x: float, other_n: float) -> tuple[float, float]:
    """The interval of a difference of two proportions: Newcombe (1998), method 10."""
    p, q = x / n, other_x / other_n
    (low, high), (other_low, other_high) = wilson(x, n), wilson(other_x, other_n)
    return (
        p - q - np.sqrt((p - low) ** 2 + (other_high - q) ** 2),
        p - q + np.sqrt((high - p) ** 2 + (q - other_low) ** 2),
    )


def chi_square_p(x: float, n: float, other_x: float, other_n: float) -> float:
    table = np.array([[x, n - x], [other_x, other_n - other_x]])
    if (table.sum(axis=0) == 0).any():
        return 1.0
    return float(stats.chi2_contingency(table, correction=True).pvalue)


MEANS: dict[str, Callable[[pd.DataFrame], pd.Series[Any]]] = {
    "accuracy": lambda r: r["prediction"].eq(r["label"]).astype(float),
    "predicted_positive_rate": lambda r: r["prediction"].astype(float),
    "prevalence": lambda r: r["label"].astype(float),
    "mae": lambda r: (r["prediction"] - r["label"]).abs(),
    "mse": lambda r: (r["prediction"] - r["label"]) ** 2,
    "bias": lambda r: r["prediction"] - r["label"],
    "mape": lambda r: ((r["prediction"] - r["label"]) / r["label"].where(r["label"] != 0)).abs(),
    "smape": lambda r: (
        2 * (r["prediction"] - r["label"]).abs() / (r["prediction"].abs() + r["label"].abs())
    ).fillna(0),
    "pinball_loss": lambda r: pd.Series(
        np.maximum(
            QUANTILE * (r["label"] - r["prediction"]),
            (1 - QUANTILE) * (r["prediction"] - r["label"]),
        )
    ),
    "brier": lambda r: (r["score"] - r["label"]) ** 2,
    "log_loss": lambda r: (
        -np.log(
            np.clip(np.where(r["label"] == 1, r["score"], 1 - r["score"]), 2.0**-52, 1 - 2.0**-52)
        )
        + 0 * r["score"]
    ),
}


# --- Why it changed ---


def decomposition(project: DbtProject) -> pd.DataFrame:
    return windowed(project.read("fct_mlmon__change_decomposition"))


def test_the_parts_add_up_to_the_change_of_the_metric_as_it_is_published(
    project: DbtProject,
) -> None:
    rows = decomposition(project)
    keys = ["monitor_key", "day", "segment_name", "metric", "baseline_kind"]
    wholes = rows[rows["segment_value"] == "all"].set_index(keys)
    parts = rows[rows["segment_value"] != "all"].groupby(keys)
    assert set(rows["baseline_kind"]) == {"reference", "previous_span"}
    assert len(wholes) == len(parts) > 500
    added = parts[["mix_effect", "within_effect", "total_change", "current_share"]].sum()
    added = added.loc[wholes.index]
    for column in ("mix_effect", "within_effect", "total_change"):
        assert np.allclose(added[column], wholes[column], rtol=0, atol=1e-9), column
    assert np.allclose(added["current_share"], 1, rtol=0, atol=1e-9)
    both = wholes["mix_effect"] + wholes["within_effect"]
    assert np.allclose(both, wholes["total_change"], rtol=0, atol=1e-9)

    published = windowed(project.read("fct_mlmon__performance"))
    published = published[
        published["segment_name"].eq("all")
        & published["span_windows"].eq(SPAN)
        & published["label_age"].eq("2d")
        & published["class_label"].eq("all")
    ].set_index(["monitor_key", "day", "metric"])["value"]
    now = wholes.reset_index()
    whole = published.loc[pd.MultiIndex.from_frame(now[["monitor_key", "day", "metric"]])]
    assert np.allclose(whole.to_numpy(), now["current_value"], rtol=0, atol=1e-9)
    before = now[now["baseline_kind"] == "previous_span"]
    earlier = before[["monitor_key", "day", "metric"]].assign(day=before["day"] - SPAN)
    was = published.loc[pd.MultiIndex.from_frame(earlier)].to_numpy()
    assert np.allclose(was, before["baseline_value"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["reference", "previous_span"])
@pytest.mark.parametrize(
    ("task", "metric"),
    [
        ("binary", "accuracy"),
        ("binary", "prevalence"),
        ("multiclass", "accuracy"),
        ("regression", "mae"),
        ("regression", "mse"),
        ("regression", "bias"),
    ],
)
def test_mix_and_within_are_those_of_the_raw_rows(
    project: DbtProject, task: str, metric: str, kind: str
) -> None:
    rows = decomposition(project)
    rows = rows[
        rows["monitor"].eq(task)
        & rows["model_version"].eq("v1")
        & rows["metric"].eq(metric)
        & rows["segment_name"].eq("region")
        & rows["baseline_kind"].eq(kind)
    ]
    scored = labelled(task, "v1")
    given = reference(task).assign(group=lambda r: r["region"].fillna("__missing__"))
    if task == "multiclass":
        given = in_span(scored, 2, 3)  # The first three days of the version.
    days = sorted(set(rows["day"]))
    assert days == list(range(SPAN if kind == "previous_span" else 0, DAYS))
    for day in days:
        before = in_span(scored, day - SPAN, SPAN) if kind == "previous_span" else given
        now = in_span(scored, day, SPAN)
        sides = []
        for side in (now, before):
            of_group = MEANS[metric](side).groupby(side["group"])
            sides.append((of_group.size() / len(side), of_group.mean()))
        (w1, m1), (w0, m0) = sides
        groups = sorted({*w1.index, *w0.index})
        w1, w0 = w1.reindex(groups).fillna(0), w0.reindex(groups).fillna(0)
        m1, m0 = m1.reindex(groups), m0.reindex(groups)
        middle = (MEANS[metric](now).mean() + MEANS[metric](before).mean()) / 2
        m1_, m0_ = m1.fillna(m0), m0.fillna(m1)
        expected = pd.DataFrame(
            {
                "current_share": w1,
                "baseline_share": w0,
                "current_value": m1,
                "baseline_value": m0,
                "mix_effect": (w1 - w0) * ((m1_ + m0_) / 2 - middle),
                "within_effect": (w1 + w0) / 2 * (m1_ - m0_),
            }
        )
        found = rows[rows["day"].eq(day) & rows["segment_value"].ne("all")]
        found = found.set_index("segment_value")
        assert sorted(found.index) == groups, day
        for column in expected:
            assert np.allclose(
                found.loc[groups, column], expected[column], rtol=1e-9, atol=1e-12, equal_nan=True
            ), (day, column)


def test_a_segment_that_is_new_or_gone_is_all_mix(project: DbtProject) -> None:
    rows = decomposition(project)
    rows = rows[rows["segment_name"].eq("region") & rows["segment_value"].ne("all")]
    new, gone = rows["baseline_value"].isna(), rows["current_value"].isna()
    assert {"north"} <= set(rows.loc[new, "segment_value"])
    assert {"south"} <= set(rows.loc[gone, "segment_value"])
    assert (rows.loc[new | gone, "within_effect"] == 0).all()
    assert (rows.loc[new, "baseline_share"] == 0).all()
    assert (rows.loc[gone, "current_share"] == 0).all()


# --- Fairness ---

RATES: dict[str, tuple[str | None, str]] = {
    # The labels or predictions that it is a share of, and what is counted among them.
    "selection_rate": (None, "prediction"),
    "tpr": ("label == 1", "prediction"),
    "fpr": ("label == 0", "prediction"),
    "ppv": ("prediction == 1", "label"),
}


@pytest.mark.parametrize("metric", RATES)
def test_a_groups_rates_are_scipys(project: DbtProject, metric: str) -> None:
    rows = windowed(project.read("fct_mlmon__group_fairness"))
    rows = rows[
        rows["metric"].eq(metric)
        & rows["segment_name"].eq("region")
        & rows["model_version"].eq("v1")
        & rows["label_age"].eq("2d")
    ]
    assert set(rows["monitor"]) == {"binary"}
    assert set(rows["span_windows"]) == {SPAN}
    scored = labelled("binary", "v1")
    among, counted = RATES[metric]
    days = sorted(set(rows["day"]))
    assert days == list(range(DAYS))
    for day in days:
        found = rows[rows["day"] == day].set_index("segment_value")
        span = in_span(scored, day, SPAN)
        chosen = span if among is None else span.query(among)
        expected_p = {}
        assert set(found.index) >= set(span["group"])
        for group, row in found.iterrows():
            own, others = (chosen[chosen["group"].eq(group)], chosen[chosen["group"].ne(group)])
            x, n = own[counted].sum(), len(own)
            other_x, other_n = others[counted].sum(), len(others)
            assert (row["n"], row["n_others"]) == (n, other_n)
            if not n or not other_n:
                assert np.isnan(row["difference"])
                assert row["status"] == "insufficient_data"
                continue
            low, high = newcombe(x, n, other_x, other_n)
            assert row["value"] == pytest.approx(x / n, abs=1e-12)
            assert (row["value_low"], row["value_high"]) == pytest.approx(wilson(x, n), abs=1e-9)
            assert row["others_value"] == pytest.approx(other_x / other_n, abs=1e-12)
            assert row["difference"] == pytest.approx(x / n - other_x / other_n, abs=1e-12)
            assert row["difference_low"] == pytest.approx(low, abs=1e-9)
            assert row["difference_high"] == pytest.approx(high, abs=1e-9)
            p = chi_square_p(x, n, other_x, other_n)
            expected_p[group] = p
            assert row["p_value"] == pytest.approx(p, rel=1e-6, abs=1e-12)
            if other_x:
                ratio = (x / n) / (other_x / other_n)
                assert row["ratio"] == pytest.approx(ratio, abs=1e-12)
                assert bool(row["is_below_four_fifths"]) == (ratio < 0.8 - 1e-12)
        adjusted = stats.false_discovery_control(list(expected_p.values()))
        for group, p in zip(expected_p, adjusted, strict=True):
            assert found.loc[group, "adjusted_p_value"] == pytest.approx(p, rel=1e-6, abs=1e-12)


def test_only_large_and_certain_differences_count(project: DbtProject) -> None:
    rows = windowed(project.read("fct_mlmon__group_fairness"))
    rows = rows[rows["model_version"].eq("v1") & rows["segment_name"].eq("region")]
    west = rows[rows["segment_value"].eq("west") & rows["metric"].eq("selection_rate")]
    assert (west["difference"] > 0.2).all()
    ready = west[~west["reason_code"].isin(["short_span", "labels_late"])]
    assert len(ready) >= 10
    assert set(ready["status"]) == {"critical"}
    assert set(west.drop(ready.index)["status"]) == {"insufficient_data"}
    flagged = rows[rows["status"].isin(["warning", "critical"])]
    assert (flagged["difference"].abs() >= 0.1).all()
    assert (flagged["adjusted_p_value"] < 0.01).all()
    assert (flagged[["n", "n_others"]].min(axis=1) >= 30).all()
    calm = rows[rows["status"].eq("ok")]
    assert ((calm["difference"].abs() < 0.1) | (calm["adjusted_p_value"] >= 0.01)).all()
    assert rows["reason"].str.len().gt(10).all()


def test_a_group_without_positives_and_a_single_group_are_no_verdict(project: DbtProject) -> None:
    rows = windowed(project.read("fct_mlmon__group_fairness"))
    rows = rows[rows["model_version"].eq("v1") & rows["day"].ge(SPAN)]
    void = rows[rows["segment_value"].eq("void") & rows["metric"].eq("tpr")]
    assert len(void)
    assert void["value"].isna().all()
    assert set(void["reason_code"]) == {"undefined"}
    only = rows[rows["segment_name"].eq("plan")]
    assert set(only["segment_value"]) == {"basic"}
    assert set(only["reason_code"]) == {"one_group"}
    assert set(only["status"]) == {"insufficient_data"}


def test_verdicts_on_groups_are_findings_and_metrics(project: DbtProject) -> None:
    rows = project.read("fct_mlmon__group_fairness")
    findings = project.read("fct_mlmon__findings")
    findings = findings[findings["area"] == "fairness"]
    flagged = rows[rows["status"].isin(["warning", "critical"])]
    assert len(findings) == len(flagged) > 0
    assert set(findings["object"]) <= set(RATES)
    metrics = project.read("fct_mlmon__metrics")
    assert len(metrics[metrics["source_table"] == "fct_mlmon__group_fairness"]) == len(rows)


# --- Versions ---


def comparison(project: DbtProject, task: str) -> pd.DataFrame:
    rows = windowed(project.read("fct_mlmon__version_comparison"))
    return rows[rows["monitor"] == task]


def common(task: str, day: int, span: int) -> pd.DataFrame:
    """Requests of both versions, in the windows of v2's predictions and with the labels that count for those."""
    champion = predictions(task)
    champion = champion[champion["model_version"] == "v1"][["request_id", "prediction", "score"]]
    rows = in_span(labelled(task, "v2"), day, span)
    return rows.merge(champion, on="request_id", suffixes=("", "_of_champion"))


@pytest.mark.parametrize("task", TASKS)
def test_the_newest_version_is_held_against_each_other_that_serves_beside_it(
    project: DbtProject, task: str
) -> None:
    rows = comparison(project, task)
    assert set(rows["model_version"]) == {"v2"}
    assert set(rows["champion_version"]) == {"v1"}
    assert set(rows["span_windows"]) == {1, SPAN}
    assert set(rows["day"]) == set(range(FIRST_SHADOW, DAYS))


@pytest.mark.parametrize("metric", ["accuracy", "precision", "recall", "specificity"])
def test_a_difference_of_own_traffic_is_newcombes(project: DbtProject, metric: str) -> None:
    rows = comparison(project, "binary")
    among, counted = {
        "accuracy": (None, "right"),
        "precision": ("prediction == 1", "label"),
        "recall": ("label == 1", "prediction"),
        "specificity": ("label == 0", "right"),
    }[metric]
    sides = {
        version: labelled("binary", version).assign(
            right=lambda r: r["prediction"].eq(r["label"]).astype(int)
        )
        for version in ("v1", "v2")
    }
    rows = rows[rows["metric"] == metric]
    assert len(rows) == 2 * (DAYS - FIRST_SHADOW)
    for _, row in rows.iterrows():
        counts = []
        for version in ("v2", "v1"):
            span = in_span(sides[version], row["day"], row["span_windows"])
            chosen = span if among is None else span.query(among)
            counts += [chosen[counted].sum(), len(chosen)]
        x, n, other_x, other_n = counts
        assert (row["n"], row["n_champion"]) == (n, other_n)
        if not n or not other_n:
            assert np.isnan(row["difference"])
            continue
        assert row["difference"] == pytest.approx(x / n - other_x / other_n, abs=1e-12)
        bounds = (row["difference_low"], row["difference_high"])
        assert bounds == pytest.approx(newcombe(x, n, other_x, other_n), abs=1e-9)
        p = chi_square_p(x, n, other_x, other_n)
        assert row["p_value"] == pytest.approx(p, rel=1e-6, abs=1e-12)


def confusion_metric(metric: str, shares: np.ndarray, side: int) -> float:
    """A metric of one version from the shares of label × its class × the other's."""
    own = shares.sum(axis=2 - side)
    tn, fp, fn, tp = own[0, 0], own[0, 1], own[1, 0], own[1, 1]
    return float(
        {
            "accuracy": (tp + tn) / own.sum(),
            "precision": tp / (tp + fp),
            "recall": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "predicted_positive_rate": (tp + fp) / own.sum(),
            "f1": 2 * tp / (2 * tp + fp + fn),
            "balanced_accuracy": (tp / (tp + fn) + tn / (tn + fp)) / 2,
            "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        }[metric]
    )


def delta_variance(metric: str, cells: np.ndarray) -> float:
    """The delta method with a numerical gradient over multinomial shares."""
    n = cells.sum()
    shares = cells / n
    gradient = np.zeros_like(shares)
    step = 1e-6

    def difference(at: np.ndarray) -> float:
        return confusion_metric(metric, at, 0) - confusion_metric(metric, at, 1)

    for cell in np.ndindex(*shares.shape):
        moved = np.zeros_like(shares)
        moved[cell] = step
        gradient[cell] = (difference(shares + moved) - difference(shares - moved)) / (2 * step)
    mean = (shares * gradient).sum()
    return float((shares * (gradient - mean) ** 2).sum() / n)


DELTA = ("precision", "f1", "balanced_accuracy", "mcc")


@pytest.mark.parametrize(
    "metric", ["accuracy", "recall", "specificity", "predicted_positive_rate", *DELTA]
)
def test_versions_are_paired_on_the_requests_that_both_scored(
    project: DbtProject, metric: str
) -> None:
    rows = comparison(project, "binary")
    rows = rows[rows["metric"] == metric]
    checked = 0
    for _, row in rows.iterrows():
        both = common("binary", row["day"], row["span_windows"])
        assert row["n_common"] == len(both)
        cells = np.zeros((2, 2, 2))
        for label, ours, theirs in both[["label", "prediction", "prediction_of_champion"]].values:
            cells[int(label), int(ours), int(theirs)] += 1
        shares = cells / max(len(both), 1)
        if len(both) < 30:
            continue
        checked += 1
        ours, theirs = (confusion_metric(metric, shares, side) for side in (0, 1))
        assert row["common_value"] == pytest.approx(ours, abs=1e-12)
        assert row["common_champion_value"] == pytest.approx(theirs, abs=1e-12)
        variance = delta_variance(metric, cells)
        half = 1.959963984540054 * np.sqrt(variance)
        assert row["common_difference_low"] == pytest.approx(ours - theirs - half, abs=1e-6)
        assert row["common_difference_high"] == pytest.approx(ours - theirs + half, abs=1e-6)
        if metric in DELTA:
            expected = 2 * stats.norm.sf(abs(ours - theirs) / np.sqrt(variance))
            assert row["common_method"] == "delta"
        else:
            part = {
                "accuracy": both,
                "recall": both[both["label"] == 1],
                "specificity": both[both["label"] == 0],
                "predicted_positive_rate": both,
            }[metric]
            hit = part["label"] if metric in ("accuracy", "recall", "specificity") else 1
            first = part["prediction"].eq(hit)
            second = part["prediction_of_champion"].eq(hit)
            b, c = (first & ~second).sum(), (second & ~first).sum()
            statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
            expected = stats.chi2.sf(statistic, 1)
            assert row["common_method"] == "mcnemar"
        assert row["common_p_value"] == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert checked > 10


def wins(score: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Positives by negatives: 1 where the positive has the higher score, 1/2 where they tie."""
    over = score[label == 1][:, None] - score[label == 0][None, :]
    return np.where(over > 0, 1.0, np.where(over == 0, 0.5, 0.0))


def test_areas_of_versions_are_paired_as_delong_does(project: DbtProject) -> None:
    rows = comparison(project, "binary")
    rows = rows[rows["metric"] == "roc_auc"]
    checked = 0
    for row in rows.to_dict("records"):
        both = common("binary", row["day"], row["span_windows"])
        both = both.dropna(subset=["score", "score_of_champion"])
        label = both["label"].to_numpy()
        if min(label.sum(), (1 - label).sum()) < 2:
            continue
        scores = both["score"].to_numpy(), both["score_of_champion"].to_numpy()
        ours, theirs = (wins(score, label) for score in scores)
        assert ours.mean() == pytest.approx(sk.roc_auc_score(label, scores[0]), abs=1e-12)
        # The covariance matrices of the components of both areas.
        by_positive = np.cov(ours.mean(axis=1), theirs.mean(axis=1)) / label.sum()
        by_negative = np.cov(ours.mean(axis=0), theirs.mean(axis=0)) / (1 - label).sum()
        contrast = np.array([1.0, -1.0])
        error = np.sqrt(contrast @ (by_positive + by_negative) @ contrast)
        difference = ours.mean() - theirs.mean()
        assert row["n_common"] == len(both)
        assert row["common_value"] == pytest.approx(ours.mean(), abs=1e-12)
        assert row["common_champion_value"] == pytest.approx(theirs.mean(), abs=1e-12)
        low, high = difference - Z * error, difference + Z * error
        assert row["common_difference_low"] == pytest.approx(low, abs=1e-9)
        assert row["common_difference_high"] == pytest.approx(high, abs=1e-9)
        p = 2 * stats.norm.sf(abs(difference) / error)
        assert row["common_p_value"] == pytest.approx(p, rel=1e-6, abs=1e-12)
        assert row["common_method"] == "delong"
        checked += 1
    assert checked > 15


def test_multiclass_versions_are_paired_by_who_was_right(project: DbtProject) -> None:
    rows = comparison(project, "multiclass")
    rows = rows[rows["metric"] == "accuracy"]
    for _, row in rows.iterrows():
        both = common("multiclass", row["day"], row["span_windows"])
        ours = both["prediction"].eq(both["label"])
        theirs = both["prediction_of_champion"].eq(both["label"])
        assert row["n_common"] == len(both)
        assert row["common_difference"] == pytest.approx(ours.mean() - theirs.mean(), abs=1e-12)
        b, c = (ours & ~theirs).sum(), (theirs & ~ours).sum()
        expected = stats.chi2.sf(max(abs(b - c) - 1, 0) ** 2 / (b + c), 1) if b + c else 1
        assert row["common_p_value"] == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        *[("regression", m) for m in ("mae", "mse", "bias", "mape", "smape", "pinball_loss")],
        ("binary", "brier"),
        ("binary", "log_loss"),
    ],
)
def test_versions_are_paired_by_what_each_request_lost(
    project: DbtProject, task: str, metric: str
) -> None:
    rows = comparison(project, task)
    rows = rows[rows["metric"] == metric]
    checked = 0
    for _, row in rows.iterrows():
        both = common(task, row["day"], row["span_windows"])
        if task == "binary":
            both = both.dropna(subset=["score", "score_of_champion"])
        other = {c: both[f"{c}_of_champion"] for c in ("prediction", "score")}
        theirs = MEANS[metric](both.assign(**other))
        paired = (MEANS[metric](both) - theirs).dropna()
        assert row["n_common"] == len(paired)
        if len(paired) < 2 or paired.std(ddof=1) == 0:
            continue
        assert row["common_champion_value"] == pytest.approx(theirs.mean(), rel=1e-9)
        assert row["common_difference"] == pytest.approx(paired.mean(), rel=1e-9, abs=1e-12)
        error = paired.std(ddof=1) / np.sqrt(len(paired))
        z = abs(paired.mean()) / error
        assert row["common_difference_low"] == pytest.approx(
            paired.mean() - 1.959963984540054 * error, rel=1e-9, abs=1e-12
        )
        assert row["common_p_value"] == pytest.approx(2 * stats.norm.sf(z), rel=1e-6, abs=1e-12)
        own = [
            MEANS[metric](in_span(labelled(task, v), row["day"], row["span_windows"])).dropna()
            for v in ("v2", "v1")
        ]
        own_error = np.sqrt(sum(part.var(ddof=1) / len(part) for part in own))
        z = abs(own[0].mean() - own[1].mean()) / own_error
        assert row["p_value"] == pytest.approx(2 * stats.norm.sf(z), rel=1e-6, abs=1e-12)
        checked += 1
    assert checked > 10


def test_roots_of_paired_losses_vary_as_the_delta_method_says(project: DbtProject) -> None:
    rows = comparison(project, "regression")
    rows = rows[rows["metric"] == "rmse"]
    checked = 0
    for row in rows.to_dict("records"):
        both = common("regression", row["day"], row["span_windows"])
        assert row["n_common"] == len(both)
        ours, theirs = (
            (both[name] - both["label"]) ** 2 for name in ("prediction", "prediction_of_champion")
        )
        if len(both) < 2:
            continue
        value, other_value = np.sqrt(ours.mean()), np.sqrt(theirs.mean())
        assert row["common_value"] == pytest.approx(value, rel=1e-9)
        assert row["common_champion_value"] == pytest.approx(other_value, rel=1e-9)
        gradient = np.array([1 / (2 * value), -1 / (2 * other_value)])
        error = np.sqrt(gradient @ np.cov(ours, theirs) @ gradient / len(both))
        low, high = (value - other_value + sign * Z * error for sign in (-1, 1))
        assert row["common_difference_low"] == pytest.approx(low, rel=1e-8, abs=1e-12)
        assert row["common_difference_high"] == pytest.approx(high, rel=1e-8, abs=1e-12)
        p = 2 * stats.norm.sf(abs(value - other_value) / error)
        assert row["common_p_value"] == pytest.approx(p, rel=1e-6, abs=1e-12)
        assert row["common_method"] == "delta"
        checked += 1
    assert checked > 10


def test_versions_that_never_serve_together_are_not_compared(project: DbtProject) -> None:
    windows = project.read("fct_mlmon__windows")
    assert "v0" in set(windows["model_version"])
    rows = project.read("fct_mlmon__version_comparison")
    assert "v0" not in {*rows["champion_version"], *rows["model_version"]}


# --- However the rows arrive ---


# Every fact of labels, or windows are out of date for the one that is left out, and all are made again.
SELECTED = [
    *MARTS,
    "int_mlmon__label_counts",
    "int_mlmon__error_sums",
    "int_mlmon__score_counts",
]


def stale_days(project: DbtProject, version: str) -> set[int]:
    rows = project.read("int_mlmon__stale_windows")
    rows = rows[rows["facts"].eq("labels") & ~rows["is_reference"]]
    rows = rows[rows["monitor"].eq("binary") & rows["model_version"].eq(version)]
    return set((pd.to_datetime(rows["window_start"]) - START).dt.days)


def stale_ends(project: DbtProject) -> set[int]:
    """The window ends whose versions the last run compared, as days."""
    stale = project.read("int_mlmon__stale_common_ends")
    spans = project.read("int_mlmon__spans")
    return set(windowed(spans[spans["window_key"].isin(stale["window_key"])])["day"])


def ends_with_requests_of(day: int) -> set[int]:
    """The days from v2's window of a request that v1 scored on the day, for a span."""
    champion = labelled("binary", "v1")
    scored = champion[champion["day"].eq(day)]["request_id"]
    challenger = labelled("binary", "v2")
    days = set(challenger[challenger["request_id"].isin(scored)]["day"])
    return {day + later for day in days for later in range(SPAN)} & set(range(DAYS))


def test_runs_on_the_way_end_as_one_full_refresh(
    make_project: Any, engine: Engine, project: DbtProject
) -> None:
    lived = make(make_project, engine)

    def run() -> None:
        lived.build("--select", *(f"+{model}" for model in SELECTED))

    for days in (11.2, 15.9):
        land(lived, days)
        run()
    # Requests of v1 go, and come back: windows of v2 have other common traffic, though nothing of theirs changed.
    for task in TASKS:
        kept = predictions(task)
        kept = kept[kept["loaded_at"] <= START + pd.Timedelta(days=15.9)]
        kept = kept[kept["model_version"].ne("v1") | (kept.index % 7 != 0)].reset_index(drop=True)
        lived.warehouse.load(f"{task}_predictions", kept, types=TYPES)
    run()
    assert stale_days(lived, "v1") == set(range(16))
    assert stale_days(lived, "v2") == set()
    land(lived, DAYS + 8)
    run()
    assert FIRST_SHADOW not in stale_days(lived, "v2")
    # A prediction of v1's day 8 goes: ends are compared that have v2's windows of the day's requests, and no other.
    kept = predictions("binary")
    gone = kept["model_version"].eq("v1") & kept["request_id"].eq(f"r{8 * PER_DAY}")
    lived.warehouse.load("binary_predictions", kept[~gone].reset_index(drop=True), types=TYPES)
    run()
    assert stale_days(lived, "v1") == {8}
    assert stale_days(lived, "v2") == set()
    # v2 scored some of them a day after v1 did.
    assert stale_ends(lived) == ends_with_requests_of(8) == set(range(8, 15))
    land(lived, DAYS + 8)
    run()
    unequal = {
        name: found
        for name in [
            *MARTS,
            "int_mlmon__common_predictions",
            "int_mlmon__common_classes",
            "int_mlmon__common_scores",
        ]
        if (found := differences(lived.read(name), project.read(name)))
    }
    assert unequal == {}, unequal
    run()
    assert len(lived.read("int_mlmon__stale_windows").query("facts == 'labels'")) == 0
    assert len(lived.read("int_mlmon__stale_common_ends")) == 0
