"""The console: the message as text on the standard output."""

from __future__ import annotations

import sys

from mlmon.alerts.channels.parcel import Parcel, Receipt
from mlmon.alerts.render import as_text


def send(parcel: Parcel) -> Receipt:
    sys.stdout.write(as_text(parcel.content) + "\n\n")
    sys.stdout.flush()
    return Receipt()
