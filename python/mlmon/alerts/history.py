"""What one channel has been told of one alert, read from the rows of the outbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from mlmon.alerts.records import Message

# After a message was refused for good, the next one of its alert waits this long.
REFUSED_FOR = timedelta(days=1)


@dataclass(frozen=True)
class History:
    """The messages of one series and channel, oldest first; empty where nothing was ever planned."""

    series_id: str
    channel: str
    rows: tuple[Message, ...] = ()

    @cached_property
    def effective(self) -> tuple[Message, ...]:
        """The messages that were sent or will be."""
        return tuple(row for row in self.rows if row.status not in {"dead", "superseded"})

    @cached_property
    def episode(self) -> tuple[Message, ...]:
        """Those since the alert was last told to be over."""
        rows = self.effective
        ends = [index for index, row in enumerate(rows) if row.event == "resolve"]
        return rows[ends[-1] + 1 :] if ends else rows

    @property
    def is_open(self) -> bool:
        """Whether the last word was that it fires."""
        return bool(self.episode)

    @property
    def unsent(self) -> tuple[Message, ...]:
        """The messages of the episode, where surely nobody has read any of them."""
        if any(row.may_be_known for row in self.episode):
            return ()
        return self.episode

    @property
    def is_unsettled(self) -> bool:
        """Whether a message is still on its way."""
        return any(row.status in {"pending", "claimed"} for row in self.effective)

    @property
    def next_seq(self) -> int:
        return self.rows[-1].seq + 1 if self.rows else 1

    @property
    def last(self) -> Message | None:
        return self.effective[-1] if self.effective else None

    @property
    def severity(self) -> str:
        """The severity that was told last; of a message refused for good, too."""
        rows = [row for row in self.rows if row.status != "superseded"]
        return rows[-1].severity if rows else "none"

    @property
    def last_told_at(self) -> datetime | None:
        return self.last.told_at if self.last else None

    @property
    def opened_at(self) -> datetime | None:
        """When it was first told in this episode."""
        return self.episode[0].told_at if self.episode else None

    @property
    def refused_until(self) -> datetime | None:
        """Until when no further message is tried after one that was refused for good."""
        rows = [row for row in self.rows if row.status != "superseded"]
        if not rows or rows[-1].status != "dead" or rows[-1].created_at is None:
            return None
        return rows[-1].created_at + REFUSED_FOR

    @property
    def is_group(self) -> bool:
        return any(row.is_group for row in self.rows)

    @property
    def group_key(self) -> str | None:
        """The grouped message that carried the last word, or None."""
        return self.last.group_key if self.last else None

    @property
    def is_grouped(self) -> bool:
        return self.is_open and self.group_key is not None

    @property
    def rule_id(self) -> str:
        return self.rows[-1].rule_id if self.rows else ""

    @property
    def provider_ref(self) -> str | None:
        """What the service calls the first message of the episode."""
        return next((row.provider_ref for row in self.episode if row.provider_ref), None)

    def triggers_since(self, since: datetime) -> int:
        """How often it began, as told, since then."""
        return sum(row.event == "trigger" and row.told_at >= since for row in self.effective)


def histories(rows: Iterable[Message]) -> dict[tuple[str, str], History]:
    """The history of every series and channel among the rows, in an order that is always the same."""
    found: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for row in rows:
        found[row.series_id, row.channel].append(row)
    return {
        pair: History(*pair, tuple(sorted(rows, key=lambda row: row.seq)))
        for pair, rows in sorted(found.items())
    }
