"""Reads the rows of a PostgreSQL query as Arrow tables, a part at a time.

By COPY, whose text Arrow parses many times faster than rows can be fetched as Python objects.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING

from mlmon.errors import MlmonError

if TYPE_CHECKING:
    import psycopg2.extensions
    import pyarrow as pa


# How much text is parsed at once; a row must fit into it.
BLOCK_BYTES = 4 << 20


def copy_tables(
    cursor: psycopg2.extensions.cursor, sql: str, kinds: Mapping[str, str], size: int
) -> Iterator[pa.Table]:
    """The rows of a query in tables of about ``size`` rows.

    ``kinds`` has the columns in the order of the query, each text, numeric, time or boolean. Raises
    what the server says. Where the reader stops early, the rest of the copy is thrown away.
    """
    import pyarrow as pa

    cursor.connection.set_client_encoding("UTF8")
    read_end, write_end = os.pipe()
    failed: list[BaseException] = []

    def copy() -> None:
        try:
            with os.fdopen(write_end, "wb") as pipe:
                cursor.copy_expert(f"copy ({sql}) to stdout (format csv, header)", pipe)
        except BrokenPipeError:
            pass
        except BaseException as error:  # noqa: BLE001 (raised again by the reader)
            failed.append(error)

    copying = threading.Thread(target=copy, name="mlmon-copy")
    copying.start()
    parts: list[pa.Table] = []
    try:
        with os.fdopen(read_end, "rb") as pipe:
            for part in _parsed(pipe, kinds):
                parts.append(part)
                if sum(len(held) for held in parts) >= size:
                    yield pa.concat_tables(parts)
                    parts = []
    finally:
        copying.join()
    if failed:
        raise failed[0]
    if parts:
        yield pa.concat_tables(parts)


def _parsed(pipe: IO[bytes], kinds: Mapping[str, str]) -> Iterator[pa.Table]:
    import pyarrow as pa
    from pyarrow import csv

    types = {
        "text": pa.string(),
        "numeric": pa.float64(),
        "time": pa.timestamp("us"),
        "boolean": pa.bool_(),
    }
    try:
        reader = csv.open_csv(
            pipe,
            # The header is read over: a file without a line is none to Arrow.
            read_options=csv.ReadOptions(
                block_size=BLOCK_BYTES, column_names=list(kinds), skip_rows=1, use_threads=False
            ),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types={name: types[kind] for name, kind in kinds.items()},
                # Only what is not quoted is NULL.
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
        for batch in reader:
            yield pa.Table.from_batches([batch])
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise MlmonError(f"PostgreSQL sent what cannot be read: {error}") from None
