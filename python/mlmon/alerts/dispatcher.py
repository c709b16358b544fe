"""Plans into the outbox, and sends what waits there: claim, send outside any transaction, settle.

It may be killed at any point, and run several times at once: a claim ends by itself, and only who
holds it may say how it went. See docs/alerts.md for what is promised.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlmon.alerts.channels import (
    Channel,
    Notification,
    Receipt,
    SendError,
    Settings,
    sender,
)
from mlmon.alerts.content import LONGEST_LINE, Content, MessageContext, clean, write_content
from mlmon.alerts.marts import Alert, Details, Snapshot
from mlmon.alerts.outbox import (
    Claimed,
    Message,
    NewMessage,
    Outbox,
    OutboxContents,
    Outcome,
    PlannedTwiceError,
)
from mlmon.alerts.planner import Intent, Plan, plan
from mlmon.errors import ConfigurationError, TryAgainError
from mlmon.redaction import redact, redact_all

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

# Reads the details of some alerts, by series.
ReadDetails = Callable[[Iterable[Alert]], Mapping[str, Details]]
# Reads the payloads of messages, by key.
ReadPayloads = Callable[[Iterable[str]], Mapping[str, Mapping[str, Any]]]

# Dispatchers that plan at once may get in each other's way this often.
MAX_PLAN_ATTEMPTS = 10

# One message may take this long, whatever the service does; leases are longer.
LONGEST_SEND = 90.0

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)

# After so many failures in one run a channel is left alone until its next message is due.
MAX_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what its messages say."""

    plan: Plan
    messages: tuple[NewMessage, ...]
    n_added: int = 0


def plan_into_outbox(
    outbox: Outbox, snapshot: Snapshot, settings: Settings, read_details: ReadDetails
) -> Planned:
    """Plan and add to the outbox what is not there yet."""
    for _ in range(MAX_PLAN_ATTEMPTS):
        contents = outbox.read(outbox.now() - settings.delivery.flapping_time)
        now = outbox.now()
        planned = plan_messages(snapshot, contents, settings, now, read_details, outbox.payloads)
        try:
            n_added = outbox.add(planned.messages, planned.plan.superseded, now)
        except PlannedTwiceError:
            continue
        return replace(planned, n_added=n_added)
    raise TryAgainError("Other dispatchers planned the same alerts at the same time: try again.")


def plan_messages(
    snapshot: Snapshot,
    contents: OutboxContents,
    settings: Settings,
    now: datetime,
    read_details: ReadDetails,
    read_payloads: ReadPayloads,
) -> Planned:
    """The plan at a time, and its messages as rows; nothing is written."""
    found = plan(
        snapshot,
        contents.messages,
        now=now,
        channels=settings.channels,
        delivery=settings.delivery,
        silences=contents.silences,
        acks=contents.acks,
    )
    last = {
        intent.key: intent.before.last.delivery_key
        for intent in found.intents
        if intent.before and intent.before.last
    }
    payloads = read_payloads(last.values())
    context = MessageContext(
        now=now,
        alerts=found.alerts,
        monitors=snapshot.monitors,
        details=read_details(
            [one.alert for one in found.intents if one.alert and not one.is_group]
        ),
        inhibited=found.inhibited,
        last_data={
            key: payloads[old].get("data", {}) for key, old in last.items() if old in payloads
        },
    )
    messages = tuple(_new_message(one, write_content(one, context)) for one in found.intents)
    return Planned(found, messages)


def _new_message(intent: Intent, content: Content) -> NewMessage:
    message = replace(
        _row(intent),
        title=redact(content.title),
        payload=json.dumps({name: redact_all(part) for name, part in content.as_dict().items()}),
    )
    # A repeat of a group shows its members and says nothing of them that is not known.
    members = tuple(
        replace(_row(member), group_key=intent.key, title=message.title)
        for member in intent.members
        if member.key
    )
    return NewMessage(message, members)


def _row(intent: Intent) -> Message:
    last = intent.before.rows[-1] if intent.before and intent.before.rows else None
    about = intent.alert or last
    return Message(
        delivery_key=intent.key,
        series_id=intent.series_id,
        channel=intent.channel,
        seq=intent.seq,
        event=intent.event,
        severity=intent.severity,
        is_group=intent.is_group,
        rule_id=clean(about.rule_id) if about else "",
        monitor=clean(about.monitor) if about else "",
        model_version=clean(about.model_version) if about else "",
        metric=clean(about.metric) if about else "",
    )


@dataclass(slots=True)
class Report:
    """What a run did, by outcome, and what it could not do."""

    counts: Counter[str] = field(default_factory=Counter)
    # Channels that have messages and cannot be used, with the reason.
    unusable: dict[str, str] = field(default_factory=dict)
    n_waiting: int = 0


def deliver(
    outbox: Outbox,
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    wait_seconds: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Send what is due until nothing is; wait for what is due soon, up to ``wait_seconds``."""
    run = _Run(outbox, settings, log)
    run.find_usable()
    latest = outbox.now() + timedelta(seconds=wait_seconds)
    while True:
        run.send_what_is_due()
        pause = run.pause(latest) if wait_seconds > 0 and not outbox.fixed_now else None
        if pause is None:
            break
        sleep(pause)
    run.report.n_waiting = sum(outbox.waiting().values())
    return run.report


@dataclass(slots=True)
class _Run:
    """One run: the channels that can send, those that are left alone, and what was done."""

    outbox: Outbox
    settings: Settings
    log: FilteringBoundLogger
    report: Report = field(default_factory=Report)
    usable: dict[str, Channel] = field(default_factory=dict)
    paused_until: dict[str, datetime] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def find_usable(self) -> None:
        """The channels that can send; the others are told where messages wait for them."""
        self.usable = dict(self.settings.channels)
        for name in self.outbox.waiting():
            channel = self.settings.channels.get(name)
            problems = channel.variable_problems if channel else ["it is not in the channels file"]
            if problems:
                self.usable.pop(name, None)
                self.report.unusable[name] = "; ".join(problems)
                self.log.error("channel cannot be used", channel=name, reason="; ".join(problems))

    def send_what_is_due(self) -> None:
        lease = timedelta(seconds=self.settings.delivery.lease_seconds)
        while True:
            now = self.outbox.now()
            free = [name for name in self.usable if self.paused_until.get(name, now) <= now]
            claimed = self.outbox.claim(free, lease)
            if not claimed:
                return
            for one in claimed:
                self._settle([(one.message, self._attempt(one))])

    def pause(self, latest: datetime) -> float | None:
        """How long to sleep until something is due again, or None where that is too far away."""
        now, due = self.outbox.now(), self.outbox.next_due(self.usable)
        ends = [until for until in self.paused_until.values() if until > now]
        if due is None or (due <= now and not ends):
            return None
        wake = due if due > now else min(ends)
        return None if wake > latest else max((wake - now).total_seconds(), 0.05)

    def _attempt(self, claimed: Claimed) -> Outcome:
        message, now = claimed.message, self.outbox.now()
        notification = Notification(
            key=message.delivery_key,
            series_id=message.series_id,
            event=message.event,
            severity=message.severity,
            content=Content.of(json.loads(message.payload)),
            channel=self.usable[message.channel],
            now=now,
            thread=claimed.thread,
        )
        try:
            receipt = _send_within(LONGEST_SEND, notification)
        except SendError as error:
            outcome = _failed(message, error, self.settings.delivery.max_attempts, now)
            if outcome.next_attempt_at:
                self._pause_channel(message.channel, error, outcome.next_attempt_at)
            return outcome
        return Outcome(
            "sent",
            clean(redact(receipt.note), LONGEST_LINE),
            receipt.status_code,
            receipt.provider_ref,
        )

    def _pause_channel(self, name: str, error: SendError, until: datetime) -> None:
        """Leave a channel alone that asks for it, does not answer, or fails again and again."""
        self.failures[name] += 1
        is_asked = error.retry_at is not None or error.status_code is None
        if is_asked or self.failures[name] >= MAX_FAILURES:
            self.paused_until[name] = max(until, self.paused_until.get(name, until))
            self.failures[name] = 0

    def _settle(self, tried: Sequence[tuple[Message, Outcome]]) -> None:
        fenced = self.outbox.settle(tried)
        for message, outcome in tried:
            name = "fenced" if message.delivery_key in fenced else outcome.outcome
            self.report.counts[name] += 1
            levels = {"sent": self.log.info, "dead": self.log.error}
            levels.get(name, self.log.warning)(
                name,
                delivery_key=message.delivery_key,
                channel=message.channel,
                event_kind=message.event,
                attempt=message.attempts,
                title=message.title,
                error=outcome.error,
                status_code=outcome.status_code,
            )


def _failed(message: Message, error: SendError, max_attempts: int, now: datetime) -> Outcome:
    text = clean(redact(error.text), LONGEST_LINE)
    outcome = Outcome("dead", text, error.status_code, is_ambiguous=error.is_ambiguous)
    if error.is_final:
        return outcome
    if message.attempts >= max_attempts:
        return replace(outcome, error=f"given up after {message.attempts} attempts: {text}")
    due = max(_next_attempt(message, now), error.retry_at or now)
    return replace(outcome, outcome="retry", next_attempt_at=due)


def _next_attempt(message: Message, now: datetime) -> datetime:
    """Twice as late after every attempt, a little apart from other messages."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(message.attempts - 1, 10), LONGEST_PAUSE)
    # Between 1 and 1.25 times, by the key: the same for the same attempt.
    spread = 1 + int(message.delivery_key[:4], 16) / 0x3FFFC
    return now + pause * spread


def _send_within(seconds: float, notification: Notification) -> Receipt:
    """Send, but wait no longer than that: a service that answers byte by byte must not hold us."""
    done: list[Receipt | BaseException] = []

    def run() -> None:
        try:
            done.append(sender(notification.channel.kind)(notification))
        except BaseException as error:  # noqa: BLE001
            done.append(error)

    # A daemon: the process may end although the service has not answered.
    thread = threading.Thread(target=run, daemon=True, name=f"send {notification.key}")
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
        raise SendError(redact(str(result))) from None
    # Nobody foresaw it: it may be over tomorrow, and the service may have taken the message. The
    # text is not kept, for it may quote what was sent.
    raise SendError(f"unexpected {type(result).__name__}", is_ambiguous=True) from None
