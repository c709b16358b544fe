"""Turns flights and models into what a serving process and a label job would have logged.

Builds the rows of the whole year, so that chance falls the same way on a tenth of them; the rows
that is_logged leaves out are dropped later and not scored. Incidents are put in elsewhere.
"""

import numpy as np
import pandas as pd

from mlmon.demo.draws import stream
from mlmon.demo.features import FEATURES
from mlmon.demo.models import REFERENCE_END, THRESHOLD, Model, TrainedModels, Values

CANARY_START = pd.Timestamp("2013-09-02")
CANARY_SHARE = 0.1
ROLLOUT = pd.Timestamp("2013-09-16")

KEYS = ["request_id", "model_version", "predicted_at", "loaded_at"]
RESULTS = ["prediction", "score", "latency_ms", "outcome"]
LOG_COLUMNS = [*KEYS, *RESULTS, *FEATURES]
LABEL_COLUMNS = ["request_id", "label", "labeled_at", "loaded_at"]


def late_log(flights: pd.DataFrame, models: TrainedModels) -> pd.DataFrame:
    """flight_late's predictions for ``flights``; a few are sent twice.

    v2 gets a tenth of the requests from CANARY_START and all of them from ROLLOUT, at local
    midnight. The features of ``flights`` may be disturbed.
    """
    day = flights["local_day"]
    canary = (day >= CANARY_START) & (stream("canary").random(len(flights)) < CANARY_SHARE)
    is_v2 = ((day >= ROLLOUT) | canary).to_numpy()
    score = np.where(
        is_v2,
        _predict_logged(models.late_v2, flights, is_v2),
        _predict_logged(models.late_v1, flights, ~is_v2),
    ).round(6)
    log = flights.assign(
        model_version=np.where(is_v2, "v2", "v1"),
        score=score,
        prediction=(score >= THRESHOLD).astype("float64"),
    )
    return _with_resent(_served(log, "flight_late"), "flight_late")


def air_time_log(flights: pd.DataFrame, model: Model) -> pd.DataFrame:
    """air_time's predictions (minutes) for ``flights``, by one version all the year."""
    log = flights.assign(
        model_version="v1",
        score=np.nan,
        prediction=_predict_logged(model, flights, np.ones(len(flights), dtype=bool)).round(3),
    )
    return _served(log, "air_time")


def late_labels(flights: pd.DataFrame) -> pd.DataFrame:
    """flight_late's labels: 1 where the flight came in late. A few are wrong first, then right."""
    labels = _reported(flights, "late", "flight_late labels")
    chance = stream("corrections")
    corrected = chance.random(len(labels)) < 0.003
    days_later = pd.to_timedelta(chance.integers(86_400, 5 * 86_400, len(labels)), unit="s")
    right = labels.assign(
        labeled_at=labels["labeled_at"] + days_later, loaded_at=labels["loaded_at"] + days_later
    )[corrected]
    first = labels.assign(label=labels["label"].mask(corrected, 1 - labels["label"]))
    return pd.concat([first, right], ignore_index=True)


def air_time_labels(flights: pd.DataFrame) -> pd.DataFrame:
    """air_time's labels: the minutes in the air."""
    return _reported(flights, "air_time", "air_time labels")


def late_reference(flights: pd.DataFrame, score: Values) -> pd.DataFrame:
    """The flights of January to March with out-of-fold scores and labels, for every version."""
    score = score.round(6)
    return _reference(
        flights.assign(
            score=score,
            prediction=(score >= THRESHOLD).astype("float64"),
            label=flights["late"],
        )
    )


def air_time_reference(flights: pd.DataFrame, prediction: Values) -> pd.DataFrame:
    """The flights of January to March with their out-of-fold predictions and labels."""
    return _reference(
        flights.assign(score=np.nan, prediction=prediction.round(3), label=flights["air_time"])
    )


def is_production(flights: pd.DataFrame) -> "pd.Series[bool]":
    """Flights that were scored live: the others are the reference."""
    return flights["local_day"] >= REFERENCE_END


def _predict_logged(
    model: Model, flights: pd.DataFrame, wanted: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> Values:
    """The model's answers where wanted and logged, NaN elsewhere: scoring takes time."""
    scored = wanted & flights["is_logged"].to_numpy()
    result = np.full(len(flights), np.nan)
    result[scored] = model.predict(flights[scored])
    return result


def _served(log: pd.DataFrame, name: str) -> pd.DataFrame:
    """Adds when the rows were loaded, how long the answer took and whether there was one."""
    n = len(log)
    chance = stream(f"{name} serving")
    seconds = np.minimum(chance.lognormal(np.log(40), 1.0, n), 3_000)
    hours_late = chance.uniform(2, 30, n)
    seconds = np.where(chance.random(n) < 0.01, hours_late * 3_600, seconds)
    latency = chance.lognormal(np.log(30), 0.35, n)
    fate = chance.random(n)
    outcome = np.select([fate < 0.002, fate < 0.003], ["error", "timeout"], "ok")
    latency = np.where(outcome == "timeout", 1_000 + latency, latency)
    answered = outcome == "ok"
    return log.assign(
        loaded_at=log["predicted_at"]
        + pd.to_timedelta((seconds * 1_000_000).astype("int64"), unit="us"),
        latency_ms=latency.round(3),
        outcome=outcome,
        score=log["score"].where(answered),
        prediction=log["prediction"].where(answered),
    )


def _with_resent(log: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row in a thousand is sent again minutes later, as a retry after a lost receipt."""
    chance = stream(f"{name} resent")
    again = chance.random(len(log)) < 0.001
    later = pd.to_timedelta(chance.integers(60, 600, len(log)), unit="s")
    resent = log.assign(loaded_at=log["loaded_at"] + later)[again]
    return pd.concat([log, resent], ignore_index=True)


def _reported(flights: pd.DataFrame, target: str, name: str) -> pd.DataFrame:
    """Labels at landing plus a reporting delay; none for cancelled and diverted flights."""
    n = len(flights)
    chance = stream(name)
    hours = chance.lognormal(np.log(9), 0.6, n)
    slow_hours = chance.uniform(10, 30, n) * 24
    hours = np.where(chance.random(n) < 0.02, slow_hours, hours)
    minutes_loading = chance.uniform(1, 15, n)
    labeled_at = flights["landed_at"] + pd.to_timedelta(
        (hours * 3_600_000_000).astype("int64"), unit="us"
    )
    loaded_at = labeled_at + pd.to_timedelta(
        (minutes_loading * 60_000_000).astype("int64"), unit="us"
    )
    labels = flights[["request_id", "is_logged"]].assign(
        label=flights[target], labeled_at=labeled_at, loaded_at=loaded_at
    )
    return labels[labels["label"].notna()].reset_index(drop=True)


def _reference(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(
        model_version=None, loaded_at=rows["predicted_at"], latency_ms=np.nan, outcome="ok"
    )
