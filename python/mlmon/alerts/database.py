"""Where the outbox is kept: a DuckDB file or a schema in PostgreSQL, in short transactions.

A DuckDB file is locked by the process that has it open, so it is opened for each transaction and
waited for, up to a budget. SQL is written once, with ``$name`` for parameters.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from mlmon.errors import ConfigurationError, MlmonError, TryAgainError
from mlmon.profile import Target
from mlmon.redaction import redact, register_secret
from mlmon.warehouse import Row, duckdb_path, is_locked, open_postgres

if TYPE_CHECKING:
    import duckdb
    import psycopg2.extensions

Answer = TypeVar("Answer")

_NAME = re.compile(r"\$(\w+)")
_POSTGRES = ("postgres://", "postgresql://")
# libpq's connection strings of words.
_DSN = re.compile(
    r"\s*(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=",
    flags=re.IGNORECASE,
)


class Transaction(Protocol):
    """An open transaction; it commits at the end of its block and rolls back on an error."""

    @property
    def skip_locked(self) -> str:
        """What keeps two transactions from the same row, where the engine needs to be told."""

    def rows(self, sql: str, **values: Any) -> list[Row]:
        """Run a statement and return its rows."""

    def lock(self) -> None:
        """Be alone until the end of the transaction."""


class Database(Protocol):
    """A place for the outbox."""

    @property
    def schema(self) -> str:
        """The schema of the tables."""

    @property
    def read_only(self) -> bool:
        """Whether it is opened for reading alone."""

    def exists(self) -> bool:
        """Whether the tables are there, told without making anything."""

    def now(self) -> datetime:
        """The time by the clock of the database, naive, UTC."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open, run, commit, close. TryAgainError where the place stays locked."""


def open_database(
    target: Target, state: str | None, budget_seconds: float, *, read_only: bool = False
) -> Database:
    """The database named by ``--state``, else the one beside the warehouse of a target.

    ``state`` is a PostgreSQL URL or the path of a DuckDB file.
    """
    schema = f"{target.settings.get('schema', 'main')}_mlmon_alerts"
    if not re.fullmatch(r"\w+", schema):
        raise ConfigurationError(
            f"The schema {schema!r} cannot hold the outbox: letters and _ only."
        )
    if state and state.startswith(_POSTGRES):
        for password in state_passwords(state):
            register_secret(password)
        return PostgresDatabase(schema, lambda: _connect(state), read_only)
    if state:
        if "://" in state or state.startswith(("md:", "motherduck:")) or _DSN.match(state):
            # It may hold a password: it is not repeated.
            raise ConfigurationError(
                "--state is neither the path of a DuckDB file nor a PostgreSQL URL; allowed:"
                " outbox.duckdb, postgresql://user@host/database."
            )
        return DuckDBDatabase(schema, Path(state), budget_seconds, read_only)
    if target.kind == "duckdb":
        path = duckdb_path(target)
        path = path.with_name(f"{path.stem}.alerts.duckdb")
        return DuckDBDatabase(schema, path, budget_seconds, read_only)
    if target.kind == "postgres":
        return PostgresDatabase(schema, lambda: open_postgres(target), read_only)
    raise ConfigurationError(
        f"The outbox cannot be kept in a warehouse of type {target.kind!r}. Name a DuckDB file or a"
        " PostgreSQL URL with --state."
    )


def state_passwords(state: str) -> list[str]:
    """The passwords in a PostgreSQL URL or connection string; what cannot be read is one as a whole."""
    try:
        url = urlsplit(state)
        found = [url.password, *parse_qs(url.query).get("password", [])]
        found += [unquote(url.password)] if url.password else []
    except ValueError:
        return [state]
    found += re.findall(r"password\s*=\s*(\S+)", state, flags=re.IGNORECASE)
    return [password for password in found if password]


def has_tables(opened: Transaction, schema: str) -> bool:
    """Whether the tables of the outbox are there."""
    found = opened.rows(
        "select 1 as one from information_schema.tables"
        " where table_schema = $schema and table_name = 'alert_schema'",
        schema=schema,
    )
    return bool(found)


def retry_while_locked(work: Callable[[], Answer], budget_seconds: float) -> Answer:
    """The result of something that may be locked, tried again until the budget is used up."""
    ends = time.monotonic() + budget_seconds
    pause = 0.02
    while True:
        try:
            return work()
        except TryAgainError:
            if time.monotonic() >= ends:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 1.5, 0.5)


@dataclass(frozen=True, slots=True)
class DuckDBDatabase:
    """A DuckDB file, opened for each transaction."""

    schema: str
    path: Path
    budget_seconds: float = 30.0
    read_only: bool = False

    def exists(self) -> bool:
        if not self.path.is_file():
            return False
        with self.transaction() as opened:
            return has_tables(opened, self.schema)

    def now(self) -> datetime:
        # The database would run in this process: its clock is this machine's.
        return datetime.now(UTC).replace(tzinfo=None)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        import duckdb

        opened = retry_while_locked(self._open, self.budget_seconds)
        try:
            opened.execute("begin")
            yield _DuckDBTransaction(opened)
            opened.execute("commit")
        except duckdb.Error as error:
            raise MlmonError(f"The outbox {self.path}: {redact(str(error))}") from None
        finally:
            # Closing rolls back what was not committed.
            opened.close()

    def _open(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        try:
            return duckdb.connect(str(self.path), read_only=self.read_only)
        except duckdb.Error as error:
            if is_locked(error):
                raise TryAgainError(
                    f"Another process holds {self.path}: try again when it is done.\n{error}"
                ) from None
            raise MlmonError(f"{self._what_to_do()}\n{error}") from None

    def _what_to_do(self) -> str:
        """About a file that DuckDB does not open."""
        if not self.path.parent.is_dir():
            return f"There is no folder {self.path.parent} for the outbox: make it."
        if self.path.is_dir():
            return f"The outbox {self.path} is a folder: name a file with --state."
        places = [self.path] if self.path.exists() else [self.path.parent]
        if not all(os.access(place, os.R_OK | os.W_OK * (not self.read_only)) for place in places):
            return f"This user may not write {self.path}: give the right, or name another outbox."
        return (
            f"The outbox {self.path} is damaged, or a stub that a full disk has left. Restore it, or"
            " move it away together with its .wal: everything that fires is then told once more."
        )


@dataclass(frozen=True, slots=True)
class _DuckDBTransaction:
    opened: duckdb.DuckDBPyConnection
    skip_locked: str = ""

    def rows(self, sql: str, **values: Any) -> list[Row]:
        given = {name: values[name] for name in _NAME.findall(sql)}
        done = self.opened.execute(sql, given)
        names = [column[0] for column in done.description or ()]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def lock(self) -> None:
        """An open DuckDB file is alone already."""


@dataclass(slots=True)
class PostgresDatabase:
    """A schema of a PostgreSQL database; one connection, opened again where it broke."""

    schema: str
    connect: Callable[[], psycopg2.extensions.connection]
    read_only: bool = False
    _opened: psycopg2.extensions.connection | None = field(default=None, repr=False)

    def exists(self) -> bool:
        with self.transaction() as opened:
            return has_tables(opened, self.schema)

    def now(self) -> datetime:
        with self.transaction() as opened:
            [row] = opened.rows("select clock_timestamp() at time zone 'utc' as now")
        found: datetime = row["now"]
        return found

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        import psycopg2

        if self._opened is None or self._opened.closed:
            self._opened = self.connect()
            if self.read_only:
                self._opened.set_session(readonly=True)
        opened = self._opened
        try:
            yield _PostgresTransaction(opened)
            opened.commit()
        except psycopg2.Error as error:
            opened.close()
            raise _meaning(error) from None
        except BaseException:
            opened.close()
            raise


@dataclass(frozen=True, slots=True)
class _PostgresTransaction:
    opened: psycopg2.extensions.connection
    skip_locked: str = "for update skip locked"

    def rows(self, sql: str, **values: Any) -> list[Row]:
        text = _NAME.sub(r"%(\1)s", sql.replace("%", "%%"))
        with self.opened.cursor() as cursor:
            cursor.execute(text, values)
            if cursor.description is None:
                return []
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def lock(self) -> None:
        self.rows("select pg_advisory_xact_lock(hashtext('mlmon alerts'))")


def _connect(url: str) -> psycopg2.extensions.connection:
    try:
        import psycopg2
    except ModuleNotFoundError:
        raise ConfigurationError(
            "An outbox in PostgreSQL needs psycopg2: pip install 'mlmon[postgres]'."
        ) from None
    try:
        opened: psycopg2.extensions.connection = psycopg2.connect(
            url, application_name="mlmon alerts", connect_timeout=10
        )
    except psycopg2.OperationalError as error:
        raise MlmonError(f"The outbox does not answer: {redact(str(error))}") from None
    except psycopg2.ProgrammingError as error:
        raise ConfigurationError(f"--state is no PostgreSQL URL: {redact(str(error))}") from None
    return opened


def _meaning(error: psycopg2.Error) -> MlmonError:
    import psycopg2.errors as codes

    text = f"The outbox in PostgreSQL: {redact(str(error)).strip()}"
    if isinstance(error, codes.ReadOnlySqlTransaction):
        return MlmonError(
            f"{text}\nIt is read-only, as a standby is: name the primary with --state."
        )
    if isinstance(error, codes.InsufficientPrivilege):
        return MlmonError(f"{text}\nGive this user the right, or name another outbox with --state.")
    passing = (
        codes.DeadlockDetected,
        codes.SerializationFailure,
        codes.LockNotAvailable,
        codes.AdminShutdown,
    )
    return TryAgainError(text) if isinstance(error, passing) else MlmonError(text)
