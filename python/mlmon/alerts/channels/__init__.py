"""One module a kind of channel; each has ``send(parcel) -> Receipt`` and raises SendError.

A module renders the neutral content for its service, escapes what that service would interpret,
and cuts what it would refuse for its length.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from mlmon.alerts.channels.parcel import Parcel, Receipt


def sender(kind: str) -> Callable[[Parcel], Receipt]:
    """The function that sends for a kind of channel; what it needs is imported only now."""
    send: Callable[[Parcel], Receipt] = import_module(f"mlmon.alerts.channels.{kind}").send
    return send
