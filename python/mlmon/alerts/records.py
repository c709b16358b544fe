"""What the parts of the dispatcher hand to each other. Times are naive and UTC, as in the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

Event = Literal["trigger", "escalate", "repeat", "resolve"]
Status = Literal["pending", "claimed", "sent", "dead", "superseded"]

RANKS = {"none": 0, "warning": 1, "critical": 2}

# How many characters of an id people see; any beginning that is unique is understood.
SHORT_ID = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row of fct_mlmon__alert_states, or an outage that only a clock can see (metric no_data)."""

    series_id: str
    rule_id: str
    rule_name: str = ""
    monitor: str
    model_version: str = "all"
    is_active: bool = True
    segment_name: str = "all"
    segment_value: str = "all"
    column_name: str = "all"
    column_role: str = "table"
    metric: str
    measure: str = "value"
    class_label: str = "all"
    label_age: str = "none"
    span_windows: int = 1
    state: str = "ok"
    severity: str = "none"
    value: float | None = None
    threshold_low: float | None = None
    threshold_high: float | None = None
    condition: str = ""
    n: int | None = None
    status: str | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    fired_at: datetime | None = None
    since_window_end: datetime | None = None
    n_breached: int = 0
    n_judged: int = 1
    reason: str = ""
    immediate_action: str | None = None
    runbook: str | None = None
    runbook_url: str | None = None
    channels: str = ""
    owner: str | None = None
    inhibited_by: str = ""
    cooldown_minutes: int = 0
    repeat_minutes: int = 0
    no_data_minutes: int = 0
    max_age_minutes: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Alert:
        """The alert of a row; columns that are missing or NULL keep their defaults."""
        known = {item.name for item in fields(cls)}
        return cls(
            **{key: value for key, value in row.items() if key in known and value is not None}
        )

    @property
    def is_firing(self) -> bool:
        """Whether somebody should know. A version that no longer serves pages nobody."""
        return self.state == "firing" and self.is_active

    @property
    def labels(self) -> dict[str, str]:
        """What silences match and what other systems group by."""
        return {
            "rule": self.rule_id,
            "monitor": self.monitor,
            "version": self.model_version,
            "segment": self.segment_name,
            "value": self.segment_value,
            "column": self.column_name,
            "metric": self.metric,
            "class": self.class_label,
            "label_age": self.label_age,
            "series": self.series_id,
        }


@dataclass(frozen=True, slots=True)
class MonitorFacts:
    """What is known of a monitor's logs: the newest rows that came in, and where people look."""

    monitor: str
    data_through_at: datetime | None = None
    last_arrival_at: datetime | None = None
    dashboard_url: str | None = None
    first_predicted: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that cannot be used, and why. It judges nothing, which is no good news."""

    rule_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Situation:
    """All that dbt's tables say to the planner."""

    alerts: tuple[Alert, ...]
    monitors: Mapping[str, MonitorFacts] = field(default_factory=dict)
    broken_rules: tuple[BrokenRule, ...] = ()
    # Every row of the rules, also of those that judge nothing: its rule_id and the monitor that it selects.
    rules: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A row of the outbox: one message for one channel, or a member of a grouped one."""

    delivery_key: str
    series_id: str
    channel: str
    seq: int
    event: Event
    severity: str
    status: Status = "pending"
    is_group: bool = False
    group_key: str | None = None
    rule_id: str = ""
    monitor: str = ""
    model_version: str = ""
    metric: str = ""
    title: str = ""
    payload: str = "{}"
    attempts: int = 0
    maybe_sent: bool = False
    created_at: datetime | None = None
    sent_at: datetime | None = None
    next_attempt_at: datetime | None = None
    claim_token: str | None = None
    claimed_until: datetime | None = None
    provider_ref: str | None = None
    last_error: str | None = None

    @property
    def told_at(self) -> datetime:
        """When it was sent, or where it was not, when it was planned."""
        at = self.sent_at or self.created_at
        assert at is not None
        return at

    @property
    def may_be_known(self) -> bool:
        """Whether somebody may have read it: also where an attempt ended without an answer."""
        return self.status in {"sent", "claimed"} or self.maybe_sent


@dataclass(frozen=True, slots=True)
class Silence:
    """Messages that match stay unsent between two times. Patterns are those of a shell."""

    silence_id: str
    matcher: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    created_by: str = ""
    comment: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody looks after it: no repeats until it is over or becomes worse."""

    series_id: str
    created_at: datetime
    created_by: str = ""
    comment: str = ""


def key_of(series_id: str, channel: str, seq: int) -> str:
    """The identity of a message: whoever plans it comes to the same one."""
    return digest([series_id, channel, str(seq)])


def digest(parts: Iterable[str]) -> str:
    """32 hexadecimal digits for a list of texts; no two lists share a text."""
    text = "|".join(part.replace("|", "||") for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def rank(severity: str) -> int:
    """0 none, 1 warning, 2 critical."""
    return RANKS.get(severity, 0)
