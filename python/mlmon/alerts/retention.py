"""What of the outbox still counts: for the next plan, and for good. The rest is forgotten."""

from __future__ import annotations

from datetime import datetime

from mlmon.alerts.store import Store

TOLD_AT = "coalesce(sent_at, created_at)"
# What is never forgotten: the last number of a series and channel, its last word, what is open.
KEPT = """(
    seq in (last_seq, last_said_seq)
    or status in ('pending', 'claimed')
    or (status not in ('dead', 'superseded') and seq >= last_end_seq)
)"""
# A group is a series of its own, which never comes again.
_IS_GROUP_OVER = "(is_group and last_end_seq = last_said_seq)"


def ranked(outbox: str) -> str:
    """The rows of the outbox, each with the places of the last ones of its series and channel."""
    return f"""
        select
            *,
            max(seq) over pair as last_seq,
            sum(case when status in ('pending', 'claimed') then 1 else 0 end) over pair
                as n_unsettled,
            coalesce(max(case when status <> 'superseded' then seq end) over pair, 0)
                as last_said_seq,
            coalesce(max(
                case when event = 'resolve' and status not in ('dead', 'superseded') then seq end
            ) over pair, 0) as last_end_seq
        from {outbox}
        window pair as (partition by series_id, channel)
    """


def forget(store: Store, before: datetime) -> int:
    """Delete what was settled before a time and is of no use any more; how many messages.

    What is open or on its way stays with all that belongs to it, and of every series and channel
    the last message: its number must not be given again, for a receiver drops a key that it has
    seen.
    """
    prefix = f'"{store.schema}".alert_'
    with store.transaction() as opened:
        gone = opened.rows(
            f"""
            delete from {prefix}outbox
            where
                status in ('sent', 'dead', 'superseded')
                and delivery_key in (
                    select delivery_key from ({ranked(f"{prefix}outbox")}) as ranked
                    where
                        {TOLD_AT} < $before
                        and n_unsettled = 0
                        and (not {KEPT} or {_IS_GROUP_OVER})
                )
            returning delivery_key
            """,
            before=before,
        )
        for statement in (
            f"delete from {prefix}deliveries where finished_at < $before"
            f" and delivery_key not in (select delivery_key from {prefix}outbox)",
            f"delete from {prefix}silences where ends_at < $before",
            f"delete from {prefix}acks where created_at < $before"
            f" and series_id not in (select series_id from {prefix}outbox where event <> 'resolve')",
        ):
            opened.rows(statement, before=before)
    return len(gone)
