"""Plans against the tables of now and the outbox of now, and writes what is new into the outbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mlmon.alerts.content import Content, clean
from mlmon.alerts.message import Surroundings, write
from mlmon.alerts.outbox import Draft, Memory, Outbox, RacedError
from mlmon.alerts.plan import Intent, Plan, plan
from mlmon.alerts.reading import Details
from mlmon.alerts.records import Alert, Message, Situation
from mlmon.alerts.scrubbing import scrub, scrub_all
from mlmon.alerts.settings import Settings
from mlmon.errors import TryAgainError

# Reads the details of some alerts, by series.
ReadDetails = Callable[[Iterable[Alert]], dict[str, Details]]

# Dispatchers that plan at once may get in each other's way this often.
MOST_RACES = 10


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what its messages say."""

    plan: Plan
    drafts: tuple[tuple[Intent, Draft], ...]
    n_added: int = 0


def add_planned(
    outbox: Outbox, situation: Situation, settings: Settings, read_details: ReadDetails
) -> Planned:
    """Plan and add to the outbox what is not there yet."""
    for _ in range(MOST_RACES):
        memory = outbox.read(outbox.now() - settings.delivery.flapping_time)
        now = outbox.now()
        written = draft(situation, memory, settings, now, read_details, outbox.payloads)
        try:
            added = outbox.add([d for _, d in written.drafts], written.plan.superseded, now)
        except RacedError:
            continue
        return replace(written, n_added=added)
    raise TryAgainError("Other dispatchers planned the same alerts at the same time: try again.")


def draft(
    situation: Situation,
    memory: Memory,
    settings: Settings,
    now: datetime,
    read_details: ReadDetails,
    payloads: Callable[[Iterable[str]], Mapping[str, Mapping[str, Any]]],
) -> Planned:
    """The plan at a time, and its messages as rows; nothing is written."""
    found = plan(
        situation,
        memory.messages,
        now=now,
        channels=settings.channels,
        delivery=settings.delivery,
        silences=memory.silences,
        acks=memory.acks,
    )
    alone = [intent for intent in found.intents if not intent.is_group and intent.alert]
    details = read_details([intent.alert for intent in alone if intent.alert])
    last = {
        intent.key: intent.before.last.delivery_key
        for intent in found.intents
        if intent.before and intent.before.last
    }
    told = payloads(last.values())
    around = Surroundings(
        now=now,
        alerts=found.alerts,
        monitors=situation.monitors,
        details=details,
        inhibited=found.inhibited,
        before={key: told[old].get("data", {}) for key, old in last.items() if old in told},
        labels={
            intent.key: _labels(intent.before.rows[-1])
            for intent in found.intents
            if intent.before and intent.before.rows
        },
    )
    drafts = tuple((intent, _draft(intent, write(intent, around))) for intent in found.intents)
    return Planned(found, drafts)


def _draft(intent: Intent, content: Content) -> Draft:
    message = _message(intent, content)
    # A repeat of a group shows its members and says nothing of them that is not known.
    carried = tuple(member for member in intent.members if member.key)
    members = tuple(
        replace(_message(member, None), group_key=intent.key, title=message.title)
        for member in carried
    )
    return Draft(message, members)


def _message(intent: Intent, content: Content | None) -> Message:
    alert, before = intent.alert, intent.before
    last = before.rows[-1] if before and before.rows else None
    payload = scrub_all(content.as_dict()) if content else {}
    return Message(
        delivery_key=intent.key,
        series_id=intent.series_id,
        channel=intent.channel,
        seq=intent.seq,
        event=intent.event,
        severity=intent.severity,
        is_group=intent.is_group,
        rule_id=clean(alert.rule_id) if alert else last.rule_id if last else "",
        monitor=clean(alert.monitor) if alert else last.monitor if last else "",
        model_version=clean(alert.model_version) if alert else last.model_version if last else "",
        metric=clean(alert.metric) if alert else last.metric if last else "",
        title=scrub(content.title) if content else "",
        payload=json.dumps(payload),
    )


def _labels(row: Message) -> dict[str, str]:
    return {
        "rule": row.rule_id,
        "monitor": row.monitor,
        "version": row.model_version,
        "metric": row.metric,
        "series": row.series_id,
    }
