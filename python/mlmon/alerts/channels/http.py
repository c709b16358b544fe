"""One HTTP request of a channel: verified, bounded, never to another host; and what its answer means.

It does not retry: that is decided in the outbox, where it survives the process.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from mlmon.alerts.channels import LOOPBACK, Notification, SendError, url_problems
from mlmon.redaction import redact

if TYPE_CHECKING:
    import httpx

# 425 Too Early and 408 say the same as 429: later. 407 is from a proxy, not from the service.
LATER = {407, 408, 425, 429}
# These say that the request was not taken; after other errors of a server nobody knows.
NOT_TAKEN = {407, 429, 503}

LONGEST_ANSWER = 65_536
LONGEST_WAIT = timedelta(days=1)
MAX_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said."""

    status_code: int
    text: str
    retry_after: str | None = None
    redirects_to: str | None = None

    def json(self) -> dict[str, Any]:
        """The object in the answer, empty where there is none."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def post(notification: Notification, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post a JSON body; the answer where it is 2xx, SendError otherwise."""
    import httpx

    options = notification.channel.options
    problems = url_problems(url, options)
    if problems:
        raise SendError(f"the URL is {problems[0]}")
    sent = {
        "Content-Type": "application/json",
        "User-Agent": "mlmon",
        "Accept-Encoding": "identity",
        **headers,
    }
    try:
        with httpx.Client(
            verify=tls_context(str(options.get("ca_file", ""))),
            timeout=float(options.get("timeout_seconds", 10.0)),
            # Proxies of the environment are for other hosts.
            trust_env=urlsplit(url).hostname not in LOOPBACK,
        ) as client:
            for _ in range(MAX_REDIRECTS + 1):
                answer = _request(client, url, body, sent)
                if answer.redirects_to is None:
                    return _accepted(answer, notification.now)
                url = _redirected(url, answer)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise SendError(_text(error)) from None
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        # These quote headers and URLs.
        raise SendError(type(error).__name__) from None
    except httpx.HTTPError as error:
        raise SendError(_text(error), is_ambiguous=True) from None
    raise SendError("redirected too often", is_final=True)


def _request(client: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    import httpx

    with client.stream("POST", url, content=body, headers=dict(headers)) as response:
        said = b""
        # The status says what became of the message, also where the rest cannot be read.
        with suppress(httpx.DecodingError):
            for chunk in response.iter_bytes():
                said += chunk
                if len(said) > LONGEST_ANSWER:
                    break
        return Answer(
            response.status_code,
            said[:LONGEST_ANSWER].decode("utf-8", "replace"),
            response.headers.get("retry-after"),
            response.headers.get("location") if response.is_redirect else None,
        )


def _redirected(url: str, answer: Answer) -> str:
    """The URL that a redirect leads to, on the same host and with the same body."""
    if answer.status_code not in {307, 308}:
        raise SendError(
            f"answered {answer.status_code}, a redirect that would lose the message",
            is_final=True,
            status_code=answer.status_code,
        )
    wanted = urljoin(url, answer.redirects_to or "")
    before, after = urlsplit(url), urlsplit(wanted)
    if (before.scheme, before.netloc) != (after.scheme, after.netloc):
        raise SendError(f"redirects to another host, {after.netloc}: refused", is_final=True)
    return wanted


def _accepted(answer: Answer, now: datetime) -> Answer:
    """The answer where it says that the message was taken; SendError with what follows otherwise."""
    status = answer.status_code
    if 200 <= status < 300:
        return answer
    said = f"answered {status}"
    if answer.text.strip():
        said += f": {redact(answer.text[:300])}"
    if status in LATER or status >= 500:
        raise SendError(
            said,
            retry_at=retry_at(answer.retry_after, now),
            is_ambiguous=status not in NOT_TAKEN,
            status_code=status,
        )
    raise SendError(said, is_final=True, status_code=status)


def retry_at(value: str | None, now: datetime) -> datetime | None:
    """The time a Retry-After header names, as seconds or as a date; at most a day from now."""
    if not value:
        return None
    text = value.strip()
    try:
        # No number that is longer means anything else than "not today".
        wanted = now + timedelta(seconds=int(text[:9]))
    except ValueError:
        try:
            wanted = parsedate_to_datetime(text)
            if wanted.tzinfo:
                wanted = wanted.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return max(min(wanted, now + LONGEST_WAIT), now)


def _text(error: Exception) -> str:
    return redact(f"{type(error).__name__}: {error}")


@lru_cache
def tls_context(ca_file: str) -> ssl.SSLContext:
    """A context that verifies certificate and host name, by the usual authorities or by a file.

    Raises SendError where the file cannot be read.
    """
    if not ca_file:
        import httpx

        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SendError(f"the ca_file {ca_file} cannot be read: {error}") from None
