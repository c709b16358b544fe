"""What is known about a flight an hour before it is due to leave, and what became of it.

Reads the vendored tables of flights, weather and planes. Scores, samples and disturbs nothing.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mlmon.demo.draws import stream

TIMEZONE = "America/New_York"
YEAR = 2013
LATE_MINUTES = 15
RECENT_HOURS = 2
TAXI_MINUTES = 35

WEATHER = ["temp", "humid", "wind_speed", "precip", "pressure", "visib"]
CATEGORIES = ["carrier", "origin", "dest", "day_of_week"]
WHOLE_NUMBERS = ["distance", "scheduled_hour", "plane_age", "seats"]
NUMBERS = [*WHOLE_NUMBERS, *WEATHER, "recent_mean_delay"]
FEATURES = [*CATEGORIES, *NUMBERS]

_FILES = ("flights.parquet", "weather.parquet", "planes.parquet")
_MICROS = "datetime64[us]"
_DAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])


def build_flights(data_dir: Path) -> pd.DataFrame:
    """One row per flight of the year, ordered by its schedule.

    Columns: request_id; predicted_at and landed_at (naive UTC); local_day (midnight of the
    prediction's day at the airport, naive local time); FEATURES; and the outcomes late (1.0, 0.0)
    and air_time (minutes). Outcomes and landed_at are missing for cancelled and diverted flights.

    Raises FileNotFoundError, naming the file, where a table is missing from ``data_dir``.
    """
    flights, weather, planes = (_read(data_dir / name) for name in _FILES)
    flights = flights.assign(scheduled_at=_scheduled_at(flights))
    flights = flights.sort_values(
        ["scheduled_at", "carrier", "flight", "origin"], ignore_index=True
    )

    jitter = stream("prediction time").integers(-300_000_000, 300_000_001, len(flights))
    flights["predicted_at"] = (
        flights["scheduled_at"] - pd.Timedelta(hours=1) + pd.to_timedelta(jitter, unit="us")
    )
    flights["predicted_hour"] = flights["predicted_at"].dt.floor("h")
    weather = weather.assign(
        predicted_hour=weather["time_hour"].dt.tz_localize(None).astype(_MICROS)
    )
    flights = flights.merge(
        weather[["origin", "predicted_hour", *WEATHER]], on=["origin", "predicted_hour"], how="left"
    ).merge(planes, on="tailnum", how="left")

    delay = flights["dep_delay"].astype("float64")
    air_time = flights["air_time"].astype("float64")
    arrival_delay = flights["arr_delay"].astype("float64")
    local = flights["predicted_at"].dt.tz_localize("UTC").dt.tz_convert(TIMEZONE)
    day = pd.to_datetime({"year": YEAR, "month": flights["month"], "day": flights["day"]})

    return pd.DataFrame(
        {
            "request_id": day.dt.strftime("%Y-%m-%d-")
            + flights["carrier"]
            + "-"
            + flights["flight"].astype(str)
            + "-"
            + flights["origin"],
            "predicted_at": flights["predicted_at"],
            "landed_at": flights["scheduled_at"]
            + pd.to_timedelta(delay + air_time + TAXI_MINUTES, unit="m").astype("timedelta64[us]"),
            "local_day": local.dt.tz_localize(None).dt.normalize(),
            "carrier": flights["carrier"],
            "origin": flights["origin"],
            "dest": flights["dest"],
            "day_of_week": _DAYS[day.dt.day_of_week.to_numpy()],
            "distance": flights["distance"].astype("float64"),
            "scheduled_hour": (flights["sched_dep_time"] // 100).astype("float64"),
            "plane_age": YEAR - flights["year"].astype("float64"),
            "seats": flights["seats"].astype("float64"),
            **{name: flights[name].astype("float64") for name in WEATHER},
            "recent_mean_delay": _recent_mean_delay(flights, delay),
            "late": (arrival_delay >= LATE_MINUTES).astype("float64").where(arrival_delay.notna()),
            "air_time": air_time,
        }
    )


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(f"the demo needs {path}: one of {', '.join(_FILES)}")
    return pd.read_parquet(path)


def _scheduled_at(flights: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    hour = flights["time_hour"].dt.tz_localize(None).astype(_MICROS)
    minutes = pd.to_timedelta(flights["sched_dep_time"].astype("int64") % 100, unit="m")
    scheduled_at: pd.Series[pd.Timestamp] = (hour + minutes).astype(_MICROS)
    return scheduled_at


def _recent_mean_delay(
    flights: pd.DataFrame, delay: "pd.Series[float]"
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Mean departure delay (minutes) of what left the same airport in the two hours before."""
    recent = RECENT_HOURS * 3_600_000_000
    predicted = flights["predicted_at"].to_numpy(_MICROS).astype("int64")
    departed = flights["scheduled_at"].to_numpy(_MICROS).astype("int64") + (
        delay.fillna(0).to_numpy() * 60_000_000
    ).astype("int64")
    result = np.full(len(flights), np.nan)
    for origin in sorted(flights["origin"].unique()):
        here = (flights["origin"] == origin).to_numpy()
        left = np.flatnonzero(here & delay.notna().to_numpy())
        left = left[np.argsort(departed[left], kind="stable")]
        sums = np.concatenate([[0.0], np.cumsum(delay.to_numpy()[left])])
        first = np.searchsorted(departed[left], predicted[here] - recent)
        after = np.searchsorted(departed[left], predicted[here])
        n = after - first
        result[here] = np.where(n > 0, (sums[after] - sums[first]) / np.maximum(n, 1), np.nan)
    return result.round(3)
