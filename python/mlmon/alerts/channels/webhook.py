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

from mlmon.alerts.channels import Notification, Receipt
from mlmon.alerts.channels.http import post
from mlmon.alerts.content import Content, shortened
from mlmon.redaction import secret

MAX_BYTES = 65_536


def send(notification: Notification) -> Receipt:
    options = notification.channel.options
    url = secret(options["url_env"]) if "url_env" in options else str(options["url"])
    body = render(notification, int(options.get("max_bytes", MAX_BYTES)))
    headers = {"Idempotency-Key": notification.key}
    if "secret_env" in options:
        at = int(notification.now.replace(tzinfo=UTC).timestamp())
        headers["Mlmon-Signature"] = signature(secret(options["secret_env"]), at, body)
    if "token_env" in options:
        headers["Authorization"] = f"Bearer {secret(options['token_env'])}"
    answer = post(notification, url, body, headers)
    return Receipt(status_code=answer.status_code)


def signature(key: str, at: int, body: bytes) -> str:
    """The value of Mlmon-Signature for a body sent at a Unix time."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()}"


def render(notification: Notification, max_bytes: int) -> bytes:
    """The body, with as much of the content as fits."""
    body = b""
    for content in shortened(notification.content):
        body = json.dumps(_object(notification, content), ensure_ascii=False).encode()
        if len(body) <= max_bytes:
            break
    return body


def _object(notification: Notification, content: Content) -> dict[str, Any]:
    return {
        "delivery_key": notification.key,
        "series_id": notification.series_id,
        "event": notification.event,
        "severity": notification.severity,
        **content.as_dict(),
    }
