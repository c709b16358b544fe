"""Numbers, times and alerts as people write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Protocol

# The ranks of verdicts that rules compare with (status_rank of the marts).
STATUSES = {"2": "no reference", "3": "insufficient data", "4": "warning", "5": "critical"}


class Placed(Protocol):
    """What has a metric somewhere."""

    @property
    def metric(self) -> str: ...
    @property
    def column_name(self) -> str: ...
    @property
    def segment_name(self) -> str: ...
    @property
    def segment_value(self) -> str: ...
    @property
    def class_label(self) -> str: ...


class Measured(Placed, Protocol):
    """What has a metric somewhere, a value and a limit."""

    @property
    def measure(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def condition(self) -> str: ...


def number(value: float | None) -> str:
    """A number as a person writes it: four significant digits, thousands separated."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"


def counted(n: int, noun: str) -> str:
    """So many of something: 1 alert, 2,000 alerts."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def percent(share: float) -> str:
    """A share of what is expected, with its sign: +80%."""
    return f"{'-' if share < 0 else '+'}{number(abs(share) * 100)}%"


def value_and_limit(alert: Measured) -> tuple[str, str]:
    """The value that was compared and the condition; a verdict's rank by its name, a share of what
    is expected in percent."""
    limit = alert.condition
    if alert.measure == "status_rank":
        limit = " ".join(STATUSES.get(part, part) for part in limit.split())
    if alert.measure == "relative_change":
        limit = re.sub(r"-?[0-9.]+", lambda found: percent(float(found[0])), limit)
    return measured(alert.value, alert.measure), limit


def measured(value: float | None, measure: str) -> str:
    """A value that was compared; a verdict's rank by its name, a share of what is expected in
    percent."""
    if measure == "relative_change" and value is not None:
        return percent(value)
    text = number(value)
    return STATUSES.get(text, text) if measure == "status_rank" else text


def where(alert: Placed, metric: str | None = None) -> str:
    """What the alert is about: its metric, and the column, segment and class where it has them."""
    parts = [metric or alert.metric]
    if alert.column_name != "all":
        parts.append(f"of {alert.column_name}")
    if alert.segment_name != "all":
        parts.append(f"at {alert.segment_name} = {alert.segment_value}")
    if alert.class_label != "all":
        parts.append(f"for class {alert.class_label}")
    return " ".join(parts)


def utc(at: datetime) -> str:
    """A naive UTC time, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def duration(time: timedelta) -> str:
    """A time span in its two largest units: 3 days 4 hours."""
    minutes = max(0, int(time.total_seconds() // 60))
    sizes = (("day", 1440), ("hour", 60), ("minute", 1))
    said = []
    for name, size in sizes:
        n, minutes = divmod(minutes, size)
        if n:
            said.append(counted(n, name))
    return " ".join(said[:2]) or "less than a minute"


def sparkline(values: list[float | None]) -> str:
    """Numbers as a row of small bars; a dot where there is none."""
    bars = "▁▂▃▄▅▆▇█"
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = (high - low) or 1.0
    return "".join(
        "·" if value is None else bars[min(7, int((value - low) / step * 8))] for value in values
    )
