"""Reads what the alert rules say now, and which rules cannot be used. It judges nothing itself."""

from __future__ import annotations

from pathlib import Path

from mlmon.profile import Target
from mlmon.warehouse import Connection, Row, connect, relation

MODEL = "fct_mlmon__alert_states"
RULES = "int_mlmon__alert_rules"


def firing_alerts(target: Target, target_path: Path | None = None) -> list[Row]:
    """The rows of the alerts that fire, critical ones first, then those that fire longest.

    ``target_path`` is the directory of dbt's artifacts where it is not the usual one.
    """
    states = relation(target, MODEL, target_path)
    with connect(target) as warehouse:
        return warehouse.rows(
            f"""
            select *
            from {states}
            where state = 'firing'
            order by
                case severity when 'critical' then 0 else 1 end,
                since_window_end,
                series_id
            """
        )


def rule_problems(target: Target, target_path: Path | None = None) -> list[Row]:
    """The rows of the alert rules that cannot be used: ``rule_id`` and ``rule_problem`` in words."""
    rules = relation(target, RULES, target_path)
    with connect(target) as warehouse:
        return problems_in(warehouse, rules)


def problems_in(warehouse: Connection, rules: str) -> list[Row]:
    """The same over an open connection, of a relation named as SQL has it."""
    return warehouse.rows(
        f"""
        select distinct rule_id, rule_problem
        from {rules}
        where rule_problem is not null
        order by rule_id, rule_problem
        """
    )
