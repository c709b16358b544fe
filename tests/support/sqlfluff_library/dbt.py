"""Stand-ins for dbt's own cross-database macros; see mlmon.py beside this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TYPES = {
    "type_string": "text",
    "type_timestamp": "timestamp",
    "type_bigint": "bigint",
    "type_int": "integer",
    "type_boolean": "boolean",
}


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *_, **__: TYPES.get(name, "stub_function(stub_argument)")
