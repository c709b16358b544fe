"""The nine incidents that are put into flight_late's logs, and the truth about each.

Dates are days at the airport, far enough apart that one has left the seven-day windows before the
next. Four disturb what the model is given (and so its scores), four the log, one the labels. The
logs of air_time are left alone: what they show is the season.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from mlmon.demo.draws import stream
from mlmon.demo.features import TIMEZONE, WEATHER

SENTINEL_VALUE = 9999
RENAMED_CARRIER = ("UA", "United")
LOST_SHARE = 0.6
LATENCY_FACTOR = 3.0
FALLBACK_SCORE = 0.235  # the share of late flights in the reference: not late


@dataclass(frozen=True, slots=True)
class Incident:
    """What was done, when, to what, and where it should be seen.

    ``starts_at`` and ``ends_at`` are naive UTC, half-open, and are held against predicted_at
    (against labeled_at for the stalled feed). ``check_name`` is the check, metric or column of
    ``table_name`` that moves.
    """

    incident_id: int
    name: str
    monitor: str
    starts_at: datetime
    ends_at: datetime
    log_name: str
    segment_name: str
    segment_value: str
    column_name: str
    table_name: str
    check_name: str
    what: str
    symptom: str


def _local(text: str) -> datetime:
    """A time at the airport as naive UTC."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(TIMEZONE))
    return local.astimezone(UTC).replace(tzinfo=None)


SENTINEL = Incident(
    incident_id=1,
    name="Sentinel in plane_age",
    monitor="flight_late",
    starts_at=_local("2013-05-06"),
    ends_at=_local("2013-05-09"),
    log_name="predictions",
    segment_name="all",
    segment_value="all",
    column_name="plane_age",
    table_name="fct_mlmon__quality_checks",
    check_name="out_of_range",
    what="Planes that the registry does not know are logged with an age of 9999 instead of NULL.",
    symptom="plane_age above its declared maximum on about a sixth of the rows, none missing.",
)

DUPLICATE_DELIVERY = Incident(
    incident_id=2,
    name="A day delivered twice",
    monitor="flight_late",
    starts_at=_local("2013-05-22"),
    ends_at=_local("2013-05-23"),
    log_name="predictions",
    segment_name="all",
    segment_value="all",
    column_name="all",
    table_name="fct_mlmon__quality_checks",
    check_name="duplicates",
    what="The whole day's log is loaded again the next morning.",
    symptom="As many duplicates as predictions, and no change in volume, drift or performance.",
)

WEATHER_OUTAGE = Incident(
    incident_id=3,
    name="Weather feed down at EWR",
    monitor="flight_late",
    starts_at=_local("2013-06-10"),
    ends_at=_local("2013-06-13"),
    log_name="predictions",
    segment_name="origin",
    segment_value="EWR",
    column_name="temp",
    table_name="fct_mlmon__quality_checks",
    check_name="missing",
    what="All six weather values are NULL for flights out of EWR.",
    symptom="Every weather column missing on about a third of the rows, all of them at EWR.",
)

LOST_LOGS = Incident(
    incident_id=4,
    name="60 % of JFK's logs lost",
    monitor="flight_late",
    starts_at=_local("2013-07-08"),
    ends_at=_local("2013-07-15"),
    log_name="predictions",
    segment_name="origin",
    segment_value="JFK",
    column_name="all",
    table_name="fct_mlmon__quality_checks",
    check_name="volume",
    what="Six of ten predictions for flights out of JFK never reach the log; their labels do.",
    symptom="Requests at JFK fall by 60 %, origin drifts over the week, and labels without a "
    "prediction pile up in the quarantine.",
)

RENAMED = Incident(
    incident_id=5,
    name="A carrier spelled differently",
    monitor="flight_late",
    starts_at=_local("2013-08-05"),
    ends_at=_local("2013-08-10"),
    log_name="predictions",
    segment_name="all",
    segment_value="all",
    column_name="carrier",
    table_name="fct_mlmon__quality_checks",
    check_name="unseen_category",
    what="The carrier UA arrives as 'United'; the model takes it for an unknown carrier.",
    symptom="A carrier that the reference never saw on about a sixth of the rows.",
)

SLOW_ROLLOUT = Incident(
    incident_id=6,
    name="Latency times three after the rollout of v2",
    monitor="flight_late",
    starts_at=_local("2013-09-16"),
    ends_at=_local("2013-09-21"),
    log_name="predictions",
    segment_name="all",
    segment_value="all",
    column_name="all",
    table_name="fct_mlmon__operations",
    check_name="error_budget_burn",
    what="From the hour v2 takes all traffic, answers take three times as long, until it is "
    "scaled out.",
    symptom="Median and p99 latency triple and the 100 ms objective is missed on more than a third "
    "of requests.",
)

STALLED_LABELS = Incident(
    incident_id=7,
    name="Label feed stalled for a week",
    monitor="flight_late",
    starts_at=_local("2013-10-21"),
    ends_at=_local("2013-10-28"),
    log_name="labels",
    segment_name="all",
    segment_value="all",
    column_name="label",
    table_name="fct_mlmon__quality_checks",
    check_name="feed_lag",
    what="The job that makes labels stands still for seven days and catches up in the hours after.",
    symptom="Coverage at an age of one day falls to nothing and comes back; performance is not "
    "judged on what is there, so nothing is called degraded.",
)

FALLBACK = Incident(
    incident_id=8,
    name="A constant fallback score for 12 hours",
    monitor="flight_late",
    starts_at=_local("2013-11-13T06:00"),
    ends_at=_local("2013-11-13T18:00"),
    log_name="predictions",
    segment_name="all",
    segment_value="all",
    column_name="score",
    table_name="fct_mlmon__quality_checks",
    check_name="constant",
    what="The model cannot be loaded and every request gets the same score, with outcome ok.",
    symptom="One score on two thirds of the day's rows, where a score is hardly ever seen twice; "
    "the day's score drifts, the error rate does not move.",
)

CELSIUS = Incident(
    incident_id=9,
    name="Temperature in degrees Celsius",
    monitor="flight_late",
    starts_at=_local("2013-12-11"),
    ends_at=_local("2013-12-15"),
    log_name="predictions",
    segment_name="all",
    segment_value="all",
    column_name="temp",
    table_name="fct_mlmon__quality_checks",
    check_name="out_of_range",
    what="temp is logged (and scored) in degrees Celsius instead of Fahrenheit.",
    symptom="Mean temp falls from about 30 to -2 overnight: most values are under the declared "
    "minimum of 0 °F, and the PSI of the day and of the week jumps.",
)

INCIDENTS = (
    SENTINEL,
    DUPLICATE_DELIVERY,
    WEATHER_OUTAGE,
    LOST_LOGS,
    RENAMED,
    SLOW_ROLLOUT,
    STALLED_LABELS,
    FALLBACK,
    CELSIUS,
)


def during(incident: Incident, times: "pd.Series[pd.Timestamp]") -> "pd.Series[bool]":
    """Which of the naive UTC times fall into the incident."""
    return (times >= incident.starts_at) & (times < incident.ends_at)


def disturb_features(flights: pd.DataFrame) -> pd.DataFrame:
    """What the model was given while its inputs were wrong; incident_id says by which incident."""
    flights = flights.assign(incident_id=0)
    predicted_at = flights["predicted_at"]
    old, new = RENAMED_CARRIER
    fahrenheit = flights["temp"].copy()
    for incident, rows, columns, value in (
        (SENTINEL, flights["plane_age"].isna(), ["plane_age"], SENTINEL_VALUE),
        (WEATHER_OUTAGE, flights["origin"] == "EWR", WEATHER, np.nan),
        (RENAMED, flights["carrier"] == old, ["carrier"], new),
        (CELSIUS, fahrenheit.notna(), ["temp"], np.nan),
    ):
        touched = during(incident, predicted_at) & rows
        flights.loc[touched, columns] = value
        flights.loc[touched, "incident_id"] = incident.incident_id
    celsius = flights["incident_id"] == CELSIUS.incident_id
    flights.loc[celsius, "temp"] = ((fahrenheit[celsius] - 32) / 1.8).round(2)
    return flights


def disturb_log(log: pd.DataFrame) -> pd.DataFrame:
    """The prediction log with its incidents. Lost rows are marked, not gone: see ``drop_lost``."""
    log = log.copy()
    predicted_at = log["predicted_at"]
    slow = during(SLOW_ROLLOUT, predicted_at) & (log["model_version"] == "v2")
    log.loc[slow, "latency_ms"] = (log.loc[slow, "latency_ms"] * LATENCY_FACTOR).round(3)
    log.loc[slow, "incident_id"] = SLOW_ROLLOUT.incident_id

    fallback = during(FALLBACK, predicted_at) & log["score"].notna()
    log.loc[fallback, ["score", "prediction"]] = [FALLBACK_SCORE, 0.0]
    log.loc[fallback, "incident_id"] = FALLBACK.incident_id

    unlucky = stream("lost").random(len(log)) < LOST_SHARE
    lost = during(LOST_LOGS, predicted_at) & (log["origin"] == "JFK") & unlucky
    log.loc[lost, "incident_id"] = LOST_LOGS.incident_id

    # One bulk load in the morning after, in the order of the day.
    again = log[during(DUPLICATE_DELIVERY, predicted_at)]
    order = pd.to_timedelta(np.arange(len(again)), unit="ms").astype("timedelta64[us]")
    again = again.assign(
        loaded_at=DUPLICATE_DELIVERY.ends_at + pd.Timedelta(hours=6) + order,
        incident_id=DUPLICATE_DELIVERY.incident_id,
    )
    return pd.concat([log, again], ignore_index=True)


def drop_lost(log: pd.DataFrame) -> pd.DataFrame:
    """The log without the rows that never reached it."""
    return log[log["incident_id"] != LOST_LOGS.incident_id]


def disturb_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """The label log whose job stood still: what was due comes in the six hours after."""
    stalled = during(STALLED_LABELS, labels["labeled_at"])
    catching_up = stream("catching up").integers(1, 6 * 3_600_000_000, len(labels))
    transport = labels["loaded_at"] - labels["labeled_at"]
    caught_up_at = STALLED_LABELS.ends_at + pd.to_timedelta(catching_up, unit="us")
    labeled_at = labels["labeled_at"].mask(
        stalled, pd.Series(caught_up_at, index=labels.index).astype("datetime64[us]")
    )
    return labels.assign(
        labeled_at=labeled_at,
        loaded_at=labeled_at + transport,
        incident_id=np.where(stalled, STALLED_LABELS.incident_id, 0),
    )


def truth(n_rows: dict[int, int]) -> pd.DataFrame:
    """One row per incident: its fields and how many log rows it touched."""
    columns = [field.name for field in fields(Incident)]
    table = pd.DataFrame(
        [[getattr(incident, name) for name in columns] for incident in INCIDENTS], columns=columns
    )
    return table.assign(n_rows=table["incident_id"].map(n_rows))
