"""What a backtest counts: windows, alerts a week, restlessness, messages, and what two rules share."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mlmon.alerts.backtest import (
    Finding,
    MessageCounts,
    Timeline,
    compare,
    simulate_messages,
    with_messages,
)
from mlmon.alerts.channels import Delivery
from mlmon.alerts.rules import SEVERITIES, History, RuleTiming, Series, Window, read_rules, rule_row
from mlmon.errors import ConfigurationError
from support.alerts import calm
from support.planner import World

START = datetime(2024, 1, 1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SERIES = Series("drift", "churn", "v1", "all", "all", "table", "all", "drift_share", "all", "none")
PATIENCE = RuleTiming(1, 1, 0, 0)


def history(levels: str, timing: RuleTiming = PATIENCE, span: int = 1) -> History:
    """A series with a window a day: `.` calm, `w` warning, `c` critical, `-` not judged."""
    return History(
        "value",
        timing,
        tuple(
            Window(
                window_start=START + (number + 1 - span) * DAY,
                window_end=START + (number + 1) * DAY,
                span_windows=span,
                level={".": 0, "w": 1, "c": 2, "-": None}[level],
                value=0.1,
            )
            for number, level in enumerate(levels)
        ),
    )


def day(number: int) -> datetime:
    return START + number * DAY


def only(findings: list[Finding]) -> Finding:
    [found] = findings
    return found


def test_alerts_are_counted_by_the_week_that_the_windows_cover() -> None:
    found = only(compare({SERIES: history("w......" * 2, span=7)}, None))
    assert (found.starts_at, found.ends_at, found.weeks) == (day(0), day(14), 2.0)
    assert found.per_week(found.tally) == 1.0
    assert found.tally.firing_share == 2 / 14


def test_windows_are_counted_once_a_series_and_those_unjudged_apart() -> None:
    other = SERIES._replace(model_version="v2")
    found = only(compare({SERIES: history("w-.c"), other: history("..")}, None))
    tally = found.tally
    assert (tally.n_series, tally.n_windows, tally.n_judged, tally.n_firing) == (2, 6, 5, 3)
    assert (len(tally.episodes), tally.n_critical) == (2, 1)
    assert found.in_force is None


def test_the_longest_alert_may_still_be_open() -> None:
    tally = only(compare({SERIES: history("ww.wwwc")}, None)).tally
    assert tally.longest is not None
    assert (tally.longest.fired_at, tally.longest.n_windows) == (day(4), 4)
    assert tally.longest.resolved_at is None


@pytest.mark.parametrize(("within", "expected"), [(1, 1), (2, 2), (3, 3)])
def test_an_alert_that_comes_back_soon_is_flapping(within: int, expected: int) -> None:
    found = only(compare({SERIES: history("w.w..w...w....w")}, None, again_within=within))
    assert found.tally.n_fired_again == expected


def test_flapping_is_about_one_series() -> None:
    other = SERIES._replace(model_version="v2")
    found = only(compare({SERIES: history("w.."), other: history("..w")}, None))
    assert found.tally.n_fired_again == 0


def test_a_backtest_since_a_day_knows_what_fired_then() -> None:
    told = history("wwww.w.", RuleTiming(1, 1, 0, 24 * 60))
    found = only(compare({SERIES: told}, None, since=day(2)))
    tally = found.tally
    assert (found.starts_at, found.ends_at) == (day(2), day(7))
    assert (tally.n_windows, tally.n_judged, tally.n_firing) == (5, 5, 3)
    assert [episode.fired_at for episode in tally.episodes] == [day(6)]
    assert tally.longest is not None
    assert (tally.longest.fired_at, tally.longest.n_windows) == (day(1), 4)
    assert tally.n_fired_again == 1
    messages = MessageCounts({SERIES: told}, day(2), Delivery())
    assert messages.of(found, tally).messages == {"repeat": 2, "resolve": 2, "trigger": 1}


def test_a_series_that_has_ended_before_is_not_counted() -> None:
    other = SERIES._replace(model_version="v2")
    tally = only(compare({SERIES: history("ww"), other: history("..w")}, None, since=day(2))).tally
    assert (tally.n_series, tally.n_windows, len(tally.episodes)) == (1, 1, 1)


def test_a_time_without_windows_has_no_finding() -> None:
    assert compare({SERIES: history("ww")}, None, since=day(2)) == []
    assert compare({}, {}) == []


def test_two_rules_share_the_alerts_that_overlap_in_a_series() -> None:
    new, old = history("ww...www.."), history("..w...w.w-")
    found = only(compare({SERIES: new}, {SERIES: old}))
    assert [episode.fired_at for episode in found.only_new] == [day(1)]
    assert [episode.fired_at for episode in found.only_in_force] == [day(3), day(9)]
    assert found.in_force is not None
    assert (found.per_week(found.tally), found.per_week(found.in_force)) == pytest.approx(
        (2 / (10 / 7), 3 / (10 / 7))
    )


def test_an_alert_that_fires_later_is_the_same_alert() -> None:
    breached = history("www.")
    patient = replace(breached, timing=RuleTiming(3, 1, 0, 0))
    found = only(compare({SERIES: patient}, {SERIES: breached}))
    assert (found.only_new, found.only_in_force) == ((), ())


def test_alerts_of_different_series_are_different() -> None:
    other = SERIES._replace(segment_name="origin", segment_value="JFK")
    found = only(compare({SERIES: history("w.")}, {other: history("w.")}))
    assert (len(found.only_new), len(found.only_in_force)) == (1, 1)


def test_a_rule_that_is_in_force_nowhere_has_nothing_beside_it() -> None:
    findings = compare({SERIES: history("w.")}, {SERIES._replace(rule_id="other"): history("w")})
    assert [(one.rule_id, one.in_force is None) for one in findings] == [
        ("drift", True),
        ("other", False),
    ]
    assert findings[1].tally.n_series == 0
    assert len(findings[1].only_in_force) == 1


# --- messages -------------------------------------------------------------------------------------


def planned(
    stories: list[Timeline], delivery: Delivery
) -> tuple[list[list[tuple[str, datetime]]], list[list[tuple[str, datetime]]]]:
    """What the dispatcher's planner sends when it runs each minute in which something can be due:
    the messages of every story by itself, and those of the storms."""
    world = World()
    world.delivery = delivery
    alone: dict[str, list[tuple[str, datetime]]] = {
        f"{number:02}": [] for number in range(len(stories))
    }
    storms: dict[str, list[tuple[str, datetime]]] = {}
    times = stories[0].times
    runs = (
        (at + minute * timedelta(minutes=1), place)
        for place, (start, end) in enumerate(
            zip(times, [*times[1:], times[-1] + timedelta(minutes=1)], strict=True)
        )
        for at in (start + hour * HOUR for hour in range(int((end - start) / HOUR) + 1))
        for minute in range(6)
        if at + minute * timedelta(minutes=1) < end
    )
    for now, place in runs:
        rows = [
            calm(
                series_id=f"{number:02}",
                state="firing" if story.states[place] else "ok",
                severity=SEVERITIES[story.states[place]],
                cooldown_minutes=story.cooldown_minutes,
                repeat_minutes=story.repeat_minutes,
                max_age_minutes=0,
            )
            for number, story in enumerate(stories)
        ]
        before = {row.delivery_key for row in world.rows}
        world.tell(*rows, at=now)
        for row in world.rows:
            if row.delivery_key in before or row.group_key:
                continue
            kept = storms.setdefault(row.series_id, []) if row.is_group else alone[row.series_id]
            kept.append((row.event, now))
    return [alone[series] for series in sorted(alone)], list(storms.values())


def sent(
    stories: list[Timeline], delivery: Delivery
) -> tuple[list[list[tuple[str, datetime]]], list[list[tuple[str, datetime]]]]:
    """The same, as a backtest counts it."""
    told, storms = simulate_messages(stories, delivery)
    alone = [[(one.event, one.at) for one in mine if one.storm is None] for mine in told]
    return alone, [list(storm.told) for storm in storms]


def random_stories(seed: int, n: int) -> tuple[list[Timeline], Delivery]:
    choose = random.Random(seed)
    times = [START]
    for _ in range(20):
        times.append(times[-1] + choose.choice([1, 2, 5, 12]) * HOUR)
    cooldown, repeat = choose.choice([0, 180, 600]), choose.choice([0, 120, 360])
    weights = (2, 1, 1) if n == 1 else (5, 1, 1)
    stories = [
        Timeline(times, choose.choices((0, 1, 2), weights=weights, k=len(times)), cooldown, repeat)
        for _ in range(n)
    ]
    delivery = Delivery(
        flapping_triggers=choose.choice([2, 3, 9]), flapping_minutes=24 * 60, group_above=2
    )
    return stories, delivery


@pytest.mark.parametrize("seed", range(24))
def test_messages_are_those_that_the_dispatcher_plans(seed: int) -> None:
    stories, delivery = random_stories(seed, 1)
    found = sent(stories, delivery)
    assert found == planned(stories, delivery)
    assert found[0][0]


@pytest.mark.parametrize("seed", range(12))
def test_storms_are_told_as_the_dispatcher_groups_them(seed: int) -> None:
    stories, delivery = random_stories(seed, 7)
    found = sent(stories, delivery)
    assert found == planned(stories, delivery)
    assert found[1]


def test_alerts_that_begin_together_are_counted_apart_from_messages_of_their_own() -> None:
    """Of one rule and of another, on two monitors, as long as they name the same channels."""
    same = RuleTiming(1, 1, 0, 0, "slack")
    histories = {
        SERIES._replace(model_version=version, monitor=monitor): history("..w.w", same)
        for version, monitor in (("v1", "churn"), ("v2", "churn"), ("v1", "fraud"))
    }
    histories[SERIES._replace(rule_id="calm")] = history("....w", same)
    histories[SERIES._replace(rule_id="other")] = history("..w..", same._replace(channels="mail"))
    messages = MessageCounts(histories, None, Delivery(group_above=2))
    found = {
        (one.rule_id, one.monitor): with_messages(one, messages, messages).tally
        for one in compare(histories, None)
    }
    assert [
        (len(storm.members), [event for event, _ in storm.told]) for storm in messages.storms
    ] == [
        (3, ["trigger", "resolve"]),
        (4, ["trigger"]),
    ]
    churn, fraud = found["drift", "churn"], found["drift", "fraud"]
    assert (churn.n_grouped, churn.n_storms, churn.messages) == (4, 2, {})
    assert (fraud.n_grouped, fraud.n_storms, fraud.messages) == (2, 2, {})
    assert (found["calm", "churn"].n_grouped, found["other", "churn"].n_grouped) == (1, 0)
    assert found["other", "churn"].messages == {"trigger": 1, "resolve": 1}
    late = MessageCounts(histories, day(4), Delivery(group_above=2))
    assert [len(storm.members) for storm in late.storms] == [4]


# --- files of rules -------------------------------------------------------------------------------


def test_columns_may_be_left_out_and_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "rules.csv"
    path.write_text("\ufeffmetric, rule_id ,enabled\n psi ,drift,TRUE\n", encoding="utf-8")
    [row] = read_rules(path)
    assert row == rule_row({"rule_id": "drift", "metric": "psi", "enabled": "true"})
    assert (row.measure, row.span_text, row.selectors["monitor"]) == ("value", "default", "*")
    assert row.is_enabled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "found nothing; allowed, each once: rule_id, name,"),
        ("rule_id,threshold\na,1\n", "found rule_id, threshold; allowed"),
        ("rule_id,rule_id\na,b\n", "found rule_id, rule_id; allowed"),
        ("metric\npsi\n", "found metric; allowed"),
        ("rule_id,metric\na,psi\nb\n", "Row 2 of"),
        ("rule_id,metric\na,psi,3\n", "does not have 2 values"),
        ("rule_id,metric\n", "has no rule"),
        ('rule_id,metric\n"a,psi\n', "cannot be read as CSV"),
    ],
)
def test_a_file_that_holds_no_rules_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "rules.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=expected):
        read_rules(path)
