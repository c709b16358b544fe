"""What the outbox forgets, and what planning reads of it: both change nothing that is told."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mlmon.alerts.database import open_database
from mlmon.alerts.marts import Alert, Snapshot
from mlmon.alerts.outbox import Ack, Message, Outbox, OutboxContents, Silence
from mlmon.alerts.planner import Plan, plan
from mlmon.profile import read_target
from support.alerts import NOW, AlertProject, calm, state
from support.loopback import Service
from support.planner import World

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
N_SERIES, N_STEPS = 8, 200


def outbox_of(alerts: AlertProject) -> Outbox:
    target = read_target(alerts.directory, alerts.directory, None, None)
    outbox = Outbox(open_database(target, alerts.state, 30.0))
    outbox.prepare()
    return outbox


def fill(outbox: Outbox, rows: list[Message]) -> None:
    names = [item.name for item in fields(Message)]
    with outbox.database.transaction() as opened:
        for row in rows:
            values = {name: getattr(row, name) for name in names}
            values |= {"next_attempt_at": row.created_at}
            opened.rows(
                f'insert into "{outbox.database.schema}".alert_outbox ({", ".join(names)})'
                f" values ({', '.join(f'${name}' for name in names)})",
                **values,
            )


def rows_at(choose: random.Random) -> list[dict[str, Any]]:
    """States of all series at a time; sometimes many begin at once, sometimes a rule is gone."""
    share = choose.choice((0.05, 0.2, 0.9))
    listed = []
    for number in range(1, N_SERIES + 1):
        if choose.random() < 0.1:
            continue
        severity = choose.choice(("warning", "critical"))
        is_firing = choose.random() < share
        make = state if is_firing else calm
        changes = {"severity": severity} if is_firing else {}
        listed.append(
            make(number, channels="hook;am", repeat_minutes=600, max_age_minutes=0, **changes)
        )
    return listed


def life(seed: int) -> tuple[World, datetime]:
    """Half a year of a dispatcher whose services refuse and lose messages now and then."""
    choose = random.Random(seed)
    world = World(group_above=3, flapping_minutes=3 * 1440, flapping_triggers=3)
    at = NOW
    for _ in range(N_STEPS):
        at += choose.choice((HOUR, 3 * HOUR, 30 * HOUR))
        status = choose.choices(("sent", "dead", "pending"), (8, 1, 1))[0]
        world.tell(*rows_at(choose), at=at, status=status)
        # What waited is settled sooner or later, some of it never.
        world.rows = [
            replace(row, status="sent", sent_at=at)
            if row.status == "pending" and choose.random() < 0.5
            else row
            for row in world.rows
        ]
    # Some of it waits for ever, or is held by somebody who was killed.
    alone = [row for row in world.rows if row.status == "sent" and not row.group_key]
    for status in ("pending", "claimed"):
        for old in choose.sample(alone[: len(alone) // 2], 3):
            world.rows[world.rows.index(old)] = replace(old, status=status, sent_at=None)
            alone.remove(old)
    return world, at


def told(found: Plan) -> Any:
    return (
        [
            (intent.key, intent.event, intent.severity, intent.is_flapping,
             [member.key for member in intent.members])
            for intent in found.intents
        ],
        sorted(found.superseded),
        [(held.series_id, held.channel, held.why) for held in found.held],
    )  # fmt: skip


def planned(
    world: World, contents: OutboxContents, rows: list[dict[str, Any]], at: datetime
) -> Any:
    return told(
        plan(
            Snapshot(tuple(map(Alert.of, rows)), world.monitors),
            contents.messages,
            now=at,
            channels=world.channels,
            delivery=world.delivery,
            silences=contents.silences,
            acks=contents.acks,
        )
    )


@pytest.mark.parametrize("seed", range(3))
def test_planning_reads_a_part_and_comes_to_the_same(alerts: AlertProject, seed: int) -> None:
    world, at = life(seed)
    outbox = outbox_of(alerts)
    fill(outbox, world.rows)
    choose = random.Random(seed + 100)
    kept = [world.rows]
    for before in (None, at - 30 * DAY, at - 4 * DAY):
        if before is not None:
            n_gone = outbox.delete_expired(before)
            assert n_gone > 50
            kept.append(list(outbox.read().messages))
            assert len(kept[-1]) == len(kept[-2]) - n_gone
        for later in (HOUR, DAY, 3 * DAY + HOUR):
            now, rows = at + later, rows_at(choose)
            part = outbox.read(now - world.delivery.flapping_time)
            assert len(part.messages) < len(world.rows) / 4
            assert planned(world, part, rows, now) == planned(
                world, OutboxContents(tuple(world.rows)), rows, now
            )
    unsettled = {row.delivery_key for row in world.rows if row.status in {"pending", "claimed"}}
    assert len(unsettled) >= 6
    assert unsettled <= {row.delivery_key for row in kept[-1]}
    last = {}
    for row in world.rows:
        last[row.series_id, row.channel] = max(row.seq, last.get((row.series_id, row.channel), 0))
    still = {
        (row.series_id, row.channel): row.seq for row in sorted(kept[-1], key=lambda row: row.seq)
    }
    groups = {(row.series_id, row.channel) for row in world.rows if row.is_group}
    assert {pair: seq for pair, seq in last.items() if pair not in groups} == {
        pair: seq for pair, seq in still.items() if pair not in groups
    }
    assert len(groups & set(still)) < len(groups) / 4


def test_what_is_over_is_forgotten_and_what_is_open_is_not(
    alerts: AlertProject, hook: Service
) -> None:
    alerts.channels({"hook": {"kind": "webhook", "url": hook.url}}, keep_days=30)
    quiet = {"max_age_minutes": 0, "repeat_minutes": 0}
    alerts.states(state(1, **quiet), state(2, **quiet))
    assert alerts.send().exit_code == 0
    alerts.run("ack", state(1)["series_id"])
    alerts.run("ack", state(2)["series_id"])
    alerts.run("silence", "monitor=other", "--hours", "1")
    alerts.states(calm(1, **quiet), state(2, **quiet))
    assert alerts.send(now=NOW + DAY).exit_code == 0
    assert len(alerts.outbox()) == 3
    # A month later the beginning of the first is forgotten; its end keeps the number.
    result = alerts.send(now=NOW + 30 * DAY + 2 * HOUR)
    assert result.exit_code == 0, result.output
    assert '"event": "forgotten"' in result.stderr
    left = alerts.outbox()
    assert list(zip(left["series_id"], left["event"], left["seq"], strict=True)) == [
        (state(1)["series_id"], "resolve", 2),
        (state(2)["series_id"], "trigger", 1),
    ]
    assert set(alerts.deliveries()["delivery_key"]) == set(left["delivery_key"])
    contents = outbox_of(alerts).read()
    assert [ack.series_id for ack in contents.acks] == [state(2)["series_id"]]
    assert contents.silences == ()
    # It begins again under a key that no receiver has seen.
    alerts.states(state(1, **quiet), state(2, **quiet))
    assert alerts.send(now=NOW + 31 * DAY).exit_code == 0
    keys = [request.headers["idempotency-key"] for request in hook.received]
    assert len(keys) == len(set(keys)) == 4


def test_planning_reads_the_newest_ack_and_the_silences_that_hold(alerts: AlertProject) -> None:
    outbox = outbox_of(alerts)
    for days in (40, 30, 1):
        outbox.add_ack(Ack("a", NOW - days * DAY, "me"))
    outbox.add_ack(Ack("b", NOW - 90 * DAY, "me"))
    for name, days in (("over", -20), ("holds", 1)):
        outbox.add_silence(
            Silence(name, {"monitor": "m"}, NOW - 40 * DAY, NOW + days * DAY, "me", "", NOW)
        )
    contents = outbox.read(NOW - 7 * DAY)
    assert [(ack.series_id, ack.created_at) for ack in contents.acks] == [
        ("b", NOW - 90 * DAY),
        ("a", NOW - DAY),
    ]
    assert [silence.silence_id for silence in contents.silences] == ["holds"]
    assert len(outbox.read().acks) == 4
