"""The configuration: what users write, its normal form, and what they are told where it is wrong.

dbt parses a project that has the package's macros and nothing else, once; after that every case
calls a macro in that process with vars of its own, as ``--vars`` would set them. Whether the
message reaches a user of the whole package, whichever model is read first, is shown with real
parses at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from support.dbt_project import ROOT, DbtProject, create_project, package_of_macros
from support.warehouses import DuckDBWarehouse

Call = Callable[..., Any]

PREDICTIONS = {"source": ["flights", "predictions"]}
LABELS = {"source": ["flights", "labels"]}
BINARY = {"task": "binary", "predictions": PREDICTIONS}


@pytest.fixture(scope="session")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """`call(macro, vars, adapter=…, **arguments)`: what a macro of the package returns."""
    from dbt.adapters import factory
    from dbt.context.providers import generate_runtime_macro_context

    package = package_of_macros(tmp_path_factory.mktemp("macros_only"))
    directory = tmp_path_factory.mktemp("config_project")
    project = create_project(directory, DuckDBWarehouse(directory / "w.duckdb"), package=package)
    result, manifest = project._invoke("parse")
    assert manifest is not None, result.text
    adapters: Any = factory.FACTORY
    loaded = adapters.lookup_adapter("duckdb")

    def macro(name: str, settings: Mapping[str, Any], /, **arguments: Any) -> Any:
        loaded.config.cli_vars = dict(settings)
        # What was kept of the last call has its vars.
        loaded.set_macro_context_generator(generate_runtime_macro_context)
        return loaded.execute_macro(
            name, macro_resolver=manifest, project="mlmon", kwargs=arguments
        )

    return macro


def monitor_of(call: Call, block: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """The normal form of one monitor, `m`."""
    settings = {"mlmon_monitors": {"m": block}, "mlmon_defaults": defaults}
    call("check_configuration", settings)
    [m] = call("monitors", settings)
    return dict(m)


def problems_of(call: Call, settings: Mapping[str, Any]) -> list[str]:
    """The lines of check_configuration's error; none where it raises nothing."""
    from dbt_common.exceptions import CompilationError

    try:
        call("check_configuration", settings)
    except CompilationError as error:
        [head, *lines] = str(error.msg).splitlines()
        assert re.fullmatch(r"mlmon cannot use its configuration \(\d+ problems?\):", head)
        assert f"({len(lines)} problem" in head
        return [line.strip() for line in lines]
    return []


def test_the_shortest_monitor_gets_every_default(call: Call) -> None:
    m = monitor_of(call, BINARY)

    def column(name: str) -> dict[str, Any]:
        return {"name": name, "quote": False, "expression": None, "declared": False}

    policies = {"bins": {"policy": "quantile", "k": 10, "edges": None}}
    names = "request_id predicted_at loaded_at model_version prediction score latency_ms outcome"
    of_rankings = {"query_id": None, "item_id": None}
    for name in ("config_hash", "verdict_hash"):
        assert re.fullmatch("[0-9a-f]{32}", m.pop(name))
    monitored = m.pop("monitored")
    assert m == {
        "name": "m",
        "position": 0,
        "task": "binary",
        "grain": "day",
        "timezone": "UTC",
        "predictions": PREDICTIONS,
        "labels": None,
        "reference": {
            "kind": "first_days",
            "relation": None,
            "from": None,
            "to": None,
            "first_days": 30,
            "compared_with": "reference",
            "rolling_days": None,
            "version": None,
        },
        "columns": {**{name: column(name) for name in names.split()}, **of_rankings},
        "label_columns": {
            name: column(name) for name in ("request_id", "label", "labeled_at", "loaded_at")
        },
        "reference_columns": {
            **{name: column(name) for name in [*names.split(), "label"]},
            **of_rankings,
        },
        "features": [],
        "feature_counts": {"numeric": 0, "categorical": 0},
        "smoothing": "floor_1e-4",
        "segments": [],
        "spans": [1, 7, 28],
        "threshold_policy": "larger",
        "label_horizon_days": 14,
        "label_ages_days": [1, 3, 7, 14],
        "positive_class": "1",
        "label_mapping": None,
        "class_scores": [],
        "threshold": None,
        "score_digits": 3,
        "quantile": None,
        "top_k": [],
        "baseline": "reference",
        "success_outcomes": None,
        "close_after_minutes": 60,
        "primary_metric": "f1",
        "metrics": [],
        "slo_latency_ms": None,
        "slo_target": None,
        "multivariate": None,
        "fairness": [],
        "kpis": [],
        "areas": [],
        "owner": "",
        "description": "",
        "dashboard_url": "",
    }
    assert [(c["name"], c["role"], c["kind"], c["slot"]) for c in monitored] == [
        ("score", "score", "numeric", "score"),
        ("prediction", "prediction", "categorical", "prediction_class"),
    ]
    assert monitored[0]["bins"] == policies["bins"]
    assert monitored[1]["bins"] == {"policy": "categorical", "k": 100, "edges": None}


def test_without_monitors_there_is_nothing_and_nothing_is_wrong(call: Call) -> None:
    empty: list[dict[str, Any]] = [
        {},
        {"mlmon_monitors": {}},
        {"mlmon_monitors": None, "mlmon_seeds": None},
    ]
    for settings in empty:
        assert problems_of(call, settings) == []
        assert call("monitors", settings) == []
        assert call("slot_counts", settings) == {"numeric": 0, "category": 0, "segment": 0}


def test_features_travel_in_slots_of_their_kind_and_in_the_order_they_are_written(
    call: Call,
) -> None:
    m = monitor_of(
        call,
        {
            **BINARY,
            "features": {
                "distance": "numeric",
                "carrier": "categorical",
                "wind": {
                    "kind": "numeric",
                    "expression": "features['wind_speed']",
                    "min": 0,
                    "max": 200,
                    "required": False,
                    "importance": 0.1,
                    "description": "Miles per hour.",
                    "bins": {"policy": "equal_width", "k": 20},
                    "smoothing": "laplace_half",
                    "missing": "drop",
                },
                "is_canary": "boolean",
                "amount": {"kind": "numeric", "column": "Order Amount", "quote": True},
            },
        },
    )
    features = {f["name"]: f for f in m["features"]}
    assert {name: (f["kind"], f["slot"], f["position"]) for name, f in features.items()} == {
        "distance": ("numeric", "numeric_1", 1),
        "carrier": ("categorical", "category_1", 2),
        "wind": ("numeric", "numeric_2", 3),
        "is_canary": ("categorical", "category_2", 4),
        "amount": ("numeric", "numeric_3", 5),
    }
    assert features["distance"]["required"] is True
    assert features["distance"]["smoothing"] == "floor_1e-4"
    assert features["distance"]["missing"] == "bin"
    wind = features["wind"]
    assert (wind["min"], wind["max"], wind["importance"]) == (0, 200, 0.1)
    assert (wind["required"], wind["description"]) == (False, "Miles per hour.")
    assert (wind["smoothing"], wind["missing"]) == ("laplace_half", "drop")
    assert wind["bins"] == {"policy": "equal_width", "k": 20, "edges": None}
    assert call("column_sql", {}, column=wind["column"]) == "(features['wind_speed'])"
    assert call("column_sql", {}, column=features["amount"]["column"]) == '"Order Amount"'
    assert call("column_sql", {}, column=features["carrier"]["column"]) == "carrier"


@pytest.mark.parametrize(
    ("name", "quote", "sql"),
    [
        ("score", False, "score"),
        ("Score", False, "Score"),
        ("Score", True, '"Score"'),
        ('the "best" score', True, '"the ""best"" score"'),
        ("order", False, '"order"'),
        ("user", False, '"user"'),
    ],
)
def test_a_column_is_quoted_where_the_user_or_sql_asks_for_it(
    call: Call, name: str, quote: bool, sql: str
) -> None:
    column = {"name": name, "quote": quote, "expression": None, "declared": True}
    assert call("column_sql", {}, column=column) == sql


def test_every_word_that_duckdb_reads_as_something_else_is_quoted(call: Call) -> None:
    with duckdb.connect() as connection:
        words = connection.execute("select distinct keyword_name from duckdb_keywords()")
        for (word,) in words.fetchall():
            column = {"name": word, "quote": False, "expression": None, "declared": True}
            sql = call("column_sql", {}, column=column)
            log = f'(select 7 as "{word}") as log'
            read = f"select cast({sql} as varchar), coalesce({sql}, 1) as x from {log}"
            assert connection.execute(read).fetchall() == [("7", 7)], word


def test_bins_of_the_monitor_hold_for_its_numeric_columns_unless_a_feature_has_its_own(
    call: Call,
) -> None:
    m = monitor_of(
        call,
        {
            **BINARY,
            "bins": {"policy": "custom", "edges": [0, 0.5, 1]},
            "features": {
                "a": "numeric",
                "b": {"kind": "numeric", "bins": {"policy": "quantile", "k": 5}},
                "c": {"kind": "categorical", "bins": {"k": 12}},
                "d": {"kind": "numeric", "bins": {"edges": [1, 2]}},
            },
        },
    )
    bins = {c["name"]: c["bins"] for c in m["monitored"]}
    assert bins == {
        "a": {"policy": "custom", "k": 4, "edges": [0, 0.5, 1]},
        "b": {"policy": "quantile", "k": 5, "edges": None},
        "c": {"policy": "categorical", "k": 12, "edges": None},
        "d": {"policy": "custom", "k": 3, "edges": [1, 2]},
        "score": {"policy": "custom", "k": 4, "edges": [0, 0.5, 1]},
        "prediction": {"policy": "categorical", "k": 100, "edges": None},
    }


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("binary", ["score:score", "prediction:prediction_class", "label:label_class"]),
        ("multiclass", ["score:score", "prediction:prediction_class", "label:label_class"]),
        ("regression", ["prediction:prediction_value", "label:label_value"]),
        ("ranking", ["score:score", "label:label_value"]),
    ],
)
def test_score_prediction_and_label_are_monitored_as_the_task_needs(
    call: Call, task: str, expected: list[str]
) -> None:
    m = monitor_of(call, {"task": task, "predictions": PREDICTIONS, "labels": LABELS})
    assert [f"{c['role']}:{c['slot']}" for c in m["monitored"]] == expected
    kinds = {c["role"]: c["kind"] for c in m["monitored"]}
    assert kinds["label"] == ("numeric" if task in ("regression", "ranking") else "categorical")


RANKING = {"task": "ranking", "predictions": PREDICTIONS, "labels": LABELS}


def test_a_ranking_monitor_has_queries_items_and_relevance_for_a_label(call: Call) -> None:
    m = monitor_of(
        call,
        {
            **RANKING,
            "columns": {"query_id": "search_id", "item_id": {"expression": "sku || shop"}},
            "label_columns": {"relevance": "gain"},
            "reference": {"ref": "training"},
            "reference_columns": {"relevance": "grade"},
        },
    )
    assert m["columns"]["query_id"]["name"] == "search_id"
    assert m["columns"]["item_id"]["expression"] == "sku || shop"
    assert m["columns"]["prediction"] is None
    assert m["label_columns"]["label"]["name"] == "gain"
    assert m["reference_columns"]["label"]["name"] == "grade"
    assert m["reference_columns"]["query_id"]["name"] == "search_id"
    assert "relevance" not in m["label_columns"] | m["reference_columns"]
    unmapped = monitor_of(call, RANKING)
    assert unmapped["label_columns"]["label"]["name"] == "relevance"


@pytest.mark.parametrize(
    ("written", "top_k", "primary"),
    [
        ({}, [5, 10], "ndcg_at_10"),
        ({"top_k": [20, 3]}, [3, 20], "ndcg_at_20"),
        ({"top_k": [3, 3], "primary_metric": "mrr"}, [3], "mrr"),
    ],
)
def test_rankings_are_measured_at_their_cut_offs_and_judged_at_the_largest(
    call: Call, written: dict[str, Any], top_k: list[int], primary: str
) -> None:
    m = monitor_of(call, {**RANKING, **written})
    assert (m["top_k"], m["primary_metric"]) == (top_k, primary)
    assert call("computed_metrics", {}, m=m) == [
        *(f"{name}_at_{k}" for name in ("ndcg", "map", "hit_rate") for k in top_k),
        "mrr",
        "relevant_query_rate",
    ]


def test_cut_offs_may_stand_in_the_defaults_of_monitors_of_all_tasks(call: Call) -> None:
    settings = {
        "mlmon_defaults": {"top_k": [1, 2], "labels": LABELS},
        "mlmon_monitors": {"a": BINARY, "b": {"task": "ranking", "predictions": PREDICTIONS}},
    }
    assert problems_of(call, settings) == []
    assert [m["top_k"] for m in call("monitors", settings)] == [[], [1, 2]]


def test_a_tilde_says_that_the_log_has_no_such_column(call: Call) -> None:
    m = monitor_of(
        call,
        {
            **BINARY,
            "columns": {"prediction": None, "outcome": None, "score": "risk"},
            "threshold": 0.5,
        },
    )
    assert m["columns"]["prediction"] is None
    assert m["columns"]["outcome"] is None
    assert m["columns"]["score"] == {
        "name": "risk",
        "quote": False,
        "expression": None,
        "declared": True,
    }
    assert m["reference_columns"]["prediction"] is None
    assert m["threshold"] == 0.5
    assert [c["role"] for c in m["monitored"]] == ["score", "prediction"]


def test_the_reference_is_mapped_like_the_prediction_log_unless_told_otherwise(
    call: Call,
) -> None:
    m = monitor_of(
        call,
        {
            **BINARY,
            "reference": {"ref": ["shop", "training_rows"]},
            "columns": {"request_id": "id", "score": {"expression": "p -> 1"}},
            "reference_columns": {"score": "oof_score", "label": "y"},
        },
    )
    assert m["reference"]["kind"] == "table"
    assert m["reference"]["relation"] == {"ref": ["shop", "training_rows"]}
    columns = m["reference_columns"]
    mapped = {key: c["name"] for key, c in columns.items() if c and c["declared"]}
    assert mapped == {"request_id": "id", "score": "oof_score", "label": "y"}


@pytest.mark.parametrize(
    ("written", "kind", "shown"),
    [
        ("reference: {from: 2013-01-01, to: 2013-03-31}", "dates", ("2013-01-01", "2013-03-31")),
        ("reference: {from: '2013-01-01', to: '2013-01-01'}", "dates", ("2013-01-01",) * 2),
        ("reference: {first_days: 7}", "first_days", (None, None)),
        ("reference: none", "none", (None, None)),
        ("reference: ~", "none", (None, None)),
        ("reference: {ref: training}", "table", (None, None)),
    ],
)
def test_a_reference_is_a_table_dates_first_days_or_none(
    call: Call, written: str, kind: str, shown: tuple[str | None, str | None]
) -> None:
    m = monitor_of(call, {**BINARY, **yaml.safe_load(written)})
    assert m["reference"]["kind"] == kind
    assert (m["reference"]["from"], m["reference"]["to"]) == shown


@pytest.mark.parametrize(
    ("written", "kind", "moves"),
    [
        ("{ref: training}", "table", ("reference", None, None)),
        ("{rolling_days: 28}", "first_days", ("rolling", 28, None)),
        ("{ref: training, rolling_days: 28}", "table", ("rolling", 28, None)),
        ("{first_days: 7, previous_span: true}", "first_days", ("previous_span", None, None)),
        ("{previous_span: false}", "first_days", ("reference", None, None)),
        ("{version: stable}", "first_days", ("version", None, "stable")),
        ("{from: 2013-01-01, to: 2013-03-31, version: 2}", "dates", ("version", None, "2")),
    ],
)
def test_a_reference_may_move_beside_the_rows_that_its_bins_are_made_from(
    call: Call, written: str, kind: str, moves: tuple[str, int | None, str | None]
) -> None:
    m = monitor_of(call, {**BINARY, "reference": yaml.safe_load(written)})
    reference = m["reference"]
    assert reference["kind"] == kind
    assert (reference["compared_with"], reference["rolling_days"], reference["version"]) == moves
    if kind == "table":
        assert reference["relation"] == {"ref": "training"}


@pytest.mark.parametrize(
    ("grain", "written", "spans"),
    [
        ("day", None, [1, 7, 28]),
        ("hour", None, [1, 24, 168]),
        ("day", ["28d", "7d"], [1, 7, 28]),
        ("hour", ["7d", "6h", "24h", "1d"], [1, 6, 24, 168]),
    ],
)
def test_spans_are_counted_in_base_windows_and_begin_with_one(
    call: Call, grain: str, written: list[str] | None, spans: list[int]
) -> None:
    assert monitor_of(call, {**BINARY, "grain": grain, "spans": written})["spans"] == spans


@pytest.mark.parametrize(
    ("written", "ages"),
    [
        ({}, [1, 3, 7, 14]),
        ({"label_horizon_days": 45}, [1, 3, 7, 14, 30, 45]),
        ({"label_horizon_days": 2}, [1, 2]),
        ({"label_ages_days": [7, 2]}, [2, 7, 14]),
        ({"label_ages_days": []}, [14]),
    ],
)
def test_the_horizon_is_always_a_label_age_and_none_is_beyond_it(
    call: Call, written: dict[str, Any], ages: list[int]
) -> None:
    assert monitor_of(call, {**BINARY, "labels": LABELS, **written})["label_ages_days"] == ages


def test_classes_and_outcomes_become_the_texts_that_staging_compares_with(call: Call) -> None:
    m = monitor_of(
        call,
        {
            **BINARY,
            "positive_class": 1.0,
            "label_mapping": {True: 1, False: "0", 2: 0},
            "success_outcomes": ["ok", 200, True],
        },
    )
    assert m["positive_class"] == "1"
    assert m["label_mapping"] == {"true": "1", "false": "0", "2": "0"}
    assert m["success_outcomes"] == ["ok", "200", "true"]


def test_class_scores_travel_in_slots_as_many_as_the_widest_monitor_needs(call: Call) -> None:
    multiclass = {**BINARY, "task": "multiclass", "labels": LABELS}
    two = {**multiclass, "class_scores": {2.0: "p_2", True: {"expression": "p"}}}
    three = {**two, "class_scores": {"a": {"name": "P a", "quote": True}, "b": "p_b", "c": "p_c"}}
    settings = {"mlmon_monitors": {"none": BINARY, "two": two, "three": three}}
    call("check_configuration", settings)
    read = {m["name"]: m["class_scores"] for m in call("monitors", settings)}
    assert read["none"] == []
    assert [score["class"] for score in read["two"]] == ["2", "true"]
    assert [score["slot"] for score in read["three"]] == call("class_score_slots", settings)
    assert call("class_score_slots", settings) == [f"class_score_{n}" for n in (1, 2, 3)]
    assert read["two"][1]["column"]["expression"] == "p"
    assert read["three"][0]["column"] == {
        "name": "P a", "quote": True, "expression": None, "declared": True,
    }  # fmt: skip


def test_a_missing_class_score_is_named_and_no_error(call: Call) -> None:
    scores = {"a": "p_a", "b": "p_b"}
    block = {**BINARY, "task": "multiclass", "labels": LABELS, "class_scores": scores}
    for log in ("predictions", "reference"):
        assert "p_b" in absent(call, block, log, "request_id,predicted_at,p_a")


def test_segments_have_values_of_their_own_or_a_cap(call: Call) -> None:
    m = monitor_of(
        call,
        {
            **BINARY,
            "segments": [
                "origin",
                {"name": "haul", "expression": "distance > 1500", "values": [True, False]},
                {"name": "shop", "column": "Shop Name", "quote": True, "max_values": 5},
            ],
        },
    )
    shown = [
        (s["name"], s["position"], s["slot"], s["values"], s["max_values"]) for s in m["segments"]
    ]
    assert shown == [
        ("origin", 1, "segment_1", None, 20),
        ("haul", 2, "segment_2", ["true", "false"], 20),
        ("shop", 3, "segment_3", None, 5),
    ]
    assert [call("column_sql", {}, column=s["column"]) for s in m["segments"]] == [
        "origin",
        "(distance > 1500)",
        '"Shop Name"',
    ]


def test_defaults_are_merged_key_by_key_under_each_monitor(call: Call) -> None:
    settings = {
        "mlmon_defaults": {
            "spans": ["1d", "7d"],
            "owner": "ml",
            "columns": {"request_id": "id", "score": "p"},
        },
        "mlmon_monitors": {
            "b": {**BINARY, "columns": {"request_id": "key"}},
            "a": {**BINARY, "owner": "ads"},
        },
    }
    a, b = call("monitors", settings)
    assert [(m["name"], m["position"], m["owner"], m["spans"]) for m in (a, b)] == [
        ("a", 0, "ads", [1, 7]),
        ("b", 1, "ml", [1, 7]),
    ]
    assert a["columns"]["score"]["name"] == "p"
    # A key is replaced as a whole.
    assert (b["columns"]["request_id"]["name"], b["columns"]["score"]["name"]) == ("key", "score")


def test_slots_are_as_many_as_the_widest_monitor_needs(call: Call) -> None:
    settings = {
        "mlmon_defaults": {"segments": ["origin"]},
        "mlmon_monitors": {
            "a": {**BINARY, "features": {"x": "numeric", "y": {"kind": "numeric"}, "z": "boolean"}},
            "b": {
                **BINARY,
                "features": {"x": "categorical", "y": "boolean"},
                "segments": ["s", "t"],
            },
        },
    }
    assert call("slot_counts", settings) == {"numeric": 2, "category": 2, "segment": 2}


@pytest.mark.parametrize(
    ("change", "makes_anew"),
    [
        ({"owner": "somebody else"}, "nothing"),
        ({"description": "New words."}, "nothing"),
        ({"dashboard_url": "https://bi.example.com/1"}, "nothing"),
        (
            {"features": {"x": {"kind": "numeric", "description": "New.", "importance": 1}}},
            "nothing",
        ),
        ({"features": {"x": {"kind": "numeric", "max": 1}}}, "counts"),
        ({"features": {"x": "categorical"}}, "counts"),
        ({"spans": ["1d"]}, "verdicts"),
        ({"threshold_policy": "fixed"}, "verdicts"),
        ({"drift_rule": ["psi"]}, "verdicts"),
        # Statistics of ranks need cells, and by segment those of segments.
        ({"drift_methods": ["psi"]}, "counts"),
        ({"drift_rule": ["ks"]}, "counts"),
        ({"smoothing": "none", "missing": "drop"}, "verdicts"),
        ({"metrics": ["recall"], "baseline": "previous_span"}, "verdicts"),
        ({"primary_metric": "recall"}, "verdicts"),
        ({"bins": {"k": 20}}, "counts"),
        ({"timezone": "Europe/Paris"}, "counts"),
        ({"columns": {"score": "p"}}, "counts"),
        ({"multivariate": False}, "nothing"),
        ({"multivariate": True}, "counts"),
        ({"kpis": {"k": {"expression": "1"}}}, "counts"),
        ({"kpis": {}}, "nothing"),
        ({"preset": None}, "nothing"),
        ({"task": "multiclass", "class_scores": {"a": "p_a", "b": "p_b"}}, "counts"),
        ({"preset": "nannyml"}, "verdicts"),
        ({"features": {"x": {"kind": "numeric", "preset": "evidently"}}}, "verdicts"),
    ],
)
def test_the_hashes_of_a_monitor_change_with_what_shapes_its_numbers_alone(
    call: Call, change: dict[str, Any], makes_anew: str
) -> None:
    block = {**BINARY, "labels": LABELS, "features": {"x": "numeric"}}
    before = call("monitors", {"mlmon_monitors": {"m": block}})[0]
    others = {"mlmon_monitors": {"a": BINARY, "m": {**block, **change}}}
    after = call("monitors", others)[1]
    assert (before["config_hash"] != after["config_hash"]) == (makes_anew == "counts")
    assert (before["verdict_hash"] != after["verdict_hash"]) == (makes_anew != "nothing")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, None),
        (False, None),
        (True, {"rows": 2000, "warning": 0.6}),
        ({}, {"rows": 2000, "warning": 0.6}),
        ({"rows": 500}, {"rows": 500, "warning": 0.6}),
    ],
)
def test_joint_drift_is_off_or_has_both_of_its_keys(call: Call, written: Any, read: Any) -> None:
    assert monitor_of(call, {**BINARY, "multivariate": written})["multivariate"] == read
    # What is on for all may be off for one.
    own = monitor_of(call, {**BINARY, "multivariate": False}, multivariate=True)
    assert own["multivariate"] is None
    settings = {
        "mlmon_monitors": {"m": {**BINARY, "multivariate": written}},
        "mlmon_python_models": True,
    }
    assert call("measures_joint_drift", settings) == (read is not None)


@pytest.mark.parametrize(
    ("written", "needs_label"),
    [
        ({"expression": "amount"}, False),
        ({"expression": "1 - label"}, True),
        ({"expression": "case when LABEL=1 then 2 end"}, True),
        ({"expression": "case when outcome = 'no label' then 1 end"}, False),
        ({"expression": "labels + label_cost + a.label"}, False),
        ({"expression": "amount", "needs_label": True}, True),
    ],
)
def test_a_kpi_needs_labels_where_its_expression_names_them(
    call: Call, written: dict[str, Any], needs_label: bool
) -> None:
    [kpi] = monitor_of(call, {**BINARY, "labels": LABELS, "kpis": {"k": written}})["kpis"]
    assert (kpi["name"], kpi["needs_label"], kpi["number"]) == ("k", needs_label, 1)
    assert (kpi["unit"], kpi["is_higher_better"], kpi["warning"]) == ("none", True, None)


def test_a_value_matrix_is_one_kpi_more_and_recomputes_nothing(call: Call) -> None:
    block = {**BINARY, "labels": LABELS, "kpis": {"k": {"expression": "1"}}}
    before = monitor_of(call, block)
    after = monitor_of(call, {**block, "value_matrix": {"tp": 2, "fp": -1, "fn": 0, "tn": 0}})
    assert [kpi["name"] for kpi in after["kpis"]] == ["k", "value"]
    assert after["kpis"][1]["number"] is None
    assert after["config_hash"] == before["config_hash"]
    judged = {**block, "kpis": {"k": {"expression": "1", "unit": "EUR", "warning": 0.1}}}
    assert monitor_of(call, judged)["config_hash"] == before["config_hash"]


def test_a_preset_is_the_monitors_unless_a_feature_has_its_own_or_none(call: Call) -> None:
    features = {
        "a": "numeric",
        "b": {"kind": "categorical", "preset": "nannyml"},
        "c": {"kind": "numeric", "preset": None},
    }
    block = {**BINARY, "features": features}
    of_all = monitor_of(call, block, preset="evidently")["monitored"]
    assert {column["name"]: column["preset"] for column in of_all} == {
        "a": "evidently",
        "b": "nannyml",
        "c": None,
        "score": "evidently",
        "prediction": "evidently",
    }
    own = monitor_of(call, {**block, "preset": None}, preset="evidently")["monitored"]
    assert [column["name"] for column in own if column["preset"]] == ["b"]


@pytest.mark.parametrize(
    ("block", "computes"),
    [
        ({}, False),
        ({"preset": None}, False),
        ({"preset": "evidently"}, True),
        (
            {
                "preset": "evidently",
                "columns": {"score": None, "prediction": None},
                "features": {"x": {"kind": "numeric", "preset": None}},
            },
            False,
        ),
        ({"features": {"x": {"kind": "numeric", "preset": "nannyml"}}}, True),
        ({"features": {"x": {"kind": "numeric", "preset": None}}}, False),
    ],
)
def test_presets_are_computed_where_a_column_has_one_and_python_runs(
    call: Call, block: dict[str, Any], computes: bool
) -> None:
    settings = {"mlmon_monitors": {"m": {**BINARY, **block}}, "mlmon_python_models": True}
    assert call("computes_presets", settings) == computes
    assert not call("computes_presets", {**settings, "mlmon_python_models": False})


def test_limits_of_the_gate_are_laid_over_those_of_the_quality_checks(call: Call) -> None:
    limits = call(
        "gate_limits",
        {
            "mlmon_quality_limits": {"missing": {"warning": 0.1, "critical": 0.3}},
            "mlmon_gate_limits": {"missing": {"critical": 0.5}, "identity": {"warning": 0.001}},
        },
    )
    defaults = call("gate_limits", {})
    assert limits == {
        **defaults,
        "missing": {"warning": 0.1, "critical": 0.5},
        "identity": {"warning": 0.001, "critical": 0.01},
    }
    assert defaults["duplicates"] == call("quality_limits", {})["duplicates"]


def test_quality_limits_are_merged_limit_by_limit(call: Call) -> None:
    defaults = call("quality_limits", {})
    assert defaults["missing"] == {"warning": 0.05, "critical": 0.2}
    limits = call("quality_limits", {"mlmon_quality_limits": {"missing": {"warning": 0.1}}})
    assert limits == {**defaults, "missing": {"warning": 0.1, "critical": 0.2}}


MISTAKES = yaml.safe_load((Path(__file__).parent / "config_project/mistakes.yml").read_text())


def is_told(problem: str, told: str) -> bool:
    """Whether a problem reads as expected, where `...` stands for any words."""
    return re.fullmatch(re.escape(told).replace(re.escape("..."), ".+"), problem) is not None


@pytest.mark.parametrize("case", MISTAKES["monitors"])
def test_a_mistake_in_a_monitor_is_told_with_its_fix(call: Call, case: str) -> None:
    mistake = MISTAKES["monitors"][case]
    block = {**BINARY, "labels": LABELS, **mistake["write"]}
    [problem] = problems_of(call, {"mlmon_monitors": {"m": block}})
    assert is_told(problem, mistake["told"]), problem


@pytest.mark.parametrize("case", MISTAKES["variables"])
def test_a_mistake_in_a_variable_is_told_with_its_fix(call: Call, case: str) -> None:
    mistake = MISTAKES["variables"][case]
    [problem] = problems_of(call, mistake["write"])
    assert is_told(problem, mistake["told"]), problem


def test_every_problem_says_what_was_found_what_is_allowed_and_the_fix() -> None:
    for mistake in [*MISTAKES["monitors"].values(), *MISTAKES["variables"].values()]:
        assert re.fullmatch("mlmon_[^ ]+: found .+; allowed: .+; fix: .+", mistake["told"])


def test_all_problems_are_told_at_once(call: Call) -> None:
    settings = {
        "mlmon_lookback_days": -1,
        "mlmon_monitors": {
            "a": {"task": "binry", "predictions": PREDICTIONS, "spans": ["3x"]},
            "b": {**BINARY, "features": {"x": "number"}},
        },
    }
    where = [problem.split(": found")[0] for problem in problems_of(call, settings)]
    assert where == [
        "mlmon_lookback_days",
        "mlmon_monitors.a.task",
        "mlmon_monitors.a.spans",
        "mlmon_monitors.b.features.x.kind",
    ]


def test_a_mistake_in_the_defaults_is_told_once_and_where_it_was_made(call: Call) -> None:
    settings = {
        "mlmon_defaults": {"spans": ["3x"], "grane": "day"},
        "mlmon_monitors": {"a": BINARY, "b": BINARY, "c": {**BINARY, "spans": ["7d"]}},
    }
    where = [problem.split(": found")[0] for problem in problems_of(call, settings)]
    assert where == ["mlmon_defaults.grane", "mlmon_defaults.spans"]


def test_defaults_for_labels_and_references_may_stand_beside_monitors_without(
    call: Call,
) -> None:
    settings = {
        "mlmon_defaults": {"label_horizon_days": 7, "reference_columns": {"score": "s"}},
        "mlmon_monitors": {"a": BINARY},
    }
    assert problems_of(call, settings) == []


def test_quoted_names_may_differ_by_case_alone(call: Call) -> None:
    features = {
        "amount": {"kind": "numeric", "quote": True},
        "Amount": {"kind": "numeric", "quote": True},
    }
    assert problems_of(call, {"mlmon_monitors": {"m": {**BINARY, "features": features}}}) == []


ODD_VALUES = ["text", -1.5, True, [["a"]], {"a": {"b": 1}}, {1: None}, date(2026, 1, 1)]


def odd_monitors(call: Call) -> Iterator[dict[str, Any]]:
    """Monitors with a value that makes no sense somewhere, and some with one that does."""
    for value in ODD_VALUES:
        for key in [*call("monitor_keys", {}), "an_unknown_key"]:
            yield {key: value}
        for key in ("columns", "label_columns", "reference_columns"):
            yield {key: {"request_id": value}}
        for key in ("policy", "k", "edges"):
            yield {"bins": {"policy": "custom", "edges": [1], key: value}}
        for key in ("from", "first_days", "source", "ref"):
            yield {"reference": {key: value, "to": "2026-01-01"}}
        for key in ("rolling_days", "previous_span", "version"):
            yield {"reference": {key: value}}
            yield {"reference": {key: value, "ref": "training"}}
        for key in call("feature_keys", {}):
            yield {"features": {"x": {"kind": "numeric", key: value}}}
        for key in call("segment_keys", {}):
            yield {"segments": [{"name": "s", key: value}]}
        for key in ("spans", "label_ages_days", "segments", "metrics", "success_outcomes"):
            yield {key: [value]}
        yield {"segments": ["region"], "fairness": [value]}
        yield {"kpis": {"k": value}}
        yield {"kpis": value, "value_matrix": {"tp": 1, "fp": value, "fn": 0, "tn": 0}}
        for key in call("kpi_keys", {}):
            yield {"kpis": {"k": {"expression": "1", key: value}}}
        yield {"features": {"x": value}}
        yield {"label_mapping": {"a": value}}
        for key in call("monitor_keys", {}):
            yield {"task": "ranking", "labels": LABELS, key: value}
        yield {"task": "ranking", "labels": LABELS, "top_k": [value]}
        yield {"task": "ranking", "columns": {"query_id": value, "prediction": value}}


def test_whatever_is_written_is_either_read_or_told(call: Call) -> None:
    """No value of any key ends in an error of Jinja's own, in the check or before it."""
    from dbt_common.exceptions import CompilationError

    for odd in odd_monitors(call):
        settings = {"mlmon_monitors": {"m": {**BINARY, **odd}}}
        told = problems_of(call, settings)
        for macro in ("monitors", "slot_counts"):
            message = ""
            try:
                call(macro, settings)
            except CompilationError as error:
                message = str(error.msg)
            if message:
                assert told, (odd, message)
                assert message.startswith("mlmon cannot use its configuration"), (odd, message)


class Column:
    """What dbt's adapters tell of a column, as far as mlmon reads it."""

    def __init__(self, name: str) -> None:
        self.name = name


def absent(
    call: Call,
    block: Mapping[str, Any],
    log: str,
    names: str,
    problems: list[str] | None = None,
) -> list[str]:
    """What check_columns finds absent in a log with these columns."""
    columns = [Column(name) for name in names.split(",")]
    m = monitor_of(call, block)
    problems = [] if problems is None else problems
    found: list[str] = call(
        "check_columns", {}, problems=problems, m=m, log_name=log, columns=columns
    )
    return found


def test_missing_features_segments_and_scores_are_named_and_no_error(call: Call) -> None:
    block = {
        **BINARY,
        "features": {
            "x": "numeric",
            "gone": "numeric",
            "made": {"kind": "numeric", "expression": "a + b"},
            "Amount": {"kind": "numeric", "quote": True},
        },
        "segments": ["origin"],
        "columns": {"score": "p"},
    }
    found = absent(call, block, "predictions", "request_id,predicted_at,X,amount")
    assert set(found) >= {"gone", "Amount", "origin", "p"}
    # What nobody mapped is simply what the log has not.
    assert set(found) - {"gone", "Amount", "origin", "p"} == {
        "loaded_at",
        "model_version",
        "prediction",
        "latency_ms",
        "outcome",
    }
    assert absent(call, block, "reference", "X,Amount,origin,gone,p,label") != []


@pytest.mark.parametrize(
    ("block", "log", "names", "key", "fix"),
    [
        ({}, "predictions", "id,predicted_at", "columns.request_id", "name the column"),
        (
            {"columns": {"predicted_at": "scored_at"}},
            "predictions",
            "request_id,predicted_at,scoredat",
            "columns.predicted_at",
            "did you mean scoredat?",
        ),
        (
            {},
            "predictions",
            "Request Id,predicted_at",
            "columns.request_id",
            "did you mean {name: Request Id, quote: true}?",
        ),
        (
            {"columns": {"request_id": {"name": "requestid", "quote": True}}},
            "predictions",
            "RequestId,predicted_at",
            "columns.request_id",
            "write {name: RequestId, quote: false}",
        ),
        (
            {"columns": {"loaded_at": "landed_at"}},
            "predictions",
            "request_id,predicted_at",
            "columns.loaded_at",
            "name the column",
        ),
        (
            {"labels": LABELS},
            "labels",
            "request_id,labeled_at",
            "label_columns.label",
            "labeled_at?",
        ),
        (
            RANKING,
            "labels",
            "request_id,labeled_at,relevant",
            "label_columns.relevance",
            "did you mean relevant?",
        ),
        (
            {**RANKING, "columns": {"item_id": "sku"}},
            "predictions",
            "request_id,predicted_at,score,sku",
            "columns.query_id",
            "did you mean request_id?",
        ),
        (
            RANKING,
            "predictions",
            "request_id,predicted_at,score,query_id,item",
            "columns.item_id",
            "did you mean item?",
        ),
    ],
)
def test_a_missing_identity_column_is_told_with_the_columns_there_are(
    call: Call, block: dict[str, Any], log: str, names: str, key: str, fix: str
) -> None:
    problems: list[str] = []
    absent(call, {**BINARY, **block}, log, names, problems)
    [line] = problems
    assert line.startswith(f"mlmon_monitors.m.{key}: found no column '")
    assert f"in the {log} log; allowed: its columns {names.replace(',', ', ')}; fix: " in line
    assert fix in line


# The page for users.

PAGE = (ROOT / "docs/configuration.md").read_text()
SHIPPED = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]["mlmon"]


def tables() -> dict[str, list[list[str]]]:
    """The rows of each table of the page, by the heading above it."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in PAGE.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            found.setdefault(heading, []).append(cells)
    return found


def code(cell: str) -> str:
    """What stands between the backticks of a cell."""
    return cell.strip("| ").strip("`")


def test_the_page_lists_every_key_and_no_other(call: Call) -> None:
    listed = {heading: {code(row[0]) for row in rows} for heading, rows in tables().items()}
    of_monitors = [
        "What is watched",
        "The reference",
        "How windows are judged",
        "Labels and classes",
        "How values are binned",
        "How drift is told",
        "For people",
    ]
    assert set().union(*(listed[heading] for heading in of_monitors)) == set(
        call("monitor_keys", {})
    )
    assert listed["Variables"] == set(SHIPPED) - {"mlmon_package_tests"}
    assert listed["Columns of the prediction log"] == set(call("prediction_columns", {}))
    assert listed["Columns of the label log"] == set(call("label_log_columns", {}))
    assert listed["Features"] == set(call("feature_keys", {}))
    assert listed["Segments"] == set(call("segment_keys", {}))
    assert listed["KPIs"] == set(call("kpi_keys", {}))
    assert listed["Quality limits"] == set(call("default_quality_limits", {}))


def test_the_page_says_of_every_key_what_the_dictionary_says(call: Call) -> None:
    """What it is for, its default, the words it may be, and the task that has it."""
    dictionaries = {"Features": "feature_keys", "Segments": "segment_keys", "KPIs": "kpi_keys"}
    checked = 0
    for heading, rows in tables().items():
        if heading in {"Variables", "Quality limits"} or heading.startswith("Columns of"):
            continue
        keys = call(dictionaries.get(heading, "monitor_keys"), {})
        for row in rows:
            name, what, default = code(row[0]), row[1], row[2]
            spec = keys[name]
            if what.startswith(("As for the monitor", "`policy`")):
                continue
            assert what.startswith(spec["help"]), (name, what)
            for word in spec.get("allowed", []):
                assert str(word) in what, (name, word)
            for task in spec.get("tasks", []):
                assert f"{task} monitor" in what.lower(), name
            if spec.get("required"):
                assert default in {"required", "none"}, name
            elif spec.get("default") not in (None, "", [], {}):
                told = code(default.split(", hourly")[0].split(";")[0])
                assert yaml.safe_load(told) == spec["default"], (name, default)
            checked += 1
    assert checked >= 50


def test_every_example_in_a_table_of_the_page_is_right(call: Call) -> None:
    wrap: dict[str, Callable[[Any], dict[str, Any]]] = {
        "Features": lambda given: {"features": {"x": {"kind": "numeric", **given}}},
        "Segments": lambda given: {"segments": [{"name": "s", **given}]},
        "KPIs": lambda given: {"kpis": {"k": {"expression": "1", **given}}},
        "Columns of the prediction log": lambda given: {"columns": given},
        "Columns of the label log": lambda given: {"label_columns": given},
    }
    beside: dict[str, dict[str, Any]] = {
        "threshold": {"columns": {"prediction": None}},
        "reference_columns": {"reference": {"ref": "training"}},
        "fairness": {"segments": ["region"]},
        **{key: {"task": "ranking"} for key in ("top_k", "query_id", "item_id", "relevance")},
        "class_scores": {"task": "multiclass"},
    }
    for heading, rows in tables().items():
        for row in rows:
            given = yaml.safe_load(code(row[-1]))
            if heading in {"Variables", "Quality limits"}:
                given = given if heading == "Variables" else {"mlmon_quality_limits": given}
                assert problems_of(call, given) == [], row
                continue
            block = {**BINARY, "labels": LABELS, **beside.get(code(row[0]), {})}
            block |= wrap.get(heading, dict)(given)
            assert problems_of(call, {"mlmon_monitors": {"m": block}}) == [], row


def test_every_block_of_the_page_is_right(call: Call) -> None:
    blocks = re.findall(r"```yaml\n(.+?)```", PAGE, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        settings = yaml.safe_load(block)["vars"]
        assert problems_of(call, settings) == [], block
        assert len(call("monitors", settings)) == len(settings["mlmon_monitors"])


def test_the_defaults_on_the_page_are_those_in_force(call: Call) -> None:
    for name, _, default, _ in tables()["Variables"]:
        assert yaml.safe_load(code(default)) == SHIPPED[code(name)], name
    for name, _, warning, critical, _ in tables()["Quality limits"]:
        limits = call("quality_limits", {})[code(name)]
        assert limits == {"warning": float(warning), "critical": float(critical)}, name


def test_the_error_on_the_page_is_the_one_that_is_raised(call: Call) -> None:
    [shown] = re.findall(r"```text\n(.+?)```", PAGE, flags=re.DOTALL)
    block = {**BINARY, "grain": "hourly", "features": {"distance": "number"}}
    told = problems_of(call, {"mlmon_monitors": {"flight_late": block}})
    assert [line.strip() for line in shown.splitlines()[1:]] == told


def test_the_page_of_the_gate_has_the_limits_in_force(call: Call) -> None:
    page = (ROOT / "docs/gate.md").read_text()
    limits = page.split("## Limits")[1].split("## ")[0]
    listed = {
        name: {"warning": float(warning), "critical": float(critical)}
        for name, warning, critical in re.findall(r"\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", limits)
    }
    assert listed == call("gate_limits", {})
    [example] = re.findall(r"```yaml\n(.+?)```", limits, flags=re.DOTALL)
    assert problems_of(call, yaml.safe_load(example)["vars"]) == []


@pytest.mark.parametrize(
    "test",
    [
        "not_drifted",
        "metric_above",
        "metric_below",
        "no_open_alerts",
        "fresh_labels",
    ],
)
def test_every_argument_of_a_generic_test_is_documented(test: str) -> None:
    folder = ROOT / "macros/generic_tests"
    macros = "".join(path.read_text() for path in sorted(folder.glob("*.sql")))
    [signature] = re.findall(rf"{{% test {test}\((.+?)\) %}}", macros, flags=re.DOTALL)
    names = re.findall(r"(\w+)(?:=[^,]+)?(?:,|$)", signature.strip())
    described = yaml.safe_load((folder / "_generic_tests.yml").read_text())["macros"]
    [arguments] = [macro["arguments"] for macro in described if macro["name"] == f"test_{test}"]
    assert [argument["name"] for argument in arguments] == names
    page = (ROOT / "docs/dbt-tests.md").read_text()
    assert f"`mlmon.{test}`" in page
    for name in names[1:]:
        [of] = re.findall(rf"^\| `{name}` \| ([^|]+) \|", page, flags=re.MULTILINE)
        assert of == "all" or test in of.split(", "), name


# Real parses of the whole package.


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    directory: Path = tmp_path_factory.mktemp("project")
    return create_project(
        directory,
        DuckDBWarehouse(directory / "w.duckdb"),
        sources={"flights": ["predictions", "labels"]},
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "mlmon_monitors: {m: {task: binry, predictions: {source: [flights, predictions]}}}",
            "mlmon_monitors.m.task: found 'binry'; allowed: binary, multiclass, regression, "
            "ranking; fix: did you mean binary?",
        ),
        (
            "mlmon_monitors: {m: {task: binary, predictions: {source: [flights, predictions]}, "
            "features: [distance]}}",
            "mlmon_monitors.m.features: found ['distance']; allowed: {name: kind}; ",
        ),
        (
            "mlmon_monitors: {m: {task: binary}}",
            "mlmon_monitors.m.predictions: found nothing; allowed: {source: [source, table]}, ",
        ),
        (
            "mlmon_quality_limits: {missin: {warning: 1}}",
            "mlmon_quality_limits.missin: found an unknown key; allowed: missing, ",
        ),
    ],
)
def test_the_message_reaches_the_user_whichever_model_is_read_first(
    project: DbtProject, written: str, told: str
) -> None:
    project.set_vars(yaml.safe_load(written))
    result = project.run("parse")
    assert not result.ok
    assert told in result.text
    assert "mlmon cannot use its configuration (1 problem):" in result.text
    assert "Traceback" not in result.text
    assert "object has no attribute" not in result.text


# The arguments of the generic tests.

MONITOR = {"mlmon_monitors": {"churn": {**BINARY, "labels": LABELS, "features": {"x": "numeric"}}}}


@pytest.mark.parametrize(
    ("test", "arguments", "told"),
    [
        ("not_drifted", {"monitor": "churm"}, "monitor: found 'churm'; allowed: churn; fix: did"),
        ("not_drifted", {"monitor": None}, "monitor: found nothing; allowed: the name of a"),
        (
            "not_drifted",
            {"columns": ["x", "y"]},
            "columns: found 'y'; allowed: x, score, prediction, label; fix: ",
        ),
        ("not_drifted", {"fails_at": "error"}, "fails_at: found 'error'; allowed: warning, crit"),
        (
            "not_drifted",
            {"span_windows": "7d"},
            "span_windows: found '7d'; allowed: a whole number",
        ),
        ("not_drifted", {"fail_when_unknown": 1}, "fail_when_unknown: found 1; allowed: true or"),
        (
            "metric_above",
            {"metric": "acuracy", "threshold": 1},
            "metric: found 'acuracy'; allowed: accuracy, ",
        ),
        (
            "metric_above",
            {"metric": "f1", "threshold": "high"},
            "threshold: found 'high'; allowed: a number; fix: write it without quotes",
        ),
        (
            "metric_below",
            {"metric": "brier", "threshold": 1, "label_age": "week"},
            "label_age: found 'week'; allowed: an age in days such as 7d, or latest; fix: ",
        ),
        (
            "metric_below",
            {"metric": "brier", "threshold": 1, "compare": "low"},
            "compare: found 'low'; allowed: value, value_low, value_high; fix: ",
        ),
        (
            "no_open_alerts",
            {"fails_at": "bad"},
            "fails_at: found 'bad'; allowed: warning, critical",
        ),
        ("fresh_labels", {"max_age_days": -1}, "max_age_days: found -1; allowed: a number of at l"),
        (
            "fresh_labels",
            {"max_age_days": 1, "as_of": "today"},
            "as_of: found 'today'; allowed: a time in UTC like 2026-01-31",
        ),
    ],
)
def test_a_mistake_in_a_generic_test_is_told_with_its_fix(
    call: Call, test: str, arguments: dict[str, Any], told: str
) -> None:
    from dbt_common.exceptions import CompilationError

    with pytest.raises(CompilationError) as raised:
        call(f"test_{test}", MONITOR, **{"model": "scores", "monitor": "churn", **arguments})
    [head, line] = str(raised.value.msg).splitlines()
    assert head == "mlmon cannot run a test (1 problem):"
    assert line.strip().startswith(f"mlmon.{test}.{told}")


@pytest.mark.parametrize("test", ["fresh_labels", "metric_above"])
def test_a_test_about_labels_needs_a_monitor_that_has_them(call: Call, test: str) -> None:
    from dbt_common.exceptions import CompilationError

    arguments = (
        {"metric": "f1", "threshold": 0.5} if test == "metric_above" else {"max_age_days": 1}
    )
    with pytest.raises(
        CompilationError, match="found 'm', which has no labels; allowed: a monitor"
    ):
        call(f"test_{test}", {"mlmon_monitors": {"m": BINARY}}, model="x", monitor="m", **arguments)
