"""Which messages the dispatcher would have sent about one series, had it run all the time.

A pure account of `plan` for one series and one channel that always answers: beginnings, escalations,
repeats, ends, cooldown and flapping. It knows no silences, acknowledgements, other series or stale data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mlmon.alerts.records import Event
from mlmon.alerts.settings import Delivery

# The dispatcher looks this often at what waits for a time to be over.
MINUTE = timedelta(minutes=1)


def messages_of(
    times: Sequence[datetime],
    states: Sequence[int],
    *,
    cooldown_minutes: int,
    repeat_minutes: int,
    delivery: Delivery,
) -> list[tuple[Event, datetime]]:
    """The messages, in order. ``states`` has what holds from each of ``times`` on: 0 does not fire,
    1 fires as a warning, 2 as critical. What holds last is told once and not waited for."""
    teller = _Teller(
        timedelta(minutes=cooldown_minutes), timedelta(minutes=repeat_minutes), delivery
    )
    until = [*times[1:], times[-1] + MINUTE] if times else []
    for now, then, state in zip(times, until, states, strict=True):
        while True:
            event, due = teller.next_message(state, now)
            if event is None or due >= then:
                break
            teller.tell(event, due, state)
            now = due
    return teller.told


class _Teller:
    """What was told so far, and what is due next."""

    def __init__(self, cooldown: timedelta, repeat: timedelta, delivery: Delivery) -> None:
        self.cooldown, self.repeat, self.delivery = cooldown, repeat, delivery
        self.told: list[tuple[Event, datetime]] = []
        self.severity = 0
        self.is_open = False

    def next_message(self, state: int, now: datetime) -> tuple[Event | None, datetime]:
        """What is due while a state holds, and when: now or later."""
        last = self.told[-1][1] if self.told else None
        if state and not self.is_open:
            is_free = last is None or state > self.severity
            return "trigger", now if is_free or last is None else max(now, last + self.cooldown)
        if state > self.severity:
            return "escalate", now
        if state and self.repeat and last is not None:
            return "repeat", max(now, last + max(self.repeat, self.cooldown))
        if not state and self.is_open:
            return "resolve", self._quiet(now)
        return None, now

    def _quiet(self, now: datetime) -> datetime:
        """When it has stopped flapping."""
        begun = [at for event, at in self.told if event == "trigger"]
        most = self.delivery.flapping_triggers
        if len(begun) < most:
            return now
        return max(now, begun[-most] + self.delivery.flapping_time + MINUTE)

    def tell(self, event: Event, at: datetime, state: int) -> None:
        self.told.append((event, at))
        self.is_open = event != "resolve"
        if self.is_open:
            self.severity = state
