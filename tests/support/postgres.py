"""A PostgreSQL server for tests: Debian's own, on loopback, in a temporary directory.

PostgreSQL refuses to run as root, so a root session starts it as the user postgres. Everything a
test needs is `server()`; nothing outlives it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import connection

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "50",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """Where a running server listens. It trusts every local user: there is no password."""

    host: str
    port: int
    user: str

    def dsn(self, database: str = "postgres") -> str:
        """A libpq connection string."""
        return f"host={self.host} port={self.port} user={self.user} dbname={database}"

    @contextmanager
    def connect(self, database: str = "postgres") -> Iterator[connection]:
        """A psycopg2 connection where every statement commits; closed at the end."""
        import psycopg2

        opened = psycopg2.connect(self.dsn(database))
        opened.autocommit = True
        try:
            yield opened
        finally:
            opened.close()

    def create_database(self, name: str) -> None:
        """A fresh, empty database; one of that name is dropped first."""
        with self.connect() as admin, admin.cursor() as cursor:
            cursor.execute(f'drop database if exists "{name}" with (force)')
            cursor.execute(f'create database "{name}" template template0')


def binaries() -> Path | None:
    """The directory of the newest installed initdb and pg_ctl, or None where there is none."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def server() -> Iterator[PostgresServer]:
    """Start a server, yield where it listens, stop it and remove its files."""
    folder = binaries()
    if folder is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    home = Path(tempfile.mkdtemp(prefix="mlmon-pg-"))
    try:
        as_user = _as_ordinary_user(home)
        data = home / "data"
        create = [*as_user, str(folder / "initdb"), "-D", str(data), "-U", "postgres"]
        _run([*create, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"], home)
        port = _free_port()
        settings = SETTINGS | {"port": str(port), "unix_socket_directories": str(home)}
        with (data / "postgresql.auto.conf").open("a") as config:
            config.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        control = [*as_user, str(folder / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log")]
        _run([*control, "start"], home)
        try:
            yield PostgresServer(host="127.0.0.1", port=port, user="postgres")
        finally:
            _run([*control, "-m", "immediate", "stop"], home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _as_ordinary_user(home: Path) -> list[str]:
    """The words before a command that make it run as the owner of ``home``."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(home, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _run(command: list[str], home: Path) -> None:
    # The server would inherit a pipe and hold it open: its output goes to a file.
    with (home / "output").open("a+") as output:
        done = subprocess.run(
            command, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
        if done.returncode:
            output.seek(0)
            logs = [path.read_text() for path in home.glob("log")]
            raise RuntimeError("\n".join([f"{command} failed", output.read(), *logs]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
