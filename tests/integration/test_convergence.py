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

from support.compare import differences
from support.histories import RUNS, START, Pair, drawn_histories, marts

# A correction moves a request to another day, a replay repeats it, a late row comes after all.
CORRECTIONS = [
    ("c1", "v1", START + timedelta(days=1), START + timedelta(days=1), 1, 0.9, 5.0, "ok", 1.0, 2.0, "red", "west"),
    ("c1", "v1", START + timedelta(days=3), START + timedelta(days=4), 0, 0.1, 5.0, "ok", 2.0, 2.0, "blue", "west"),
    ("c2", "v2", START + timedelta(days=2), START + timedelta(days=9), 0, 0.2, None, "error", None, 1.0, None, None),
]  # fmt: skip


@pytest.fixture(scope="module")
def drawn() -> list[Any]:
    """A history for each pair of monitors, always the same ones."""
    return drawn_histories()


@pytest.fixture(scope="module")
def lived(make_project: Any, drawn: list[Any]) -> Pair:
    """A project on DuckDB at the end of its history; each test here goes on where the one before stopped."""
    pair = Pair(make_project, "duckdb")
    pair.live(drawn)
    return pair


def test_any_history_ends_as_one_full_refresh_on_duckdb(lived: Pair, drawn: list[Any]) -> None:
    lived.compare(drawn)


def test_any_history_ends_as_one_full_refresh_on_postgres(
    make_project: Any, drawn: list[Any]
) -> None:
    pair = Pair(make_project, "postgres")
    pair.live(drawn)
    pair.compare(drawn)


def test_after_a_run_nothing_is_stale(lived: Pair) -> None:
    before = {mart: lived.project.read(mart) for mart in marts(lived.project)}
    lived.project.build()
    for stale in ("stale_windows", "stale_ends"):
        assert len(lived.project.read(f"int_mlmon__{stale}")) == 0, stale
    changed = {mart: differences(lived.project.read(mart), rows) for mart, rows in before.items()}
    assert {mart: found for mart, found in changed.items() if found} == {}


def test_a_changed_row_of_a_threshold_table_rejudges_history(lived: Pair, drawn: list[Any]) -> None:
    before = lived.project.read("fct_mlmon__drift")
    lived.warning = "9"
    lived.build(drawn, RUNS - 1)
    after = lived.project.read("fct_mlmon__drift")
    assert len(before) == len(after)
    judged = after[(after["column_name"] == "x") & after["is_deciding"]]
    assert set(judged["threshold_warning"]) == {9}
    assert len(lived.project.read("int_mlmon__stale_windows")) == 0
    lived.compare(drawn)


POINTS = [
    "OK created sql incremental model analytics_mlmon_internals.int_mlmon__windows",
    "START sql incremental model analytics_mlmon_internals.int_mlmon__column_counts",
    "START sql incremental model analytics.fct_mlmon__drift",
]


def test_a_run_killed_anywhere_is_finished_by_the_next(lived: Pair, drawn: list[Any]) -> None:
    """Rows are corrected and the reference is another: all that was computed is computed again."""
    corrected = [
        ([*predictions[:-1], [*predictions[-1], *CORRECTIONS]], labels)
        for predictions, labels in drawn
    ]
    lived.size = 41
    lived.land(lived.project, corrected, RUNS - 1)
    project = lived.project
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
    lived.compare(corrected)


# Tables that a run may leave out: facts, what facts are counted by, and what is numbered anew in each run.
LEFT_OUT = [
    "int_mlmon__column_counts", "int_mlmon__labelled_predictions", "int_mlmon__bin_edges",
    "int_mlmon__calibration_maps", "int_mlmon__window_sets",
]  # fmt: skip


def test_what_was_made_without_a_table_is_made_again(lived: Pair, drawn: list[Any]) -> None:
    """Runs leave tables out, while the reference is another each time: what follows is made of what there was."""
    for size, table in enumerate(LEFT_OUT, start=42):
        lived.size = size
        lived.land(lived.project, drawn, RUNS - 1)
        lived.project.build("--exclude", table)
    lived.project.build()
    lived.compare(drawn)
