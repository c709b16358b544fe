"""The package's main promise: whatever order rows arrive in, over however many runs, every mart equals that of one
full refresh over the same rows (tests/support/histories.py makes the histories).
"""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.histories import ANCHOR, HISTORIES, RUNS, START, Pair, assert_equal, histories

# A correction moves a request to another day, a replay repeats it, a late row comes after all.
CORRECTIONS = [
    ("c1", "v1", START + timedelta(days=1), START + timedelta(days=1), 1, 0.9, 5.0, "ok", 1.0, 2.0, "red", "west"),
    ("c1", "v1", START + timedelta(days=3), START + timedelta(days=4), 0, 0.1, 5.0, "ok", 2.0, 2.0, "blue", "west"),
    ("c2", "v2", START + timedelta(days=2), START + timedelta(days=9), 0, 0.2, None, "error", None, 1.0, None, None),
]  # fmt: skip

SETTINGS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def duckdb_pair(make_project: Any) -> Pair:
    return Pair(make_project, "duckdb")


@pytest.fixture(scope="module")
def postgres_pair(make_project: Any) -> Pair:
    return Pair(make_project, "postgres")


# The test of a second run draws and checks another one.
@settings(SETTINGS, max_examples=1)
@given(drawn=st.lists(histories, min_size=HISTORIES, max_size=HISTORIES))
def test_any_history_ends_as_one_full_refresh_on_duckdb(
    duckdb_pair: Pair, drawn: list[Any]
) -> None:
    duckdb_pair.check(drawn)


@settings(SETTINGS, max_examples=1)
@given(drawn=st.lists(histories, min_size=HISTORIES, max_size=HISTORIES))
def test_any_history_ends_as_one_full_refresh_on_postgres(
    postgres_pair: Pair, drawn: list[Any]
) -> None:
    postgres_pair.check(drawn)


@settings(SETTINGS, max_examples=1)
@given(drawn=st.lists(histories, min_size=HISTORIES, max_size=HISTORIES))
def test_a_second_run_touches_nothing_and_a_changed_reference_or_threshold_rejudges_all(
    duckdb_pair: Pair, drawn: list[Any]
) -> None:
    duckdb_pair.check(drawn)
    duckdb_pair.project.build()
    for touched in (
        "windows", "label_windows", "mature_windows", "references", "verdict_windows",
        "association_ends",
    ):  # fmt: skip
        assert len(duckdb_pair.project.read(f"int_mlmon__touched_{touched}")) == 0, touched
    assert_equal(duckdb_pair.project, duckdb_pair.fresh)
    duckdb_pair.size = 41
    duckdb_pair.warning = "0.2"
    duckdb_pair.land(duckdb_pair.project, drawn, RUNS - 1)
    duckdb_pair.project.build()
    duckdb_pair.compare(drawn)


def test_a_changed_row_of_a_threshold_table_rejudges_history(duckdb_pair: Pair) -> None:
    rows = [
        ("a", "v1", START + timedelta(hours=6 * n), START + timedelta(hours=6 * n), n % 2, 0.5, 1.0,
         "ok", float(n % 5), 1.0, "red", "east")
        for n in range(30)
    ]  # fmt: skip
    drawn = [
        ([[row[0] + str(n), *row[1:]] for n, row in enumerate(rows)], []) for _ in range(HISTORIES)
    ]
    drawn = [([predictions] * RUNS, [[]] * RUNS) for predictions, _ in drawn]
    duckdb_pair.project.warehouse.clear()
    duckdb_pair.warning = "0.05"
    duckdb_pair.land(duckdb_pair.project, drawn, RUNS - 1)
    duckdb_pair.project.build()
    before = duckdb_pair.project.read("fct_mlmon__drift")
    duckdb_pair.warning = "9"
    duckdb_pair.land(duckdb_pair.project, drawn, RUNS - 1)
    duckdb_pair.project.build()
    after = duckdb_pair.project.read("fct_mlmon__drift")
    assert len(before) == len(after)
    assert set(
        after.loc[(after["column_name"] == "x") & after["is_deciding"], "threshold_warning"]
    ) == {9}
    assert len(duckdb_pair.project.read("int_mlmon__touched_windows")) == 0
    duckdb_pair.compare(drawn)


POINTS = [
    "OK created sql incremental model analytics.int_mlmon__windows",
    "START sql incremental model analytics.int_mlmon__bin_counts",
    "START sql incremental model analytics.fct_mlmon__drift",
]


def test_a_run_killed_anywhere_is_finished_by_the_next(duckdb_pair: Pair) -> None:
    drawn = [([[ANCHOR], [ANCHOR, *CORRECTIONS], [ANCHOR, *CORRECTIONS]], [[]] * RUNS)] * HISTORIES
    project = duckdb_pair.project
    project.warehouse.clear()
    duckdb_pair.land(project, drawn, 0)
    project.build()
    duckdb_pair.land(project, drawn, RUNS - 1)
    command = [
        str(Path(sys.executable).parent / "dbt"), "build", "--project-dir", str(project.directory),
        "--profiles-dir", str(project.directory), "--no-use-colors",
    ]  # fmt: skip
    for point in POINTS:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            for line in running.stdout:
                if point in line:
                    running.send_signal(signal.SIGKILL)
                    break
            else:
                raise AssertionError(f"dbt ended before it said: {point}")
        assert running.returncode == -signal.SIGKILL
    project.build()
    duckdb_pair.compare(drawn)
