"""Lets one `mlmon run` at a time work on a warehouse; a second one is told to come again.

What holds the lock is inherited by the dbt that is started meanwhile, so that it is free only when both
are gone, also where this process was killed and dbt goes on.
"""

from __future__ import annotations

import getpass
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mlmon.errors import MlmonError, TryAgainError
from mlmon.profile import Target
from mlmon.warehouse import duckdb_path, open_postgres

_BUSY = "Another `mlmon run` works on this warehouse: try again when it is done."

# The descriptors of what is held: a locked file, the connection of a session that has a lock.
held: list[int] = []


@contextmanager
def run_lock(target: Target) -> Iterator[None]:
    """Holds the warehouse for a run, until this process and the dbt that it started have ended.

    By a lock on a file, beside a DuckDB file or in the project's target directory; on PostgreSQL in
    the machine's directory for such files, and by an advisory lock of a session as well, so that
    runs on other machines are seen, too. Raises TryAgainError where another run holds it.
    """
    with ExitStack() as stack:
        held.append(stack.enter_context(_locked_file(target)))
        stack.callback(held.pop)
        if target.kind == "postgres":
            held.append(stack.enter_context(_locked_session(target)))
            stack.callback(held.pop)
        yield


@contextmanager
def _locked_session(target: Target) -> Iterator[int]:
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
        yield opened.fileno()
    finally:
        opened.close()


@contextmanager
def _locked_file(target: Target) -> Iterator[int]:
    from filelock import FileLock, Timeout

    if target.kind == "duckdb":
        database = duckdb_path(target)
        path = database.with_name(database.name + ".mlmon-run.lock")
    elif target.kind == "postgres":
        names = [str(target.settings.get(key, "")) for key in ("host", "port", "dbname", "schema")]
        place = hashlib.sha256("\n".join([getpass.getuser(), *names]).encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"mlmon-run-{place}.lock"
    else:
        path = target.project_dir / "target" / f"mlmon-run-{target.name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TryAgainError(_BUSY) from None
    except OSError as error:
        raise MlmonError(f"{path} cannot be locked for the run: {error.strerror}.") from None
    try:
        descriptor = lock._context.lock_file_fd
        assert descriptor is not None
        yield descriptor
    finally:
        lock.release()
