"""Rankings: each metric against scikit-learn (ndcg) and a plain computation over lists (the others).

Two runs on the way and a third with one late label: what is compared at the end holds for runs in steps.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import ndcg_score

from support.dbt_project import DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
DAYS = 12
SEEN_FIRST = 7.3
HORIZON_DAYS = 4
AGES = {"1d": 1, "4d": 4, "latest": None}
SPANS = (1, 3)
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
TYPES = {
    **TIMES, "score": "double precision", "relevance": "double precision", "query_id": "text",
    "item_id": "text", "request_id": "text", "gain": "double precision",
}  # fmt: skip
TOP_K = {"shop": [1, 3, 10], "edges": [2, 50], "clicks": [5, 10]}
SEGMENTS = {"shop": ["all", "device", "shelf"]}


def lists_of(monitor: str, days: int = DAYS, seed: int = 5) -> pd.DataFrame:
    """Shown items with the relevance they turn out to have: tied scores, short and long lists."""
    random = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for number in range(14 if monitor == "clicks" else 10):
            n_items = int(random.integers(1, 16))
            first_shown = START + pd.Timedelta(days=day, seconds=int(random.integers(0, 86_000)))
            strength = random.normal(size=n_items)
            relevance = np.clip(np.round(strength), 0, 3) if number % 7 else np.zeros(n_items)
            if monitor == "clicks":
                # From day 6 on the better items stand at the end.
                relevance = (strength > 0.7).astype(float)
                strength = strength if day < 6 else -strength
            for item in range(n_items):
                rows.append(
                    {
                        "request_id": f"{monitor}-{day}-{number}-{item}",
                        "query_id": f"q{number}" if monitor == "shop" else f"q{day}-{number}",
                        "item_id": f"item{random.integers(0, 40)}",
                        "model_version": "v2" if monitor == "shop" and number % 3 == 0 else "v1",
                        "predicted_at": first_shown + pd.Timedelta(milliseconds=item),
                        "score": round(float(strength[item] + random.normal() / 2), 1),
                        "device": "phone" if number % 2 else "desk",
                        "shelf": ["books", "music", None][int(random.integers(0, 3))],
                        "x": float(random.normal()),
                        "relevance": relevance[item],
                        "delay": float(random.choice([0.3, 2.0, 3.5, 6.0, np.nan])),
                    }
                )
    shown = pd.DataFrame(rows)
    shown["loaded_at"] = shown["predicted_at"] + pd.Timedelta(minutes=1)
    return shown


def labels_of(shown: pd.DataFrame) -> pd.DataFrame:
    """The label log: items without a delay get none, some labels are corrected later."""
    labelled = shown[shown["delay"].notna()]
    labels = pd.DataFrame(
        {
            "request_id": labelled["request_id"],
            "gain": labelled["relevance"],
            "labeled_at": labelled["predicted_at"] + pd.to_timedelta(labelled["delay"], unit="D"),
        }
    )
    labels["loaded_at"] = labels["labeled_at"] + pd.Timedelta(minutes=5)
    corrected = labels[::9].assign(
        gain=lambda rows: (rows["gain"] + 1) % 4,
        labeled_at=lambda rows: rows["labeled_at"] + pd.Timedelta(days=1),
        loaded_at=lambda rows: rows["loaded_at"] + pd.Timedelta(days=1),
    )
    return pd.concat([labels, corrected], ignore_index=True)


# What one query of the edges is: (query, [(item, score, relevance or none where it has no label)]).
EDGES: list[tuple[str | None, list[tuple[str, float, float | None]]]] = [
    ("all_tied", [("a", 0.5, 0), ("b", 0.5, 3), ("c", 0.5, 1), ("d", 0.5, None)]),
    ("tied_over_the_cut_off", [("a", 0.9, 0), ("b", 0.5, 2), ("c", 0.5, 0), ("d", 0.5, 1)]),
    ("nothing_relevant", [("a", 0.9, 0), ("b", 0.2, 0)]),
    ("one_relevant_item", [("a", 0.9, 2)]),
    ("one_item", [("a", 0.9, 0)]),
    ("few_labels", [("a", 0.9, None), ("b", 0.8, None), ("c", 0.7, 1), ("d", 0.1, None)]),
    ("no_labels", [("a", 0.9, None), ("b", 0.8, None)]),
    (None, [("a", 0.9, 1), ("b", 0.8, 0), ("c", 0.8, None)]),
    ("a_missing_score", [("a", np.nan, 3), ("b", 0.1, 1), ("c", -5.0, 0)]),
    ("two_missing_scores", [("b", np.nan, 1), ("a", np.nan, 2), ("c", 0.3, 0)]),
    ("no_score_at_all", [("a", np.nan, 1), ("b", np.nan, 0)]),
    ("below_zero", [("a", 0.9, -1), ("b", 0.2, 1)]),
    ("no_number", [("a", 0.9, np.inf), ("b", 0.2, 1), ("c", 0.1, 0)]),
    ("tiny_and_huge", [("a", 0.9, 1e-310), ("b", 0.5, 1e-60), ("c", 0.2, 1e60)]),
    ("infinite_scores", [("a", -np.inf, 1), ("b", np.inf, 0), ("c", 0.0, 2)]),
    ("one_item_twice", [("a", 0.9, 0), ("a", 0.9, 1), ("b", 0.9, 1)]),
    ("bytes_not_words", [("Zeta", 0.5, 1), ("alpha", 0.5, 0), ("\u00c4", 0.5, 0)]),
]


def edges() -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = []
    for number, (query, items) in enumerate(EDGES):
        for position, (item, score, relevance) in enumerate(items):
            rows.append((f"e{number}-{position}", query, item, score, relevance))
    shown = pd.DataFrame(
        rows, columns=["request_id", "query_id", "item_id", "score", "relevance"]
    ).assign(predicted_at=START + pd.Timedelta(hours=5), model_version="v1")
    shown["loaded_at"] = shown["predicted_at"] + pd.Timedelta(days=2)
    shown = shown.assign(delay=np.where(shown["relevance"].isna(), np.nan, 0.1))
    labels = labels_of(shown)
    # Without the corrections of the generated labels.
    return shown, labels.drop_duplicates("request_id")


def logs(monitor: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    if monitor == "edges":
        return edges()
    shown = lists_of(monitor)
    return shown, labels_of(shown)


def reference_table() -> pd.DataFrame:
    """A training sample: one item in five has no relevance."""
    shown = lists_of("shop", days=4, seed=8)
    shown["query_id"] = shown["query_id"] + shown["predicted_at"].dt.date.astype(str)
    shown["relevance"] = shown["relevance"].where(shown["delay"].notna())
    return shown[["query_id", "item_id", "score", "device", "shelf", "x", "relevance"]]


def land(project: DbtProject, day: float) -> None:
    """The logs as they stood on that day."""
    now = START + pd.Timedelta(days=day)
    for monitor in TOP_K:
        shown, labels = logs(monitor)
        shown = shown[shown["loaded_at"] < now].drop(columns=["relevance", "delay"])
        project.warehouse.load(f"{monitor}_shown", shown, types=TYPES)
        project.warehouse.load(f"{monitor}_labels", labels[labels["loaded_at"] < now], types=TYPES)


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    monitors = {
        monitor: {
            "task": "ranking",
            "predictions": {"source": ["logs", f"{monitor}_shown"]},
            "labels": {"source": ["logs", f"{monitor}_labels"]},
            "label_columns": {"relevance": "gain"},
            "reference": {
                "shop": {"source": ["logs", "shop_reference"]}, "clicks": {"first_days": 3},
            }.get(monitor),
            "top_k": top_k,
            "columns": {"latency_ms": None, "outcome": None},
            "features": {} if monitor == "edges" else {"x": "numeric"},
            "segments": ["device", "shelf"] if monitor == "shop" else [],
            "spans": [f"{span}d" for span in SPANS],
            "label_horizon_days": HORIZON_DAYS,
            "label_ages_days": [1],
            "areas": ["association"],
            "metrics": ["mrr", f"hit_rate_at_{top_k[0]}", "relevant_query_rate"],
            "kpis": {"relevance": {"expression": "label"}},
        }
        for monitor, top_k in TOP_K.items()
    }  # fmt: skip
    tables = [f"{monitor}_{log}" for monitor in TOP_K for log in ("shown", "labels")]
    made: DbtProject = make_project(
        engine,
        vars={"mlmon_monitors": monitors, "mlmon_lookback_days": 0, "mlmon_python_models": False},
        sources={"logs": [*tables, "shop_reference"]},
    )
    made.warehouse.load(
        "shop_reference",
        reference_table(),
        types={**TYPES, "shelf": "text"},
    )
    land(made, SEEN_FIRST)
    made.build("--select", "+fct_mlmon__performance", "+fct_mlmon__degradation")
    land(made, DAYS + HORIZON_DAYS + 3)
    made.build()
    return made


@pytest.fixture(scope="module")
def performance(project: DbtProject) -> pd.DataFrame:
    rows: pd.DataFrame = project.read("fct_mlmon__performance")
    rows["day"] = (pd.to_datetime(rows["window_end"]) - START).dt.days - 1
    return rows


def metrics_at(top_k: list[int]) -> set[str]:
    """The names of all metrics at these cut-offs."""
    at = {f"{name}_at_{k}" for name in ("ndcg", "map", "hit_rate") for k in top_k}
    return at | {"mrr", "relevant_query_rate"}


def measured(items: pd.DataFrame, top_k: list[int]) -> dict[str, float]:
    """The metrics of one list by name; NaN where the list does not count."""
    relevance = items["relevance"].where(items["relevance"].abs() < 1e70)
    if relevance.isna().all():
        return {}
    gains = relevance.fillna(0).clip(lower=0)
    gains = gains.where(gains >= 1e-70, 0.0)
    score = items["score"]
    found = dict.fromkeys(metrics_at(top_k), np.nan)
    found["relevant_query_rate"] = float((gains > 0).any())
    if not (gains > 0).any() or score.isna().all():
        return found
    order = (
        items.assign(missing=score.isna(), falling=-score.fillna(0), gain=gains)
        .assign(item=items["item_id"].str.encode("utf-8"))
        .sort_values(["missing", "falling", "item", "request_id"])
    )
    hits = (order["gain"] > 0).to_numpy()
    at = np.flatnonzero(hits)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    # scikit-learn wants numbers, and more than one item: the last rank stands for a missing score.
    rank = stats.rankdata(score.fillna(-np.inf) if not np.isneginf(score).any() else score)
    # A common factor changes no ndcg.
    y_true, y_score = np.append(gains / gains.max(), 0.0)[None], np.append(rank, 0.0)[None]
    for k in top_k:
        found[f"ndcg_at_{k}"] = float(ndcg_score(y_true, y_score, k=k))
        found[f"map_at_{k}"] = float(precision[at[at < k]].sum() / min(len(at), k))
        found[f"hit_rate_at_{k}"] = float(at[0] < k)
    found["mrr"] = 1 / (at[0] + 1)
    return found


def at_age(shown: pd.DataFrame, labels: pd.DataFrame, days: int | None) -> pd.DataFrame:
    """The shown items with the relevance that counts at a label age, by definition."""
    joined = labels.merge(shown[["request_id", "predicted_at"]], on="request_id")
    if days is not None:
        age = joined["labeled_at"] - joined["predicted_at"]
        joined = joined[age <= pd.Timedelta(days=days)]
    newest = joined.sort_values("loaded_at").drop_duplicates("request_id", keep="last")
    relevance = newest.set_index("request_id")["gain"]
    return shown.assign(relevance=shown["request_id"].map(relevance))


@cache
def lists_by_age(monitor: str) -> pd.DataFrame:
    """The metrics of each list of a monitor: one row per label age, segment, version, day and query.

    A labelled item without a query is a row without metrics.
    """
    shown, labels = logs(monitor)
    shown["day"] = (shown["predicted_at"] - START).dt.days
    found = []
    for age, days in AGES.items():
        aged = at_age(shown, labels, days)
        for segment in SEGMENTS.get(monitor, ["all"]):
            values = "all" if segment == "all" else aged[segment].fillna("__missing__")
            items = aged.assign(segment_value=values)
            for key, rows in items.groupby(["segment_value", "model_version", "day", "query_id"]):
                if metrics := measured(rows, TOP_K[monitor]):
                    found.append((age, segment, *key[:3], metrics))
            orphans = items[items["query_id"].isna() & items["relevance"].notna()]
            found += [
                (age, segment, *key, {})
                for key in zip(
                    orphans["segment_value"], orphans["model_version"], orphans["day"], strict=True
                )
            ]
    columns = ["label_age", "segment_name", "segment_value", "model_version", "day"]
    keys = pd.DataFrame([row[:-1] for row in found], columns=columns)
    return keys.join(pd.DataFrame([row[-1] for row in found]))


def summed_up(lists: pd.DataFrame, metric: str) -> tuple[float, int, int, Any]:
    """Its mean over lists, how many count, how many do not, and their values."""
    values = lists[metric].dropna().to_numpy(dtype=float)
    mean = float(values.mean()) if len(values) else np.nan
    return mean, len(values), len(lists) - len(values), values


def assert_found(found: dict[str, Any], wanted: Any, where: Any) -> None:
    value, n, n_excluded, values = wanted
    assert (found["n"], found["n_excluded"]) == (n, n_excluded), where
    assert np.isclose(found["value"], value, rtol=1e-9, atol=1e-12, equal_nan=True), where
    if n == 0:
        assert found["reason_code"] == "undefined"
        return
    if found["metric"].startswith(("hit_rate", "relevant_query_rate")):
        interval = stats.binomtest(int(values.sum()), n).proportion_ci(method="wilson")
        low, high = interval.low, interval.high
        assert found["interval_method"] == "wilson"
    elif n < 2 or np.ptp(values) < 1e-12:
        assert np.isnan(found["value_low"]), where
        return
    else:
        reach = stats.norm.ppf(0.975) * stats.sem(values)
        low, high = max(0, value - reach), min(1, value + reach)
        assert found["interval_method"] == "normal"
    assert np.isclose(found["value_low"], low, rtol=1e-8, atol=1e-12), where
    assert np.isclose(found["value_high"], high, rtol=1e-8, atol=1e-12), where


@pytest.mark.parametrize("monitor", list(TOP_K))
def test_metrics_equal_those_of_each_list(performance: pd.DataFrame, monitor: str) -> None:
    """At every window end, span, version, segment and label age, after runs in steps."""
    compared = set()
    found = performance[performance["monitor"] == monitor]
    lists = lists_by_age(monitor)
    keys = ["label_age", "segment_name", "segment_value"]
    by_key = dict(list(lists.groupby(keys)))
    for row in found.to_dict("records"):
        one = by_key.get(tuple(row[key] for key in keys), lists[:0])
        one = one[one["day"].between(row["day"] - row["span_windows"] + 1, row["day"])]
        if row["model_version"] != "all":
            one = one[one["model_version"] == row["model_version"]]
        where = {key: row[key] for key in (*keys, "day", "span_windows", "model_version", "metric")}
        if not len(one):
            assert row["n"] == 0, where
            assert np.isnan(row["value"]), where
            continue
        assert_found(row, summed_up(one, row["metric"]), where)
        compared.add((row["metric"], row["label_age"], row["span_windows"], row["segment_name"]))
    assert {metric for metric, *_ in compared} == metrics_at(TOP_K[monitor])
    assert {age for _, age, *_ in compared} == set(AGES)
    assert {span for _, _, span, _ in compared} == set(SPANS)
    assert {segment for *_, segment in compared} == set(SEGMENTS.get(monitor, ["all"]))


def test_what_no_metric_can_be_taken_of_is_counted(performance: pd.DataFrame) -> None:
    rows = performance[
        (performance["monitor"] == "edges")
        & (performance["model_version"] == "all")
        & (performance["label_age"] == "latest")
        & (performance["day"] == 0)
        & (performance["span_windows"] == 1)
    ].set_index("metric")
    # Not counted: nothing_relevant, one_item, no_score_at_all, and two labelled items without a query. Those of
    # no_labels and without a query are no list.
    counted = len(EDGES) - 5
    for metric in metrics_at(TOP_K["edges"]) - {"relevant_query_rate"}:
        assert (rows.at[metric, "n"], rows.at[metric, "n_excluded"]) == (counted, 5)
    rate = rows.loc["relevant_query_rate"]
    assert (rate["n"], rate["n_excluded"]) == (len(EDGES) - 2, 2)
    assert np.isclose(rate["value"], (counted + 1) / (len(EDGES) - 2))


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("all_tied", {"mrr": 1 / 2, "map_at_2": 1 / 4, "hit_rate_at_2": 1}),
        ("one_relevant_item", {"mrr": 1, "ndcg_at_2": 1, "map_at_50": 1}),
        ("few_labels", {"mrr": 1 / 3, "hit_rate_at_2": 0, "map_at_50": 1 / 3, "ndcg_at_50": 1 / 2}),
        ("a_missing_score", {"mrr": 1, "map_at_50": (1 + 2 / 3) / 2}),
        ("two_missing_scores", {"mrr": 1 / 2, "map_at_50": (1 / 2 + 2 / 3) / 2}),
        ("one_item_twice", {"mrr": 1 / 2}),
        ("bytes_not_words", {"mrr": 1}),
    ],
)
def test_what_the_comparison_is_made_with_is_right_by_hand(
    query: str, values: dict[str, float]
) -> None:
    shown, _ = edges()
    found = measured(shown[shown["query_id"] == query], TOP_K["edges"])
    assert {name: found[name] for name in values} == pytest.approx(values)


def test_a_reference_table_is_measured_over_all_of_its_items(project: DbtProject) -> None:
    table = reference_table().reset_index(names="number")
    table["request_id"] = table["number"].astype(str)
    # Rows alike in query, item and score stand by their relevance, the unknown last.
    table = table.sort_values("relevance", na_position="last").reset_index(drop=True)
    table["request_id"] = [f"{number:06}" for number in range(len(table))]
    lists = pd.DataFrame([measured(rows, TOP_K["shop"]) for _, rows in table.groupby("query_id")])
    baselines = project.read("fct_mlmon__degradation")
    baselines = baselines[
        (baselines["monitor"] == "shop")
        & (baselines["baseline_kind"] == "reference")
        & (baselines["segment_name"] == "all")
    ]
    assert set(baselines["metric"]) == {"ndcg_at_10", "mrr", "hit_rate_at_1", "relevant_query_rate"}
    for row in baselines.to_dict("records"):
        value, n, *_ = summed_up(lists, row["metric"])
        assert np.isclose(row["baseline_value"], value, rtol=1e-9), row["metric"]
        assert row["n_baseline"] == n


def test_a_ranking_that_turns_round_is_degraded(project: DbtProject) -> None:
    degradation = project.read("fct_mlmon__degradation")
    rows = degradation[
        (degradation["monitor"] == "clicks")
        & (degradation["model_version"] == "v1")
        & (degradation["span_windows"] == 3)
        & (degradation["metric"] == "ndcg_at_10")
        & degradation["is_deciding"]
    ].copy()
    rows["day"] = (pd.to_datetime(rows["window_end"]) - START).dt.days - 1
    status = rows.set_index("day")["status"]
    assert status[5] == "ok"
    assert set(status[status.index >= 8]) == {"critical"}
    # Two means with their own variances, the current one no less than the baseline's at as few lists.
    lists = lists_by_age("clicks")
    lists = lists[lists["label_age"] == f"{HORIZON_DAYS}d"]
    last = rows[rows["day"] == 9].to_dict("records")[0]
    *_, current = summed_up(lists[lists["day"].between(7, 9)], "ndcg_at_10")
    *_, baseline = summed_up(lists[lists["day"].between(0, 2)], "ndcg_at_10")
    spread = max(stats.sem(current), stats.sem(baseline) * np.sqrt(len(baseline) / len(current)))
    z = (baseline.mean() - current.mean()) / np.hypot(spread, stats.sem(baseline))
    assert np.isclose(last["p_value"], 2 * stats.norm.sf(z), rtol=1e-4, atol=1e-9)
    assert np.isclose(last["absolute_loss"], baseline.mean() - current.mean(), rtol=1e-9)


def test_every_metric_is_described_once_and_is_among_all_metrics(project: DbtProject) -> None:
    described = project.read("dim_mlmon__metrics")
    assert described["metric"].is_unique
    metrics = project.read("fct_mlmon__metrics")
    assert set(metrics["metric"]) <= set(described["metric"])
    shown = set(metrics.loc[metrics["monitor"] == "shop", "metric"])
    assert {"ndcg_at_3", "map_at_10", "hit_rate_at_1", "mrr", "ndcg_at_10_relative_loss"} <= shown
    versions = project.read("fct_mlmon__version_comparison")
    versions = versions[(versions["monitor"] == "shop") & versions["p_value"].notna()]
    assert {"ndcg_at_10", "hit_rate_at_1", "mrr"} <= set(versions["metric"])
    wide = project.read("fct_mlmon__performance_wide")
    performance = project.read("fct_mlmon__performance")
    for monitor, metric in (("shop", "hit_rate_at_10"), ("edges", "hit_rate_at_50")):
        values = performance.loc[
            (performance["monitor"] == monitor) & (performance["metric"] == metric), "value"
        ]
        side_by_side = wide.loc[wide["monitor"] == monitor, "hit_rate_at_k"]
        assert sorted(values.dropna()) == sorted(side_by_side.dropna())


def test_score_features_labels_and_requests_are_watched_as_those_of_any_monitor(
    project: DbtProject,
) -> None:
    drift = project.read("fct_mlmon__column_drift")
    drift = drift[drift["monitor"] == "shop"]
    assert set(drift["column_name"]) == {"x", "score"}
    assert drift["psi"].notna().any()
    label_drift = project.read("fct_mlmon__label_drift")
    for monitor in ("shop", "clicks"):
        rows = label_drift[(label_drift["monitor"] == monitor) & label_drift["is_deciding"]]
        assert rows["value"].notna().any(), monitor
    association = project.read("fct_mlmon__label_association")
    assert set(association["method"]) == {"pearson", "mutual_information"}
    assert association["value"].notna().any()
    operations = project.read("fct_mlmon__operations")
    days = operations[(operations["monitor"] == "clicks") & (operations["span_windows"] == 1)]
    assert days.loc[days["model_version"] == "all", "n_requests"].sum() == len(lists_of("clicks"))
    checks = project.read("fct_mlmon__quality_checks")
    assert "score" in set(checks.loc[checks["monitor"] == "shop", "column_name"])
    kpis = project.read("fct_mlmon__kpis")
    assert kpis.loc[kpis["monitor"] == "shop", "value_per_request"].notna().any()


def test_a_late_label_touches_the_windows_of_its_prediction_alone(
    project: DbtProject, performance: pd.DataFrame
) -> None:
    shown, labels = logs("shop")
    unlabelled = shown[shown["delay"].isna() & (shown["model_version"] == "v1")].iloc[-1]
    late = pd.DataFrame(
        {
            "request_id": [unlabelled["request_id"]],
            "gain": [3.0],
            "labeled_at": [START + pd.Timedelta(days=DAYS + 8)],
            "loaded_at": [START + pd.Timedelta(days=DAYS + 8)],
        }
    )
    grown = pd.concat([labels, late], ignore_index=True)
    project.warehouse.load("shop_labels", grown, types=TYPES)
    project.build("--select", "+fct_mlmon__performance")
    stale = project.read("int_mlmon__stale_windows").query("facts == 'labels'")
    assert list(stale["model_version"]) == ["v1"]
    day = (unlabelled["predicted_at"] - START).days
    again = project.read("fct_mlmon__performance")
    again["day"] = (pd.to_datetime(again["window_end"]) - START).dt.days - 1
    keys = ["monitor", "model_version", "day", "span_windows", "segment_name", "segment_value",
            "metric", "label_age"]  # fmt: skip
    before = performance.set_index(keys)["n"]
    after = again.set_index(keys)["n"]
    changed = after[after.ne(before.reindex(after.index)) & before.reindex(after.index).notna()]
    moved = changed.reset_index()
    assert set(moved["monitor"]) <= {"shop"}
    assert set(moved["label_age"]) <= {"latest"}
    assert moved["day"].between(day, day + SPANS[-1] - 1).all()
    assert set(moved["model_version"]) <= {"v1", "all"}
