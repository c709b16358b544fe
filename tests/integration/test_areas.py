"""Areas: parts of the package that are built only where a monitor asks for them, from the start or later on."""

from __future__ import annotations

from typing import Any

import pytest

from support import task_logs
from support.compare import differences
from support.dbt_project import DbtProject
from support.histories import marts

# What asks for each area: keys of a monitor, or its task.
ASKING: dict[str, dict[str, Any]] = {
    "association": {"areas": ["association"]},
    "class_scores": {"task": "multiclass", "class_scores": {"0": "p_0", "1": "p_1", "2": "p_2"}},
    "common_traffic": {"areas": ["common_traffic"]},
    "decomposition": {"areas": ["decomposition"]},
    "fairness": {"fairness": ["region"]},
    "kpis": {"kpis": {"cost": {"expression": "amount"}}},
    "multivariate": {"multivariate": True},
    "presets": {"preset": "evidently"},
    "profiles": {"areas": ["profiles"]},
    "ranking": {"task": "ranking"},
}
# What a monitor of each task has that asks for everything there is for the task.
EVERYTHING: dict[str, dict[str, Any]] = {
    "binary": {
        "areas": ["association", "common_traffic", "decomposition", "profiles"],
        "fairness": ["region"],
        "kpis": {
            "cost": {"expression": "amount", "warning": 0.05},
            "saved": {"expression": "case when label = 1 then amount else 0 end"},
        },
        "value_matrix": {"tp": 10, "fp": -2.5, "fn": -5, "tn": 0.25},
        "multivariate": {"rows": 200},
        "preset": "evidently",
    },
    "regression": {"areas": ["association", "common_traffic"]},
}


def monitor(task: str = "binary", **keys: Any) -> dict[str, Any]:
    ranking = {
        "columns": {"prediction": None},
        "label_columns": {"relevance": "label"},
        "reference_columns": {"relevance": "label"},
    }
    return {
        "task": task,
        "predictions": {"source": ["logs", f"{task}_predictions"]},
        "labels": {"source": ["logs", f"{task}_labels"]},
        "reference": {"source": ["logs", f"{task}_reference"]},
        "features": {"x": "numeric", "amount": "numeric", "region": "categorical"},
        "segments": ["region"],
        "spans": ["1d", "3d"],
        "label_horizon_days": 4,
        "label_ages_days": [1],
        **(ranking if task == "ranking" else {}),
        **({"columns": {"score": None}} if task in ("multiclass", "regression") else {}),
        **keys,
    }


def project_of(make_project: Any, monitors: dict[str, Any], **defaults: Any) -> DbtProject:
    made: DbtProject = make_project(
        "duckdb", vars=vars_of(monitors, **defaults), sources=task_logs.SOURCES
    )
    return made


def vars_of(monitors: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    return {
        "mlmon_monitors": monitors,
        "mlmon_defaults": defaults,
        "mlmon_lookback_days": 0,
        "mlmon_package_tests": True,
    }


def areas_of(project: DbtProject) -> set[str]:
    """The areas of which the project has models."""
    paths = project.models().values()
    return {path.split("/")[2] for path in paths if path.startswith("models/areas/")}


@pytest.fixture(scope="module")
def plain(make_project: Any) -> DbtProject:
    return project_of(make_project, {"plain": monitor()})


def test_without_a_key_there_is_no_node_whatever_a_feature_is_called(plain: DbtProject) -> None:
    plain.set_vars(vars_of({"plain": monitor()}))
    assert areas_of(plain) == set()
    names = [*ASKING, "preset_id", "error_estimates", "value_matrix", "areas"]
    plain.set_vars(vars_of({"plain": monitor(features=dict.fromkeys(names, "numeric"))}))
    assert areas_of(plain) == set()


@pytest.mark.parametrize("area", ASKING)
def test_a_key_brings_its_area_and_no_other(plain: DbtProject, area: str) -> None:
    plain.set_vars(vars_of({"plain": monitor(), "asking": monitor(**ASKING[area])}))
    # Profiles fill columns of a table that is there for every monitor.
    assert areas_of(plain) == {area} - {"profiles"}


def test_a_monitor_without_the_key_takes_the_defaults(plain: DbtProject) -> None:
    plain.set_vars(vars_of({"plain": monitor()}, areas=["association"]))
    assert areas_of(plain) == {"association"}
    plain.set_vars(vars_of({"plain": monitor(areas=[])}, areas=["association"]))
    assert areas_of(plain) == set()


def test_an_area_switched_on_later_equals_one_from_the_start(make_project: Any) -> None:
    """The log grows meanwhile; first nobody asks, then one monitor, then others, too, and another is added."""
    plain = {task: monitor(task) for task in EVERYTHING}
    one = {**plain, "binary": monitor("binary", **EVERYTHING["binary"])}
    everything = {task: monitor(task, **keys) for task, keys in EVERYTHING.items()}
    everything["multiclass"] = monitor(**ASKING["class_scores"])
    everything["ranking"] = monitor("ranking")

    lived = project_of(make_project, plain)
    for run, monitors in enumerate([plain, one, everything]):
        task_logs.load(lived.warehouse, run)
        lived.set_vars(vars_of(monitors))
        lived.build()
        if run == 1:
            asking = {"fct_mlmon__label_association", "fct_mlmon__kpis"}
            for mart in asking:
                assert set(lived.read(mart)["monitor"]) == {"binary"}
            versions = lived.read("fct_mlmon__version_comparison")
            common = versions[versions["common_value"].notna()]
            assert set(versions["monitor"]) == {"binary", "regression"}
            assert set(common["monitor"]) == {"binary"}

    fresh = project_of(make_project, everything)
    task_logs.load(fresh.warehouse, 2)
    fresh.build()
    unequal = {
        mart: found
        for mart in marts(fresh)
        if (found := differences(lived.read(mart), fresh.read(mart)))
    }
    assert unequal == {}, unequal
    assert len(fresh.read("fct_mlmon__change_decomposition")) > 0
    assert len(fresh.read("fct_mlmon__group_fairness")) > 0
