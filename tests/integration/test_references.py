"""Moving references: the days before a span, the span before it, another version beside it.

What each window is compared with is computed here once more from the raw rows: bins by numpy from the rows of the
binning reference, counts of exactly the rows that the configuration names, psi and Jensen-Shannon from those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from support.compare import differences
from support.dbt_project import DRIFT_MARTS, DbtProject
from support.warehouses import Engine

START = pd.Timestamp("2026-01-05")
TIMES = {"predicted_at": "timestamp", "loaded_at": "timestamp"}
NUMERIC, CATEGORICAL = ("x", "score"), ("colour", "prediction")
LATE_DAY = 8


@dataclass(frozen=True)
class Case:
    """A monitor, and what it is compared with in words of this test: numbers of windows since START."""

    log: str
    reference: dict[str, Any]
    # The binning reference: the first and last window, and the version whose rows they are.
    binned: tuple[int, int] | None
    binned_version: str | None
    spans: tuple[int, ...]
    hourly: bool = False

    def compared(self, version: str, end: int, span: int) -> tuple[str | None, int, int]:
        """The version (None: the binning reference), first and last window that a span is compared with."""
        if "rolling_days" in self.reference:
            n = self.reference["rolling_days"] * (24 if self.hourly else 1)
            return version, end - span + 1 - n, end - span
        if "previous_span" in self.reference:
            return version, end - 2 * span + 1, end - span
        if version == self.reference["version"]:
            return None, 0, 0
        return self.reference["version"], end - span + 1, end


TABLE = {"source": ["logs", "reference"]}
DATES = {"from": "2026-01-06", "to": "2026-01-08"}
CASES = {
    "rolling": Case("days", {**TABLE, "rolling_days": 4}, None, None, (1, 3)),
    "rolling_default": Case("long", {"rolling_days": 2}, (0, 29), "v1", (1,)),
    "previous": Case("days", {"first_days": 3, "previous_span": True}, (0, 2), "v1", (1, 3)),
    "hourly": Case("hours", {"first_days": 1, "rolling_days": 1}, (0, 23), "v1", (1, 6), True),
    "canary": Case("canary", {"first_days": 3, "version": "stable"}, (0, 2), "stable", (1, 3)),
    "canary_dates": Case("canary", {**DATES, "version": "stable"}, (1, 3), None, (1, 3)),
}


def window(number: int, n: int, *, hourly: bool = False, version: str = "v1") -> pd.DataFrame:
    """The predictions of one day or hour: everything moves a little, so that each window's counts are its own."""
    random = np.random.default_rng([number, n, hourly, len(version)])
    length = pd.Timedelta(hours=1) if hourly else pd.Timedelta(days=1)
    predicted = START + number * length + pd.to_timedelta(np.arange(n) * 60 / n, unit="min")
    x = random.normal(number / 10, 1, n)
    return pd.DataFrame(
        {
            "request_id": [f"{version}-{number}-{i}" for i in range(n)],
            "model_version": version,
            "predicted_at": predicted,
            "loaded_at": predicted + pd.Timedelta(minutes=1),
            "prediction": random.integers(0, 2, n),
            "score": random.random(n),
            "x": np.where(random.random(n) < 0.1, np.nan, x),
            "colour": random.choice(["red", "green", "blue", f"new {number % 3}"], n),
            "region": random.choice(["east", "west", "north"], n),
        }
    )


def logs() -> dict[str, pd.DataFrame]:
    """`days` has a day without predictions; of `canary` both versions serve for six days."""
    found = {
        "days": [window(number, 20 + number) for number in range(14) if number != 5],
        "long": [window(number, 12) for number in range(33)],
        "hours": [window(number, 6, hourly=True) for number in range(60)],
        "canary": [
            *(window(number, 40, version="stable") for number in range(12)),
            *(window(number, 15, version="canary") for number in range(4, 10)),
        ],
    }
    return {
        name: closed(pd.concat(rows, ignore_index=True), "h" if name == "hours" else "D")
        for name, rows in found.items()
    }


def closed(rows: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The rows, of which the last was loaded so late that every window with rows is closed, and no other."""
    newest = rows["predicted_at"].max()
    loaded = rows["loaded_at"].where(rows["predicted_at"] < newest)
    return rows.assign(loaded_at=loaded.fillna(newest.ceil(unit) + pd.Timedelta(hours=1)))


def reference() -> pd.DataFrame:
    rows = pd.concat([window(number, 30) for number in range(100, 110)], ignore_index=True)
    kept = rows["region"] != "north"
    return rows[kept].assign(x=rows["x"] - 10).drop(columns=["predicted_at", "loaded_at"])


def load(project: DbtProject, found: dict[str, pd.DataFrame]) -> None:
    for name, rows in found.items():
        project.warehouse.load(name, rows, types=TIMES)
    project.warehouse.load("reference", reference().drop(columns="model_version"))


def build(project: DbtProject) -> None:
    project.build_with_facts(*DRIFT_MARTS, "dim_mlmon__monitors")


@pytest.fixture(scope="module")
def project(make_project: Any, engine: Engine) -> DbtProject:
    unit = {False: "d", True: "h"}
    found = {
        name: {
            "task": "binary",
            "predictions": {"source": ["logs", case.log]},
            "reference": case.reference,
            "grain": "hour" if case.hourly else "day",
            "features": {"x": "numeric", "colour": "categorical"},
            "segments": [{"name": "region", "max_values": 2}],
            "spans": [f"{span}{unit[case.hourly]}" for span in case.spans],
        }
        for name, case in CASES.items()
    }
    made: DbtProject = make_project(
        engine, vars={"mlmon_monitors": found}, sources={"logs": [*logs(), "reference"]}
    )
    load(made, logs())
    build(made)
    return made


@pytest.fixture(scope="module")
def drift(project: DbtProject) -> pd.DataFrame:
    return drift_of(project)


def drift_of(project: DbtProject) -> pd.DataFrame:
    """fct_mlmon__drift with the number of each row's last window."""
    rows = project.read("fct_mlmon__drift")
    lengths = rows["monitor"].map(
        {name: pd.Timedelta(hours=1 if case.hourly else 24) for name, case in CASES.items()}
    )
    return rows.assign(end=((rows["window_end"] - START) / lengths).astype(int) - 1)


def stale_drift(project: DbtProject) -> pd.Series:
    """The window ends whose drift the last run judged."""
    stale = project.read("int_mlmon__stale_ends")
    return stale[stale["facts"].eq("drift")]["window_key"]


def numbered(case: Case) -> pd.DataFrame:
    rows = logs()[case.log]
    length = pd.Timedelta(hours=1 if case.hourly else 24)
    return rows.assign(number=((rows["predicted_at"] - START) // length).astype(int))


def binning_rows(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    if case.binned is None:
        return reference()
    chosen = rows["number"].between(*case.binned)
    if case.binned_version:
        chosen &= rows["model_version"] == case.binned_version
    return rows[chosen]


def binned(column: str, values: pd.Series, reference_values: pd.Series) -> pd.Series:
    """The bin of each value, as docs/numbers.md says."""
    if column in CATEGORICAL:
        return values.where(values.isin(reference_values.unique()), "unseen")
    known = np.sort(reference_values.dropna().to_numpy())
    ranks = [-(-len(known) * j // 10) for j in range(1, 10)]
    edges = np.unique(known[np.array(ranks) - 1])
    assert edges[0] > known[0]
    return pd.Series(np.searchsorted(edges, values, side="left"), values.index).where(
        values.notna(), "missing"
    )


def shares(reference_bins: pd.Series, current_bins: pd.Series) -> tuple[Any, Any]:
    names = sorted({*reference_bins, *current_bins}, key=str)
    return tuple(
        (bins.value_counts().reindex(names, fill_value=0) / len(bins)).to_numpy()
        for bins in (reference_bins, current_bins)
    )


def psi(p: Any, q: Any) -> float:
    p, q = (np.maximum(side, 1e-4) / np.maximum(side, 1e-4).sum() for side in (p, q))
    return float(((q - p) * np.log(q / p)).sum())


def segment_of(rows: pd.DataFrame, binning: pd.DataFrame) -> pd.Series:
    """The two most frequent regions of the binning reference; the rest is told together."""
    counts = binning["region"].value_counts().rename("n").reset_index()
    known = counts.sort_values(["n", "region"], ascending=[False, True])["region"].head(2)
    return rows["region"].where(rows["region"].isin(known), "__other__")


def sides(
    case: Case, row: Any, rows: pd.DataFrame, binning: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that a row of the mart compares: of the reference, and of its span."""
    version, first, last = case.compared(row.model_version, row.end, row.span_windows)
    assert version is None or version != row.model_version or last < row.end - row.span_windows + 1
    current = rows[
        rows["model_version"].eq(row.model_version)
        & rows["number"].between(row.end - row.span_windows + 1, row.end)
    ]
    if version is None:
        compared = binning
    else:
        compared = rows[rows["model_version"] == version]
        exists = range(compared["number"].min(), compared["number"].max() + 1)
        n_windows = len([number for number in range(first, last + 1) if number in exists])
        enough = 2 * n_windows >= last - first + 1
        compared = compared[compared["number"].between(first, last) & enough]
    if row.segment_name == "region":
        compared = compared[segment_of(compared, binning) == row.segment_value]
        current = current[segment_of(current, binning) == row.segment_value]
    return compared, current


def statuses_of(case: Case, found: pd.DataFrame, rows: pd.DataFrame, binning: pd.DataFrame) -> Any:
    """Holds rows of the mart against the raw rows; what each of them could be compared with."""
    statuses = []
    for row in found.itertuples():
        compared, current = sides(case, row, rows, binning)
        where = (row.model_version, row.end, row.span_windows, row.segment_value, row.column_name)
        assert (row.n_reference, row.n_current) == (len(compared), len(current)), where
        if compared.empty or current.empty:
            assert pd.isna(row.value), where
            reason = "no_reference" if compared.empty else "no_rows"
            assert row.reason_code in {reason, "not_deciding"}, where
            statuses.append(reason)
            continue
        p, q = shares(
            *(
                binned(row.column_name, side[row.column_name], binning[row.column_name])
                for side in (compared, current)
            )
        )
        value = psi(p, q) if row.method == "psi" else jensenshannon(p, q, base=2)
        assert row.value == pytest.approx(value, rel=1e-9, abs=1e-9), where
        statuses.append("compared")
    return set(statuses)


@pytest.mark.parametrize("name", CASES)
def test_every_value_is_that_of_exactly_the_rows_the_reference_names(
    drift: pd.DataFrame, name: str
) -> None:
    case = CASES[name]
    rows = numbered(case)
    binning = binning_rows(case, rows)
    found = drift[(drift["monitor"] == name) & drift["method"].isin(["psi", "js_distance"])]
    statuses = statuses_of(case, found, rows, binning)
    kinds = {"compared"} if name.startswith("canary") else {"compared", "no_reference"}
    assert statuses - {"no_rows"} == kinds
    expected_ends = set(rows["number"]) | ({5} if case.log == "days" else set())
    assert set(found["end"]) == expected_ends
    assert set(found["column_name"]) == {*NUMERIC, *CATEGORICAL}
    assert set(found["segment_name"]) == {"all", "region"}


def test_a_span_has_no_reference_until_half_of_its_windows_exist(drift: pd.DataFrame) -> None:
    def first(name: str, span: int) -> int:
        chosen = drift["monitor"].eq(name) & drift["span_windows"].eq(span)
        judged = drift[chosen & drift["segment_name"].eq("all") & drift["reference_hash"].notna()]
        assert (judged["n_reference"] > 0).all()
        return int(judged["end"].min())

    # Two of four days before it; a day before a day; two of the three days before three days.
    assert (first("rolling", 1), first("rolling", 3)) == (2, 4)
    assert (first("previous", 1), first("previous", 3)) == (1, 4)
    # Twelve of the 24 hours of a rolling day.
    assert (first("hourly", 1), first("hourly", 6)) == (12, 17)
    assert (first("canary", 1), first("canary", 3)) == (0, 0)


def test_a_canary_is_compared_with_the_stable_version_of_the_same_days(
    drift: pd.DataFrame,
) -> None:
    chosen = drift["monitor"].eq("canary") & drift["column_name"].eq("x")
    rows = drift[chosen & drift["method"].eq("psi") & drift["segment_name"].eq("all")]
    canary = rows[rows["model_version"] == "canary"].set_index(["end", "span_windows"])
    assert canary.loc[(4, 1), ["n_reference", "n_current"]].tolist() == [40, 15]
    assert canary.loc[(9, 3), ["n_reference", "n_current"]].tolist() == [120, 45]
    stable = rows[rows["model_version"] == "stable"]
    assert set(stable["n_reference"]) == {120}
    assert stable["reference_hash"].nunique() == 1
    # All counts of the monitor lie in the bins of the stable version's first days.
    assert rows["bin_spec_id"].nunique() == 1


def test_the_dimension_says_what_each_version_is_compared_with(project: DbtProject) -> None:
    found = project.read("dim_mlmon__monitors").set_index(["monitor", "model_version"])
    assert found["reference_kind"].to_dict() == {
        ("rolling", "v1"): "rolling",
        ("rolling_default", "v1"): "rolling",
        ("previous", "v1"): "previous_span",
        ("hourly", "v1"): "rolling",
        ("canary", "stable"): "first_days",
        ("canary", "canary"): "version",
        ("canary_dates", "stable"): "dates",
        ("canary_dates", "canary"): "version",
    }


def test_a_late_row_rejudges_exactly_the_ends_that_are_compared_with_its_window(
    project: DbtProject, drift: pd.DataFrame
) -> None:
    changed = logs()
    for log, version in (("days", "v1"), ("canary", "stable")):
        late = window(LATE_DAY, 1, version=version).assign(
            request_id="late", loaded_at=changed[log]["loaded_at"].max(), x=0.1
        )
        changed[log] = pd.concat([changed[log], late], ignore_index=True)
    load(project, changed)
    build(project)
    after = drift_of(project)
    stale = stale_drift(project)
    ends = project.read("int_mlmon__spans").query("window_key in @stale")
    numbers = (ends["window_end"] - START).dt.days - 1
    by_version = {
        key: set(found) for key, found in numbers.groupby([ends["monitor"], ends["model_version"]])
    }
    concerned = set(range(LATE_DAY, LATE_DAY + 3))
    assert by_version == {
        # Its own spans of up to three days, then three or four days that reach back to it.
        ("rolling", "v1"): set(range(LATE_DAY, 14)),
        ("previous", "v1"): set(range(LATE_DAY, 14)),
        ("canary", "stable"): concerned,
        ("canary_dates", "stable"): concerned,
        ("canary", "canary"): concerned,
        ("canary_dates", "canary"): concerned,
    }
    hashes = []
    for found in (drift, after):
        keys = ["monitor", "model_version", "end", "span_windows"]
        hashes.append(found.drop_duplicates(keys).set_index(keys)["reference_hash"])
    before, now = (column.sort_index().fillna("none") for column in hashes)
    assert list(before.index) == list(now.index)
    expected = set()
    for monitor, version, end, span in now.index:
        case = CASES[monitor]
        compared_version, first, last = case.compared(version, end, span)
        if case.log == "days" and first <= LATE_DAY <= last:
            expected.add((monitor, version, end, span))
        if case.log == "canary" and compared_version and first <= LATE_DAY <= last:
            expected.add((monitor, version, end, span))
    assert expected
    assert set(now.index[now != before]) == expected
    unchanged = [
        found[~found["window_key"].isin(stale)].reset_index(drop=True) for found in (after, drift)
    ]
    assert len(unchanged[0]) > 0
    assert differences(*unchanged) == []

    build(project)
    assert len(stale_drift(project)) == 0


def test_where_a_compared_window_left_the_log_a_verdict_stays_when_the_bins_change(
    project: DbtProject,
) -> None:
    """Its counts lie in other bins than those of the changed reference."""
    before = drift_of(project)
    cut = logs()
    first_left = 6
    kept = cut["days"]["predicted_at"] >= START + pd.Timedelta(days=first_left)
    cut["days"] = cut["days"][kept].reset_index(drop=True)
    load(project, cut)
    changed = reference().assign(x=lambda rows: rows["x"] * 2)
    project.warehouse.load("reference", changed.drop(columns="model_version"))
    build(project)
    after = drift_of(project)
    stale = set(stale_drift(project))
    # Three days and the four before them no longer reach day 4, the last of those that are gone and had rows.
    first_judged = 4 + 3 + 4
    rejudged = after["monitor"].eq("rolling") & (after["end"] >= first_judged)
    stayed = [
        found[found["monitor"].eq("rolling") & (found["end"] < first_judged)].reset_index(drop=True)
        for found in (before, after)
    ]
    assert len(stayed[0]) > 0
    assert differences(*stayed) == []
    assert not stale & set(stayed[0]["window_key"])
    found = after[rejudged & after["method"].isin(["psi", "js_distance"])]
    assert not set(found["bin_spec_id"]) & set(before["bin_spec_id"])
    case = CASES["rolling"]
    assert statuses_of(case, found, numbered(case), changed) == {"compared"}
