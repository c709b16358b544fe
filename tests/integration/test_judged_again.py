"""Other spans, limits, methods or alert rules make verdicts anew from stored counts: no log row is read for them.

The second run is on logs whose features are all wrong. What it ends with is what one full build of the changed
settings makes of the logs as they were.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pandas as pd
import pytest

from support.dbt_project import ROOT, DbtProject
from support.histories import (
    HISTORIES,
    RUNS,
    SOURCES,
    VARS,
    assert_equal,
    drawn_histories,
    load,
    reference,
    thresholds,
)
from support.warehouses import Engine

WRONG = 77
FEATURES = {"x": "double precision", "y": "double precision", "colour": "text", "region": "text"}


def settings(changed: bool) -> dict[str, Any]:
    """The monitors of the histories; changed, with all that they are judged by another."""
    found = deepcopy(VARS)
    found["mlmon_seeds"]["alert_rules"] = {"source": ["logs", "alert_rules"]}
    for name, monitor in found["mlmon_monitors"].items():
        if changed:
            monitor["spans"] = ["1d", "2d", "4d"]
            monitor["threshold_policy"] = "fixed" if name.endswith("0") else "reference_windows"
            monitor["primary_metric"] = "recall"
            monitor["metrics"] = ["accuracy"]
            monitor["baseline"] = "previous_span"
            # Verdicts, also those of segments, by another method.
            monitor["drift_rule"] = ["js_distance", "psi"]
            monitor["smoothing"] = "laplace_half"
            monitor["missing"] = "drop"
            monitor["fairness"] = ["region"]
            monitor["features"]["x"] = {
                **(monitor["features"]["x"] if name.startswith("table") else {"kind": "numeric"}),
                "drift_methods": ["psi", "ks", "hellinger"],
            }
    return found


def alert_rules(changed: bool) -> pd.DataFrame:
    """The shipped rules; changed, of each segment and with other limits."""
    rules = pd.read_csv(ROOT / "seeds" / "alert_rules.csv", dtype=str)
    if changed:
        rules.loc[rules["rule_id"] == "drift_share", ["segment_name", "segment_value"]] = "*"
        rules.loc[rules["rule_id"] == "drift_share", "warning_condition"] = ">= 0.05"
        rules.loc[rules["rule_id"] == "score_drift", "for_windows"] = "1"
    return rules


def land(project: DbtProject, drawn: list[Any], changed: bool) -> None:
    project.warehouse.load("reference", reference(40))
    project.warehouse.load("thresholds", thresholds("0.3" if changed else "0.05"))
    project.warehouse.load("alert_rules", alert_rules(changed))
    load(project.warehouse, drawn, RUNS - 1)


def break_features(project: DbtProject) -> None:
    """Each prediction log becomes a view in which every feature has one wrong value. Nothing else of it changes.

    A feature that raises where it is read would say less: both engines evaluate columns of rows that they then drop,
    such as those of requests with one row where the rows of a repeated request are put in order.
    """
    for number in range(HISTORIES):
        log = f"logs.predictions_{number}"
        columns = ", ".join(
            f"cast('{WRONG}' as {FEATURES[name]}) as {name}" if name in FEATURES else name
            for name in project.warehouse.read(f"predictions_{number}", "logs").columns
        )
        project.warehouse.execute(f"alter table {log} rename to kept_{number}")
        project.warehouse.execute(f"create view {log} as select {columns} from logs.kept_{number}")


@pytest.fixture(scope="module")
def drawn() -> list[Any]:
    return drawn_histories()


@pytest.fixture(scope="module")
def lived(make_project: Any, engine: Engine, drawn: list[Any]) -> DbtProject:
    """A project whose settings change after its first run, and whose features are wrong from then on."""
    sources = {"logs": [*SOURCES["logs"], "alert_rules"]}
    project: DbtProject = make_project(engine, vars=settings(changed=False), sources=sources)
    land(project, drawn, changed=False)
    project.build()
    land(project, drawn, changed=True)
    project.set_vars(settings(changed=True))
    break_features(project)
    project.build()
    assert set(project.read("int_mlmon__stale_windows")["facts"]) == {"variations"}
    return project


def test_what_counts_are_judged_by_changes_without_the_log(
    make_project: Any, engine: Engine, lived: DbtProject, drawn: list[Any]
) -> None:
    sources = {"logs": [*SOURCES["logs"], "alert_rules"]}
    fresh: DbtProject = make_project(engine, vars=settings(changed=True), sources=sources)
    land(fresh, drawn, changed=True)
    fresh.build()
    assert_equal(lived, fresh)
    drift = fresh.read("fct_mlmon__drift")
    assert set(drift["span_windows"]) == {1, 2, 4}
    assert set(drift.loc[drift["is_deciding"], "method"]) == {"js_distance", "psi"}


@pytest.mark.parametrize(
    "change",
    [{"features": {"x": "numeric", "y": "categorical"}}, {"bins": {"k": 5}}],
    ids=["kind", "bins"],
)
def test_what_is_counted_otherwise_is_read(lived: DbtProject, change: dict[str, Any]) -> None:
    """Wrong features do not go unnoticed where they are read."""
    changed = settings(changed=True)
    changed["mlmon_monitors"]["table_0"].update(change)
    lived.set_vars(changed)
    lived.build("--select", "+int_mlmon__column_counts")
    counts = lived.read("int_mlmon__column_counts").query("monitor == 'table_0'")
    assert counts.loc[counts["column_name"] == "x", "x_max"].max() == WRONG
