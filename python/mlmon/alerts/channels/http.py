"""One HTTP request of a channel: verified, bounded, no redirect to another host, no secret in an error.

It does not retry: that is decided in the outbox, where it survives the process.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from mlmon.alerts.channels.parcel import Parcel, SendError
from mlmon.alerts.scrubbing import scrub
from mlmon.alerts.settings import Channel, url_problems

if TYPE_CHECKING:
    import httpx

# 425 Too Early and 408 say the same as 429: later.
LATER = {408, 425, 429}
# These say that the request was not taken; after other errors of a server nobody knows.
REFUSED = {429, 503}

LONGEST_ANSWER = 65_536
LONGEST_WAIT = timedelta(days=1)
REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said."""

    status_code: int
    text: str

    def json(self) -> dict[str, Any]:
        """The object in the answer, empty where there is none."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def post(parcel: Parcel, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post a JSON body; the answer where it is 2xx, SendError otherwise."""
    import httpx

    problems = url_problems(url, parcel.channel.options)
    if problems:
        raise SendError(f"the URL is {problems[0]}", is_final=True)
    timeout = float(parcel.channel.options.get("timeout_seconds", 10.0))
    sent = {"Content-Type": "application/json", "User-Agent": "mlmon", **headers}
    try:
        with httpx.Client(
            verify=_verified(parcel.channel), timeout=timeout, follow_redirects=False
        ) as client:
            for _ in range(REDIRECTS + 1):
                answer, target = _once(client, url, body, sent)
                if target is None:
                    return _judged(answer, parcel.now)
                url = _same_host(url, target)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise SendError(_text(error)) from None
    except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise SendError(_text(error), is_ambiguous=True) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SendError(_text(error), is_final=True) from None
    raise SendError("redirected too often", is_final=True)


def retry_at(value: str | None, now: datetime) -> datetime | None:
    """The time a Retry-After header names, as seconds or as a date; at most a day from now."""
    if not value:
        return None
    text = value.strip()
    if text.isdigit():
        # No number that is longer means anything else than "not today".
        wanted = now + min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    else:
        try:
            parsed = parsedate_to_datetime(text)
        except ValueError:
            return None
        if parsed.tzinfo:
            parsed = parsed.astimezone(UTC).replace(tzinfo=None)
        wanted = min(parsed, now + LONGEST_WAIT)
    return max(wanted, now)


def _once(
    client: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[tuple[int, str, str | None], str | None]:
    """One request: status, text, Retry-After; and where it sends us, if it does."""
    with client.stream("POST", url, content=body, headers=dict(headers)) as response:
        said = b""
        for chunk in response.iter_bytes():
            said += chunk
            if len(said) > LONGEST_ANSWER:
                break
        target = response.headers.get("location") if response.is_redirect else None
        if target and response.status_code not in {307, 308}:
            raise SendError(
                f"answered {response.status_code}, a redirect that would lose the message",
                is_final=True,
                status_code=response.status_code,
            )
        text = said[:LONGEST_ANSWER].decode("utf-8", "replace")
        return (response.status_code, text, response.headers.get("retry-after")), target


def _same_host(url: str, target: str) -> str:
    wanted = urljoin(url, target)
    before, after = urlsplit(url), urlsplit(wanted)
    if (before.scheme, before.netloc) != (after.scheme, after.netloc):
        raise SendError(f"redirects to another host, {after.netloc}: refused", is_final=True)
    return wanted


def _judged(answer: tuple[int, str, str | None], now: datetime) -> Answer:
    status, text, wait = answer
    if 200 <= status < 300:
        return Answer(status, text)
    said = f"answered {status}: {scrub(text[:300])}" if text.strip() else f"answered {status}"
    if status in LATER or status >= 500:
        raise SendError(
            said,
            retry_at=retry_at(wait, now),
            is_ambiguous=status not in REFUSED,
            status_code=status,
        )
    raise SendError(said, is_final=True, status_code=status)


def _text(error: Exception) -> str:
    return scrub(f"{type(error).__name__}: {error}")


def _verified(channel: Channel) -> ssl.SSLContext:
    return tls_context(str(channel.options.get("ca_file", "")))


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
        raise SendError(f"the ca_file {ca_file} cannot be read: {error}", is_final=True) from None
