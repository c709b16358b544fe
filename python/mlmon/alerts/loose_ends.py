"""Names in rules that lead nowhere. Such a rule judges what else it selects, so that is told and not refused."""

from __future__ import annotations

from dataclasses import dataclass

from mlmon.alerts.records import Situation


@dataclass(frozen=True, slots=True, order=True)
class LooseEnd:
    """What a column of a rule names and is not there, and what it may name."""

    rule_id: str
    column: str
    found: str
    allowed: str


def loose_ends(situation: Situation) -> list[LooseEnd]:
    """Monitors and rules (``inhibited_by``) that do not exist, and runbooks without a page or a first action."""
    found = set()
    rule_ids = {rule_id for rule_id, _ in situation.rules}
    for rule_id, monitor in situation.rules:
        if situation.monitors and monitor not in {"*", *situation.monitors}:
            allowed = ", ".join(["*", *sorted(situation.monitors)])
            found.add(LooseEnd(rule_id, "monitor", monitor, allowed))
    for alert in situation.alerts:
        for name in filter(None, (part.strip() for part in alert.inhibited_by.split(";"))):
            if rule_ids and name not in rule_ids:
                allowed = ", ".join(sorted(rule_ids))
                found.add(LooseEnd(alert.rule_id, "inhibited_by", name, allowed))
        if alert.runbook and not alert.runbook_url and not alert.immediate_action:
            allowed = "a runbook of the seed runbooks"
            found.add(LooseEnd(alert.rule_id, "runbook", alert.runbook, allowed))
    return sorted(found)
