"""The flights demo: the logs are the same every time and hold what the truth file says."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlmon.demo import incidents
from mlmon.demo.features import WEATHER, build_flights
from mlmon.demo.generate import DemoSummary, generate
from mlmon.demo.incidents import Incident, during

DATA = Path(__file__).parents[2] / "examples" / "flights" / "data"
TABLES = [
    "predictions",
    "labels",
    "reference",
    "air_time_predictions",
    "air_time_labels",
    "air_time_reference",
]

# One generation serves every test here, also where tests are spread over processes.


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoSummary, list[str]]:
    steps: list[str] = []
    summary = generate(DATA, tmp_path_factory.mktemp("logs"), progress=steps.append)
    return summary, steps


@pytest.fixture(scope="module")
def summary(generated: tuple[DemoSummary, list[str]]) -> DemoSummary:
    return generated[0]


@pytest.fixture(scope="module")
def tables(summary: DemoSummary) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(summary.out_dir / f"{name}.parquet") for name in TABLES}


@pytest.fixture(scope="module")
def predictions(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return tables["predictions"]


@pytest.fixture(scope="module")
def requests(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions.sort_values("loaded_at").drop_duplicates("request_id", keep="last")


@pytest.fixture(scope="module")
def truth(summary: DemoSummary) -> list[dict[str, Any]]:
    text = (summary.out_dir / "incidents.json").read_text(encoding="utf-8")
    return list(json.loads(text))


@pytest.fixture(scope="module")
def n_touched(truth: list[dict[str, Any]]) -> dict[int, int]:
    return {record["incident_id"]: record["n_rows"] for record in truth}


def inside(incident: Incident, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[during(incident, rows["predicted_at"])]


def just_before(incident: Incident, rows: pd.DataFrame) -> pd.DataFrame:
    times = rows["predicted_at"]
    start = incident.starts_at - timedelta(days=7)
    return rows[(times >= start) & (times < incident.starts_at)]


def test_the_same_inputs_give_the_same_bytes_whatever_the_threads(
    summary: DemoSummary, tmp_path: Path
) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "mlmon.demo.generate", "--data", str(DATA)]
    subprocess.run([*command, "--out", str(tmp_path)], env=environment, check=True)
    files = sorted(path.name for path in summary.out_dir.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    for name in files:
        first, second = (
            hashlib.sha256((directory / name).read_bytes()).hexdigest()
            for directory in (summary.out_dir, tmp_path)
        )
        assert first == second, name


def test_about_a_tenth_of_the_flights_is_logged(
    summary: DemoSummary, tables: dict[str, pd.DataFrame]
) -> None:
    assert summary.n_rows == {name: len(table) for name, table in tables.items()}
    assert summary.n_rows["reference"] == pytest.approx(8_079, rel=0.03)
    assert summary.n_rows["air_time_predictions"] == pytest.approx(25_599, rel=0.03)


def test_progress_is_told_step_by_step(generated: tuple[DemoSummary, list[str]]) -> None:
    assert len(generated[1]) >= 4
    assert all("\n" not in step and len(step) < 120 for step in generated[1])


def test_files_have_the_columns_and_types_that_the_example_declares(summary: DemoSummary) -> None:
    keys = ["request_id", "model_version", "predicted_at", "loaded_at"]
    for name in TABLES:
        schema = pq.read_schema(summary.out_dir / f"{name}.parquet")
        types = {field.name: str(field.type) for field in schema}
        is_regression = name.startswith("air_time")
        target = "double" if is_regression else "int32"
        if name.endswith("labels"):
            assert types == {
                "request_id": "string",
                "label": target,
                "labeled_at": "timestamp[us]",
                "loaded_at": "timestamp[us]",
            }
            continue
        assert list(types)[:4] == keys
        assert types["predicted_at"] == types["loaded_at"] == "timestamp[us]"
        assert types["prediction"] == target
        assert ("score" in types) is not is_regression
        assert ("label" in types) is name.endswith("reference")
        assert {types[column] for column in WEATHER} == {"double"}
        assert {types[column] for column in ("distance", "plane_age", "seats")} == {"int32"}


def test_labels_are_complete_and_belong_to_production(tables: dict[str, pd.DataFrame]) -> None:
    for name in ("labels", "air_time_labels"):
        labels = tables[name]
        assert not labels.isna().any(axis=None)
        assert (labels["loaded_at"] > labels["labeled_at"]).all()
        assert labels["labeled_at"].min() > pd.Timestamp("2013-04-01 04:00")
    assert set(tables["labels"]["label"]) == {0, 1}
    assert tables["air_time_labels"]["request_id"].is_unique
    assert (tables["air_time_labels"]["label"] > 0).all()


def test_only_cancelled_and_diverted_flights_never_get_a_label(
    tables: dict[str, pd.DataFrame],
) -> None:
    flights = build_flights(DATA).set_index("request_id")
    log = tables["air_time_predictions"]
    labelled = log["request_id"].isin(tables["air_time_labels"]["request_id"])
    arrived = log["request_id"].map(flights["landed_at"]).notna()
    assert (labelled == arrived).all()
    assert 1 - labelled.mean() == pytest.approx(0.026, abs=0.004)


def test_labels_agree_with_what_became_of_the_flights(tables: dict[str, pd.DataFrame]) -> None:
    flights = build_flights(DATA).set_index("request_id")
    labels = tables["labels"].sort_values("loaded_at")
    newest = labels.drop_duplicates("request_id", keep="last")
    assert (newest["label"] == newest["request_id"].map(flights["late"])).all()
    corrections = labels[labels["request_id"].duplicated(keep=False)]
    assert 30 <= corrections["request_id"].nunique() <= 130
    assert corrections.groupby("request_id")["label"].nunique().eq(2).all()


def test_labels_take_hours_and_a_few_take_weeks(tables: dict[str, pd.DataFrame]) -> None:
    flights = build_flights(DATA).set_index("request_id")
    labels = tables["air_time_labels"]
    delay = labels["labeled_at"] - labels["request_id"].map(flights["landed_at"])
    assert delay.min() > timedelta(0)
    assert delay.median() == pytest.approx(timedelta(hours=9), abs=timedelta(minutes=30))
    assert (delay > timedelta(days=9.9)).mean() == pytest.approx(0.02, abs=0.004)
    assert delay.max() <= timedelta(days=30)


def test_the_reference_is_labelled_and_serves_every_version(
    tables: dict[str, pd.DataFrame],
) -> None:
    for name in ("reference", "air_time_reference"):
        reference = tables[name]
        assert reference["model_version"].isna().all()
        assert reference["request_id"].is_unique
        assert reference["predicted_at"].max() < pd.Timestamp("2013-04-01 04:00")
        assert reference["label"].notna().mean() > 0.95
        assert reference["prediction"].notna().all()
    reference = tables["reference"]
    assert reference["score"].between(0, 1).all()
    assert ((reference["score"] >= 0.3) == (reference["prediction"] == 1)).all()


def test_the_model_is_about_as_good_as_the_readme_says(summary: DemoSummary) -> None:
    assert summary.reference_auc == pytest.approx(0.72, abs=0.02)
    assert summary.auc_by_month["2013-09"] == pytest.approx(0.67, abs=0.03)
    assert list(summary.auc_by_month) == [f"2013-{month:02}" for month in range(4, 13)]
    assert summary.air_time_bias_by_month["2013-09"] == pytest.approx(13.3, abs=0.7)


def test_v2_is_a_canary_from_2_september_and_takes_over_on_the_16th(requests: pd.DataFrame) -> None:
    midnight = timedelta(hours=4)
    canary, rollout = (pd.Timestamp(f"2013-09-{day}") + midnight for day in ("02", "16"))
    is_v2 = requests["model_version"] == "v2"
    times = requests["predicted_at"]
    assert not is_v2[times < canary].any()
    assert is_v2[times >= rollout].all()
    share = is_v2[(times >= canary) & (times < rollout)].mean()
    assert share == pytest.approx(0.1, abs=0.03)


def test_a_request_without_an_answer_has_neither_score_nor_prediction(
    requests: pd.DataFrame,
) -> None:
    assert set(requests["outcome"]) == {"ok", "error", "timeout"}
    answered = requests["outcome"] == "ok"
    assert 0.001 < 1 - answered.mean() < 0.006
    assert (requests["score"].notna() == answered).all()
    assert (requests["prediction"].notna() == answered).all()
    assert requests["latency_ms"].notna().all()


def test_most_rows_load_within_the_hour_and_a_few_hours_late(predictions: pd.DataFrame) -> None:
    normal = predictions.drop(inside(incidents.DUPLICATE_DELIVERY, predictions).index)
    delay = normal["loaded_at"] - normal["predicted_at"]
    assert delay.min() > timedelta(0)
    assert (delay > timedelta(hours=2)).mean() == pytest.approx(0.01, abs=0.003)
    assert ((delay > timedelta(minutes=62)) & (delay < timedelta(hours=2))).sum() == 0
    assert 10 <= normal["request_id"].duplicated().sum() <= 45


def test_the_truth_names_nine_incidents_apart_from_each_other(
    truth: list[dict[str, Any]], summary: DemoSummary
) -> None:
    assert [record["incident_id"] for record in truth] == list(range(1, 10))
    assert summary.n_incidents == len(truth)
    assert truth[0]["starts_at"] == "2013-05-06 04:00:00"
    spans = sorted((incident.starts_at, incident.ends_at) for incident in incidents.INCIDENTS)
    assert all(start < end for start, end in spans)
    assert all(b[0] - a[1] >= timedelta(days=7) for a, b in pairwise(spans))
    table = pd.read_csv(summary.out_dir / "incidents.csv")
    assert table["starts_at"].tolist() == [record["starts_at"] for record in truth]
    assert table["n_rows"].tolist() == [record["n_rows"] for record in truth]


def test_unknown_planes_are_9999_years_old_for_three_days(
    predictions: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    days = inside(incidents.SENTINEL, predictions)
    assert days["plane_age"].notna().all()
    assert (days["plane_age"] == 9999).sum() == n_touched[1] > 30
    assert (predictions["plane_age"] == 9999).sum() == n_touched[1]
    assert predictions["plane_age"].isna().mean() > 0.1


def test_one_day_is_delivered_twice_with_the_same_content(
    predictions: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    day = inside(incidents.DUPLICATE_DELIVERY, predictions)
    again = day[day["loaded_at"] >= incidents.DUPLICATE_DELIVERY.ends_at + timedelta(hours=6)]
    assert len(again) == n_touched[2] > 80
    assert set(again["request_id"]) == set(day["request_id"])
    content = [column for column in day if column != "loaded_at"]
    assert len(day[content].drop_duplicates()) == day["request_id"].nunique()


def test_ewr_has_no_weather_for_three_days(
    predictions: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    days = inside(incidents.WEATHER_OUTAGE, predictions)
    at_ewr = days["origin"] == "EWR"
    assert at_ewr.sum() == n_touched[3] > 80
    assert days.loc[at_ewr, WEATHER].isna().all(axis=None)
    assert days.loc[~at_ewr, "temp"].notna().all()


def test_six_of_ten_predictions_at_jfk_are_lost_but_not_their_labels(
    tables: dict[str, pd.DataFrame], requests: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    kept = (inside(incidents.LOST_LOGS, requests)["origin"] == "JFK").sum()
    lost = n_touched[4]
    assert lost / (lost + kept) == pytest.approx(0.6, abs=0.07)
    undisturbed = inside(incidents.LOST_LOGS, tables["air_time_predictions"])
    assert (undisturbed["origin"] == "JFK").sum() == lost + kept
    orphans = set(tables["labels"]["request_id"]) - set(requests["request_id"])
    assert 0.9 * lost <= len(orphans) <= lost
    assert all(request_id.endswith("-JFK") for request_id in orphans)


def test_ua_is_spelled_united_for_five_days(
    predictions: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    days = inside(incidents.RENAMED, predictions)
    assert (days["carrier"] == "United").sum() == n_touched[5] > 50
    assert (predictions["carrier"] == "United").sum() == n_touched[5]
    assert not (days["carrier"] == "UA").any()


def test_latency_triples_when_v2_takes_over(
    predictions: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    slow = inside(incidents.SLOW_ROLLOUT, predictions)
    before = just_before(incidents.SLOW_ROLLOUT, predictions)
    assert len(slow) == n_touched[6]
    ratio = slow["latency_ms"].median() / before["latency_ms"].median()
    assert ratio == pytest.approx(3, abs=0.3)
    after = predictions[predictions["predicted_at"] >= incidents.SLOW_ROLLOUT.ends_at]
    assert after["latency_ms"].median() == pytest.approx(30, abs=2)


def test_no_label_comes_for_a_week_and_all_come_after(
    tables: dict[str, pd.DataFrame], n_touched: dict[int, int]
) -> None:
    stalled = incidents.STALLED_LABELS
    labels = tables["labels"]
    assert not during(stalled, labels["labeled_at"]).any()
    loaded_at = labels["loaded_at"]
    under_way = stalled.starts_at + timedelta(minutes=15)
    assert not ((loaded_at > under_way) & (loaded_at < stalled.ends_at)).any()
    caught_up = (
        labels["labeled_at"].between(stalled.ends_at, stalled.ends_at + timedelta(hours=6)).sum()
    )
    assert caught_up >= n_touched[7] > 400


def test_one_score_answers_everything_for_half_a_day(
    predictions: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    answered = inside(incidents.FALLBACK, predictions)
    answered = answered[answered["outcome"] == "ok"]
    assert set(answered["score"]) == {incidents.FALLBACK_SCORE}
    assert set(answered["prediction"]) == {0}
    assert len(answered) == n_touched[8] > 50
    elsewhere = predictions.drop(answered.index)["score"].value_counts()
    assert elsewhere.max() < 10


def test_temperatures_are_in_celsius_for_four_days(
    tables: dict[str, pd.DataFrame], predictions: pd.DataFrame, n_touched: dict[int, int]
) -> None:
    wrong = inside(incidents.CELSIUS, predictions).set_index("request_id")["temp"]
    right = tables["air_time_predictions"].set_index("request_id")["temp"]
    fahrenheit = right.reindex(wrong.index)
    assert ((wrong * 1.8 + 32) - fahrenheit).abs().max() < 0.02
    assert wrong.notna().sum() == n_touched[9] > 200
    assert (wrong < 0).mean() > 0.6
    assert predictions.drop(inside(incidents.CELSIUS, predictions).index)["temp"].min() > 0


def test_a_missing_source_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"flights\.parquet"):
        generate(tmp_path, tmp_path / "out")
