"""A webhook of your own: the neutral content as JSON, signed, with an Idempotency-Key.

The receiver checks ``Mlmon-Signature: t=<unix seconds>,v1=<hex>``, an HMAC-SHA256 with the shared
secret over the text ``<t>.<body>``, and drops what it has seen the Idempotency-Key of.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC
from typing import Any

from mlmon.alerts.channels.http import post
from mlmon.alerts.channels.parcel import Parcel, Receipt
from mlmon.alerts.content import Content, shrunk
from mlmon.alerts.scrubbing import secret

MAX_BYTES = 65_536


def send(parcel: Parcel) -> Receipt:
    options = parcel.channel.options
    url = secret(options["url_env"]) if "url_env" in options else str(options["url"])
    body = render(parcel, int(options.get("max_bytes", MAX_BYTES)))
    headers = {"Idempotency-Key": parcel.key}
    if "secret_env" in options:
        at = int(parcel.now.replace(tzinfo=UTC).timestamp())
        headers["Mlmon-Signature"] = signature(secret(options["secret_env"]), at, body)
    if "token_env" in options:
        headers["Authorization"] = f"Bearer {secret(options['token_env'])}"
    answer = post(parcel, url, body, headers)
    return Receipt(status_code=answer.status_code)


def signature(key: str, at: int, body: bytes) -> str:
    """The value of Mlmon-Signature for a body sent at a Unix time."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()}"


def render(parcel: Parcel, max_bytes: int) -> bytes:
    """The body, with as much of the content as fits."""
    body = b""
    for content in shrunk(parcel.content):
        body = json.dumps(_object(parcel, content), ensure_ascii=False).encode()
        if len(body) <= max_bytes:
            break
    return body


def _object(parcel: Parcel, content: Content) -> dict[str, Any]:
    return {
        "delivery_key": parcel.key,
        "series_id": parcel.series_id,
        "event": parcel.event,
        "severity": parcel.severity,
        **content.as_dict(),
    }
