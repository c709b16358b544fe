"""The configuration: what users write, its normal form, and what they are told where it is wrong.

dbt parses a project that has the package's macros and nothing else, once; after that every case calls a macro
in that process with vars of its own, as ``--vars`` would set them. Whether the message reaches a user of the
whole package, whichever model is read first, is shown with real parses at the end.
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
from support.dbt_project import ROOT, DbtProject, create_project
from support.warehouses import DuckDBWarehouse

Call = Callable[..., Any]

PREDICTIONS = {"source": ["flights", "predictions"]}
LABELS = {"source": ["flights", "labels"]}
BINARY = {"task": "binary", "predictions": PREDICTIONS}


@pytest.fixture(scope="session")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """`call(macro, vars, adapter=…, **arguments)`: what a macro of the package returns."""
    from dbt.adapters.factory import get_adapter_by_type
    from dbt.context.providers import generate_runtime_macro_context

    package = tmp_path_factory.mktemp("macros_only")
    (package / "dbt_project.yml").write_text((ROOT / "dbt_project.yml").read_text())
    (package / "macros").symlink_to(ROOT / "macros")
    directory = tmp_path_factory.mktemp("config_project")
    project = create_project(directory, DuckDBWarehouse(directory / "w.duckdb"), package=package)
    result, manifest = project._invoke("parse")
    assert manifest is not None, result.text
    loaded: Any = get_adapter_by_type("duckdb")
    loaded.set_macro_context_generator(generate_runtime_macro_context)

    def macro(name: str, settings: Mapping[str, Any], /, **arguments: Any) -> Any:
        loaded.config.cli_vars = dict(settings)
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
    from dbt.exceptions import CompilationError

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
    assert re.fullmatch("[0-9a-f]{32}", m.pop("config_hash"))
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
        },
        "columns": {name: column(name) for name in names.split()},
        "label_columns": {
            name: column(name) for name in ("request_id", "label", "labeled_at", "loaded_at")
        },
        "reference_columns": {name: column(name) for name in [*names.split(), "label"]},
        "features": [],
        "segments": [],
        "spans": [1, 7, 28],
        "label_horizon_days": 14,
        "label_ages_days": [1, 3, 7, 14],
        "positive_class": "1",
        "label_mapping": None,
        "threshold": None,
        "success_outcomes": None,
        "close_after_minutes": 60,
        "primary_metric": "f1",
        "metrics": [],
        "slo_latency_ms": None,
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
    for settings in ({}, {"mlmon_monitors": {}}, {"mlmon_monitors": None, "mlmon_seeds": None}):
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
    words = duckdb.sql("select distinct keyword_name from duckdb_keywords()").fetchall()
    with duckdb.connect() as connection:
        for (word,) in words:
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
    ],
)
def test_score_prediction_and_label_are_monitored_as_the_task_needs(
    call: Call, task: str, expected: list[str]
) -> None:
    m = monitor_of(call, {"task": task, "predictions": PREDICTIONS, "labels": LABELS})
    assert [f"{c['role']}:{c['slot']}" for c in m["monitored"]] == expected
    kinds = {c["role"]: c["kind"] for c in m["monitored"]}
    assert kinds["label"] == ("numeric" if task == "regression" else "categorical")


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
    mapped = {key: c["name"] for key, c in m["reference_columns"].items() if c["declared"]}
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
    assert call("monitor", settings, name="b") == b
    assert call("monitor", settings, name="c") is None


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
    ("change", "changes_numbers"),
    [
        ({"owner": "somebody else"}, False),
        ({"description": "New words."}, False),
        ({"dashboard_url": "https://bi.example.com/1"}, False),
        ({"features": {"x": {"kind": "numeric", "description": "New.", "importance": 1}}}, False),
        ({"features": {"x": {"kind": "numeric", "max": 1}}}, True),
        ({"features": {"x": "categorical"}}, True),
        ({"spans": ["1d"]}, True),
        ({"bins": {"k": 20}}, True),
        ({"timezone": "Europe/Paris"}, True),
        ({"columns": {"score": "p"}}, True),
    ],
)
def test_the_hash_of_a_monitor_changes_with_what_shapes_its_numbers_alone(
    call: Call, change: dict[str, Any], changes_numbers: bool
) -> None:
    block = {**BINARY, "features": {"x": "numeric"}}
    before = call("monitors", {"mlmon_monitors": {"m": block}})[0]["config_hash"]
    others = {"mlmon_monitors": {"a": BINARY, "m": {**block, **change}}}
    after = call("monitors", others)[1]["config_hash"]
    assert (before != after) == changes_numbers


def test_quality_limits_are_merged_limit_by_limit(call: Call) -> None:
    defaults = call("quality_limits", {})
    assert defaults["missing"] == {"warning": 0.05, "critical": 0.2}
    limits = call("quality_limits", {"mlmon_quality_limits": {"missing": {"warning": 0.1}}})
    assert limits == {**defaults, "missing": {"warning": 0.1, "critical": 0.2}}


# Each case: what is wrong, as YAML under the monitor `m`; where; what was found; what is allowed; the fix.
BAD = {
    "an unknown key": (
        "positive_label: 1",
        "positive_label",
        "an unknown key",
        "task, grain",
        "did you mean positive_class?",
    ),
    "a key of a later version": ("kpis: {}", "kpis", "an unknown key", "task, grain", "remove it"),
    "a misspelt key": (
        "feautres: {x: numeric}",
        "feautres",
        "an unknown key",
        "features",
        "did you mean features?",
    ),
    "no task": (
        "task: ~",
        "task",
        "nothing",
        "binary, multiclass, regression",
        "write one of them",
    ),
    "an unknown task": ("task: binry", "task", "'binry'", "binary, multi", "did you mean binary?"),
    "an unknown grain": ("grain: hourly", "grain", "'hourly'", "day, hour", "did you mean hour?"),
    "an unknown time zone": (
        "timezone: America/NewYork",
        "timezone",
        "'America/NewYork'",
        "UTC or an IANA name",
        "did you mean America/New_York?",
    ),
    "a time zone's abbreviation": (
        "timezone: EST",
        "timezone",
        "'EST'",
        "UTC or an IANA name",
        "write the Area/City name",
    ),
    "no predictions": (
        "predictions: ~",
        "predictions",
        "nothing",
        "{source: [source, table]}, {ref: model}",
        "declare the table",
    ),
    "a table's name as predictions": (
        "predictions: flights.predictions",
        "predictions",
        "'flights.predictions'",
        "{source: [source, table]}",
        "declare the table as a source",
    ),
    "both source and ref": (
        "predictions: {source: [a, b], ref: c}",
        "predictions",
        "the keys source, ref",
        "{source: [source, table]}, {ref: model}",
        "keep one of source and ref",
    ),
    "a source without its table": (
        "predictions: {source: flights}",
        "predictions.source",
        "'flights'",
        "[source, table]",
        "its table",
    ),
    "a ref of three parts": (
        "labels: {ref: [a, b, c]}",
        "labels.ref",
        "['a', 'b', 'c']",
        "model or [project, model]",
        "name of the model",
    ),
    "label columns without labels": (
        "{labels: ~, label_columns: {label: y}}",
        "label_columns",
        "label_columns without a label log",
        "beside labels",
        "name the label log under `labels`",
    ),
    "label ages without labels": (
        "{labels: ~, label_ages_days: [1]}",
        "label_ages_days",
        "label_ages_days without a label log",
        "beside labels",
        "or remove it",
    ),
    "an unknown form of reference": (
        "reference: {last_days: 30}",
        "reference",
        "the keys last_days",
        "{first_days: number}",
        "use one of these forms",
    ),
    "a word as reference": (
        "reference: training",
        "reference",
        "'training'",
        "{from: date, to: date}",
        "use one of these forms",
    ),
    "dates the wrong way round": (
        "reference: {from: 2013-04-01, to: 2013-03-31}",
        "reference",
        "from 2013-04-01 after to 2013-03-31",
        "from on or before to",
        "swap the two dates",
    ),
    "a day that is not in the calendar": (
        "reference: {from: '2013-02-01', to: '2013-02-29'}",
        "reference.to",
        "'2013-02-29'",
        "a date like 2026-01-31",
        "year-month-day",
    ),
    "no first days": (
        "reference: {first_days: 0}",
        "reference.first_days",
        "0",
        "a whole number of at least 1",
        "write such a number",
    ),
    "reference columns without a table": (
        "{reference: {first_days: 30}, reference_columns: {score: s}}",
        "reference_columns",
        "reference_columns without a reference table",
        "a reference of its own relation",
        "name the table under `reference`",
    ),
    "an unknown column": (
        "columns: {latency: ms}",
        "columns.latency",
        "an unknown key",
        "latency_ms",
        "did you mean latency_ms?",
    ),
    "columns as a list": (
        "columns: [request_id]",
        "columns",
        "['request_id']",
        "{request_id, predicted_at",
        "{request_id: my_id}",
    ),
    "no request id": (
        "columns: {request_id: ~}",
        "columns.request_id",
        "nothing",
        "a column of the log",
        "name the column",
    ),
    "a name with a space": (
        "columns: {request_id: scoring id}",
        "columns.request_id",
        "the name 'scoring id'",
        "letters, digits and _",
        "{name: 'scoring id', quote: true}",
    ),
    "a name and an expression": (
        "columns: {score: {name: s, expression: s + 1}}",
        "columns.score",
        "both name and expression",
        "one of them",
        "keep the expression",
    ),
    "an empty expression": (
        "columns: {score: {expression: ''}}",
        "columns.score.expression",
        "''",
        "a text",
        "write a text",
    ),
    "a mapping that names nothing": (
        "columns: {score: {quote: true}}",
        "columns.score",
        "no name of a column",
        "{name:, quote:}",
        "name the column",
    ),
    "a quote that is not a boolean": (
        "columns: {score: {name: s, quote: 'yes'}}",
        "columns.score.quote",
        "'yes'",
        "true or false",
        "without quotes",
    ),
    "a name that YAML reads as a boolean": (
        "features: {on: numeric}",
        "features.True",
        "the name true, which YAML does not read as a text",
        "a text",
        "write the name in quotes",
    ),
    "features as a list": (
        "features: [distance, carrier]",
        "features",
        "['distance', 'carrier']",
        "{name: kind}",
        "`name: numeric`",
    ),
    "an unknown kind": (
        "features: {x: number}",
        "features.x.kind",
        "'number'",
        "numeric, categorical, boolean",
        "did you mean numeric?",
    ),
    "a feature without a kind": (
        "features: {x: {min: 0}}",
        "features.x.kind",
        "nothing",
        "numeric, categorical, boolean",
        "write one of them",
    ),
    "an unknown key of a feature": (
        "features: {x: {kind: numeric, maximum: 3}}",
        "features.x.maximum",
        "an unknown key",
        "min, max",
        "remove it",
    ),
    "a feature with a reserved name": (
        "features: {__other__: numeric}",
        "features.__other__",
        "the reserved name '__other__'",
        "any name but all, __missing__",
        "`column: __other__`",
    ),
    "a feature named like a role": (
        "features: {label: categorical}",
        "features.label",
        "the reserved name 'label'",
        "score, prediction, label",
        "rename the feature",
    ),
    "features that differ by case alone": (
        "features: {amount: numeric, Amount: numeric}",
        "features.Amount",
        "differs from 'amount' by case alone",
        "`quote: true`",
        "quote both",
    ),
    "a limit on a category": (
        "features: {x: {kind: categorical, min: 0}}",
        "features.x.min",
        "a limit on a categorical feature",
        "limits on numeric features",
        "make the feature numeric",
    ),
    "limits the wrong way round": (
        "features: {x: {kind: numeric, min: 3, max: 1}}",
        "features.x",
        "min 3 above max 1",
        "min at or below max",
        "swap the two",
    ),
    "a limit in quotes": (
        "features: {x: {kind: numeric, max: '10'}}",
        "features.x.max",
        "'10'",
        "a number",
        "write it without quotes",
    ),
    "a limit that is not a number": (
        "features: {x: {kind: numeric, max: .nan}}",
        "features.x.max",
        "nan",
        "a number",
        "write such a number",
    ),
    "a negative importance": (
        "features: {x: {kind: numeric, importance: -1}}",
        "features.x.importance",
        "-1",
        "at least 0",
        "write such a number",
    ),
    "a required that is not a boolean": (
        "features: {x: {kind: numeric, required: 'no'}}",
        "features.x.required",
        "'no'",
        "true or false",
        "without quotes",
    ),
    "an unknown binning policy": (
        "bins: {policy: quantiles}",
        "bins.policy",
        "'quantiles'",
        "quantile, equal_width, custom",
        "did you mean quantile?",
    ),
    "one bin": ("bins: {k: 1}", "bins.k", "1", "at least 2 and at most 100", "write such a number"),
    "a hundred and one bins": (
        "features: {x: {kind: numeric, bins: {k: 101}}}",
        "features.x.bins.k",
        "101",
        "at least 2 and at most 100",
        "write such a number",
    ),
    "custom bins without edges": (
        "bins: {policy: custom}",
        "bins.edges",
        "custom bins without edges",
        "an ascending list of numbers",
        "[0, 10, 100]",
    ),
    "edges that do not ascend": (
        "bins: {policy: custom, edges: [0, 2, 1]}",
        "bins.edges",
        "[0, 2, 1]",
        "numbers in ascending order",
        "sort them",
    ),
    "repeated edges": (
        "bins: {policy: custom, edges: [0, 1, 1]}",
        "bins.edges",
        "[0, 1, 1]",
        "different numbers",
        "remove repeats",
    ),
    "edges without the policy": (
        "bins: {edges: [0, 1]}",
        "bins.edges",
        "edges with the policy quantile",
        "policy custom",
        "add `policy: custom`",
    ),
    "a number of bins beside edges": (
        "bins: {policy: custom, edges: [0, 1], k: 3}",
        "bins.k",
        "k beside custom edges",
        "quantile and equal_width",
        "remove it",
    ),
    "edges of a category": (
        "features: {x: {kind: categorical, bins: {edges: [1]}}}",
        "features.x.bins.edges",
        "an unknown key",
        "k",
        "remove it",
    ),
    "an unknown smoothing": (
        "smoothing: laplace",
        "smoothing",
        "'laplace'",
        "floor_1e-4, laplace_half, none",
        "did you mean laplace_half?",
    ),
    "an unknown policy for missing values": (
        "missing: dropped",
        "missing",
        "'dropped'",
        "bin, drop",
        "did you mean drop?",
    ),
    "segments as a text": (
        "segments: origin",
        "segments",
        "'origin'",
        "a list of columns",
        "write a list like [origin]",
    ),
    "a segment without a name": (
        "segments: [{column: origin}]",
        "segments.1",
        "a segment without a name",
        "{name:, ...}",
        "add `name:`",
    ),
    "a segment twice": (
        "segments: [origin, origin]",
        "segments.origin",
        "the same name twice",
        "each segment once",
        "remove one of them",
    ),
    "a segment with a reserved name": (
        "segments: [all]",
        "segments.all",
        "the reserved name 'all'",
        "any name but all",
        "`column: all`",
    ),
    "a segment's reserved value": (
        "segments: [{name: origin, values: [JFK, __other__]}]",
        "segments.origin.values",
        "the reserved name '__other__'",
        "any value but all",
        "remove it",
    ),
    "values and a cap": (
        "segments: [{name: origin, values: [JFK], max_values: 3}]",
        "segments.origin",
        "both values and max_values",
        "one of them",
        "keep values",
    ),
    "no segment values": (
        "segments: [{name: origin, max_values: 0}]",
        "segments.origin.max_values",
        "0",
        "at least 1 and at most 1000",
        "write such a number",
    ),
    "a span without a unit": ("spans: [7]", "spans", "7", "[1d, 7d, 28d]", "whole days such as 7d"),
    "a span in an unknown unit": ("spans: [3x]", "spans", "'3x'", "[1d, 7d, 28d]", "such as 7d"),
    "an empty span": ("spans: [0d]", "spans", "'0d'", "[1d, 7d, 28d]", "whole days such as 7d"),
    "a negative span": ("spans: [-7d]", "spans", "'-7d'", "[1d, 7d, 28d]", "whole days such as 7d"),
    "no spans": ("spans: []", "spans", "[]", "[1d, 7d, 28d]", "write a list"),
    "hours of a daily monitor": (
        "spans: [24h]",
        "spans",
        "'24h'",
        "[1d,",
        "hours need `grain: hour`",
    ),
    "no horizon": (
        "label_horizon_days: 0",
        "label_horizon_days",
        "0",
        "a whole number of at least 1",
        "write such a number",
    ),
    "a label age beyond the horizon": (
        "{label_horizon_days: 7, label_ages_days: [1, 14]}",
        "label_ages_days",
        "14",
        "whole days from 1 to label_horizon_days (7)",
        "raise label_horizon_days",
    ),
    "a label age with a unit": (
        "label_ages_days: [7d]",
        "label_ages_days",
        "'7d'",
        "whole days from 1",
        "remove it",
    ),
    "a positive class that no label is mapped to": (
        "{label_mapping: {'Y': late, 'N': in_time}, positive_class: delayed}",
        "positive_class",
        "'delayed'",
        "a class of label_mapping: late, in_time",
        "name the class that counts as positive",
    ),
    "a positive class of several": (
        "{task: multiclass, primary_metric: accuracy, positive_class: late}",
        "positive_class",
        "it on a multiclass monitor",
        "binary monitors only",
        "remove it",
    ),
    "a class with a reserved name": (
        "{label_mapping: {a: all, b: 1}}",
        "label_mapping.a",
        "'all'",
        "a class, none of all",
        "name the class",
    ),
    "a threshold beside a prediction": (
        "threshold: 0.5",
        "threshold",
        "0.5 beside a prediction column",
        "where the log has no prediction",
        "`columns: {prediction: ~}`",
    ),
    "a threshold without a score": (
        "{threshold: 0.5, columns: {prediction: ~, score: ~}}",
        "threshold",
        "0.5 without a score column",
        "a threshold over a score",
        "name the score",
    ),
    "nothing to watch": (
        "{columns: {prediction: ~, score: ~}}",
        "features",
        "no feature, no score and no prediction",
        "at least one",
        "name the features",
    ),
    "outcomes as a text": (
        "success_outcomes: ok",
        "success_outcomes",
        "'ok'",
        "a list of one or more values",
        "write a list like [ok]",
    ),
    "an unknown metric": (
        "primary_metric: recal",
        "primary_metric",
        "'recal'",
        "accuracy, precision, recall, f1",
        "did you mean recall?",
    ),
    "a metric of another task": (
        "metrics: [mae]",
        "metrics",
        "'mae'",
        "accuracy, precision",
        "them",
    ),
    "a negative delay": (
        "close_after_minutes: -5",
        "close_after_minutes",
        "-5",
        "at least 0",
        "write such a number",
    ),
    "a latency in words": ("slo_latency_ms: fast", "slo_latency_ms", "'fast'", "a number", "as 10"),
    "an owner that is not a text": (
        "owner: [a, b]",
        "owner",
        "['a', 'b']",
        "a text",
        "write a text",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_in_a_monitor_is_told_with_its_fix(call: Call, case: str) -> None:
    written, key, found, allowed, fix = BAD[case]
    block = {**BINARY, "labels": LABELS, **yaml.safe_load(written)}
    [problem] = problems_of(call, {"mlmon_monitors": {"m": block}})
    parts = re.fullmatch(r"(.+?): found (.+); allowed: (.+); fix: (.+)", problem)
    assert parts is not None, problem
    assert parts[1] == f"mlmon_monitors.m.{key}"
    assert parts[2].startswith(found) or found in parts[2]
    assert allowed in parts[3]
    assert fix in parts[4]


BAD_VARS = {
    "monitors as a list": ("mlmon_monitors: [m]", "mlmon_monitors", "['m']"),
    "a monitor as a text": ("mlmon_monitors: {m: binary}", "mlmon_monitors.m", "'binary'"),
    "a monitor's name in capitals": (
        "mlmon_monitors: {Late: {task: binary, predictions: {ref: a}}}",
        "mlmon_monitors.Late",
        "the name 'Late'",
    ),
    "a monitor's name that is too long": (
        f"mlmon_monitors: {{{'a' * 64}: {{task: binary, predictions: {{ref: a}}}}}}",
        f"mlmon_monitors.{'a' * 64}",
        f"the name '{'a' * 64}'",
    ),
    "a monitor with a reserved name": (
        "mlmon_monitors: {all: {task: binary, predictions: {ref: a}}}",
        "mlmon_monitors.all",
        "the name 'all'",
    ),
    "defaults as a list": ("mlmon_defaults: [a]", "mlmon_defaults", "['a']"),
    "an unknown default": ("mlmon_defaults: {span: [1d]}", "mlmon_defaults.span", "an unknown key"),
    "a seed that is not shipped": (
        "mlmon_seeds: {alert_rule: {ref: a}}",
        "mlmon_seeds.alert_rule",
        "an unknown key",
    ),
    "a seed that is no relation": (
        "mlmon_seeds: {alert_rules: my_rules}",
        "mlmon_seeds.alert_rules",
        "'my_rules'",
    ),
    "seeds as a list": ("mlmon_seeds: [a]", "mlmon_seeds", "['a']"),
    "an unknown quality check": (
        "mlmon_quality_limits: {missin: {warning: 1}}",
        "mlmon_quality_limits.missin",
        "an unknown key",
    ),
    "an unknown quality level": (
        "mlmon_quality_limits: {missing: {error: 1}}",
        "mlmon_quality_limits.missing.error",
        "an unknown key",
    ),
    "a quality limit in words": (
        "mlmon_quality_limits: {missing: {warning: low}}",
        "mlmon_quality_limits.missing.warning",
        "'low'",
    ),
    "one number for both quality limits": (
        "mlmon_quality_limits: {missing: 0.1}",
        "mlmon_quality_limits.missing",
        "0.1",
    ),
    "a warning above critical": (
        "mlmon_quality_limits: {missing: {warning: 0.5}}",
        "mlmon_quality_limits.missing",
        "warning 0.5 above critical 0.2",
    ),
    "a negative lookback": ("mlmon_lookback_days: -1", "mlmon_lookback_days", "-1"),
    "a lookback in words": ("mlmon_lookback_days: all", "mlmon_lookback_days", "'all'"),
    "no gap": ("mlmon_max_gap_days: 0", "mlmon_max_gap_days", "0"),
    "a first event that is no date": ("mlmon_min_event_at: 2000", "mlmon_min_event_at", "2000"),
}


@pytest.mark.parametrize("case", BAD_VARS)
def test_a_mistake_in_a_variable_is_told_with_its_fix(call: Call, case: str) -> None:
    written, where, found = BAD_VARS[case]
    [problem] = problems_of(call, yaml.safe_load(written))
    assert problem.startswith(f"{where}: found {found}; allowed: ")
    assert re.search("; fix: .+", problem)


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
        for key in call("feature_keys", {}):
            yield {"features": {"x": {"kind": "numeric", key: value}}}
        for key in call("segment_keys", {}):
            yield {"segments": [{"name": "s", key: value}]}
        for key in ("spans", "label_ages_days", "segments", "metrics", "success_outcomes"):
            yield {key: [value]}
        yield {"features": {"x": value}}
        yield {"label_mapping": {"a": value}}


def test_whatever_is_written_is_either_read_or_told(call: Call) -> None:
    """No value of any key ends in an error of Jinja's own, in the check or before it."""
    from dbt.exceptions import CompilationError

    for odd in odd_monitors(call):
        settings = {"mlmon_monitors": {"m": {**BINARY, **odd}}}
        told = problems_of(call, settings)
        for macro in ("monitors", "slot_counts"):
            try:
                call(macro, settings)
            except CompilationError as error:
                assert told, (odd, error)
                assert str(error.msg).startswith("mlmon cannot use its configuration"), odd


class Column:
    """What dbt's adapters tell of a column, as far as mlmon reads it."""

    def __init__(self, name: str) -> None:
        self.name = name


def absent(call: Call, block: Mapping[str, Any], log: str, names: str) -> list[str]:
    """What check_columns finds absent in a log with these columns."""
    columns = [Column(name) for name in names.split(",")]
    m = monitor_of(call, block)
    found: list[str] = call("check_columns", {}, m=m, log_name=log, columns=columns)
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
    ],
)
def test_a_missing_identity_column_is_told_with_the_columns_there_are(
    call: Call, block: dict[str, Any], log: str, names: str, key: str, fix: str
) -> None:
    from dbt.exceptions import CompilationError

    with pytest.raises(CompilationError) as raised:
        absent(call, {**BINARY, **block}, log, names)
    [head, line] = str(raised.value.msg).splitlines()
    assert head == "mlmon cannot read a log (1 problem):"
    assert line.strip().startswith(f"mlmon_monitors.m.{key}: found no column '")
    assert f"in the {log} log; allowed: its columns {names.replace(',', ', ')}; fix: " in line
    assert fix in line


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
            "mlmon_monitors.m.task: found 'binry'; allowed: binary, multiclass, regression; "
            "fix: did you mean binary?",
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
