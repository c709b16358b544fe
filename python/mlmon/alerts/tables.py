"""The tables of the outbox, in SQL that DuckDB and PostgreSQL share."""

from __future__ import annotations

# Changes with every change to the tables below.
FORMAT = 1

_TABLES = {
    "alert_outbox": """
        delivery_key text primary key,
        series_id text not null,
        channel text not null,
        seq integer not null,
        event text not null,
        severity text not null,
        status text not null,
        is_group boolean not null,
        group_key text,
        rule_id text not null,
        monitor text not null,
        model_version text not null,
        metric text not null,
        title text not null,
        payload text not null,
        attempts integer not null,
        maybe_sent boolean not null,
        created_at timestamp not null,
        sent_at timestamp,
        next_attempt_at timestamp not null,
        claim_token text,
        claimed_until timestamp,
        provider_ref text,
        last_error text
    """,
    "alert_deliveries": """
        delivery_key text not null,
        claim_token text,
        attempt integer not null,
        finished_at timestamp not null,
        outcome text not null,
        status_code integer,
        error text
    """,
    "alert_silences": """
        silence_id text not null,
        matcher text not null,
        starts_at timestamp not null,
        ends_at timestamp not null,
        created_by text not null,
        comment text not null,
        created_at timestamp not null
    """,
    "alert_acks": """
        ack_id text not null,
        series_id text not null,
        created_at timestamp not null,
        created_by text not null,
        comment text not null
    """,
}

# What BI reads: who was told what and when, without the messages themselves.
_NOTIFICATIONS = """
    select
        delivery_key, series_id, channel, seq, event, severity, status, is_group, group_key,
        rule_id, monitor, model_version, metric, title, attempts, created_at, sent_at,
        next_attempt_at, last_error
    from "{schema}".alert_outbox
"""


def statements(schema: str) -> list[str]:
    """What makes the tables, safe to run where they are already there."""
    return [
        f'create schema if not exists "{schema}"',
        *(
            f'create table if not exists "{schema}".{name} ({columns})'
            for name, columns in _TABLES.items()
        ),
        f'create or replace view "{schema}".alert_notifications as'
        + _NOTIFICATIONS.format(schema=schema),
        f'create table if not exists "{schema}".alert_schema (version integer not null)',
        f'insert into "{schema}".alert_schema select {FORMAT}'
        f' where not exists (select 1 from "{schema}".alert_schema)',
    ]
