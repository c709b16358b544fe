"""Lets one `mlmon run` at a time work on a warehouse; a second one is told to come again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlmon.errors import TryAgainError
from mlmon.profile import Target
from mlmon.warehouse import duckdb_path, open_postgres

_BUSY = "Another `mlmon run` works on this warehouse: try again when it is done."


@contextmanager
def run_lock(target: Target) -> Iterator[None]:
    """Holds the warehouse for a run, until the block or the process ends, however it ends.

    On PostgreSQL by an advisory lock of the session, so that runs on other machines are seen, too;
    elsewhere by a lock on a file, beside a DuckDB file or in the project's target directory.
    Raises TryAgainError where another run holds it.
    """
    holding = _holding_postgres if target.kind == "postgres" else _holding_file
    with holding(target):
        yield


@contextmanager
def _holding_postgres(target: Target) -> Iterator[None]:
    schema = target.settings.get("schema", "")
    opened = open_postgres(target)
    try:
        opened.autocommit = True
        with opened.cursor() as cursor:
            cursor.execute(
                "select pg_try_advisory_lock(hashtext('mlmon run'), hashtext(%s))", (schema,)
            )
            row = cursor.fetchone()
        if row is None or not row[0]:
            raise TryAgainError(_BUSY)
        yield
    finally:
        opened.close()


@contextmanager
def _holding_file(target: Target) -> Iterator[None]:
    from filelock import FileLock, Timeout

    if target.kind == "duckdb":
        database = duckdb_path(target)
        path = database.with_name(database.name + ".mlmon-run.lock")
    else:
        path = target.project_dir / "target" / f"mlmon-run-{target.name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TryAgainError(_BUSY) from None
    try:
        yield
    finally:
        lock.release()
