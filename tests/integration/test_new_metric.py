"""A metric that is added to the package in one place is there wherever metrics of its kind are.

The metric is the Jaccard index of the positive class, tp / (tp + fp + fn), which scikit-learn has, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import jaccard_score

from support import task_logs
from support.dbt_project import DbtProject
from support.page_examples import copy_of_the_package, follow

MARTS = (
    "performance",
    "performance_latest",
    "degradation",
    "estimated_performance",
    "version_comparison",
    "metrics",
)


def package_with_the_metric(directory: Path) -> Path:
    """As docs/architecture.md says."""
    copy_of_the_package(directory)
    assert len(follow("A metric of the confusion matrix", directory)) <= 3
    return directory


@pytest.fixture(scope="module")
def project(make_project: Any, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    monitor = {
        **task_logs.monitors(with_areas=True)["binary"],
        "metrics": ["jaccard"],
        "areas": ["common_traffic"],
        "features": {},
    }
    for key in ("preset", "multivariate", "fairness", "kpis", "value_matrix", "drift_methods"):
        del monitor[key]
    made: DbtProject = make_project(
        vars={"mlmon_monitors": {"binary": monitor}, "mlmon_lookback_days": 0},
        sources=task_logs.SOURCES,
        package=package_with_the_metric(tmp_path_factory.mktemp("package")),
    )
    task_logs.load(made.warehouse, task_logs.RUNS - 1)
    made.build("--select", *(f"+fct_mlmon__{mart}" for mart in MARTS))
    return made


def rows_of(project: DbtProject, mart: str) -> pd.DataFrame:
    rows: pd.DataFrame = project.read(f"fct_mlmon__{mart}")
    return rows[rows["metric"] == "jaccard"]


@pytest.mark.parametrize("mart", MARTS)
def test_each_mart_of_metrics_has_it(project: DbtProject, mart: str) -> None:
    assert len(rows_of(project, mart)) > 0


def test_its_value_is_scikit_learns(project: DbtProject) -> None:
    rows = rows_of(project, "performance")
    rows = rows[
        (rows["model_version"] == "v1")
        & (rows["segment_name"] == "all")
        & (rows["label_age"] == "latest")
        & (rows["span_windows"] == 1)
        & rows["value"].notna()
    ]
    labelled = project.read("int_mlmon__labelled_predictions")
    labelled = labelled[
        labelled["valid_to_microseconds"].isna() & (labelled["model_version"] == "v1")
    ]
    wanted = {
        day: jaccard_score(of_day["label_class"] == "1", of_day["prediction_class"] == "1")
        for day, of_day in labelled.groupby(pd.to_datetime(labelled["predicted_at"]).dt.normalize())
    }
    assert len(rows) > 10
    for row in rows.to_dict("records"):
        day = pd.Timestamp(row["window_start"])
        assert row["value"] == pytest.approx(wanted[day], abs=1e-12)
        assert row["value_low"] < row["value"] < row["value_high"]
        assert row["interval_method"] == "wilson"


def test_its_difference_between_versions_is_that_of_its_values(project: DbtProject) -> None:
    rows = rows_of(project, "version_comparison")
    # Each version on its own traffic, and both on the requests that both scored.
    for kind in ("", "common_"):
        value, champion = rows[f"{kind}value"], rows[f"{kind}champion_value"]
        told = rows[f"{kind}difference"].notna()
        assert told.sum() > 10
        assert (value - champion - rows[f"{kind}difference"])[told].abs().max() < 1e-12
        assert rows[f"{kind}p_value"][told].between(0, 1).all()
