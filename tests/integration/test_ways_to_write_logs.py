"""Logs as people have them: times as text with and without a zone, or behind an expression; segments declared where
there is no reference; baselines given for a version and for all. On both engines.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from support.dbt_project import DbtProject
from support.warehouses import Engine

TIMES = [
    "2026-01-05T09:00:00-05:00",
    "2026-01-05 09:10:00.25+02",
    "2026-01-05T09:20:00+0530",
    "2026-01-05T09:30:00Z",
    "2026-01-05 23:59:59.999999 -01:00",
    "2026-01-05 09:40:00",
    "2026-01-05T09:50",
    "2026-01-05",
]
NO_TIMES = ["tomorrow", "2026-02-30 10:00:00", "2026-01-05T25:00:00Z", "2026-01-05T09:00:00+99:00"]


def utc(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace(" -01:00", "-01:00"))
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def log() -> pd.DataFrame:
    written = [*TIMES, *NO_TIMES]
    return pd.DataFrame(
        {
            "request_id": [f"r{i}" for i in range(len(written))],
            "predicted_at": written,
            "unix_seconds": [1767603600 + 600 * i for i in range(len(written))],
            "loaded_at": "2026-01-06T12:00:00Z",
            "prediction": [i % 2 for i in range(len(written))],
            "region": ["e", "w", "x", None] * (len(written) // 4),
        }
    )


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    shared = {
        "task": "binary",
        "grain": "hour",
        "predictions": {"source": ["logs", "predictions"]},
        "labels": {"source": ["logs", "labels"]},
        "segments": [{"name": "region", "values": ["e", "w"]}],
        "label_horizon_days": 1,
        "label_ages_days": [],
        "metrics": ["accuracy"],
    }
    monitors = {
        "text": shared,
        "expression": {
            **shared,
            "columns": {"predicted_at": {"expression": "to_timestamp(unix_seconds)"}},
        },
    }
    made: DbtProject = make_project(
        engine,
        vars={
            "mlmon_monitors": monitors,
            "mlmon_seeds": {"baseline_metrics": {"source": ["logs", "baselines"]}},
        },
        sources={"logs": ["predictions", "labels", "baselines"]},
    )
    made.warehouse.load("predictions", log())
    made.warehouse.load(
        "labels",
        pd.DataFrame(
            {
                "request_id": log()["request_id"],
                "label": 1,
                "labeled_at": "2026-01-06 01:00:00+01:00",
                "loaded_at": "2026-01-06T01:00:00Z",
            }
        ),
    )
    given = [("text", "*", 0.9), ("text", "unversioned", 0.5)]
    given += [("expression", version, value) for _, version, value in reversed(given)]
    columns = ["monitor", "model_version", "value"]
    made.warehouse.load(
        "baselines",
        pd.DataFrame(given, columns=columns).assign(
            segment_name="all", segment_value="all", metric="accuracy", n="100"
        ),
    )
    made.build_for(
        "fct_mlmon__windows",
        "fct_mlmon__operations",
        "fct_mlmon__degradation",
        "fct_mlmon__quarantine",
    )
    return made


def windows(project: DbtProject, monitor: str) -> dict[datetime, int]:
    rows = project.read("fct_mlmon__windows")
    rows = rows[rows["monitor"].eq(monitor) & rows["model_version"].eq("all")]
    rows = rows[rows["n_log_rows"] > 0]
    return {
        pd.Timestamp(start).to_pydatetime(): int(n)
        for start, n in zip(rows["window_start"], rows["n_log_rows"], strict=True)
    }


def counted(times: list[datetime]) -> dict[datetime, int]:
    hours = [time.replace(minute=0, second=0, microsecond=0) for time in times]
    return {hour: hours.count(hour) for hour in hours}


def test_times_written_as_text_keep_their_zone(project: DbtProject) -> None:
    assert windows(project, "text") == counted([utc(text) for text in TIMES])
    waiting = project.read("fct_mlmon__quarantine")
    waiting = waiting[waiting["monitor"].eq("text") & waiting["reason_code"].eq("missing_time")]
    assert waiting["n_rows"].sum() == len(NO_TIMES)


def test_a_time_behind_an_expression_keeps_its_zone(project: DbtProject) -> None:
    times = [
        datetime.fromtimestamp(second, UTC).replace(tzinfo=None) for second in log()["unix_seconds"]
    ]
    assert windows(project, "expression") == counted(times)


def test_declared_segments_need_no_reference(project: DbtProject) -> None:
    rows = project.read("fct_mlmon__operations")
    rows = rows[rows["monitor"].eq("expression") & rows["segment_name"].eq("region")]
    assert set(rows["segment_value"]) == {"e", "w", "__other__", "__missing__"}


@pytest.mark.parametrize("monitor", ["text", "expression"])
def test_a_baseline_for_the_version_goes_before_one_for_all(
    project: DbtProject, monitor: str
) -> None:
    rows = project.read("fct_mlmon__degradation")
    rows = rows[rows["monitor"].eq(monitor) & rows["segment_name"].eq("all")]
    rows = rows[rows["metric"].eq("accuracy") & rows["is_deciding"]]
    assert set(rows.loc[rows["model_version"] == "unversioned", "baseline_value"]) == {0.5}
    assert set(rows.loc[rows["model_version"] == "all", "baseline_value"]) == {0.9}
