"""The record of the last complete build, which is there from the end of one to the begin of the next.

It lies where the tables lie, so that every machine that reaches them knows it, and goes with them: a
table in the schema of the target on PostgreSQL, a small file beside a DuckDB file. Tables that were
built, changed or dropped by anybody else since are no longer the ones that it is of.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mlmon.last_build.sources import WatchedSource, read_contents
from mlmon.profile import Target
from mlmon.warehouse import connect, duckdb_path, text_literal

TABLE = "mlmon_last_build"


# Changes with every change of what a record holds.
_FORMAT = 1


# A DuckDB file begins with its header and two of which each checkpoint writes one anew.
_DUCKDB_HEADERS = 3 * 4096


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """A complete build, as it was when it began; ``at`` is that time, naive UTC.

    ``tables`` are those it built (schema and name), ``identity`` tells whether they are the same
    still, ``names`` are the quoted names of the package's models and seeds.
    """

    at: datetime
    has_gate: bool
    state: Mapping[str, str]
    watched: Sequence[WatchedSource]
    tables: Sequence[tuple[str, str]]
    names: Mapping[str, str]
    identity: str


def can_be_recorded(target: Target) -> bool:
    """Whether mlmon can write to a warehouse of this kind."""
    return target.kind in ("duckdb", "postgres")


def read_record(target: Target) -> BuildRecord | None:
    """The record of a target, None where there is none that can be used. Raises MlmonError."""
    if not can_be_recorded(target):
        return None
    text = _read_file(target) if target.kind == "duckdb" else _read_table(target)
    try:
        kept = json.loads(text or "{}")
        if kept.pop("format", None) != _FORMAT:
            return None
        kept["at"] = datetime.fromisoformat(kept["at"])
        kept["watched"] = [WatchedSource(**one) for one in kept["watched"]]
        kept["tables"] = [(schema, name) for schema, name in kept["tables"]]
        return BuildRecord(**kept)
    except (ValueError, TypeError, KeyError):
        return None


def delete_record(target: Target) -> None:
    """Delete the record, before a build touches the tables. Raises MlmonError where that fails."""
    if target.kind == "duckdb":
        _file(target).unlink(missing_ok=True)
    elif target.kind == "postgres":
        with connect(target, writes=True) as warehouse:
            if warehouse.rows(_is_there(target)):
                warehouse.execute(f"delete from {_table(target)}")


def write_record(target: Target, record: BuildRecord) -> None:
    """Keep a record, whole or not at all. Raises MlmonError."""
    text = json.dumps({"format": _FORMAT, **asdict(record)}, default=str)
    if target.kind == "duckdb":
        path = _file(target)
        draft = path.with_name(path.name + ".new")
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105
        return
    with connect(target, writes=True) as warehouse:
        if not warehouse.rows(_is_there(target)):
            warehouse.execute(f"create table {_table(target)} (built_at timestamp, mark text)")
        warehouse.execute(f"delete from {_table(target)}")
        warehouse.insert(_table(target), [{"built_at": record.at, "mark": text}])


def what_changed(
    target: Target, record: BuildRecord | None, state: Mapping[str, str], *, gate: bool
) -> str | None:
    """Why a build may change something, in words; None where it would not.

    ``gate`` says whether the run is one that looks at what landed. Raises MlmonError where the
    warehouse does not tell.
    """
    if record is None:
        return "no complete build is remembered"
    for part, value in state.items():
        if record.state.get(part) != value:
            return f"{part} changed"
    if gate and not record.has_gate:
        return "the gate has not seen what was built"
    if identity(target, record.tables) != record.identity:
        return "the tables are not as the last run left them"
    for one, now in zip(record.watched, read_contents(target, record.watched), strict=True):
        if one.held != now.held:
            return f"{one.name} changed"
    return None


def known_names(target: Target) -> dict[str, str]:
    """The quoted names of the package's models and seeds, by name, where there is a record; else none."""
    record = read_record(target)
    return dict(record.names) if record else {}


def identity(target: Target, tables: Iterable[tuple[str, str]]) -> str:
    """A text that changes when any of these tables is built anew, whoever does it. Raises MlmonError.

    On DuckDB it changes with every write to the file. On PostgreSQL a table into which rows were
    written is the same still; one that was replaced or truncated is not.
    """
    if target.kind == "duckdb":
        return _identity_of_file(duckdb_path(target))
    listed = sorted(tables)
    with connect(target) as warehouse:
        rows = warehouse.rows(
            "select n.nspname, c.relname, c.oid, c.relfilenode from pg_catalog.pg_class as c"
            " inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
            f" where n.nspname in ({_literals({schema for schema, _ in listed})})"
            f" and c.relname in ({_literals({name for _, name in listed})})"
        )
    found = {(row["nspname"], row["relname"]): (row["oid"], row["relfilenode"]) for row in rows}
    return _hash(json.dumps([[*table, found.get(table)] for table in listed]).encode())


def _identity_of_file(path: Path) -> str:
    log = path.with_name(path.name + ".wal")
    try:
        with path.open("rb") as opened:
            head = opened.read(_DUCKDB_HEADERS)
        return _hash(head + (log.read_bytes() if log.exists() else b""))
    except OSError:
        return ""


def _file(target: Target) -> Path:
    path = duckdb_path(target)
    return path.with_name(f"{path.name}.mlmon-last-build.json")


def _read_file(target: Target) -> str | None:
    try:
        return _file(target).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _table(target: Target) -> str:
    schema = str(target.settings.get("schema", "")).replace('"', '""')
    return f'"{schema}".{TABLE}'


def _is_there(target: Target) -> str:
    schema = text_literal(str(target.settings.get("schema", "")))
    return (
        "select 1 from information_schema.tables"
        f" where table_schema = {schema} and table_name = '{TABLE}'"
    )


def _read_table(target: Target) -> str | None:
    with connect(target) as warehouse:
        if not warehouse.rows(_is_there(target)):
            return None
        rows = warehouse.rows(f"select mark from {_table(target)}")
    return str(rows[0]["mark"]) if rows else None


def _literals(texts: Iterable[str]) -> str:
    return ", ".join(map(text_literal, sorted(texts))) or "null"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
