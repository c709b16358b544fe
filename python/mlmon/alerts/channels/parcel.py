"""What a channel gets, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mlmon.alerts.content import Content
from mlmon.alerts.records import Event
from mlmon.alerts.settings import Channel


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message and whom it is for. ``thread`` is what the service calls the first message of the
    same episode; ``key`` stays the same however often it is tried."""

    key: str
    series_id: str
    event: Event
    severity: str
    content: Content
    channel: Channel
    now: datetime
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The service has taken it; ``provider_ref`` is what it calls the message."""

    provider_ref: str | None = None
    status_code: int | None = None
    note: str = ""


class SendError(Exception):
    """It was not taken, or nobody knows.

    ``is_final``: trying again will not help. ``is_ambiguous``: it may have been taken although no
    answer came. ``retry_at``: not before then, as the service asks.
    """

    def __init__(
        self,
        text: str,
        *,
        is_final: bool = False,
        is_ambiguous: bool = False,
        retry_at: datetime | None = None,
        status_code: int | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.is_final = is_final
        self.is_ambiguous = is_ambiguous
        self.retry_at = retry_at
        self.status_code = status_code
