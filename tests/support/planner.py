"""A world of the planner without any database: tables, outbox and clock in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from mlmon.alerts.channels import Channel, Delivery
from mlmon.alerts.marts import Alert, InvalidRule, MonitorLogs, Snapshot
from mlmon.alerts.outbox import Ack, Message, Silence
from mlmon.alerts.planner import Plan, plan
from support.alerts import NOW

CHANNELS = {
    "hook": Channel("hook", "webhook"),
    "pager": Channel("pager", "webhook", min_severity="critical"),
    "am": Channel("am", "alertmanager"),
}


class World:
    """The tables, the outbox and the clock; `tell` plans and delivers everything at once."""

    def __init__(self, **delivery: int) -> None:
        self.delivery = Delivery(**delivery)
        self.rows: list[Message] = []
        self.monitors = {"churn": MonitorLogs("churn")}
        self.rules: tuple[InvalidRule, ...] = ()
        self.silences: list[Silence] = []
        self.acks: list[Ack] = []
        self.channels = CHANNELS

    def plan(self, *rows: dict[str, Any], at: datetime = NOW) -> Plan:
        alerts = tuple(Alert.of(row) for row in rows)
        return plan(
            Snapshot(alerts, self.monitors, self.rules),
            self.rows,
            now=at,
            channels=self.channels,
            delivery=self.delivery,
            silences=self.silences,
            acks=self.acks,
        )

    def tell(
        self, *rows: dict[str, Any], at: datetime = NOW, status: Any = "sent"
    ) -> list[tuple[str, str, str]]:
        """Plan, keep it as told, and say what it was: channel, event, severity."""
        found = self.plan(*rows, at=at)
        self.rows = [
            replace(row, status="superseded")
            if {row.delivery_key, row.group_key} & set(found.superseded)
            else row
            for row in self.rows
        ]
        for intent in found.intents:
            members = [member for member in intent.members if member.key]
            for one, group in [(intent, None), *((member, intent.key) for member in members)]:
                self.rows.append(
                    Message(
                        delivery_key=one.key,
                        series_id=one.series_id,
                        channel=one.channel,
                        seq=one.seq,
                        event=one.event,
                        severity=one.severity,
                        status=status,
                        is_group=one.is_group,
                        group_key=group,
                        rule_id=one.alert.rule_id if one.alert else "",
                        created_at=at,
                        sent_at=at if status == "sent" else None,
                    )
                )
        return [(intent.channel, intent.event, intent.severity) for intent in found.intents]

    def held(self, *rows: dict[str, Any], at: datetime = NOW) -> list[str]:
        found = self.plan(*rows, at=at)
        assert found.intents == []
        return [held.why for held in found.held]
