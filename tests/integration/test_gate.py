"""The gate on both engines: what it finds, what it takes as new, what it leaves in the warehouse.

One project on each engine, with a monitor a situation. dbt runs in the test's process and only to
tell the plan, so no model is built.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from mlmon.cli import main
from mlmon.dbt_process import DbtRun
from mlmon.errors import ConfigurationError, MlmonError
from mlmon.gate.plan import Plan, read_plan
from mlmon.gate.results import LogResult, Verdict
from mlmon.gate.run import Outcome, run_gate
from mlmon.last_build.sources import read_contents, sources_of
from mlmon.profile import Target, read_target
from support.dbt_project import ROOT, DbtProject
from support.warehouses import ENGINES, Engine

N = 600
START = pd.Timestamp("2026-02-02")


def log(n: int = N, **columns: Any) -> pd.DataFrame:
    """An ordinary prediction log, a row every ten minutes, loaded a minute later."""
    times = pd.Series(START + pd.to_timedelta(np.arange(n) * 10, unit="min"))
    times = times.astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(n)],
            "model_version": pd.Series(["v1"] * n, dtype="str"),
            "predicted_at": times,
            "loaded_at": times + pd.Timedelta(minutes=1),
            "prediction": [i % 2 for i in range(n)],
            "score": [(i % 10) / 10 for i in range(n)],
            "x": [float(i % 7) for i in range(n)],
            "colour": [["red", "green", "blue"][i % 3] for i in range(n)],
        }
    )
    return frame.assign(**columns)


def labels(of: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    known = of["predicted_at"] + pd.Timedelta(days=1)
    frame = pd.DataFrame(
        {
            "request_id": of["request_id"],
            "label": of["prediction"],
            "labeled_at": known,
            "loaded_at": known + pd.Timedelta(minutes=1),
        }
    )
    return frame.assign(**columns)


def flawed() -> pd.DataFrame:
    """A log with a flaw of every kind, each in rows of its own."""
    frame = log(
        amount=pd.Series([f"{i % 5}.5" for i in range(N)], dtype="str"),
        size=[None if 100 <= i < 400 else float(i % 4) for i in range(N)],
        far=[1e6 if 500 <= i < 572 else float(i % 4) for i in range(N)],
    )
    frame.loc[0:9, "request_id"] = None
    frame.loc[10, "x"] = 9999.0
    frame.loc[20:22, "amount"] = ["oops", "NaN", " "]
    frame.loc[30:89, "colour"] = "gren"
    frame.loc[90:91, "score"] = [1.5, -2.0]
    frame.loc[400, "predicted_at"] = pd.Timestamp("1970-01-01")
    frame.loc[401, "predicted_at"] = pd.Timestamp("2030-01-01")
    frame.loc[410:419, "loaded_at"] -= pd.Timedelta(hours=1)
    frame.loc[420:429, "request_id"] = "twice"
    return frame


# What the gate has to say of that log: verdict, failing rows, one offending value and its request.
FLAWS = {
    ("predictions", "request_id", "identity"): ("critical", 10, "(missing)", None),
    ("predictions", "request_id", "duplicates"): ("warning", 10, None, "twice"),
    ("predictions", "predicted_at", "implausible_time"): (
        "warning", 1, "predicted_at 1970-01-01 00:00:00, "
        "the earliest plausible time 2000-01-01 00:00:00", "r400",
    ),
    ("predictions", "predicted_at", "later_than_loaded"): ("warning", 1, None, "r401"),
    ("predictions", "predicted_at", "clock_skew"): ("warning", 11, None, "r401"),
    ("predictions", "score", "score_range"): ("warning", 2, "1.5", "r90"),
    ("predictions", "x", "out_of_range"): ("warning", 1, "9999", "r10"),
    ("predictions", "colour", "unseen_category"): ("critical", 60, "gren", "r30"),
    ("predictions", "amount", "unreadable"): ("warning", 2, "oops", "r20"),
    ("predictions", "size", "missing"): ("critical", 300, "(missing)", "r100"),
    ("predictions", "far", "far_from_reference"): ("warning", 72, "1000000", "r500"),
    ("predictions", "spare", "missing"): ("warning", 300, "(missing)", "r100"),
    ("predictions", "gone", "column_missing"): ("critical", 1, None, None),
    ("predictions", "optional", "column_missing"): ("warning", 1, None, None),
    ("labels", "label", "unseen_category"): ("critical", 60, "9", "r0"),
}  # fmt: skip


def scored(n: int = N, seed: int = 0) -> pd.DataFrame:
    """A log of three classes whose scores add up to 1; beside them margins, and a score that is rarely below 0."""
    scores = np.random.default_rng(seed).dirichlet([2, 2, 2], n).round(4)
    columns = {f"p_{name}": scores[:, number] for number, name in enumerate("abc")}
    margin = np.where(np.arange(n) % 5 == 0, -1.0, 0.5)
    rarely = np.where(np.arange(n) % 200 == 0, -1.0, 0.5)
    return log(n, prediction=list("abc") * (n // 3), **columns, margin=margin, rarely=rarely)


def wrongly_scored() -> pd.DataFrame:
    rows = scored(seed=1)
    rows.loc[10:29, "p_c"] = 0.0
    rows.loc[40:41, "p_a"] = [1.5, -0.5]
    rows.loc[50:149, "p_b"] = None
    rows.loc[200:229, "margin"] = 3.0
    return rows


FEATURES: dict[str, Any] = {"x": {"kind": "numeric", "min": 0, "max": 100}, "colour": "categorical"}
REFERENCE = {"source": ["logs", "reference"]}


def monitor(table: str, **keys: Any) -> dict[str, Any]:
    predictions = {"source": ["logs", table]}
    given = {"task": "binary", "predictions": predictions, "features": FEATURES}
    return {**given, "reference": REFERENCE, **keys}


MONITORS = {
    "plain": monitor("plain", labels={"source": ["logs", "plain_labels"]}),
    "flawed": monitor(
        "flawed",
        labels={"source": ["logs", "flawed_labels"]},
        features={
            **FEATURES,
            **dict.fromkeys(["amount", "size", "far", "gone"], "numeric"),
            "optional": {"kind": "numeric", "required": False},
            "spare": {"kind": "numeric", "required": False, "column": "size"},
        },
    ),
    "answers": monitor("answers", success_outcomes=["ok"]),
    "first_days": monitor("stretch", reference={"first_days": 3}),
    "dates": monitor("stretch", reference={"from": "2026-02-02", "to": "2026-02-04"}),
    "unfinished": monitor("stretch", reference={"first_days": 90}),
    "arriving": monitor("arriving"),
    "ties": monitor("ties"),
    "unplaced": monitor("unplaced"),
    "blocked": monitor("blocked"),
    "own": monitor("own"),
    "ranking": monitor(
        "items",
        task="ranking",
        features={},
        labels={"source": ["logs", "clicks"]},
        label_columns={"relevance": "clicks"},
    ),
    "classes": monitor(
        "classes",
        task="multiclass",
        features={},
        columns={"score": "margin"},
        labels={"source": ["logs", "plain_labels"]},
        reference={"source": ["logs", "classes_reference"]},
        class_scores={name: f"p_{name}" for name in "abc"},
    ),
    "lost_class": monitor(
        "classes",
        task="multiclass",
        features={},
        columns={"score": "rarely"},
        labels={"source": ["logs", "plain_labels"]},
        reference={"source": ["logs", "classes_reference"]},
        class_scores={"a": "p_a", "b": "p_b", "c": "p_gone"},
    ),
    "files": monitor("plain", predictions={"source": ["files", "parts"]}),
    "not_built": monitor("plain", predictions={"ref": "later"}, reference="none"),
}


# On DuckDB these are files beside the project, elsewhere a table.
FILES = {
    "name": "files",
    "schema": "files",
    "tables": [
        {
            "name": "parts",
            "config": {"meta": {"external_location": "part_*.parquet"}},
        }
    ],
}


@dataclass(frozen=True)
class Gate:
    """A project, and what dbt says there is to check."""

    project: DbtProject
    target: Target
    plan: Plan

    def run(self, *monitors: str, **options: Any) -> Outcome:
        return run_gate(self.target, self.plan, monitors=monitors, **options)

    def result(self, name: str, log_name: str = "predictions", **options: Any) -> LogResult:
        results = self.run(name, **options).results
        return next(result for result in results if result.slice.log.name == log_name)

    def land(self, table: str, rows: pd.DataFrame) -> None:
        """Add rows to a log."""
        self.project.warehouse.load("landed", rows)
        self.project.warehouse.execute(f"insert into logs.{table} select * from logs.landed")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.project.warehouse.query(sql).to_dict("records")


@pytest.fixture(scope="module", params=ENGINES)
def gate(
    request: pytest.FixtureRequest, make_project: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    engine: Engine = request.param
    # The plan needs the package's macros alone, which dbt parses in a moment.
    package = tmp_path_factory.mktemp("macros_only")
    (package / "dbt_project.yml").write_text((ROOT / "dbt_project.yml").read_text())
    (package / "macros").symlink_to(ROOT / "macros")
    project = make_project(
        engine,
        package=package,
        vars={
            "mlmon_monitors": MONITORS,
            "mlmon_seeds": {"runbooks": {"source": ["logs", "own_runbooks"]}},
        },
        sources={"logs": [*tables(), "nowhere", "own_runbooks"]},
        files={
            "models/later.sql": "select 1 as request_id",
            "models/files.yml": yaml.safe_dump({"version": 2, "sources": [FILES]}),
        },
    )
    for name, rows in tables().items():
        project.warehouse.load(name, rows)
    log().to_parquet(project.directory / "part_1.parquet")
    project.warehouse.load("parts", log(), schema="files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlmon.configuration.run_dbt", in_process(project))
        target = read_target(project.directory, project.directory)
        yield Gate(project, target, read_plan(target)[0])


def tables() -> dict[str, pd.DataFrame]:
    reference = log()
    stretch = log(2 * N)
    stretch.loc[N + 10 : N + 129, "colour"] = "violet"
    return {
        "reference": reference.assign(
            label=reference["prediction"],
            amount=1.5,
            size=reference["x"] % 4,
            far=reference["x"] % 4,
        ),
        "plain": log(),
        "plain_labels": labels(log()),
        "flawed": flawed(),
        "flawed_labels": labels(log(), label=[9 if i < 60 else i % 2 for i in range(N)]),
        "answers": log(
            outcome=pd.Series(["ok" if i % 3 else "error" for i in range(N)], dtype="str"),
            score=[0.5 if i % 3 else None for i in range(N)],
        ),
        "stretch": stretch,
        "items": log(
            query_id=pd.Series([f"q{i // 6}" if i > 19 else None for i in range(N)], dtype="str"),
            item_id=[f"i{i % 6}" for i in range(N)],
            score=[float(i % 50) for i in range(N)],
        ),
        "clicks": labels(log())
        .drop(columns="label")
        .assign(clicks=[-1.0 if i < 4 else float(i % 3) for i in range(N)]),
        "classes": wrongly_scored(),
        "classes_reference": scored(),
        "arriving": log(),
        "ties": log(loaded_at=[START + pd.Timedelta(days=9)] * N),
        "unplaced": log(),
        "blocked": log(),
        "own": log(**{"Odd Name": [f"code {i % 9}" for i in range(N)]}, extra=np.arange(N) / 2),
    }


def test_what_a_run_compares_with_the_last_one_is_read_by_the_plan(gate: Gate) -> None:
    def held() -> dict[str, str]:
        return {one.name: one.held for one in read_contents(gate.target, sources_of(gate.plan))}

    rows = pd.DataFrame({"runbook": ["drift"], "runbook_url": ["https://wiki.example/drift"]})
    gate.project.warehouse.load("own_runbooks", rows)
    before = held()
    n_rows, newest = before["the labels of plain"].split(" rows, ")
    assert (int(n_rows), pd.Timestamp(newest)) == (N, labels(log())["loaded_at"].max())
    assert before["the reference of plain"].startswith(f"{N} rows, ")
    gate.project.warehouse.load("own_runbooks", rows.assign(runbook_url="https://other.example"))
    [changed] = {name for name, now in held().items() if now != before[name]}
    assert changed.endswith('own_runbooks", the runbooks')


def in_process(project: DbtProject) -> Any:
    """`run_dbt` in the test's own process, where it runs as well: in the project's directory."""

    def run(arguments: list[str], **_: Any) -> DbtRun:
        with chdir(project.directory):
            done = project.run(*(word for word in arguments if word != "--no-partial-parse"))
        errors = [done.text] if not done.ok else []
        return DbtRun(exit_code=0 if done.ok else 1, logged=done.logged, errors=errors)

    return run


def verdicts(result: LogResult) -> dict[tuple[str, str], Verdict]:
    return {(one.check.column, one.check.name): one for one in result.verdicts}


def failing(result: LogResult) -> set[tuple[str, str]]:
    return {key for key, one in verdicts(result).items() if one.status != "ok"}


def test_a_log_that_keeps_its_contract_passes(gate: Gate) -> None:
    outcome = gate.run("plain", since=START.to_pydatetime())
    assert [result.slice.log.name for result in outcome.results] == ["predictions", "labels"]
    for result in outcome.results:
        assert result.slice.n_rows == N
        assert result.verdicts
        assert failing(result) == set()
        assert {one.n_failed for one in result.verdicts} == {0}
    assert outcome.n_critical == 0


def test_every_flaw_is_found_with_its_value_and_request(gate: Gate) -> None:
    outcome = gate.run("flawed")
    found = {
        (result.slice.log.name, *key): one
        for result in outcome.results
        for key, one in verdicts(result).items()
        if one.status != "ok"
    }
    assert set(found) == set(FLAWS)
    for key, (status, n_failed, value, request_id) in FLAWS.items():
        one = found[key]
        assert (one.status, one.n_failed) == (status, n_failed), key
        if value is not None:
            assert one.examples[0] == (value, request_id), key
        elif request_id is not None:
            assert one.examples[0][1] == request_id, key
    # 9 and 11 o'clock of the same row stand beside each other.
    later = found["predictions", "predicted_at", "later_than_loaded"].examples[0][0]
    assert "predicted_at 2030-01-01" in later
    assert "a day after loaded_at 2026-02-05" in later
    assert outcome.n_critical == 5


def test_small_batches_count_what_one_batch_counts(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted() -> list[tuple[Any, ...]]:
        return [
            (one.check.column, one.check.name, one.n_checked, one.n_failed, one.status)
            for result in gate.run("flawed", since=START.to_pydatetime()).results
            for one in result.verdicts
        ]

    at_once = counted()
    monkeypatch.setattr("mlmon.gate.run.BATCH_ROWS", 90)
    monkeypatch.setattr("mlmon.postgres_copy.BLOCK_BYTES", 8192)
    assert counted() == at_once


def test_rankings_have_queries_items_and_relevance(gate: Gate) -> None:
    items = gate.result("ranking")
    assert {key for key in failing(items) if key[0] != "score"} == {("query_id", "identity")}
    assert ("score", "score_range") not in verdicts(items)
    clicks = verdicts(gate.result("ranking", "labels", since=START.to_pydatetime()))
    assert clicks["label", "out_of_range"].n_failed == 4


def test_class_scores_are_probabilities_that_add_up_to_one(gate: Gate) -> None:
    result = gate.result("classes")
    found = verdicts(result)
    rows = wrongly_scored()
    total = rows[["p_a", "p_b", "p_c"]].sum(axis=1, skipna=False)
    wrong = total.notna() & ((total - 1).abs() > 0.001)
    sums = found["class_scores", "score_sum"]
    assert 20 <= wrong.sum() == sums.n_failed
    assert (sums.status, sums.n_checked) == ("critical", N - 100)
    assert sums.check.expectation == "expect_column_values_to_be_between"
    assert {request for _, request in sums.examples} <= set(rows.loc[wrong, "request_id"])
    assert float(sums.examples[0][0]) == pytest.approx(total[wrong].iloc[0])
    outside = found["class_scores.a", "score_range"]
    assert (outside.status, outside.n_failed) == ("warning", 2)
    assert outside.examples == (("1.5", "r40"), ("-0.5", "r41"))
    assert found["class_scores.b", "missing"].status == "warning"
    assert found["class_scores.c", "score_range"].n_failed == 0
    # A fifth of those of the reference: these scores are no probabilities.
    assert ("score", "score_range") not in found
    assert ("class_scores", "missing") not in found


def test_a_class_score_that_is_gone_is_told_and_has_no_sum(gate: Gate) -> None:
    """And a score that is outside as often as in the reference is no finding."""
    found = verdicts(gate.result("lost_class", since=START.to_pydatetime()))
    assert found["class_scores.c", "column_missing"].status == "critical"
    assert not [key for key in found if key[0] == "class_scores"]
    rarely = found["score", "score_range"]
    assert (rarely.status, rarely.n_failed, rarely.check.allowed) == ("ok", 3, 0.005)


def test_files_behind_a_source_are_read_as_they_are(gate: Gate) -> None:
    result = gate.result("files", since=START.to_pydatetime())
    is_file = ".parquet" in result.slice.log.relation
    assert is_file == (gate.project.warehouse.engine == "duckdb")
    assert result.slice.n_rows == N
    assert failing(result) == set()
    assert ("x", "out_of_range") in verdicts(result)


def test_requests_that_failed_owe_no_values(gate: Gate) -> None:
    found = verdicts(gate.result("answers"))
    assert found["score", "missing"].n_checked == N * 2 // 3
    assert found["score", "missing"].status == "ok"
    assert found["request_id", "identity"].n_checked == N


@pytest.mark.parametrize("name", ["first_days", "dates"])
def test_a_stretch_of_the_log_is_a_reference(gate: Gate, name: str) -> None:
    result = gate.result(name)
    colour = verdicts(result)["colour", "unseen_category"]
    assert (colour.status, colour.n_failed) == ("critical", 120)
    assert colour.examples == (("violet", f"r{N + 10}"),)
    assert "blue, green, red" in colour.check.expected
    assert result.has_reference


def test_without_a_whole_reference_only_what_is_declared_is_checked(gate: Gate) -> None:
    result = gate.result("unfinished")
    assert not result.has_reference
    names = {one.check.name for one in result.verdicts}
    assert {"identity", "out_of_range", "duplicates"} <= names
    assert not {"missing", "unseen_category", "far_from_reference"} & names


def test_only_what_was_loaded_later_is_new(gate: Gate) -> None:
    assert gate.result("arriving").slice.n_rows == N
    assert gate.result("arriving").slice.n_rows == 0
    later = log(3, request_id=["a", "b", "c"], x=[-1.0, 0.0, 0.0])
    later["loaded_at"] = START + pd.Timedelta(days=30)
    gate.land("arriving", later)
    result = gate.result("arriving")
    assert result.slice.n_rows == 3
    assert result.slice.loaded_from == START + pd.Timedelta(days=30)
    assert verdicts(result)["x", "out_of_range"].examples == (("-1", "a"),)
    assert gate.result("arriving").verdicts == ()


def test_rows_of_the_last_instant_are_read_again_where_there_are_more(gate: Gate) -> None:
    assert gate.result("ties").slice.n_rows == N
    assert gate.result("ties").slice.n_rows == 0
    gate.land("ties", log(1, request_id=["late"], loaded_at=[START + pd.Timedelta(days=9)]))
    assert gate.result("ties").slice.n_rows == N + 1
    assert gate.result("ties").slice.n_rows == 0


def test_a_row_from_the_future_blinds_nobody_and_is_told_once(gate: Gate) -> None:
    assert gate.result("unplaced").slice.n_rows == N
    far = log(
        1, request_id=["far"], loaded_at=pd.to_datetime(["2999-01-01"]).astype("datetime64[us]")
    )
    gate.land("unplaced", far)
    result = gate.result("unplaced")
    assert result.slice.n_rows == 1
    assert ("loaded_at", "in_the_future") in failing(result)
    assert result.counted("critical") == 0
    gate.land("unplaced", log(1, request_id=["near"], loaded_at=[START + pd.Timedelta(days=9)]))
    assert gate.result("unplaced").slice.n_rows == 1
    assert gate.result("unplaced").slice.n_rows == 0


def test_rows_that_fail_are_looked_at_until_they_are_let_pass(gate: Gate) -> None:
    gate.result("blocked")
    bad = log(20, request_id=[f"bad{i}" for i in range(20)], x=[-1.0] * 20)
    bad["loaded_at"] = START + pd.Timedelta(days=30)
    gate.land("blocked", bad)
    assert gate.result("blocked").counted("critical") == 1
    assert gate.result("blocked").slice.n_rows == 20
    assert gate.result("blocked", since=START.to_pydatetime()).slice.n_rows == N + 20
    assert gate.result("blocked", warn_only=True).counted("critical") == 1
    assert gate.result("blocked").slice.n_rows == 0


def test_what_was_found_is_in_the_warehouse(gate: Gate) -> None:
    outcome = gate.run("flawed", since=START.to_pydatetime())
    of_run = f"run_id = '{outcome.run_id}'"
    rows = gate.rows(f"select * from mlmon_gate.results where {of_run}")
    told = {(row["log_name"], row["column_name"], row["check_name"]): row["status"] for row in rows}
    assert len(rows) == len(told) == sum(len(result.verdicts) for result in outcome.results)
    assert {key: status for key, status in told.items() if status != "ok"} == {
        key: status for key, (status, *_) in FLAWS.items()
    }
    [colour] = [row for row in rows if row["column_name"] == "colour" and row["n_failed"] == 60]
    assert colour["expectation"] == "expect_column_values_to_be_in_set"
    assert colour["failed_share"] == pytest.approx(0.1)
    assert colour["n_slice_rows"] == N
    assert colour["suite"] == "generated"
    [shown] = gate.rows(
        "select example_value, request_id from mlmon_gate.examples"
        f" where {of_run} and column_name = 'colour' and example_rank = 1"
    )
    assert shown == {"example_value": "gren", "request_id": "r30"}
    grain = "run_id, monitor, log_name, column_name, check_name, suite"
    assert gate.rows(
        f"select count(*) as n from (select {grain} from mlmon_gate.results group by {grain}"
        " having count(*) > 1) as twice"
    ) == [{"n": 0}]


OWN_SUITE = """
expectations:
- {type: expect_column_values_to_match_regex, kwargs: {column: Odd Name, regex: "^code [0-7]$", mostly: 0.95}}
- {type: expect_column_values_to_match_regex, kwargs: {column: colour, regex: "^(?:red|blue)$", mostly: 0.66}, severity: warning}
- {type: expect_column_values_to_be_unique, kwargs: {column: extra}}
- {type: expect_column_values_to_be_unique, kwargs: {column: Odd Name}, severity: warning}
- {type: expect_column_max_to_be_between, kwargs: {column: extra, max_value: 299.5}}
- {type: expect_column_mean_to_be_between, kwargs: {column: extra, min_value: 0, max_value: 149}}
- {type: expect_column_sum_to_be_between, kwargs: {column: x, min_value: 1}}
- {type: expect_table_row_count_to_equal, kwargs: {value: 601}}
- {type: expect_table_row_count_to_be_between, kwargs: {min_value: 600, max_value: 600}}
- {type: expect_column_to_exist, kwargs: {column: extra}}
- {type: expect_column_pair_values_to_be_equal, kwargs: {column_A: x, column_B: score}, description: x is the score}
"""  # noqa: E501


def test_a_suite_of_ones_own_extends_what_is_checked(
    gate: Gate, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.predictions.yml").write_text(OWN_SUITE)
    monkeypatch.setattr("mlmon.gate.run.BATCH_ROWS", 90)
    monkeypatch.setattr("mlmon.postgres_copy.BLOCK_BYTES", 8192)
    own = [
        one
        for one in gate.result("own", suites=tmp_path, since=START.to_pydatetime()).verdicts
        if one.check.source == "own.predictions.yml"
    ]
    coded = sum(i % 9 == 8 for i in range(N))
    unequal = sum(i % 7 != (i % 10) / 10 for i in range(N))
    assert [(one.status, one.n_failed, one.check.column) for one in own] == [
        ("critical", coded, "Odd Name"),
        ("ok", N // 3, "colour"),
        ("ok", 0, "extra"),
        ("warning", N, "Odd Name"),
        ("ok", 0, "extra"),
        ("critical", 1, "extra"),
        ("ok", 0, "x"),
        ("critical", 1, "all"),
        ("ok", 0, "all"),
        ("ok", 0, "extra"),
        ("critical", unequal, "x, score"),
    ]
    assert own[0].examples == (("code 8", "r8"),)
    assert own[5].found == "149.75"
    assert own[7].found == "600"
    assert own[10].check.expected == "x is the score"


@pytest.mark.parametrize(
    ("name", "suite", "told"),
    [
        ("ones.predictions.yml", "expectations: []", "extends no log: .* own.predictions"),
        ("own.predictions.yml", "a: 1", "should be a suite"),
        ("own.predictions.yml", "a: [", "no valid YAML"),
        (
            "own.predictions.json",
            '{"expectations": [{"type": "expect_column_median_to_be_between"}]}',
            "expectation 1: found 'expect_column_median_to_be_between', which cannot be checked"
            " batch by batch; allowed: .*expect_column_values_to_be_between",
        ),
        (
            "own.predictions.yml",
            "expectations: [{type: expect_column_values_to_be_unique, kwargs: {column: nope}}]",
            "no column 'nope' in the predictions log; it has request_id",
        ),
        (
            "own.predictions.yml",
            "expectations: [{type: expect_column_values_to_be_between,"
            " kwargs: {column: x, mni_value: 0}}]",
            "expect_column_values_to_be_between of x cannot be checked: .*mni_value",
        ),
        (
            "own.predictions.yml",
            "expectations: [{type: expect_column_values_to_be_between,"
            " kwargs: {column: colour, min_value: 0}}]",
            "expect_column_values_to_be_between of colour cannot be checked: ",
        ),
        (
            "own.predictions.yml",
            "expectations: [{type: expect_column_to_exist, kwarg: {column: x}}]",
            "unknown key kwarg",
        ),
        (
            "own.predictions.yml",
            "expectations: [{type: expect_column_to_exist, severity: bad}]",
            "found severity 'bad'; allowed: critical, warning",
        ),
        (
            "own.predictions.yml",
            "expectations: [{type: expect_column_values_to_be_null,"
            " kwargs: {column: x, mostly: 2}}]",
            "found mostly 2; allowed: from 0 to 1",
        ),
    ],
)
def test_a_suite_that_is_wrong_is_told(
    gate: Gate, tmp_path: Any, name: str, suite: str, told: str
) -> None:
    (tmp_path / name).write_text(suite)
    with pytest.raises(ConfigurationError, match=told):
        gate.run("own", suites=tmp_path, since=START.to_pydatetime())


def test_a_log_that_dbt_has_yet_to_build_is_passed_over(gate: Gate) -> None:
    outcome = gate.run("not_built")
    assert [log.relation.split(".")[-1] for log in outcome.absent] == ['"later"']
    assert outcome.results == ()


def test_an_unknown_monitor_is_told(gate: Gate) -> None:
    with pytest.raises(ConfigurationError, match="no monitor 'churm': there are answers, "):
        gate.run("churm")


def cli(gate: Gate, *options: str) -> Result:
    place = ["--project-dir", str(gate.project.directory)]
    return CliRunner().invoke(main, ["validate", *place, *options])


def test_the_command_fails_on_critical_failures_and_shows_them(gate: Gate) -> None:
    result = cli(gate, "--monitor", "flawed", "--since", "2026-02-02")
    assert result.exit_code == 1, result.output
    assert "flawed predictions: 600 new rows loaded 2026-02-02 00:01" in result.output
    lines = result.output.splitlines()
    row = next(line for line in lines if "gren (r30)" in line)
    assert row.split()[:2] == ["critical", "colour"]
    assert "60 of 600 rows" in row
    assert lines.index(row) < next(i for i, line in enumerate(lines) if "9999 (r10)" in line)
    passed = cli(gate, "--monitor", "flawed", "--since", "2026-02-02", "--warn-only")
    assert passed.exit_code == 0
    assert "gren (r30)" in passed.output


def test_the_command_tells_programs_the_same(gate: Gate) -> None:
    result = cli(gate, "--monitor", "plain", "--since", "2026-02-02", "--format", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [one["n_rows"] for one in told["logs"]] == [N, N]
    [score] = [
        one
        for one in told["logs"][0]["checks"]
        if (one["column"], one["check"]) == ("score", "score_range")
    ]
    assert score["expected"] == "between 0 and 1"
    assert score["status"] == "ok"


def test_the_command_warns_of_what_it_cannot_check(gate: Gate) -> None:
    result = cli(gate, "--monitor", "not_built", "--monitor", "unfinished", "--since", "2026-02-02")
    assert "is not built yet: the predictions of not_built are not checked" in result.stderr
    assert "unfinished has no reference yet" in result.stderr
    assert result.exit_code == 0


def test_problems_that_only_the_warehouse_can_tell_are_told_at_once(gate: Gate) -> None:
    wrong = {
        "one": monitor("plain", columns={"request_id": "requestid", "latency_ms": "ms"}),
        "two": monitor("nowhere"),
        "three": monitor("plain", positive_class="yes", reference="none"),
    }
    path = gate.project.directory / "dbt_project.yml"
    right = path.read_text()
    try:
        path.write_text(
            yaml.safe_dump({**yaml.safe_load(right), "vars": {"mlmon_monitors": wrong}})
        )
        result = cli(gate)
    finally:
        path.write_text(right)
    assert result.exit_code == 2
    assert "4 problems in the configuration:" in result.output
    for told in (
        "mlmon_monitors.one.columns.request_id: found no column 'requestid' in the predictions log",
        "fix: did you mean request_id?",
        "mlmon_monitors.one.columns.latency_ms: found no column 'ms'",
        "mlmon_monitors.two.predictions: found ",
        "which does not exist",
        "mlmon_monitors.three.positive_class: found 'yes'",
    ):
        assert told in result.output


def test_without_its_library_the_gate_says_what_to_install(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "great_expectations", None)
    with pytest.raises(MlmonError, match=r"pip install 'mlmon\[gate\]'"):
        gate.run("plain", since=START.to_pydatetime())


def test_the_gate_opens_no_connection_but_to_the_warehouse(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def connect(_: Any, address: Any) -> None:
        opened.append(address)
        raise OSError("no network")

    # psycopg2 connects in C, and is not seen here.
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    # A name that nobody resolves would never be connected to.
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: connect(host, host))
    gate.run("plain", since=START.to_pydatetime())
    assert opened == []
