"""Class scores of multiclass monitors: log loss, how they rank classes, and whether they are probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import t
from sklearn import metrics as sk

from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
CLASSES = np.array(["a", "b", "c", "d"])
SCORES = {name: f"p_{name}" for name in "abcd"}
# Days of classes in other shares than the reference's and harder to tell, then days that are like it.
OTHER_DAYS, LIKE_DAYS, DAY_ROWS = 8, 40, 200
DAYS = OTHER_DAYS + LIKE_DAYS
MARTS = ("estimated_performance", "estimation_record", "performance", "degradation",
         "quality_checks", "quality_examples", "metrics")  # fmt: skip
Z = 1.959963984540054


def drawn(
    rng: np.random.Generator, n: int, shares: list[float], signal: float = 1.2
) -> pd.DataFrame:
    """Classes, scores that are too sure of themselves, and the class of the highest."""
    label = rng.choice(4, n, p=shares)
    votes = rng.normal(size=(n, 4))
    votes[np.arange(n), label] += signal
    raised = np.exp(1.8 * votes)
    scores = raised / raised.sum(axis=1, keepdims=True)
    rows = pd.DataFrame(scores, columns=list(SCORES.values()))
    return rows.assign(prediction=CLASSES[scores.argmax(axis=1)], label=CLASSES[label])


def reference() -> pd.DataFrame:
    return drawn(np.random.default_rng(3), 3_000, [0.4, 0.3, 0.2, 0.1])


def current() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    other = drawn(rng, OTHER_DAYS * DAY_ROWS, [0.1, 0.2, 0.3, 0.4], signal=0.6)
    like = drawn(rng, LIKE_DAYS * DAY_ROWS, [0.4, 0.3, 0.2, 0.1])
    day = np.repeat(np.arange(DAYS), DAY_ROWS)
    part = np.where(day < OTHER_DAYS, "other", "like")
    return pd.concat([other, like], ignore_index=True).assign(day=day, part=part)


def load(project: DbtProject, name: str, rows: pd.DataFrame, *, is_arrow: bool = False) -> None:
    """A log of rows with their day, and of their labels twenty hours later."""
    predicted = START + pd.to_timedelta(rows["day"].to_numpy(), unit="D") + pd.Timedelta(hours=9)
    ids = {"request_id": [f"r{i}" for i in range(len(rows))]}
    # Loaded when their day is over, so that the last one is closed.
    log = rows.drop(columns=["label", "day"]).assign(
        **ids, predicted_at=predicted, loaded_at=predicted + pd.Timedelta(hours=16)
    )
    came = predicted + pd.Timedelta(hours=20)
    labels = pd.DataFrame(
        {**ids, "label": rows["label"].to_numpy(), "labeled_at": came, "loaded_at": came}
    )
    # In a frame NaN means NULL; an Arrow table keeps both.
    table = pa.table({c: pa.array(log[c].tolist()) for c in log}) if is_arrow else log
    project.warehouse.load(f"{name}_predictions", table, types=TIMES)
    project.warehouse.load(f"{name}_labels", labels, types=TIMES)


def odd_scores() -> pd.DataFrame:
    """Whole numbers as classes; scores that are missing, none, no probability, or add up to other than 1."""
    rows = pd.DataFrame(
        {
            "label": [0, 1, 2, 2, 1, 0, 1, 2, 0, 1],
            "prediction": [0, 1, 2, 1, 1, 0, 0, 2, 0, 2],
            "low": [0.8, 0.1, 0.0, 0.2, 0.3, 0.7, 0.5, 0.1, 0.9, 0.2],
            "High Score": [0.1, 0.2, 1.0, 0.2, 0.1, 0.1, 0.1, 0.7, 0.05, 0.2],
            "mid": [0.1, 0.7, 0.0, 0.5, 0.6, 0.2, 0.4, 0.2, 0.05, 0.6],
        }
    ).astype(object)
    rows.loc[1, "low"] = None
    rows.loc[4, "mid"] = float("nan")
    rows.loc[5, "High Score"] = 1.2
    rows.loc[6, "low"] = -0.1
    rows.loc[9, "mid"] = 0.9
    return rows.assign(day=0)


def edges() -> pd.DataFrame:
    """A missing score, a missing prediction, and the prediction of a class that has no score."""
    rows = drawn(np.random.default_rng(6), 40, [0.4, 0.3, 0.2, 0.1]).astype(object)
    rows.loc[0, "p_a"] = None
    rows.loc[1, "prediction"] = None
    rows.loc[2, "prediction"] = "zz"
    return rows.assign(day=0)


def off_by_a_little() -> pd.DataFrame:
    """A day of scores of four decimals, one of scores that a class was left out of, and one with text for a score."""
    rows = drawn(np.random.default_rng(8), 600, [0.4, 0.3, 0.2, 0.1])
    scores = list(SCORES.values())
    rows[scores] = rows[scores].round(4)
    rows["day"] = np.repeat([0, 1, 2], 200)
    rows.loc[rows["day"] == 1, "p_d"] = 0.0
    rows["p_b"] = [
        "none" if 400 <= position < 406 else f"{score:.4f}"
        for position, score in enumerate(rows["p_b"])
    ]
    return rows


def no_probabilities(n: int, seed: int, share: float) -> pd.DataFrame:
    """Scores of which a share does not add up to 1, and margins of which more than half are outside 0 to 1."""
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.ones(4), n)
    scores[random.random(n) < share] *= 0.8
    label = CLASSES[random.integers(0, 4, n)]
    rows = pd.DataFrame(scores, columns=list(SCORES.values()))
    return rows.assign(prediction=label, label=label, margin=random.normal(2 * share - 0.5, 1, n))


def odd_binary_scores() -> pd.DataFrame:
    rows = pd.DataFrame(
        {"label": [0, 1, 1, 0, 1, 0], "prediction": [0, 1, 1, 0, 1, 0],
         "score": [0.2, 0.9, None, float("nan"), 0.6, 1.5]}
    ).astype(object)  # fmt: skip
    return rows.assign(day=0)


def multiclass(name: str, **settings: Any) -> dict[str, Any]:
    return {
        "task": "multiclass",
        "predictions": {"source": ["logs", f"{name}_predictions"]},
        "labels": {"source": ["logs", f"{name}_labels"]},
        "reference": None,
        "columns": {"latency_ms": None, "outcome": None, "model_version": None, "score": None},
        "features": {},
        "spans": ["1d"],
        "label_horizon_days": 3,
        **settings,
    }


MONITORS = {
    "kinds": multiclass(
        "kinds",
        reference={"source": ["logs", "kinds_reference"]},
        class_scores=SCORES,
        segments=[{"name": "part", "values": ["like", "other"]}],
        spans=["1d", "7d"],
        primary_metric="log_loss",
    ),
    "edges": multiclass(
        "edges", reference={"source": ["logs", "kinds_reference"]}, class_scores=SCORES
    ),
    "odd": multiclass(
        "odd",
        label_mapping={0: "low", 1: "mid", 2: "high"},
        class_scores={
            "high": {"name": "High Score", "quote": True},
            "low": "low",
            "mid": {"expression": "mid * 1.0"},
        },
    ),
    "rounded": multiclass(
        "rounded", reference={"source": ["logs", "kinds_reference"]}, class_scores=SCORES
    ),
    "improper": multiclass(
        "improper", reference={"source": ["logs", "improper_reference"]}, class_scores=SCORES
    ),
    "margin": multiclass(
        "improper",
        task="binary",
        positive_class="a",
        reference={"source": ["logs", "improper_reference"]},
        columns={"latency_ms": None, "outcome": None, "model_version": None, "score": "margin"},
    ),
    "vanished": multiclass("odd", class_scores={0: "low", 1: "mid", 2: "gone"}),
    "binary": multiclass(
        "binary",
        task="binary",
        columns={"latency_ms": None, "outcome": None, "model_version": None},
    ),
}


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    tables = [
        f"{name}_{log}"
        for name in ("kinds", "edges", "odd", "binary", "rounded", "improper")
        for log in ("predictions", "labels")
    ]
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": MONITORS, "mlmon_lookback_days": 0},
        sources={"logs": [*tables, "kinds_reference", "improper_reference"]},
    )
    load(made, "kinds", current())
    load(made, "edges", edges())
    load(made, "odd", odd_scores(), is_arrow=True)
    load(made, "binary", odd_binary_scores(), is_arrow=True)
    load(made, "rounded", off_by_a_little())
    load(made, "improper", no_probabilities(4_000, 9, 0.8).assign(day=0))
    made.warehouse.load("kinds_reference", reference().assign(part="like"))
    made.warehouse.load("improper_reference", no_probabilities(2_000, 10, 0.5))
    made.build("--select", *(f"+fct_mlmon__{mart}" for mart in MARTS))
    return made


def read(project: DbtProject, mart: str, monitor: str = "kinds") -> pd.DataFrame:
    rows = project.read(f"fct_mlmon__{mart}")
    rows = rows[rows["monitor"] == monitor]
    return rows.assign(day=(pd.to_datetime(rows["window_end"]) - START).dt.days - 1)


def losses(rows: pd.DataFrame) -> np.ndarray:
    """What scikit-learn's log_loss is the mean of."""
    scores = rows[list(SCORES.values())].to_numpy()
    of_label = scores[np.arange(len(rows)), np.searchsorted(CLASSES, rows["label"])]
    return -np.log(np.clip(of_label, 2.0**-52, 1 - 2.0**-52))


def log_loss(performance: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    rows = performance[performance["metric"] == "log_loss"]
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


def test_log_loss_equals_scikit_learns_on_every_span_and_segment(project: DbtProject) -> None:
    logged = current()
    found = log_loss(read(project, "performance"), label_age="3d", model_version="all")
    assert set(found["segment_value"]) == {"all", "like", "other"}
    assert set(found["span_windows"]) == {1, 7}
    checked = 0
    for row in found[found["is_mature"]].to_dict("records"):
        span = logged[logged["day"].between(row["day"] - row["span_windows"] + 1, row["day"])]
        if row["segment_value"] != "all":
            span = span[span["part"] == row["segment_value"]]
        expected = sk.log_loss(span["label"], span[list(SCORES.values())], labels=CLASSES)
        half = Z * losses(span).std(ddof=1) / np.sqrt(len(span))
        assert row["value"] == pytest.approx(expected, rel=1e-9)
        assert row["value_low"] == pytest.approx(expected - half, rel=1e-9)
        assert row["value_high"] == pytest.approx(expected + half, rel=1e-9)
        assert (row["interval_method"], row["n"]) == ("normal", len(span))
        assert row["n_excluded"] == 0
        checked += 1
    assert checked > 80


def test_a_higher_log_loss_is_degradation(project: DbtProject) -> None:
    rows = log_loss(
        read(project, "degradation"), span_windows=7, segment_value="all", model_version="all"
    )
    rows = rows[(rows["baseline_kind"] == "reference") & rows["is_mature"]]
    rows = rows.set_index("day").sort_index()
    baseline = losses(reference())
    assert rows["baseline_value"].to_numpy() == pytest.approx(baseline.mean(), rel=1e-9)
    worse = losses(current().query("1 <= day <= 7"))
    assert rows.at[7, "absolute_loss"] == pytest.approx(worse.mean() - baseline.mean(), rel=1e-9)
    assert rows.at[7, "loss_low"] > 0
    assert rows.at[7, "status"] in ("warning", "critical")
    assert set(rows.loc[OTHER_DAYS + 6 :, "status"]) == {"ok"}


def test_log_loss_is_one_of_the_metrics(project: DbtProject) -> None:
    rows = read(project, "metrics")
    names = set(rows[rows["monitor"] == "kinds"]["metric"])
    assert {"log_loss", "log_loss_relative_loss"} <= names


def test_rows_without_a_full_set_of_probabilities_are_left_out_and_counted(
    project: DbtProject,
) -> None:
    [row] = log_loss(read(project, "performance", "odd"), label_age="latest",
                     model_version="all").to_dict("records")  # fmt: skip
    # Missing, not a number, above 1, below 0; a sum other than 1 is taken as it is, as scikit-learn does.
    kept = odd_scores().drop(index=[1, 4, 5, 6])
    scores = kept[["low", "mid", "High Score"]].to_numpy(dtype=float)
    with pytest.warns(UserWarning, match="do not sum to one"):
        expected = sk.log_loss(kept["label"].astype(int), scores, labels=[0, 1, 2])
    assert row["value"] == pytest.approx(expected, rel=1e-9)
    assert (row["n"], row["n_excluded"]) == (6, 4)


def test_binary_rows_without_a_probability_are_left_out_and_counted(project: DbtProject) -> None:
    kept = odd_binary_scores().drop(index=[2, 3, 5])
    label, score = kept["label"].astype(int), kept["score"].astype(float)
    performance = read(project, "performance", "binary")
    performance = performance[
        (performance["label_age"] == "latest") & (performance["model_version"] == "all")
    ].set_index("metric")
    assert performance.at["log_loss", "value"] == pytest.approx(sk.log_loss(label, score))
    assert performance.at["brier", "value"] == pytest.approx(sk.brier_score_loss(label, score))
    for metric in ("log_loss", "brier"):
        assert (performance.at[metric, "n"], performance.at[metric, "n_excluded"]) == (3, 3)


def test_a_class_score_that_vanished_is_a_finding_and_stops_nothing(project: DbtProject) -> None:
    rows = read(project, "quality_checks", "vanished")
    rows = rows[rows["check_name"] == "schema"].set_index("column_name")
    assert rows.at["class_scores.2", "status"] == "critical"
    assert rows.at["class_scores.1", "status"] == "ok"
    [row] = log_loss(read(project, "performance", "vanished"), label_age="latest",
                     model_version="all").to_dict("records")  # fmt: skip
    assert np.isnan(row["value"])
    assert row["status"] == "insufficient_data"
    accuracy = read(project, "performance", "vanished")
    accuracy = accuracy[(accuracy["metric"] == "accuracy") & (accuracy["class_label"] == "all")]
    assert accuracy["value"].notna().all()


def orders(score: np.ndarray) -> np.ndarray:
    """1 where the row's score is above the column's, a half where they are equal."""
    return (score[:, None] > score) + 0.5 * (score[:, None] == score)


def moves(scores: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The AUC of each class, and by row and class how far a label of the class moves it, and another."""
    auc, of_class, of_rest = [], [], []
    for score, p in zip(scores.T, probability.T, strict=True):
        above = orders(score)
        below = above @ (1 - p) / (1 - p).sum()
        beyond = p @ above / p.sum()
        auc.append((p * below).sum() / p.sum())
        of_class.append((below - auc[-1]) / p.sum())
        of_rest.append((beyond - auc[-1]) / (1 - p).sum())
    return np.array(auc), np.stack([np.array(of_class).T, np.array(of_rest).T])


def test_roc_auc_macro_equals_scikit_learns_with_delongs_variance(project: DbtProject) -> None:
    logged = current()
    found = read(project, "performance")
    found = found[
        (found["metric"] == "roc_auc_macro") & (found["label_age"] == "3d")
        & (found["model_version"] == "all") & found["is_mature"]
    ]  # fmt: skip
    assert set(found["segment_value"]) == {"all", "like", "other"}
    assert set(found["span_windows"]) == {1, 7}
    checked = 0
    for row in found.to_dict("records"):
        span = logged[logged["day"].between(row["day"] - row["span_windows"] + 1, row["day"])]
        if row["segment_value"] != "all":
            span = span[span["part"] == row["segment_value"]]
        scores = span[list(SCORES.values())].to_numpy()
        expected = sk.roc_auc_score(span["label"], scores, multi_class="ovr", average="macro")
        assert row["value"] == pytest.approx(expected, rel=1e-9)
        is_class = span["label"].to_numpy()[:, None] == CLASSES
        _, (of_class, of_rest) = moves(scores, is_class.astype(float))
        n = is_class.sum(axis=0)
        rest = len(span) - n
        influence = np.where(
            is_class, of_class * np.sqrt(n / (n - 1)), of_rest * np.sqrt(rest / (rest - 1))
        ).mean(axis=1)
        rarest = np.minimum(n, rest).min()
        quantile = t.ppf(0.975, rarest - 1) if rarest < 50 else Z
        width = quantile * np.sqrt((influence**2).sum()) / (expected * (1 - expected))
        odds = np.log(expected / (1 - expected))
        bounds = 1 / (1 + np.exp(-(odds + np.array([-width, width]))))
        np.testing.assert_allclose([row["value_low"], row["value_high"]], bounds, rtol=1e-5)
        assert (row["interval_method"], row["n"]) == ("delong_logit", len(span))
        checked += 1
    assert checked > 80


def test_roc_auc_macro_leaves_out_what_log_loss_does(project: DbtProject) -> None:
    found = read(project, "performance", "odd")
    found = found[(found["label_age"] == "latest") & (found["model_version"] == "all")]
    row = found.set_index("metric").loc["roc_auc_macro"]
    kept = odd_scores().drop(index=[1, 4, 5, 6])
    label, scores = kept["label"].astype(int), kept[["low", "mid", "High Score"]].astype(float)
    expected = np.mean([sk.roc_auc_score(label == k, scores.iloc[:, k]) for k in range(3)])
    assert row["value"] == pytest.approx(expected, rel=1e-9)
    assert (row["n"], row["n_excluded"]) == (6, 4)


# --- Whether scores are what they should be ---


def checks(project: DbtProject, monitor: str, check: str) -> pd.DataFrame:
    rows = read(project, "quality_checks", monitor)
    rows = rows[(rows["check_name"] == check) & (rows["column_role"] == "score")]
    return rows.set_index(["column_name", "day"]).sort_index()


def test_class_scores_that_do_not_add_up_to_one_are_a_finding(project: DbtProject) -> None:
    found = checks(project, "odd", "score_sum")
    # Of ten rows two lack a score; one of those that add up to something else has 0.9.
    row = found.loc[("class_scores", 0)]
    assert (row["n_checked"], row["n_failed"], row["status"]) == (8, 4, "critical")
    assert row["reason"].startswith(
        "4 of 8 have class scores that do not add up to 1, but to something outside 0.999 to 1.001"
    )
    examples = read(project, "quality_examples", "odd")
    examples = examples[examples["check_name"] == "score_sum"].sort_values("example_rank")
    assert dict(
        zip(examples["example_value"], examples["example_request_id"], strict=True)
    ) == {"0.4": "r6", "0.9": "r3", "1.3": "r9", "2.1": "r5"}  # fmt: skip


def test_what_rounding_leaves_is_no_finding_and_a_lost_class_is(project: DbtProject) -> None:
    found = checks(project, "rounded", "score_sum").loc["class_scores"]
    rows = off_by_a_little()
    sums = rows[list(SCORES.values())].apply(pd.to_numeric, errors="coerce").sum(axis=1)
    rounded = sums[rows["day"] == 0]
    assert 1e-6 < (rounded - 1).abs().max() < 1e-3
    assert (found.at[0, "status"], found.at[0, "n_failed"]) == ("ok", 0)
    n_lost = int(((sums[rows["day"] == 1] - 1).abs() > 1e-3).sum())
    assert (found.at[1, "status"], found.at[1, "n_failed"]) == ("critical", n_lost)
    assert (found.at[2, "status"], found.at[2, "n_checked"]) == ("ok", 194)


def test_each_class_score_is_checked_for_what_it_holds(project: DbtProject) -> None:
    failed = {
        check: {
            column.removeprefix("class_scores."): n_failed
            for (column, _), n_failed in checks(project, "odd", check)["n_failed"].items()
        }
        for check in ("missing", "not_finite", "score_range")
    }
    assert failed == {
        "missing": {"high": 0, "low": 1, "mid": 1},
        "not_finite": {"high": 0, "low": 0, "mid": 1},
        "score_range": {"high": 1, "low": 1, "mid": 0},
    }
    told = read(project, "quality_examples", "odd").set_index(["check_name", "column_name"])
    assert told["example_value"]["score_range", "class_scores.high"] == "1.2"
    assert told["example_value"]["score_range", "class_scores.low"] == "-0.1"
    assert told["example_value"]["not_finite", "class_scores.mid"] == "NaN"
    text = checks(project, "rounded", "unparsable").loc[("class_scores.b", 2)]
    assert (text["n_failed"], text["status"]) == (6, "warning")
    examples = read(project, "quality_examples", "rounded").set_index("check_name")
    assert examples.at["unparsable", "example_value"] == "none"
    assert examples.at["unparsable", "n_rows"] == 6
    # What is missing in the reference as often is no finding.
    missing = checks(project, "rounded", "missing").loc[("class_scores.b", 2)]
    assert (missing["value"], missing["reference_value"]) == (0.03, 0)


def test_scores_that_are_no_probabilities_in_the_reference_are_not_held_to_be(
    project: DbtProject,
) -> None:
    for monitor, check, column in (
        ("improper", "score_sum", "class_scores"),
        ("margin", "score_range", "score"),
    ):
        row = checks(project, monitor, check).loc[(column, 0)]
        assert row["value"] > row["reference_value"] + 0.05
        assert row["status"] == "ok", monitor
    # Each by itself is a probability all the same.
    row = checks(project, "improper", "score_range").loc[("class_scores.a", 0)]
    assert (row["reference_value"], row["n_failed"]) == (0, 0)


def test_class_scores_need_no_reference_table(make_project: Any, engine: Engine) -> None:
    alone: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": {"edges": multiclass("edges", class_scores=SCORES)},
            "mlmon_lookback_days": 0,
        },
        sources={"logs": ["edges_predictions", "edges_labels"]},
    )
    load(alone, "edges", edges())
    alone.build_for("fct_mlmon__performance")
    found = read(alone, "performance", "edges")
    assert {"log_loss", "roc_auc_macro"} <= set(found[found["value"].notna()]["metric"])


def test_nothing_is_estimated_from_class_scores(project: DbtProject) -> None:
    for mart in ("estimated_performance", "estimation_record"):
        assert set(project.read(f"fct_mlmon__{mart}")["monitor"]) <= {"margin", "binary"}
