"""The memory of the dispatcher: what was planned, claimed, sent, refused; silences; acknowledgements.

A message goes pending → claimed → sent, dead or back to pending. A claim has a token and ends by
itself; only who holds the token may say how it went. Sending happens outside any transaction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from mlmon.alerts.records import Ack, Message, Silence
from mlmon.alerts.retention import KEPT, TOLD_AT, ranked
from mlmon.alerts.store import Store, Transaction
from mlmon.alerts.tables import FORMAT, statements
from mlmon.errors import ConfigurationError
from mlmon.warehouse import Row

# Before every message: the beginning of Unix time, naive as all times here.
EVER = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)

_COLUMNS = [item.name for item in fields(Message)]


class RacedError(Exception):
    """Another dispatcher planned some of the same at the same time: plan again."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that planning needs to know of the past."""

    messages: tuple[Message, ...] = ()
    silences: tuple[Silence, ...] = ()
    acks: tuple[Ack, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: sent, retry or dead, and what is known of it."""

    outcome: str
    error: str = ""
    status_code: int | None = None
    provider_ref: str | None = None
    # Whether the service may have taken it although no answer came.
    is_ambiguous: bool = False
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to add, and the members it carries where it is a grouped one."""

    message: Message
    members: tuple[Message, ...] = ()


class Outbox:
    """The tables of the dispatcher in a store; ``fixed_now`` takes the place of its clock."""

    def __init__(self, store: Store, fixed_now: datetime | None = None) -> None:
        self.store = store
        self.fixed_now = fixed_now

    def prepare(self) -> None:
        """Make the tables where they are not there. ConfigurationError for those of a newer mlmon."""
        with self.store.transaction() as opened:
            found = opened.rows(
                "select 1 as one from information_schema.tables"
                " where table_schema = $schema and table_name = 'alert_schema'",
                schema=self.store.schema,
            )
            if not found:
                opened.lock()
                for statement in statements(self.store.schema):
                    opened.rows(statement)
            [row] = opened.rows(f"select max(version) as version from {self._table('schema')}")
            if row["version"] != FORMAT:
                raise ConfigurationError(
                    f"The outbox in {self.store.schema} has format {row['version']}, this mlmon"
                    f" writes {FORMAT}: use the mlmon that wrote it, or a newer one."
                )

    def now(self) -> datetime:
        """The time: as given, else by the clock of the database."""
        return self.fixed_now or self.store.now()

    def read(self, since: datetime | None = None) -> Memory:
        """Messages (without their payloads), silences and acknowledgements.

        All of them, or with ``since`` what planning needs: what was told since then, silences that
        have not ended by then, and of everything else only what `KEPT` says.
        """
        columns = ", ".join(name for name in _COLUMNS if name != "payload")
        recent = since or EVER
        with self.store.transaction() as opened:
            messages = opened.rows(
                f"select {columns} from ({ranked(self._table('outbox'))}) as ranked"
                f" where {TOLD_AT} >= $recent or {KEPT}",
                recent=recent,
            )
            silences = opened.rows(
                f"select * from {self._table('silences')} where ends_at >= $recent"
                " order by starts_at",
                recent=recent,
            )
            acks = opened.rows(
                f"""
                select ack_id, series_id, created_at, created_by, comment
                from (
                    select *, max(created_at) over (partition by series_id) as newest_at
                    from {self._table("acks")}
                ) as ranked
                where created_at >= $recent or created_at = newest_at
                order by created_at
                """,
                recent=recent,
            )
        return Memory(
            messages=tuple(Message(**row) for row in messages),
            silences=tuple(_silence(row) for row in silences),
            acks=tuple(Ack(**{k: v for k, v in row.items() if k != "ack_id"}) for row in acks),
        )

    def payloads(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The payloads of messages, by key."""
        wanted = list(keys)
        if not wanted:
            return {}
        with self.store.transaction() as opened:
            rows = opened.rows(
                f"select delivery_key, payload from {self._table('outbox')}"
                " where delivery_key = any($keys)",
                keys=wanted,
            )
        return {row["delivery_key"]: json.loads(row["payload"]) for row in rows}

    def add(self, drafts: Sequence[Draft], superseded: Sequence[str], now: datetime) -> int:
        """Add planned messages and withdraw others, all or nothing; how many were new.

        A message whose key is there already is left as it is. RacedError where that happens to a
        member of a group, whose message would tell it twice.
        """
        rows = [draft.message for draft in drafts if not draft.members]
        members = [member for draft in drafts for member in draft.members]
        groups = [draft.message for draft in drafts if draft.members]
        with self.store.transaction() as opened:
            # One order for everybody, so that two dispatchers never wait for each other.
            keyed = sorted([*rows, *members], key=lambda row: row.delivery_key)
            known = {row.delivery_key for row in keyed if not self._insert(opened, row, now)}
            if any(member.delivery_key in known for member in members):
                raise RacedError
            n_new = len(keyed) - len(known)
            n_new += sum(self._insert(opened, group, now) for group in groups)
            for key in superseded:
                self._supersede(opened, key)
        return n_new

    def claim(
        self, channels: Sequence[str], lease: timedelta, *, paused: Iterable[str] = ()
    ) -> tuple[Message, str | None] | None:
        """Take the next message that is due and whose predecessors are settled, or None.

        With it comes what the service called the first message of the same episode. Nobody else
        gets it until the lease ends or its outcome is told.
        """
        wanted = sorted(set(channels) - set(paused))
        if not wanted:
            return None
        table, token = self._table("outbox"), uuid.uuid4().hex
        now = self.now()
        with self.store.transaction() as opened:
            found = opened.rows(
                f"""
                select delivery_key, status, claim_token, attempts
                from {table} as waiting
                where
                    channel = any($channels)
                    and group_key is null
                    and (
                        (status = 'pending' and next_attempt_at <= $now)
                        or (status = 'claimed' and claimed_until <= $now)
                    )
                    and not exists (
                        select 1 from {table} as earlier
                        where
                            earlier.series_id = waiting.series_id
                            and earlier.channel = waiting.channel
                            and earlier.seq < waiting.seq
                            and earlier.status in ('pending', 'claimed')
                    )
                order by next_attempt_at, created_at, delivery_key
                limit 1
                {opened.skip_locked}
                """,
                channels=wanted,
                now=now,
            )
            if not found:
                return None
            before = found[0]
            [claimed] = opened.rows(
                f"""
                update {table}
                set
                    maybe_sent = maybe_sent or status = 'claimed',
                    status = 'claimed',
                    claim_token = $token,
                    claimed_until = $until,
                    attempts = attempts + 1
                where delivery_key = $key
                returning {", ".join(_COLUMNS)}
                """,
                token=token,
                until=now + lease,
                key=before["delivery_key"],
            )
            if before["status"] == "claimed":
                # Who held it never said how it went: killed, or stopped for too long.
                self._log(
                    opened,
                    before["delivery_key"],
                    before["claim_token"],
                    before["attempts"],
                    now,
                    Outcome("lost", "the lease ended without an outcome"),
                )
            message = Message(**claimed)
            return message, self._thread(opened, message)

    def settle(self, message: Message, outcome: Outcome) -> bool:
        """Say how an attempt went; False where the claim is no longer ours (it is fenced)."""
        now = self.now()
        with self.store.transaction() as opened:
            status = {"retry": "pending"}.get(outcome.outcome, outcome.outcome)
            updated = opened.rows(
                f"""
                update {self._table("outbox")}
                set
                    status = $status,
                    claim_token = null,
                    claimed_until = null,
                    sent_at = case when $status = 'sent' then $now else sent_at end,
                    next_attempt_at = coalesce($next_attempt_at, next_attempt_at),
                    provider_ref = coalesce($provider_ref, provider_ref),
                    maybe_sent = maybe_sent or $is_ambiguous,
                    last_error = $error
                where delivery_key = $key and claim_token = $token and status = 'claimed'
                returning maybe_sent
                """,
                status=status,
                now=now,
                next_attempt_at=outcome.next_attempt_at,
                provider_ref=outcome.provider_ref,
                is_ambiguous=outcome.is_ambiguous,
                error=outcome.error or None,
                key=message.delivery_key,
                token=message.claim_token,
            )
            logged = outcome if updated else Outcome("fenced", outcome.error, outcome.status_code)
            self._log(
                opened,
                message.delivery_key,
                message.claim_token,
                message.attempts,
                now,
                logged,
            )
            if updated and status in {"sent", "dead"}:
                self._settle_members(opened, message.delivery_key, status, now)
            if updated and status == "dead" and not updated[0]["maybe_sent"]:
                self._withdraw_followers(opened, message)
        return bool(updated)

    def next_due(self, channels: Sequence[str]) -> datetime | None:
        """When the next message of these channels may be tried, or None where none waits."""
        with self.store.transaction() as opened:
            [row] = opened.rows(
                f"""
                select min(next_attempt_at) as due
                from {self._table("outbox")}
                where status = 'pending' and group_key is null and channel = any($channels)
                """,
                channels=list(channels) or [""],
            )
        due: datetime | None = row["due"]
        return due

    def waiting(self) -> dict[str, int]:
        """How many messages still wait, by channel."""
        with self.store.transaction() as opened:
            rows = opened.rows(
                f"""
                select channel, count(*) as n
                from {self._table("outbox")}
                where status in ('pending', 'claimed') and group_key is null
                group by channel
                """
            )
        return {row["channel"]: int(row["n"]) for row in rows}

    def retry(self, keys: Iterable[str], now: datetime) -> int:
        """Let messages that were refused for good be tried again; how many there were."""
        n_found = 0
        with self.store.transaction() as opened:
            for key in keys:
                n_found += len(
                    opened.rows(
                        f"""
                        update {self._table("outbox")}
                        set status = 'pending', attempts = 0, next_attempt_at = $now
                        where (delivery_key = $key or group_key = $key) and status = 'dead'
                        returning delivery_key
                        """,
                        key=key,
                        now=now,
                    )
                )
        return n_found

    def deliveries(self, keys: Iterable[str]) -> list[Row]:
        """The attempts at some messages, oldest first."""
        with self.store.transaction() as opened:
            return opened.rows(
                f"select * from {self._table('deliveries')} where delivery_key = any($keys)"
                " order by finished_at, attempt",
                keys=[*keys, ""],
            )

    def add_silence(self, silence: Silence) -> None:
        """Keep messages that match from being sent between two times."""
        with self.store.transaction() as opened:
            opened.rows(
                f"""
                insert into {self._table("silences")}
                    (silence_id, matcher, starts_at, ends_at, created_by, comment, created_at)
                values ($id, $matcher, $starts_at, $ends_at, $created_by, $comment, $created_at)
                """,
                id=silence.silence_id,
                matcher=json.dumps(dict(silence.matcher), sort_keys=True),
                starts_at=silence.starts_at,
                ends_at=silence.ends_at,
                created_by=silence.created_by,
                comment=silence.comment,
                created_at=silence.created_at,
            )

    def end_silence(self, silence_id: str, now: datetime) -> None:
        """End a silence now."""
        with self.store.transaction() as opened:
            opened.rows(
                f"update {self._table('silences')} set ends_at = $now"
                " where silence_id = $id and ends_at > $now",
                now=now,
                id=silence_id,
            )

    def add_ack(self, ack: Ack) -> None:
        """Remember that somebody looks after an alert."""
        with self.store.transaction() as opened:
            opened.rows(
                f"""
                insert into {self._table("acks")} (ack_id, series_id, created_at, created_by, comment)
                values ($id, $series_id, $created_at, $created_by, $comment)
                """,
                id=uuid.uuid4().hex,
                series_id=ack.series_id,
                created_at=ack.created_at,
                created_by=ack.created_by,
                comment=ack.comment,
            )

    def _table(self, name: str) -> str:
        return f'"{self.store.schema}".alert_{name}'

    def _insert(self, opened: Transaction, row: Message, now: datetime) -> bool:
        values = {name: getattr(row, name) for name in _COLUMNS}
        values |= {"created_at": now, "next_attempt_at": now}
        return bool(
            opened.rows(
                f"""
                insert into {self._table("outbox")} ({", ".join(_COLUMNS)})
                values ({", ".join(f"${name}" for name in _COLUMNS)})
                on conflict (delivery_key) do nothing
                returning delivery_key
                """,
                **values,
            )
        )

    def _supersede(self, opened: Transaction, key: str) -> None:
        table = self._table("outbox")
        gone = opened.rows(
            f"""
            update {table}
            set status = 'superseded'
            where delivery_key = $key and status = 'pending' and not maybe_sent
            returning delivery_key
            """,
            key=key,
        )
        if gone:
            opened.rows(
                f"update {table} set status = 'superseded'"
                " where group_key = $key and status = 'pending'",
                key=key,
            )

    def _thread(self, opened: Transaction, message: Message) -> str | None:
        rows = opened.rows(
            f"""
            select event, provider_ref
            from {self._table("outbox")}
            where
                series_id = $series_id and channel = $channel and seq < $seq
                and status = 'sent'
            order by seq desc
            """,
            series_id=message.series_id,
            channel=message.channel,
            seq=message.seq,
        )
        found: str | None = None
        for row in rows:
            if row["event"] == "resolve":
                break
            found = row["provider_ref"] or found
        return found

    def _settle_members(self, opened: Transaction, key: str, status: str, now: datetime) -> None:
        opened.rows(
            f"""
            update {self._table("outbox")}
            set
                status = $status,
                sent_at = case when $status = 'sent' then $now end
            where group_key = $key and status = 'pending'
            """,
            status=status,
            now=now,
            key=key,
        )

    def _withdraw_followers(self, opened: Transaction, message: Message) -> None:
        """Nobody is told that it is over, or still fires, who was not told that it began."""
        if message.event != "trigger":
            return
        opened.rows(
            f"""
            update {self._table("outbox")}
            set status = 'superseded'
            where
                series_id = $series_id and channel = $channel and seq > $seq
                and status = 'pending' and event <> 'trigger'
            """,
            series_id=message.series_id,
            channel=message.channel,
            seq=message.seq,
        )

    def _log(
        self,
        opened: Transaction,
        key: str,
        token: str | None,
        attempt: int,
        now: datetime,
        outcome: Outcome,
    ) -> None:
        opened.rows(
            f"""
            insert into {self._table("deliveries")}
                (delivery_key, claim_token, attempt, finished_at, outcome, status_code, error)
            values ($key, $token, $attempt, $now, $outcome, $status_code, $error)
            """,
            key=key,
            token=token,
            attempt=attempt,
            now=now,
            outcome=outcome.outcome,
            status_code=outcome.status_code,
            error=outcome.error or None,
        )


def _silence(row: Row) -> Silence:
    return Silence(**{**row, "matcher": json.loads(row["matcher"])})
