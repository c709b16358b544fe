"""Generated histories of logs, and projects that live through them.

Late rows and labels, duplicates, replays, corrections, deletions, two versions, requests that both scored, in
any order over several runs. Several histories are monitors of one project, so that one run advances them all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.compare import differences
from support.dbt_project import DbtProject
from support.warehouses import Warehouse

START = datetime(2026, 3, 6)
HISTORIES = 5
RUNS = 3
PREDICTIONS = [
    "request_id", "model_version", "predicted_at", "loaded_at", "prediction", "score", "latency_ms",
    "outcome", "x", "y", "colour", "region",
]  # fmt: skip
LABELS = ["request_id", "label", "labeled_at", "loaded_at"]

# Delays of a row: usually at once, sometimes hours or days.
delays = st.sampled_from([60, 60, 60, 5 * 3600, 3 * 86400])
quarters = st.integers(0, 4 * 8)


@st.composite
def prediction_rows(draw: st.DrawFn) -> tuple[Any, ...]:
    made = START + timedelta(hours=6 * draw(quarters))
    score = draw(st.sampled_from([None, 0.0, 0.2, 0.5, 0.7, 0.9, 1.0]))
    return (
        f"r{draw(st.integers(0, 30))}",
        draw(st.sampled_from(["v1", "v1", "v2", None])),
        made,
        made + timedelta(seconds=draw(delays)),
        None if score is None else int(score > 0.5),
        score,
        draw(st.sampled_from([None, 1.0, 12.5, 80.0])),
        draw(st.sampled_from(["ok", "ok", "ok", "error", None])),
        draw(st.sampled_from([None, -2.0, 0.25, 0.5, 1.0, 3.5, 1e12])),
        draw(st.sampled_from([0.0, 1.0, 2.0])),
        draw(st.sampled_from(["red", "green", "blue", "violet", None])),
        draw(st.sampled_from(["east", "west", "nowhere", None])),
    )


@st.composite
def label_rows(draw: st.DrawFn) -> tuple[Any, ...]:
    made = START + timedelta(hours=6 * draw(st.integers(0, 4 * 20)))
    return (
        f"r{draw(st.integers(0, 33))}",
        draw(st.sampled_from([0, 1, 1, None])),
        made,
        made + timedelta(seconds=draw(delays)),
    )


@st.composite
def states(draw: st.DrawFn, rows: Any, anchor: list[tuple[Any, ...]], most: int) -> list[Any]:
    """The log as it stands before each run: rows arrive in any run, some twice, some are deleted."""
    drawn = draw(st.lists(rows, min_size=10, max_size=most))
    arrivals = [draw(st.integers(0, RUNS - 1)) for _ in drawn]
    leaves = [draw(st.sampled_from([RUNS, RUNS, RUNS, RUNS, RUNS - 1])) for _ in drawn]
    copies = [draw(st.sampled_from([1, 1, 1, 2])) for _ in drawn]
    return [
        anchor
        + [
            row
            for row, arrival, leave, copy in zip(drawn, arrivals, leaves, copies, strict=True)
            if arrival <= run < leave
            for _ in range(copy if run == RUNS - 1 else 1)
        ]
        for run in range(RUNS)
    ]


# Windows older than the oldest row are frozen by design: one row is never deleted.
ANCHOR = (
    "anchor", "v1", START, START + timedelta(minutes=1), 1, 0.9, 10.0, "ok", 0.5, 1.0, "red", "east",
)  # fmt: skip
histories = st.tuples(states(prediction_rows(), [ANCHOR], 60), states(label_rows(), [], 40))


def drawn_histories() -> list[Any]:
    """A history for each pair of monitors, always the same ones."""
    found = []

    @settings(
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        # Hypothesis begins with the simplest history there is, in which nothing happens.
        max_examples=2,
    )
    @given(some=st.lists(histories, min_size=HISTORIES, max_size=HISTORIES))
    def draw(some: list[Any]) -> None:
        found.append(some)

    draw()
    return found[-1]


def reference(n: int) -> pd.DataFrame:
    """A labelled reference whose rows differ with n."""
    return pd.DataFrame(
        {
            "prediction": [i % 2 for i in range(n)],
            "score": [(i % 10) / 10 for i in range(n)],
            "x": [None if i % 9 == 0 else float(i % 7) for i in range(n)],
            "y": [float(i % 2) for i in range(n)],
            "colour": [["red", "green", "blue"][i % 3] for i in range(n)],
            "region": [["east", "west"][i % 2] for i in range(n)],
            "label": [(i // 2) % 2 for i in range(n)],
        }
    )


def thresholds(warning: str) -> pd.DataFrame:
    """The consumer's own drift thresholds: one rule for all, one for a column."""
    rows = [
        ("*", "*", "*", "psi", "*", "0.1", "0.25", "true"),
        ("*", "*", "*", "js_distance", "*", "0.1", "", "false"),
        ("*", "*", "x", "psi", "*", warning, "0.5", "true"),
    ]
    columns = ["monitor", "column_role", "column_name", "method", "span_windows", "warning"]
    return pd.DataFrame(rows, columns=[*columns, "critical", "is_deciding"])


# What the windows of the second monitor of each history are compared with.
REFERENCES: list[dict[str, Any]] = [
    {"first_days": 2},
    {"source": ["logs", "reference"], "rolling_days": 3},
    {"first_days": 2, "rolling_days": 1},
    {"first_days": 2, "previous_span": True},
    {"first_days": 2, "version": "v1"},
]


def monitors() -> dict[str, Any]:
    features = {
        "x": {"kind": "numeric", "min": -1, "max": 10},
        "y": "numeric",
        "colour": "categorical",
    }
    found = {}
    for number in range(HISTORIES):
        logs = {
            "predictions": {"source": ["logs", f"predictions_{number}"]},
            "labels": {"source": ["logs", f"labels_{number}"]},
            "task": "binary",
            "success_outcomes": ["ok"],
            "spans": ["1d", "3d"],
            "label_horizon_days": 7,
            "label_ages_days": [1, 3],
            "close_after_minutes": 30,
        }
        # The last table is compared with one of its versions from the day that is there on.
        version = {"version": "v2"} if number == HISTORIES - 1 else {}
        found[f"table_{number}"] = {
            **logs,
            "reference": {"source": ["logs", "reference"], **version},
            "features": features,
            "segments": ["region"],
        }
        # The same logs again: other days, a reference that moves or of their own first days.
        found[f"days_{number}"] = {
            **logs,
            "timezone": "America/New_York",
            "reference": REFERENCES[number],
            "features": {"x": "numeric", "colour": "categorical"},
            "segments": ["region"],
        }
    return found


VARS = {
    "mlmon_monitors": monitors(),
    "mlmon_lookback_days": 0,
    "mlmon_seeds": {"drift_thresholds": {"source": ["logs", "thresholds"]}},
}
SOURCES = {
    "logs": [f"{log}_{n}" for log in ("predictions", "labels") for n in range(HISTORIES)]
    + ["reference", "thresholds"]
}
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp", "labeled_at": "timestamp"}
TYPES = {
    **TIMES, "prediction": "bigint", "label": "bigint", "score": "double precision",
    "latency_ms": "double precision", "x": "double precision", "y": "double precision",
}  # fmt: skip


def load(warehouse: Warehouse, drawn: list[Any], run: int) -> None:
    for number, (predictions, labels) in enumerate(drawn):
        for name, rows, columns in (
            ("predictions", predictions[run], PREDICTIONS),
            ("labels", labels[run], LABELS),
        ):
            frame = pd.DataFrame(rows, columns=columns)
            for column in columns:
                if column.endswith("_at"):
                    frame[column] = frame[column].astype("datetime64[us]")
                elif column in ("prediction", "label"):
                    frame[column] = frame[column].astype("Int64")
                elif column in ("score", "latency_ms", "x", "y"):
                    frame[column] = frame[column].astype("Float64")
            types = {column: TYPES.get(column, "text") for column in columns}
            warehouse.load(f"{name}_{number}", frame, types=types)


def marts(project: DbtProject) -> list[str]:
    # Views of the newest rows say nothing of their own, and what reads a clock is never the same.
    return [
        name
        for name in project.warehouse.tables()
        if name.startswith(("fct_mlmon__", "dim_mlmon__"))
        and not name.endswith(("_latest", "_now"))
    ]


def assert_equal(project: DbtProject, fresh: DbtProject) -> None:
    unequal = {
        name: found
        for name in marts(project)
        if (found := differences(project.read(name), fresh.read(name)))
    }
    assert unequal == {}


class Pair:
    """A project that is run again and again, and one that only ever sees the end."""

    def __init__(self, make_project: Any, engine: str) -> None:
        self.project: DbtProject = make_project(engine, vars=VARS, sources=SOURCES)
        self.fresh: DbtProject = make_project(engine, vars=VARS, sources=SOURCES)
        self.size = 40
        self.warning = "0.05"

    def land(self, project: DbtProject, drawn: list[Any], run: int) -> None:
        """The logs as they stand before a run, with the reference and the thresholds."""
        project.warehouse.load("reference", reference(self.size))
        project.warehouse.load("thresholds", thresholds(self.warning))
        load(project.warehouse, drawn, run)

    def build(self, drawn: list[Any], run: int) -> None:
        """One run of the project over the logs as they then stand."""
        self.land(self.project, drawn, run)
        self.project.build()

    def live(self, drawn: list[Any]) -> None:
        """Lives through a history from its beginning, run by run."""
        self.project.warehouse.clear()
        for run in range(RUNS):
            self.build(drawn, run)

    def compare(self, drawn: list[Any]) -> None:
        """Holds the project's marts against those of a single build over the same rows."""
        self.fresh.warehouse.clear()
        self.land(self.fresh, drawn, RUNS - 1)
        self.fresh.build()
        assert_equal(self.project, self.fresh)
