"""Which messages the dispatcher would have sent in a channel, had it run all the time.

A pure account of `plan` for a channel that always answers: beginnings, escalations, repeats, ends,
cooldown, flapping and storms. It knows no silences, acknowledgements, inhibition or stale data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mlmon.alerts.records import Event
from mlmon.alerts.settings import Delivery

# The dispatcher looks this often at what waits for a time to be over.
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Story:
    """A series as a channel hears of it. ``states`` has what holds from each of ``times`` on: 0 does
    not fire, 1 fires as a warning, 2 as critical. What holds last is told once and not waited for."""

    times: Sequence[datetime]
    states: Sequence[int]
    cooldown_minutes: int = 0
    repeat_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A message about one series; ``storm`` counts the storms of the channel where one carried it,
    None where it was sent by itself."""

    event: Event
    at: datetime
    storm: int | None = None


@dataclass(slots=True)
class Storm:
    """Alerts that began together: one message for all of them, told again and ended like any."""

    number: int
    members: list[_Teller]
    told: list[tuple[Event, datetime]]

    @property
    def is_over(self) -> bool:
        return self.told[-1][0] == "resolve"

    def next_message(self, now: datetime) -> tuple[Event | None, datetime]:
        """What is due for all that are still part of it, and when."""
        firing = [member for member in self.members if member.storm is self and member.state]
        if not firing:
            return "resolve", now
        waits = [member.repeat for member in firing if member.repeat]
        return ("repeat", max(now, self.told[-1][1] + min(waits))) if waits else (None, now)


def messages_of(
    stories: Sequence[Story], delivery: Delivery
) -> tuple[list[list[Told]], list[Storm]]:
    """The messages of every story in a channel that they share, in order, and its storms."""
    tellers = [_Teller(story, delivery) for story in stories]
    storms: list[Storm] = []
    moments = sorted({at for story in stories for at in story.times})
    for now, then in zip(moments, [*moments[1:], None], strict=True):
        for teller in tellers:
            teller.see(now)
        _tell_between(tellers, storms, now, then, delivery.group_above)
    return [teller.told for teller in tellers], storms


def _tell_between(
    tellers: Sequence[_Teller],
    storms: list[Storm],
    now: datetime,
    then: datetime | None,
    group_above: int,
) -> None:
    """Tell all that is due until the next moment at which a state may change."""
    while True:
        live = [teller for teller in tellers if teller.state or teller.is_open]
        waiting = [(*teller.next_message(now), teller) for teller in live]
        waiting = [one for one in waiting if one[0] and one[1] < one[2].until(then)]
        shared = [(*storm.next_message(now), storm) for storm in storms if not storm.is_over]
        until = then or now + MINUTE
        shared = [one for one in shared if one[0] and one[1] < until]
        if not waiting and not shared:
            return
        now = min(due for _, due, _ in [*waiting, *shared])
        together = [
            (event, teller) for event, due, teller in waiting if due == now and event is not None
        ]
        begun = [teller for event, teller in together if event == "trigger"]
        for event, teller in together:
            if event != "trigger" or len(begun) <= group_above:
                teller.tell(event, now)
        for _, due, storm in shared:
            if due == now:
                _tell_storm(storm, now)
        if len(begun) > group_above:
            storms.append(Storm(len(storms), begun, [("trigger", now)]))
            for teller in begun:
                teller.tell("trigger", now, storms[-1])


def _tell_storm(storm: Storm, now: datetime) -> None:
    event, due = storm.next_message(now)
    if event is None or due > now:
        return  # those that became worse have just left it
    storm.told.append((event, now))
    if event == "resolve":
        for member in storm.members:
            if member.storm is storm:
                member.tell("resolve", now, storm)


@dataclass(slots=True)
class _Teller:
    """What was told of a story so far, and what is due next."""

    story: Story
    delivery: Delivery
    told: list[Told] = field(default_factory=list)
    state: int = 0
    severity: int = 0
    is_open: bool = False
    storm: Storm | None = None
    _next: int = 0

    @property
    def cooldown(self) -> timedelta:
        return timedelta(minutes=self.story.cooldown_minutes)

    @property
    def repeat(self) -> timedelta:
        return timedelta(minutes=self.story.repeat_minutes)

    def see(self, now: datetime) -> None:
        """Take over what holds from now on, where something does."""
        if self._next < len(self.story.times) and self.story.times[self._next] == now:
            self.state = self.story.states[self._next]
            self._next += 1

    def until(self, then: datetime | None) -> datetime:
        """Up to when it is told: what holds last is not waited for."""
        if self._next == len(self.story.times):
            last: datetime = self.story.times[-1]
            return last + MINUTE
        assert then is not None
        return then

    def next_message(self, now: datetime) -> tuple[Event | None, datetime]:
        """What is due while a state holds, and when: now or later."""
        last = self.told[-1].at if self.told else None
        if self.state and not self.is_open:
            is_free = last is None or self.state > self.severity
            return "trigger", now if is_free or last is None else max(now, last + self.cooldown)
        if self.state > self.severity:
            return "escalate", now
        if self.storm:
            return None, now  # told with its storm
        if self.state and self.repeat and last is not None:
            return "repeat", max(now, last + max(self.repeat, self.cooldown))
        if not self.state and self.is_open:
            return "resolve", self._quiet(now)
        return None, now

    def _quiet(self, now: datetime) -> datetime:
        """When it has stopped flapping."""
        begun = [told.at for told in self.told if told.event == "trigger"]
        most = self.delivery.flapping_triggers
        if len(begun) < most:
            return now
        return max(now, begun[-most] + self.delivery.flapping_time + MINUTE)

    def tell(self, event: Event, at: datetime, storm: Storm | None = None) -> None:
        self.told.append(Told(event, at, storm.number if storm else None))
        self.is_open = event != "resolve"
        self.storm = storm if self.is_open else None
        if self.is_open:
            self.severity = self.state
