"""The parts of the gate that need no warehouse: verdicts, repeated keys, totals, copied rows."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmon.gate.checks import Check, Status
from mlmon.gate.expectations import Totals, expectation, repeated
from mlmon.gate.own_suites import read_suites
from mlmon.gate.plan import Log, Monitor, Plan, Reference
from mlmon.postgres_copy import copy_tables
from support.dbt_project import ROOT
from support.postgres import PostgresServer


def check(**given: float | bool | int | None) -> Check:
    limits = {"warning": 0.05, "critical": 0.2, **given}
    return Check("x", "missing", "expect_column_values_to_not_be_null", {}, "", **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("of", "n_failed", "n_checked", "status"),
    [
        (check(), 0, 100, "ok"),
        (check(), 0, 0, "ok"),
        (check(), 5, 100, "ok"),
        (check(), 6, 100, "warning"),
        (check(), 20, 100, "warning"),
        (check(), 21, 100, "critical"),
        # A limit of nothing at all.
        (check(warning=0.0), 1, 1_000_000, "warning"),
        # Few rows block nothing.
        (check(fewest=3), 2, 4, "warning"),
        (check(fewest=3), 3, 4, "critical"),
        # 16 % were missing in training: they may be now.
        (check(allowed=0.16), 21, 100, "ok"),
        (check(allowed=0.16), 22, 100, "warning"),
        (check(allowed=0.16), 37, 100, "critical"),
        # Three of ten where one in six is usual is chance, three hundred of a thousand is not.
        (check(allowed=0.16, may_be_chance=True), 3, 10, "ok"),
        (check(allowed=0.16, may_be_chance=True), 300, 1000, "warning"),
        (check(critical=None), 100, 100, "warning"),
        (check(warning=None, critical=None), 100, 100, "ok"),
        # 0.16 + 0.05 in doubles is not 0.21.
        (check(allowed=0.16), 2_100, 10_000, "ok"),
    ],
)
def test_a_share_is_judged_by_how_far_it_is_above_what_is_allowed(
    of: Check, n_failed: int, n_checked: int, status: Status
) -> None:
    assert of.judge(n_checked, n_failed) == status


@given(
    counts=st.lists(st.integers(2, 60), min_size=1, max_size=30),
    size=st.integers(2, 40),
)
@settings(deadline=None, max_examples=200)
def test_keys_are_cut_into_frames_so_that_each_is_seen_to_be_repeated(
    counts: list[int], size: int
) -> None:
    groups = pd.DataFrame({"key": [f"k{i}" for i in range(len(counts))], "n": counts})
    seen: Counter[str] = Counter()
    for frame in repeated(groups, size):
        assert len(frame) <= size + 1
        assert frame["key"].duplicated(keep=False).all()
        seen.update(frame["key"])
    assert seen == dict(zip(groups["key"], counts, strict=True))


@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=8),
        min_size=1,
        max_size=6,
    )
)
@settings(deadline=None)
def test_totals_of_batches_are_those_of_all_rows(batches: list[list[float]]) -> None:
    totals = Totals(["x"])
    for batch in batches:
        totals.add(pd.DataFrame({"x": batch}))
    whole = pd.Series([value for batch in batches for value in batch], dtype="float64")
    assert totals.n_rows == len(whole)
    if whole.notna().any():
        assert totals.of("x", "max") == whole.max()
        assert totals.of("x", "min") == whole.min()
        assert totals.of("x", "sum") == pytest.approx(whole.sum(), abs=1e-6)
        assert totals.of("x", "mean") == pytest.approx(whole.mean(), abs=1e-6)
    else:
        assert math.isnan(totals.of("x", "max"))


KINDS = {"a": "numeric", "b": "text", "c": "time", "d": "boolean"}
ROWS = """
    select
        x / 2.0 as a,
        case mod(x, 3) when 0 then null when 1 then '' else 'a' || chr(10) || '",' || x end as b,
        timestamp '2026-01-01' + x * interval '1.5 second' as c,
        mod(x, 2) = 0 as d
    from generate_series(1, {n}) as numbers (x)
"""


def test_copied_rows_are_those_of_the_query(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlmon.postgres_copy.BLOCK_BYTES", 1 << 16)
    with postgres_server.connect() as opened, opened.cursor() as cursor:
        cursor.execute(ROWS.format(n=20_000))
        wanted = [(float(row[0]), *row[1:]) for row in cursor.fetchall()]
        parts = list(copy_tables(cursor, ROWS.format(n=20_000), KINDS, 3_000))
        assert len(parts) > 3
        assert all(part.num_rows >= 3_000 for part in parts[:-1])
        rows = [tuple(row.values()) for part in parts for row in part.to_pylist()]
        assert rows == wanted
        assert list(copy_tables(cursor, ROWS.format(n=0), KINDS, 3_000)) == []


def test_a_query_that_fails_while_it_is_copied_says_why(postgres_server: PostgresServer) -> None:
    import psycopg2

    query = "select 1.0 / (x - 2), 'b', now()::timestamp, true from generate_series(1, 3) as g (x)"
    with postgres_server.connect() as opened, opened.cursor() as cursor:
        with pytest.raises(psycopg2.Error, match="division by zero"):
            list(copy_tables(cursor, query, KINDS, 10))
        cursor.execute("select 1")
        assert cursor.fetchall() == [(1,)]


def test_a_reader_that_stops_early_leaves_the_connection_usable(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlmon.postgres_copy.BLOCK_BYTES", 1 << 16)
    with postgres_server.connect() as opened, opened.cursor() as cursor:
        parts = copy_tables(cursor, ROWS.format(n=200_000), KINDS, 10)
        assert next(parts).num_rows >= 10
        parts.close()  # type: ignore[attr-defined]
        cursor.execute("select 1")
        assert cursor.fetchall() == [(1,)]


def test_the_suite_on_the_page_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs/gate.md").read_text()
    [suite] = re.findall(r"```yaml\n(expectations:.+?)```", page, flags=re.DOTALL)
    (tmp_path / "churn.predictions.yml").write_text(suite)
    log = Log("churn", "predictions", "logs.scores", True, (), {}, "loaded_at", None)
    reference = Reference("none", None, None, None, None)
    plan = Plan("analytics", (Monitor("churn", (log,), reference),), {}, 0.1, "2000-01-01", "")
    checks = read_suites(tmp_path, plan)["churn", "predictions"]
    assert [(one.column, one.warning, one.critical) for one in checks] == [
        ("channel", 0.0, None),
        ("credit_limit, balance", None, 0.0),
        ("all", None, 0.0),
    ]
    assert checks[0].allowed == pytest.approx(0.01)
    for one in checks:
        assert expectation(one, 7).configuration.meta == {"mlmon": 7}
