"""What the planner decides, without any database: a function of the tables, the past and the time."""

from __future__ import annotations

import csv
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmon.alerts.marts import Alert, InvalidRule, MonitorLogs, Snapshot
from mlmon.alerts.outbox import Ack, Message, Silence
from mlmon.alerts.planner import data_until, histories, silent_logs
from support.alerts import NOW, calm, contract, state
from support.dbt_project import ROOT
from support.planner import World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_the_dispatcher_reads_columns_that_the_contract_has() -> None:
    assert {item.name for item in fields(Alert)} <= set(contract("fct_mlmon__alert_states"))


def test_an_alert_lives_from_trigger_to_resolve() -> None:
    world = World()
    assert world.tell(calm()) == []
    assert world.tell(state()) == [("hook", "trigger", "warning")]
    assert world.tell(state()) == []
    assert world.tell(calm()) == [("hook", "resolve", "warning")]
    assert world.tell(calm()) == []


def test_a_pending_alert_is_nobodys_business() -> None:
    assert World().tell(state(state="pending")) == []


def test_severity_going_up_passes_the_cooldown_and_going_down_says_nothing() -> None:
    world = World()
    world.tell(state())
    worse = state(severity="critical")
    assert world.tell(worse, at=NOW + MINUTE) == [("hook", "escalate", "critical")]
    assert world.tell(state(), at=NOW + 2 * MINUTE) == []
    assert world.tell(worse, at=NOW + 3 * MINUTE) == []


def test_a_milder_message_that_nobody_read_is_replaced() -> None:
    world = World()
    world.tell(state(), status="pending")
    assert world.tell(state(severity="critical")) == [("hook", "trigger", "critical")]
    assert [row.status for row in world.rows] == ["superseded", "sent"]


def test_a_new_episode_waits_for_the_cooldown() -> None:
    world = World()
    world.tell(state())
    world.tell(calm(), at=NOW + MINUTE)
    assert world.held(state(), at=NOW + 2 * MINUTE) == ["cooldown"]
    assert world.tell(state(), at=NOW + 61 * MINUTE) == [("hook", "trigger", "warning")]


def test_it_is_told_again_after_a_while() -> None:
    world = World()
    fresh = {"max_age_minutes": 0}
    world.tell(state(**fresh))
    assert world.tell(state(**fresh), at=NOW + DAY - MINUTE) == []
    assert world.tell(state(**fresh), at=NOW + DAY) == [("hook", "repeat", "warning")]
    assert world.tell(state(**fresh), at=NOW + DAY + HOUR) == []
    assert world.tell(state(repeat_minutes=0, **fresh), at=NOW + 30 * DAY) == []


def test_old_news_pages_nobody_but_its_end_is_told() -> None:
    world = World()
    late = NOW + 4 * DAY
    assert world.held(state(), at=late) == ["stale"]
    world.tell(state())
    assert world.held(state(severity="critical"), at=late) == ["stale"]
    assert world.tell(calm(), at=late) == [("hook", "resolve", "warning")]


def test_the_age_of_a_performance_alert_counts_from_when_its_labels_were_due() -> None:
    window_end = datetime(2024, 2, 25)
    slow = state(label_age="14d", window_end=window_end)
    assert data_until(Alert.of(slow), None) == window_end + 14 * DAY
    assert World().tell(slow) == [("hook", "trigger", "warning")]
    assert World().held(slow | {"label_age": "none"}) == ["stale"]
    # Labels cannot tell of a time that no log has reached.
    facts = MonitorLogs("churn", data_through_at=datetime(2024, 3, 1))
    assert data_until(Alert.of(slow), facts) == datetime(2024, 3, 1)


def test_an_end_is_told_only_to_those_who_may_know_of_the_beginning() -> None:
    world = World()
    world.tell(state(), status="pending")
    assert world.plan(calm()).superseded == [world.rows[0].delivery_key]
    assert world.plan(calm()).intents == []
    for known in ({"status": "claimed"}, {"maybe_sent": True}):
        world.rows = [replace(world.rows[0], **known)]  # type: ignore[arg-type]
        found = world.plan(calm())
        assert [intent.event for intent in found.intents] == ["resolve"]
        assert found.superseded == []


def test_what_was_refused_is_not_tried_again_for_a_day_unless_it_becomes_worse() -> None:
    world = World()
    fresh = {"max_age_minutes": 0}
    world.tell(state(**fresh), status="dead")
    assert world.held(state(**fresh), at=NOW + 23 * HOUR) == ["refused"]
    worse = world.plan(state(severity="critical", **fresh), at=NOW + HOUR)
    assert [intent.event for intent in worse.intents] == ["trigger"]
    assert world.plan(calm()).intents == []
    assert world.tell(state(**fresh), at=NOW + DAY) == [("hook", "trigger", "warning")]


@pytest.mark.parametrize("how", ["rule is gone", "channel is gone", "version retired", "unjudged"])
def test_an_alert_ends_when_nobody_judges_it_any_more(how: str) -> None:
    world = World()
    world.tell(state())
    rows = {
        "rule is gone": [],
        "channel is gone": [state(channels="")],
        "version retired": [state(is_active=False)],
        "unjudged": [calm(n_judged=0)],
    }[how]
    [intent] = world.plan(*rows).intents
    assert intent.event == "resolve"
    words = {
        "rule is gone": "no longer judged",
        "channel is gone": "no longer names this channel",
        "version retired": "version v2 no longer serves",
        "unjudged": "can no longer be judged",
    }
    assert words[how] in intent.why


def test_a_rule_with_a_mistake_is_no_good_news() -> None:
    world = World()
    world.tell(state())
    world.rules = (InvalidRule("drift_share", "condition: found '>> 1'"),)
    assert world.held() == ["rule cannot be used"]


def test_a_storm_of_a_rule_with_a_mistake_is_not_over() -> None:
    world = World(group_above=2)
    world.tell(*[state(number) for number in range(3)])
    world.rules = (InvalidRule("drift_share", "condition: found '>> 1'"),)
    assert set(world.held()) == {"rule cannot be used"}
    world.rules = ()
    assert world.tell() == [("hook", "resolve", "warning")]


def test_a_retired_version_pages_nobody() -> None:
    assert World().tell(state(is_active=False)) == []


def test_a_silence_holds_what_matches_while_it_lasts() -> None:
    world = World()
    world.silences = [Silence("s", {"rule": "drift_*", "monitor": "churn"}, NOW, NOW + 4 * HOUR)]
    assert world.held(state()) == ["silenced"]
    assert World().tell(state(monitor="other")) == [("hook", "trigger", "warning")]
    assert len(world.plan(state(), at=NOW - MINUTE).intents) == 1
    assert len(world.plan(state(monitor="other")).intents) == 1
    assert world.tell(state(), at=NOW + 4 * HOUR) == [("hook", "trigger", "warning")]


def test_a_silence_does_not_hide_that_it_is_over() -> None:
    world = World()
    world.tell(state())
    world.silences = [Silence("s", {"monitor": "*"}, NOW, NOW + DAY)]
    assert world.held(state(severity="critical")) == ["silenced"]
    assert world.tell(calm()) == [("hook", "resolve", "warning")]


def test_an_acknowledged_alert_is_not_repeated_until_it_is_worse() -> None:
    world = World()
    fresh = {"max_age_minutes": 0}
    world.tell(state(**fresh))
    world.acks = [Ack(state()["series_id"], NOW + HOUR)]
    assert world.held(state(**fresh), at=NOW + 2 * DAY) == ["acknowledged"]
    worse = state(severity="critical", **fresh)
    assert world.tell(worse, at=NOW + 2 * DAY) == [("hook", "escalate", "critical")]
    assert world.tell(calm(), at=NOW + 3 * DAY) == [("hook", "resolve", "critical")]
    # The next episode is news again.
    world.tell(state(**fresh), at=NOW + 4 * DAY)
    assert world.tell(state(**fresh), at=NOW + 5 * DAY) == [("hook", "repeat", "warning")]


def test_a_critical_cause_holds_its_effects_back_and_lists_them() -> None:
    world = World()
    effect = state(1, inhibited_by="quality; no_predictions")
    cause = state(2, rule_id="quality", model_version="all", severity="critical")
    found = world.plan(effect, cause)
    assert [intent.series_id for intent in found.intents] == [cause["series_id"]]
    assert [held.why for held in found.held] == ["inhibited by quality"]
    assert list(found.inhibited[cause["series_id"]]) == [effect["series_id"]]
    for defused in (
        {"severity": "warning"},
        {"monitor": "other"},
        {"model_version": "v1"},
        {"state": "ok"},
        {"window_end": NOW - 30 * DAY},
    ):
        assert len(World().plan(effect, cause | defused).held) == (
            1 if "window_end" in defused else 0
        )


def test_of_alerts_that_hold_each_other_back_one_is_told() -> None:
    rows = [
        state(n, rule_id=f"rule_{n}", severity="critical", inhibited_by=f"rule_{(n + 1) % 3}")
        for n in range(3)
    ]
    for order in (rows, rows[::-1]):
        found = World().plan(*order)
        assert len(found.intents) == 1
        assert len(found.held) == 2


def test_what_waits_for_an_earlier_message_is_not_overtaken_by_a_storm() -> None:
    world = World(group_above=2)
    world.tell(state(1))
    world.tell(calm(1), at=NOW + MINUTE, status="pending")
    rows = [state(number, cooldown_minutes=0) for number in range(1, 5)]
    found = world.plan(*rows, at=NOW + HOUR)
    assert sorted((intent.is_group, len(intent.members)) for intent in found.intents) == [
        (False, 0),
        (True, 3),
    ]


def test_a_channel_may_want_only_what_is_critical() -> None:
    world = World()
    both = {"channels": "hook;pager"}
    assert world.tell(state(**both)) == [("hook", "trigger", "warning")]
    assert sorted(world.tell(state(severity="critical", **both))) == [
        ("hook", "escalate", "critical"),
        ("pager", "trigger", "critical"),
    ]
    assert world.tell(state(**both)) == []
    assert sorted(world.tell(calm(**both))) == [
        ("hook", "resolve", "critical"),
        ("pager", "resolve", "critical"),
    ]


def test_a_storm_is_one_message_and_so_is_its_end() -> None:
    world = World(group_above=10)
    rows = [state(number) for number in range(12)]
    assert world.tell(*rows) == [("hook", "trigger", "warning")]
    assert len(world.rows) == 13
    assert world.tell(*rows) == []
    calmed = [calm(number) for number in range(12)]
    assert world.tell(*calmed[:11], rows[11]) == []
    assert world.tell(*calmed) == [("hook", "resolve", "warning")]
    assert world.tell(*calmed) == []
    assert world.tell(rows[0], *calmed[1:], at=NOW + 2 * HOUR) == [("hook", "trigger", "warning")]


def test_as_many_as_a_person_can_read_are_told_one_by_one() -> None:
    assert len(World(group_above=10).tell(*[state(number) for number in range(10)])) == 10


def test_what_becomes_worse_leaves_its_storm() -> None:
    world = World(group_above=2)
    rows = [state(number) for number in range(3)]
    world.tell(*rows)
    worse = state(0, severity="critical")
    assert world.tell(worse, *rows[1:]) == [("hook", "escalate", "critical")]
    over = world.tell(*[calm(number) for number in range(3)])
    assert sorted(over) == [("hook", "resolve", "critical"), ("hook", "resolve", "warning")]


def test_a_storm_is_told_again_like_any_alert() -> None:
    world = World(group_above=2)
    rows = [state(number, max_age_minutes=0) for number in range(3)]
    world.tell(*rows)
    assert world.tell(*rows, at=NOW + DAY) == [("hook", "repeat", "warning")]
    assert world.tell(*rows, at=NOW + DAY) == []


def test_a_storm_that_nobody_was_told_of_is_withdrawn() -> None:
    world = World(group_above=2)
    world.tell(*[state(number) for number in range(3)], status="pending")
    found = world.plan(*[calm(number) for number in range(3)])
    assert found.intents == []
    assert found.superseded == [row.delivery_key for row in world.rows if row.is_group]


def test_the_alertmanager_gets_every_alert_for_it_groups_by_itself() -> None:
    rows = [state(number, channels="am") for number in range(30)]
    assert len(World(group_above=2).tell(*rows)) == 30


def test_flapping_is_said_once_and_its_end_held() -> None:
    world = World(flapping_triggers=3, flapping_minutes=1000)
    at = NOW
    flags = []
    for _ in range(3):
        found = world.plan(state(cooldown_minutes=0), at=at)
        flags += [intent.is_flapping for intent in found.intents]
        world.tell(state(cooldown_minutes=0), at=at)
        at += MINUTE
        if len(flags) < 3:
            assert world.tell(calm(), at=at) == [("hook", "resolve", "warning")]
        at += MINUTE
    assert flags == [False, False, True]
    assert world.held(calm(), at=at) == ["flapping"]
    assert world.tell(state(cooldown_minutes=0), at=at) == []
    assert world.tell(calm(), at=NOW + 1001 * MINUTE) == [("hook", "resolve", "warning")]


def test_a_silent_log_is_an_outage_of_the_whole_monitor() -> None:
    world = World()
    world.monitors = {"churn": MonitorLogs("churn", last_arrival_at=NOW - 3 * HOUR)}
    watching = [calm(number, no_data_minutes=120, rule_id="no_predictions") for number in (1, 2)]
    [outage] = silent_logs(Snapshot(tuple(map(Alert.of, watching)), world.monitors), NOW)
    assert (outage.model_version, outage.value, outage.severity) == ("all", 180.0, "critical")
    assert world.tell(*watching) == [("hook", "trigger", "critical")]
    world.monitors = {"churn": MonitorLogs("churn", last_arrival_at=NOW)}
    [intent] = world.plan(*watching, at=NOW + MINUTE).intents
    assert (intent.event, "rows again" in intent.why) == ("resolve", True)


def test_a_silent_log_holds_back_what_it_explains() -> None:
    world = World()
    world.monitors = {"churn": MonitorLogs("churn", last_arrival_at=NOW - 3 * HOUR)}
    watching = calm(1, no_data_minutes=120, rule_id="no_predictions", model_version="all")
    effect = state(2, inhibited_by="no_predictions")
    assert world.tell(watching, effect) == [("hook", "trigger", "critical")]


def test_a_log_that_ended_long_ago_is_no_news() -> None:
    """A first run over old logs, and an outage that nobody can still be waiting to hear of."""
    world = World()
    world.monitors = {"churn": MonitorLogs("churn", last_arrival_at=NOW - 5 * DAY)}
    watching = calm(no_data_minutes=1440, max_age_minutes=5760, rule_id="no_predictions")
    effect = state(2, inhibited_by="no_predictions", max_age_minutes=0)
    assert world.tell(watching, effect, at=NOW - MINUTE) == [("hook", "trigger", "critical")]
    world.rows = []
    assert world.tell(watching, effect, at=NOW + MINUTE) == [("hook", "trigger", "warning")]
    assert [held.why for held in world.plan(watching, effect, at=NOW + MINUTE).held] == ["stale"]


def test_the_shipped_rules_tell_of_a_silent_log_but_not_of_a_weekend() -> None:
    with (ROOT / "seeds/alert_rules.csv").open(encoding="utf-8") as file:
        watching = [rule for rule in csv.DictReader(file) if rule["no_data_minutes"] != "0"]
    [minutes] = {int(rule["no_data_minutes"]) for rule in watching}
    assert [rule["enabled"] for rule in watching] == ["true"]
    friday, monday = datetime(2024, 3, 8, 17), datetime(2024, 3, 11, 17)
    snapshot = Snapshot(
        (Alert.of(calm(no_data_minutes=minutes)),),
        {"churn": MonitorLogs("churn", last_arrival_at=friday)},
    )
    assert not silent_logs(snapshot, monday + HOUR)[0].is_firing
    assert silent_logs(snapshot, monday + DAY + HOUR)[0].is_firing


def test_a_log_that_was_never_there_is_no_outage() -> None:
    world = World()
    world.monitors = {}
    assert world.tell(calm(no_data_minutes=1)) == []


def test_another_dispatcher_comes_to_the_same_keys() -> None:
    rows = [state(number) for number in range(12)]
    first, second = World().plan(*rows), World().plan(*reversed(rows))
    assert [intent.key for intent in first.intents] == [intent.key for intent in second.intents]


STATUSES = st.sampled_from(["sent", "pending", "dead", "claimed"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ok", "pending", "firing", "gone"]),
        st.sampled_from(["warning", "critical"]),
        st.integers(1, 3000),
        STATUSES,
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_what_is_read_begins_with_a_trigger_and_alternates(
    steps: list[tuple[str, str, int, Any]],
) -> None:
    world = World()
    at = NOW
    for name, severity, minutes, status in steps:
        at += minutes * MINUTE
        is_firing = name == "firing"
        rows = [] if name == "gone" else [
            state(
                state=name,
                severity=severity if is_firing else "none",
                max_age_minutes=0,
                cooldown_minutes=30,
            )
        ]  # fmt: skip
        world.tell(*rows, at=at, status=status)
        assert world.plan(*rows, at=at).intents == []  # twice adds nothing
    seqs = [row.seq for row in world.rows]
    assert seqs == list(range(1, len(seqs) + 1))
    is_open = False
    for row in world.rows:
        if row.status in {"dead", "superseded"}:
            continue
        if row.event == "trigger":
            assert not is_open
            is_open = True
        else:
            assert is_open
            is_open = row.event != "resolve"


STORM_STEPS = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(["ok", "warning", "critical", "gone"]), min_size=4, max_size=4
        ),
        st.integers(1, 3000),
        st.sampled_from(["sent", "sent", "pending", "dead"]),
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(steps=STORM_STEPS)
def test_whatever_happens_in_a_storm_every_series_begins_and_ends_once(
    steps: list[tuple[list[str], int, Any]],
) -> None:
    world = World(group_above=1, flapping_triggers=1000)
    at = NOW
    for severities, minutes, status in steps:
        at += minutes * MINUTE
        rows = [
            state(number, severity=severity, max_age_minutes=0, cooldown_minutes=0)
            if severity in {"warning", "critical"}
            else calm(number)
            for number, severity in enumerate(severities)
            if severity != "gone"
        ]
        world.tell(*rows, at=at, status=status)
        assert world.plan(*rows, at=at).intents == []
    by_series: dict[str, list[Message]] = {}
    for row in world.rows:
        by_series.setdefault(row.series_id, []).append(row)
    for told in by_series.values():
        assert [row.seq for row in told] == list(range(1, len(told) + 1))
        is_open = False
        for row in told:
            if row.status in {"dead", "superseded"}:
                continue
            assert (row.event == "trigger") != is_open
            is_open = row.event != "resolve"
    # Once all is calm, and what is under way has arrived, nobody is left with an open alert.
    world.rows = [
        replace(row, status="sent") if row.status == "pending" else row for row in world.rows
    ]
    at += 2 * DAY
    for _ in range(2):
        world.tell(*[calm(number) for number in range(4)], at=at)
    assert not [history for history in histories(world.rows).values() if history.is_open]
