"""The outbox: what was planned, claimed, sent or refused; silences; acknowledgements.

A message goes pending → claimed → sent, dead or back to pending. A claim has a token and ends by
itself; only who holds the token may say how it went. Sending happens outside any transaction.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from mlmon.alerts.database import Database, Transaction, has_tables
from mlmon.errors import ConfigurationError
from mlmon.warehouse import Row

Event = Literal["trigger", "escalate", "repeat", "resolve"]
Status = Literal["pending", "claimed", "sent", "dead", "superseded"]

# Before every message: the beginning of Unix time, naive as all times here.
EVER = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
# No attempt, lease or message lies further ahead. One that does was written by a clock that was wrong
# and has been put right: it counts as past.
FURTHEST_AHEAD = timedelta(days=1)

# Changes with every change to the tables below, which are in SQL that DuckDB and PostgreSQL share.
FORMAT = 1

TABLES = {
    "outbox": {
        "delivery_key": "text primary key",
        "series_id": "text not null",
        "channel": "text not null",
        "seq": "integer not null",
        "event": "text not null",
        "severity": "text not null",
        "status": "text not null",
        "is_group": "boolean not null",
        "group_key": "text",
        "rule_id": "text not null",
        "monitor": "text not null",
        "model_version": "text not null",
        "metric": "text not null",
        "title": "text not null",
        "payload": "text not null",
        "attempts": "integer not null",
        "maybe_sent": "boolean not null",
        "created_at": "timestamp not null",
        "sent_at": "timestamp",
        "next_attempt_at": "timestamp not null",
        "claim_token": "text",
        "claimed_until": "timestamp",
        "provider_ref": "text",
        "last_error": "text",
    },
    "deliveries": {
        "delivery_key": "text not null",
        "claim_token": "text",
        "attempt": "integer not null",
        "finished_at": "timestamp not null",
        "outcome": "text not null",
        "status_code": "integer",
        "error": "text",
    },
    "silences": {
        "silence_id": "text not null",
        "matcher": "text not null",
        "starts_at": "timestamp not null",
        "ends_at": "timestamp not null",
        "created_by": "text not null",
        "comment": "text not null",
        "created_at": "timestamp not null",
    },
    "acks": {
        "ack_id": "text not null",
        "series_id": "text not null",
        "created_at": "timestamp not null",
        "created_by": "text not null",
        "comment": "text not null",
    },
    "schema": {"version": "integer not null"},
}
# What BI reads leaves out the messages themselves and what belongs to a claim.
_NOT_FOR_BI = {"payload", "maybe_sent", "claim_token", "claimed_until", "provider_ref"}

_TOLD_AT = "coalesce(sent_at, created_at)"
# What is never forgotten: the last number of a series and channel, its last word, what is open.
_KEPT = """(
    seq in (last_seq, last_said_seq)
    or status in ('pending', 'claimed')
    or (status not in ('dead', 'superseded') and seq >= last_end_seq)
)"""
# A group is a series of its own, which never comes again.
_IS_GROUP_OVER = "(is_group and last_end_seq = last_said_seq)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A row of the outbox: one message for one channel, or a member of a grouped one."""

    delivery_key: str
    series_id: str
    channel: str
    seq: int
    event: Event
    severity: str
    status: Status = "pending"
    is_group: bool = False
    group_key: str | None = None
    rule_id: str = ""
    monitor: str = ""
    model_version: str = ""
    metric: str = ""
    title: str = ""
    payload: str = "{}"
    attempts: int = 0
    maybe_sent: bool = False
    created_at: datetime | None = None
    sent_at: datetime | None = None
    next_attempt_at: datetime | None = None
    claim_token: str | None = None
    claimed_until: datetime | None = None
    provider_ref: str | None = None
    last_error: str | None = None

    @property
    def told_at(self) -> datetime:
        """When it was sent, or where it was not, when it was planned."""
        at = self.sent_at or self.created_at
        assert at is not None
        return at

    @property
    def may_be_known(self) -> bool:
        """Whether somebody may have read it: also where an attempt ended without an answer."""
        return self.status in {"sent", "claimed"} or self.maybe_sent


@dataclass(frozen=True, slots=True)
class Silence:
    """Messages that match stay unsent between two times. Patterns are those of a shell."""

    silence_id: str
    matcher: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    created_by: str = ""
    comment: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody looks after it: no repeats until it is over or becomes worse."""

    series_id: str
    created_at: datetime
    created_by: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class OutboxContents:
    """Everything that planning needs to know of the past."""

    messages: tuple[Message, ...] = ()
    silences: tuple[Silence, ...] = ()
    acks: tuple[Ack, ...] = ()


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to add, and the members it carries where it is a grouped one."""

    message: Message
    members: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message to send; ``thread`` is what the service called the first one of the same episode."""

    message: Message
    thread: str | None


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


class PlannedTwiceError(Exception):
    """Another dispatcher planned some of the same at the same time: plan again."""


class Outbox:
    """The tables of the dispatcher; ``fixed_now`` takes the place of the database's clock."""

    def __init__(self, database: Database, fixed_now: datetime | None = None) -> None:
        self.database = database
        self.fixed_now = fixed_now
        self._outbox = self._table("outbox")

    def prepare(self) -> None:
        """Make the tables where they are not there. ConfigurationError for those of a newer mlmon."""
        with self.database.transaction() as opened:
            if not has_tables(opened, self.database.schema):
                if self.database.read_only:
                    return
                opened.lock()
                self._create_tables(opened)
            [row] = opened.rows(f"select max(version) as version from {self._table('schema')}")
            if row["version"] != FORMAT:
                raise ConfigurationError(
                    f"The outbox in {self.database.schema} has format {row['version']}, this mlmon"
                    f" writes {FORMAT}: use the mlmon that wrote it, or a newer one."
                )

    def _create_tables(self, opened: Transaction) -> None:
        """Safe where another process has just done the same."""
        opened.rows(f'create schema if not exists "{self.database.schema}"')
        for name, columns in TABLES.items():
            typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            opened.rows(f"create table if not exists {self._table(name)} ({typed})")
        shown = ", ".join(column for column in TABLES["outbox"] if column not in _NOT_FOR_BI)
        opened.rows(
            f"create or replace view {self._table('notifications')} as"
            f" select {shown} from {self._outbox}"
        )
        opened.rows(
            f"insert into {self._table('schema')} select {FORMAT}"
            f" where not exists (select 1 from {self._table('schema')})"
        )

    def now(self) -> datetime:
        """The time: as given, else by the clock of the database."""
        return self.fixed_now or self.database.now()

    def read(self, since: datetime | None = None) -> OutboxContents:
        """Messages (without their payloads), silences and acknowledgements.

        All of them, or with ``since`` what planning needs: what was told since then, silences that
        have not ended by then, and of everything else only what is never forgotten.
        """
        columns = ", ".join(name for name in TABLES["outbox"] if name != "payload")
        recent = since or EVER
        with self.database.transaction() as opened:
            messages = opened.rows(
                f"select {columns} from ({self._ranked()}) as ranked"
                f" where {_TOLD_AT} >= $recent or {_KEPT}",
                recent=recent,
            )
            silences = opened.rows(
                f"select * from {self._table('silences')} where ends_at >= $recent"
                " order by starts_at",
                recent=recent,
            )
            acks = opened.rows(
                f"""
                select series_id, created_at, created_by, comment
                from (
                    select *, max(created_at) over (partition by series_id) as newest_at
                    from {self._table("acks")}
                ) as ranked
                where created_at >= $recent or created_at = newest_at
                order by created_at
                """,
                recent=recent,
            )
        furthest = self.now() + FURTHEST_AHEAD
        for row in messages:
            for name in ("created_at", "sent_at"):
                if row[name] is not None and row[name] > furthest:
                    row[name] = EVER
        return OutboxContents(
            messages=tuple(Message(**row) for row in messages),
            silences=tuple(
                Silence(**{**row, "matcher": json.loads(row["matcher"])}) for row in silences
            ),
            acks=tuple(Ack(**row) for row in acks),
        )

    def payloads(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The payloads of messages, by key."""
        wanted = list(keys)
        if not wanted:
            return {}
        with self.database.transaction() as opened:
            rows = opened.rows(
                f"select delivery_key, payload from {self._outbox} where delivery_key = any($keys)",
                keys=wanted,
            )
        return {row["delivery_key"]: json.loads(row["payload"]) for row in rows}

    def add(self, added: Sequence[NewMessage], superseded: Sequence[str], now: datetime) -> int:
        """Add planned messages and withdraw others, all or nothing; how many were new.

        A message whose key is there already is left as it is. PlannedTwiceError where that happens
        to a member of a group, whose message would tell it twice.
        """
        members = [member for new in added for member in new.members]
        alone = [new.message for new in added if not new.members]
        groups = [new.message for new in added if new.members]
        with self.database.transaction() as opened:
            inserted = self._insert_messages(opened, [*alone, *members], now)
            if any(member.delivery_key not in inserted for member in members):
                raise PlannedTwiceError
            inserted |= self._insert_messages(opened, groups, now)
            self._supersede(opened, superseded)
        return len(inserted)

    def claim(
        self,
        channels: Iterable[str],
        lease: timedelta,
        *,
        limit: int = 1,
    ) -> list[Claimed]:
        """Take the next messages that are due and whose predecessors are settled.

        Nobody else gets them until the lease ends or their outcome is told.
        """
        token = uuid.uuid4().hex
        with self.database.transaction() as opened:
            # A lease begins where it is taken: others may have held the outbox for a while.
            now = self.now()
            due = opened.rows(
                f"""
                select delivery_key, status, claim_token, attempts
                from {self._outbox} as waiting
                where
                    channel = any($channels)
                    and group_key is null
                    and (
                        (status = 'pending' and {_is_past("next_attempt_at")})
                        or (status = 'claimed' and {_is_past("claimed_until")})
                    )
                    and not exists (
                        select 1 from {self._outbox} as earlier
                        where
                            earlier.series_id = waiting.series_id
                            and earlier.channel = waiting.channel
                            and earlier.seq < waiting.seq
                            and earlier.status in ('pending', 'claimed')
                    )
                order by next_attempt_at, created_at, delivery_key
                limit {int(limit)}
                {opened.skip_locked}
                """,
                channels=[*channels, ""],
                now=now,
                furthest=now + FURTHEST_AHEAD,
            )
            if not due:
                return []
            # Who held it never said how it went: killed, or stopped for too long.
            lost = Outcome("lost", "the lease ended without an outcome")
            self._log(
                opened,
                now,
                [
                    (row["delivery_key"], row["claim_token"], row["attempts"], lost)
                    for row in due
                    if row["status"] == "claimed"
                ],
            )
            rows = opened.rows(
                f"""
                update {self._outbox}
                set
                    maybe_sent = maybe_sent or status = 'claimed',
                    status = 'claimed',
                    claim_token = $token,
                    claimed_until = $until,
                    attempts = attempts + 1
                where delivery_key = any($keys)
                returning {", ".join(TABLES["outbox"])}
                """,
                token=token,
                until=now + lease,
                keys=[row["delivery_key"] for row in due],
            )
            order = {row["delivery_key"]: place for place, row in enumerate(due)}
            claimed = sorted(
                (Message(**row) for row in rows), key=lambda row: order[row.delivery_key]
            )
            threads = self._threads(opened, claimed)
        return [Claimed(message, threads.get(message.delivery_key)) for message in claimed]

    def release(self, messages: Sequence[Message]) -> None:
        """Give back what was claimed and not tried."""
        if not messages:
            return
        with self.database.transaction() as opened:
            opened.rows(
                f"""
                update {self._outbox}
                set
                    status = 'pending', claim_token = null, claimed_until = null,
                    attempts = attempts - 1
                where
                    delivery_key = any($keys) and claim_token = any($tokens)
                    and status = 'claimed'
                """,
                keys=[message.delivery_key for message in messages],
                tokens=[message.claim_token for message in messages],
            )

    def settle(self, tried: Sequence[tuple[Message, Outcome]]) -> set[str]:
        """Say how attempts went; the keys of those whose claim is no longer ours (fenced)."""
        if not tried:
            return set()
        now = self.now()
        done = [
            {
                "key": message.delivery_key,
                "token": message.claim_token,
                "new_status": "pending" if outcome.outcome == "retry" else outcome.outcome,
                "due_at": outcome.next_attempt_at,
                "ref": outcome.provider_ref,
                "is_ambiguous": outcome.is_ambiguous,
                "error": outcome.error or None,
            }
            for message, outcome in tried
        ]
        types = {"due_at": "timestamp", "is_ambiguous": "boolean"}
        with self.database.transaction() as opened:
            rows = opened.rows(
                f"""
                update {self._outbox}
                set
                    status = new_status,
                    claim_token = null,
                    claimed_until = null,
                    sent_at = case when new_status = 'sent' then cast($now as timestamp) else sent_at end,
                    next_attempt_at = coalesce(due_at, next_attempt_at),
                    provider_ref = coalesce(ref, provider_ref),
                    maybe_sent = maybe_sent or is_ambiguous,
                    last_error = error
                from ({_unnested(done[0], types)}) as done
                where delivery_key = key and claim_token = token and status = 'claimed'
                returning delivery_key, status, maybe_sent
                """,
                now=now,
                **_columns(done),
            )
            settled = {row["delivery_key"]: row for row in rows}
            self._log(
                opened,
                now,
                [
                    (
                        message.delivery_key,
                        message.claim_token,
                        message.attempts,
                        outcome
                        if message.delivery_key in settled
                        else Outcome("fenced", outcome.error, outcome.status_code),
                    )
                    for message, outcome in tried
                ],
            )
            for status in ("sent", "dead"):
                groups = [
                    message.delivery_key
                    for message, _ in tried
                    if message.is_group
                    and settled.get(message.delivery_key, {}).get("status") == status
                ]
                self._settle_members(opened, groups, status, now if status == "sent" else None)
            for message, _ in tried:
                row = settled.get(message.delivery_key)
                if row and row["status"] == "dead" and not row["maybe_sent"]:
                    self._withdraw_followers(opened, message)
        return {message.delivery_key for message, _ in tried} - set(settled)

    def next_due(self, channels: Iterable[str]) -> datetime | None:
        """When the next message of these channels may be tried, or None where none waits."""
        with self.database.transaction() as opened:
            [row] = opened.rows(
                f"""
                select min(next_attempt_at) as due
                from {self._outbox}
                where status = 'pending' and group_key is null and channel = any($channels)
                """,
                channels=[*channels, ""],
            )
        due: datetime | None = row["due"]
        return due

    def waiting(self) -> dict[str, int]:
        """How many messages still wait, by channel."""
        with self.database.transaction() as opened:
            rows = opened.rows(
                f"select channel, count(*) as n from {self._outbox}"
                " where status in ('pending', 'claimed') and group_key is null group by channel"
            )
        return {row["channel"]: int(row["n"]) for row in rows}

    def retry(self, keys: Iterable[str], now: datetime) -> None:
        """Let messages that were refused for good be tried again, and the members of groups."""
        with self.database.transaction() as opened:
            opened.rows(
                f"""
                update {self._outbox}
                set status = 'pending', attempts = 0, next_attempt_at = $now
                where
                    (delivery_key = any($keys) or group_key = any($keys)) and status = 'dead'
                """,
                keys=[*keys, ""],
                now=now,
            )

    def deliveries(self, keys: Iterable[str]) -> list[Row]:
        """The attempts at some messages, oldest first."""
        with self.database.transaction() as opened:
            return opened.rows(
                f"select * from {self._table('deliveries')} where delivery_key = any($keys)"
                " order by finished_at, attempt",
                keys=[*keys, ""],
            )

    def add_silence(self, silence: Silence) -> None:
        """Keep messages that match from being sent between two times."""
        row = {**asdict(silence), "matcher": json.dumps(dict(silence.matcher), sort_keys=True)}
        with self.database.transaction() as opened:
            self._insert(opened, "silences", [row])

    def end_silence(self, silence_id: str, now: datetime) -> None:
        """End a silence now."""
        with self.database.transaction() as opened:
            opened.rows(
                f"update {self._table('silences')} set ends_at = $now"
                " where silence_id = $id and ends_at > $now",
                now=now,
                id=silence_id,
            )

    def add_ack(self, ack: Ack) -> None:
        """Remember that somebody looks after an alert."""
        with self.database.transaction() as opened:
            self._insert(opened, "acks", [{"ack_id": uuid.uuid4().hex, **asdict(ack)}])

    def delete_expired(self, before: datetime) -> int:
        """Delete what was settled before a time and is of no use any more; how many messages.

        What is open or on its way stays with all that belongs to it, and of every series and
        channel the last message: its number must not be given again, for a receiver drops a key
        that it has seen.
        """
        with self.database.transaction() as opened:
            gone = opened.rows(
                f"""
                delete from {self._outbox}
                where
                    status in ('sent', 'dead', 'superseded')
                    and delivery_key in (
                        select delivery_key from ({self._ranked()}) as ranked
                        where
                            {_TOLD_AT} < $before
                            and n_unsettled = 0
                            and (not {_KEPT} or {_IS_GROUP_OVER})
                    )
                returning delivery_key
                """,
                before=before,
            )
            for statement in (
                f"delete from {self._table('deliveries')} where finished_at < $before"
                f" and delivery_key not in (select delivery_key from {self._outbox})",
                f"delete from {self._table('silences')} where ends_at < $before",
                f"delete from {self._table('acks')} where created_at < $before"
                f" and series_id not in (select series_id from {self._outbox}"
                " where event <> 'resolve')",
            ):
                opened.rows(statement, before=before)
        return len(gone)

    def _table(self, name: str) -> str:
        return f'"{self.database.schema}".alert_{name}'

    def _ranked(self) -> str:
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
                    case
                        when event = 'resolve' and status not in ('dead', 'superseded') then seq
                    end
                ) over pair, 0) as last_end_seq
            from {self._outbox}
            window pair as (partition by series_id, channel)
        """

    def _insert(
        self, opened: Transaction, table: str, rows: Sequence[Row], conflict: str = ""
    ) -> list[Row]:
        """Add rows, all with the same columns, in one statement."""
        if not rows:
            return []
        types = {name: kind.split()[0] for name, kind in TABLES[table].items()}
        return opened.rows(
            f"insert into {self._table(table)} ({', '.join(rows[0])})"
            f" {_unnested(rows[0], types)} {conflict}",
            **_columns(rows),
        )

    def _insert_messages(
        self, opened: Transaction, messages: Sequence[Message], now: datetime
    ) -> set[str]:
        """Add messages that are not there yet; the keys of the new ones."""
        # One order for everybody, so that two dispatchers never wait for each other.
        rows = [
            {**asdict(message), "created_at": now, "next_attempt_at": now}
            for message in sorted(messages, key=lambda message: message.delivery_key)
        ]
        conflict = "on conflict (delivery_key) do nothing returning delivery_key"
        return {row["delivery_key"] for row in self._insert(opened, "outbox", rows, conflict)}

    def _supersede(self, opened: Transaction, keys: Sequence[str]) -> None:
        if not keys:
            return
        gone = opened.rows(
            f"""
            update {self._outbox}
            set status = 'superseded'
            where delivery_key = any($keys) and status = 'pending' and not maybe_sent
            returning delivery_key
            """,
            keys=list(keys),
        )
        self._settle_members(opened, [row["delivery_key"] for row in gone], "superseded", None)

    def _settle_members(
        self, opened: Transaction, groups: Sequence[str], status: Status, sent_at: datetime | None
    ) -> None:
        """What happens to a grouped message happens to its members."""
        if groups:
            opened.rows(
                f"""
                update {self._outbox}
                set status = $status, sent_at = cast($sent_at as timestamp)
                where group_key = any($groups) and status = 'pending'
                """,
                status=status,
                sent_at=sent_at,
                groups=list(groups),
            )

    def _threads(self, opened: Transaction, messages: Sequence[Message]) -> dict[str, str]:
        """By key what the service called the first message of the same episode."""
        rows = opened.rows(
            f"""
            select series_id, channel, seq, event, provider_ref
            from {self._outbox}
            where series_id = any($series) and status = 'sent'
            order by seq
            """,
            series=[message.series_id for message in messages],
        )
        sent: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            sent[row["series_id"], row["channel"]].append(row)
        found: dict[str, str] = {}
        for message in messages:
            for row in sent[message.series_id, message.channel]:
                if row["seq"] >= message.seq:
                    break
                if row["event"] == "resolve":
                    found.pop(message.delivery_key, None)
                elif row["provider_ref"]:
                    found.setdefault(message.delivery_key, row["provider_ref"])
        return found

    def _withdraw_followers(self, opened: Transaction, message: Message) -> None:
        """Nobody is told that it is over, or still fires, who was not told that it began."""
        if message.event == "trigger":
            opened.rows(
                f"""
                update {self._outbox}
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
        now: datetime,
        attempts: Sequence[tuple[str, str | None, int, Outcome]],
    ) -> None:
        rows = [
            {
                "delivery_key": key,
                "claim_token": token,
                "attempt": attempt,
                "finished_at": now,
                "outcome": outcome.outcome,
                "status_code": outcome.status_code,
                "error": outcome.error or None,
            }
            for key, token, attempt, outcome in attempts
        ]
        self._insert(opened, "deliveries", rows)


def key_of(series_id: str, channel: str, seq: int) -> str:
    """The identity of a message: whoever plans it comes to the same one."""
    return digest([series_id, channel, str(seq)])


def digest(parts: Iterable[str]) -> str:
    """32 hexadecimal digits for a list of texts; no two lists share a text."""
    text = "|".join(part.replace("|", "||") for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_past(column: str) -> str:
    return f"({column} <= $now or {column} > $furthest)"


def _unnested(names: Iterable[str], types: Mapping[str, str]) -> str:
    """Lists of values, one a column, as the rows of a query; columns are texts unless said."""
    listed = (f"unnest(cast(${name} as {types.get(name, 'text')}[])) as {name}" for name in names)
    return f"select {', '.join(listed)}"


def _columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}
