"""What needs a clock: how old news is, and which logs have gone silent. The tables know no time."""

from __future__ import annotations

from datetime import datetime, timedelta

from mlmon.alerts.records import Alert, MonitorFacts, Situation, digest


def outages(situation: Situation, now: datetime) -> list[Alert]:
    """One alert a rule and monitor whose log should have had rows by now, and one that is ok where
    rows came: the tables know no clock, so this is judged here."""
    watched: dict[tuple[str, str], Alert] = {}
    for alert in situation.alerts:
        if alert.no_data_minutes > 0:
            known = watched.get((alert.rule_id, alert.monitor))
            if known is None or alert.no_data_minutes < known.no_data_minutes:
                watched[alert.rule_id, alert.monitor] = alert
    found = []
    for (rule_id, monitor), like in sorted(watched.items()):
        facts = situation.monitors.get(monitor)
        last = (facts.last_arrival_at or facts.data_through_at) if facts else None
        if last is None:
            continue
        is_silent = now - last > timedelta(minutes=like.no_data_minutes)
        found.append(
            Alert(
                series_id=digest(["no_data", rule_id, monitor]),
                rule_id=rule_id,
                rule_name=like.rule_name,
                monitor=monitor,
                metric="no_data",
                state="firing" if is_silent else "ok",
                severity="critical" if is_silent else "none",
                value=(now - last).total_seconds() / 60 if is_silent else None,
                threshold_high=float(like.no_data_minutes),
                condition=f"> {like.no_data_minutes} minutes",
                window_end=last,
                fired_at=last + timedelta(minutes=like.no_data_minutes) if is_silent else None,
                since_window_end=last if is_silent else None,
                reason=(
                    f"The log of {monitor} is silent since {last:%Y-%m-%d %H:%M} UTC."
                    if is_silent
                    else f"The log of {monitor} has rows again, the newest of"
                    f" {last:%Y-%m-%d %H:%M} UTC."
                ),
                immediate_action=like.immediate_action,
                runbook=like.runbook,
                runbook_url=like.runbook_url,
                channels=like.channels,
                owner=like.owner,
                cooldown_minutes=like.cooldown_minutes,
                repeat_minutes=like.repeat_minutes,
                max_age_minutes=like.max_age_minutes,
            )
        )
    return found


def known_until(alert: Alert, facts: MonitorFacts | None) -> datetime | None:
    """Up to when an alert's data tells: the end of its window, and as much later as its labels are
    waited for, but no later than the newest row of the logs."""
    if alert.window_end is None:
        return None
    waited = 0
    if alert.label_age.endswith("d") and alert.label_age[:-1].isdigit():
        waited = int(alert.label_age[:-1])
    until = alert.window_end + timedelta(days=waited)
    through = facts.data_through_at if facts else None
    return min(until, through) if through else until


def is_stale(alert: Alert, facts: MonitorFacts | None, now: datetime) -> bool:
    """Whether an alert is old news: nobody is paged about it.

    An outage has no data to be of an age: it is old news when it began long ago, as every log is
    silent that ended years ago.
    """
    until = alert.fired_at if alert.metric == "no_data" else known_until(alert, facts)
    if alert.max_age_minutes <= 0 or until is None:
        return False
    return now - until > timedelta(minutes=alert.max_age_minutes)
