"""Names in rules that lead nowhere. Such a rule judges all the same, so that is told and not refused."""

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
    """Rules in ``inhibited_by`` that do not exist, and runbooks without a page or a first action."""
    found = set()
    known = ", ".join(sorted(situation.rule_ids))
    for alert in situation.alerts:
        for name in filter(None, (part.strip() for part in alert.inhibited_by.split(";"))):
            if situation.rule_ids and name not in situation.rule_ids:
                found.add(LooseEnd(alert.rule_id, "inhibited_by", name, known))
        if alert.runbook and not alert.runbook_url and not alert.immediate_action:
            allowed = "a runbook of the seed runbooks"
            found.add(LooseEnd(alert.rule_id, "runbook", alert.runbook, allowed))
    return sorted(found)
