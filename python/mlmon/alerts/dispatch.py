"""Sends what waits in the outbox: claim, send outside any transaction, say how it went.

It may be killed at any point, and run several times at once: a claim ends by itself, and only who
holds it may say how it went. See docs/alerts.md for what is promised.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlmon.alerts.channels import sender
from mlmon.alerts.channels.parcel import Parcel, Receipt, SendError
from mlmon.alerts.content import Content
from mlmon.alerts.outbox import Outbox, Outcome
from mlmon.alerts.records import Message
from mlmon.alerts.scrubbing import scrub
from mlmon.alerts.settings import Channel, Settings, missing_variables
from mlmon.errors import ConfigurationError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

# One message may take this long, whatever the service does; leases are longer.
LONGEST_SEND = 90.0

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

# After so many failures in one run a channel is left alone until its next message is due.
MOST_FAILURES = 3


@dataclass(slots=True)
class Report:
    """What a run did, by outcome, and what it could not do."""

    counts: Counter[str] = field(default_factory=Counter)
    # Channels that have messages and cannot be used, with the reason.
    unusable: dict[str, str] = field(default_factory=dict)
    n_waiting: int = 0


@dataclass(slots=True)
class _Pauses:
    """Channels that are left alone in this run, and until when."""

    until: dict[str, datetime] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def names(self, now: datetime) -> list[str]:
        return [name for name, until in self.until.items() if until > now]

    def note(self, channel: str, error: SendError, until: datetime) -> None:
        self.failures[channel] += 1
        is_asked = error.retry_at is not None or error.status_code is None
        if is_asked or self.failures[channel] >= MOST_FAILURES:
            self.until[channel] = max(until, self.until.get(channel, until))
            self.failures[channel] = 0


def deliver(
    outbox: Outbox,
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    wait_seconds: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Send what is due until nothing is; wait for what is due soon, up to ``wait_seconds``."""
    report, pauses = Report(), _Pauses()
    usable = _usable(outbox, settings, report, log)
    lease = timedelta(seconds=settings.delivery.lease_seconds)
    started = outbox.now()
    while True:
        claimed = outbox.claim(list(usable), lease, paused=pauses.names(outbox.now()))
        if claimed:
            message, thread = claimed
            parcel = _parcel(message, thread, usable[message.channel], outbox.now())
            _handle(outbox, settings, message, parcel, log, report, pauses)
            continue
        pause = _pause(outbox, usable, pauses, started, wait_seconds)
        if pause is None:
            break
        sleep(pause)
    report.n_waiting = sum(outbox.waiting().values())
    return report


def backoff(message: Message, now: datetime) -> datetime:
    """When to try again: twice as late after every attempt, a little apart from other messages."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** (message.attempts - 1), LONGEST_PAUSE)
    # Between 1 and 1.25 times, by the key: the same for the same attempt.
    spread = 1 + int(message.delivery_key[:4], 16) / 0x3FFFC
    return now + pause * spread


def _usable(
    outbox: Outbox, settings: Settings, report: Report, log: FilteringBoundLogger
) -> dict[str, Channel]:
    """The channels that can send; the others are told where messages wait for them."""
    usable = dict(settings.channels)
    for name in outbox.waiting():
        channel = settings.channels.get(name)
        if channel is None:
            reason = "it is not in the channels file"
        elif missing := missing_variables(channel):
            reason = f"not set in the environment: {', '.join(missing)}"
        else:
            continue
        usable.pop(name, None)
        report.unusable[name] = reason
        log.error("channel cannot be used", channel=name, reason=reason)
    return usable


def _pause(
    outbox: Outbox,
    usable: Mapping[str, Channel],
    pauses: _Pauses,
    started: datetime,
    wait_seconds: float,
) -> float | None:
    """How long to sleep until something is due again, or None where that is too far away."""
    if wait_seconds <= 0 or outbox.fixed_now:
        return None
    now, due = outbox.now(), outbox.next_due(list(usable))
    times = [until for until in pauses.until.values() if until > now]
    if due is None or (due <= now and not times):
        return None
    wake = due if due > now else min(times)
    if wake > started + timedelta(seconds=wait_seconds):
        return None
    return max((wake - now).total_seconds(), 0.05)


def _parcel(message: Message, thread: str | None, channel: Channel, now: datetime) -> Parcel:
    return Parcel(
        key=message.delivery_key,
        series_id=message.series_id,
        event=message.event,
        severity=message.severity,
        content=Content.of(json.loads(message.payload)),
        channel=channel,
        now=now,
        thread=thread,
    )


def _handle(
    outbox: Outbox,
    settings: Settings,
    message: Message,
    parcel: Parcel,
    log: FilteringBoundLogger,
    report: Report,
    pauses: _Pauses,
) -> None:
    log = log.bind(
        delivery_key=message.delivery_key,
        channel=message.channel,
        event_kind=message.event,
        attempt=message.attempts,
    )
    try:
        receipt = _within(LONGEST_SEND, parcel)
    except SendError as error:
        outcome = _failed(message, error, settings, parcel.now)
        if outcome.next_attempt_at:
            pauses.note(message.channel, error, outcome.next_attempt_at)
    else:
        outcome = Outcome(
            "sent", receipt.note, receipt.status_code, provider_ref=receipt.provider_ref
        )
    is_ours = outbox.settle(message, outcome)
    name = outcome.outcome if is_ours else "fenced"
    report.counts[name] += 1
    write = log.info if name == "sent" else log.error if name == "dead" else log.warning
    write(name, title=message.title, error=outcome.error, status_code=outcome.status_code)


def _failed(message: Message, error: SendError, settings: Settings, now: datetime) -> Outcome:
    is_last = message.attempts >= settings.delivery.max_attempts
    text = scrub(error.text)[:1000]
    if error.is_final or is_last:
        given_up = "" if error.is_final else f"given up after {message.attempts} attempts: "
        return Outcome("dead", given_up + text, error.status_code, is_ambiguous=error.is_ambiguous)
    return Outcome(
        "retry",
        text,
        error.status_code,
        is_ambiguous=error.is_ambiguous,
        next_attempt_at=max(backoff(message, now), error.retry_at or now),
    )


def _within(seconds: float, parcel: Parcel) -> Receipt:
    """Send, but wait no longer than that: a service that answers byte by byte must not hold us."""
    done: list[Receipt | BaseException] = []

    def run() -> None:
        try:
            done.append(sender(parcel.channel.kind)(parcel))
        except BaseException as error:  # noqa: BLE001
            done.append(error)

    # A daemon: the process may end although the service has not answered.
    thread = threading.Thread(target=run, daemon=True, name=f"send {parcel.key}")
    thread.start()
    thread.join(seconds)
    if not done:
        raise SendError(f"no answer within {seconds:.0f} s", is_ambiguous=True)
    [result] = done
    if isinstance(result, Receipt):
        return result
    if isinstance(result, SendError):
        raise result
    if isinstance(result, ConfigurationError):
        raise SendError(scrub(str(result)), is_final=True) from None
    # What a channel did not foresee stays with its message; the others are sent.
    raise SendError(
        scrub(f"{type(result).__name__}: {result}"), is_final=True, is_ambiguous=True
    ) from None
