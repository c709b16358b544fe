"""Slack: an incoming webhook, or a bot that answers in a thread and marks the first message as over.

Whatever comes out of a log stands in plain_text objects or preformatted rich text, where Slack
interprets nothing: no name, channel or link in a value pings or leads anywhere.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from mlmon.alerts.channels import Notification, Receipt, SendError
from mlmon.alerts.channels.http import Answer, post
from mlmon.alerts.content import Content, cut
from mlmon.redaction import redact, secret

BASE_URL = "https://slack.com"

# Limits of the service.
LONGEST_HEADER = 150
LONGEST_TEXT = 3000
LONGEST_FIELD = 2000
LONGEST_URL = 3000
MOST_FIELDS = 10

# Errors in an answer of 200 after which trying again may help.
PASSING = {
    "fatal_error",
    "internal_error",
    "ratelimited",
    "rate_limited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
}
# How an update says that there is nothing left to update.
GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}


def send(notification: Notification) -> Receipt:
    options = notification.channel.options
    message = render(notification.content)
    if "webhook_url_env" in options:
        answer = post(notification, _webhook(notification), _body(message), {})
        return Receipt(status_code=answer.status_code)
    about = {"event_type": "mlmon_alert", "event_payload": {"delivery_key": notification.key}}
    message["metadata"] = about
    thread = notification.thread
    if thread and notification.event == "resolve":
        # First the update, which may be repeated: what fails after it is tried again as a whole.
        # The id of the channel, which an update needs, is in what the first message returned.
        where, _, stamp = thread.partition("/")
        _call(notification, "chat.update", {"channel": where, "ts": stamp, **message}, allowed=GONE)
    target = {"channel": str(options["channel"]), **message}
    if thread:
        where, _, stamp = thread.partition("/")
        target |= {"channel": where, "thread_ts": stamp}
        # What becomes worse, or is over, is shown to all of the channel.
        target["reply_broadcast"] = notification.event == "escalate"
    answer = _call(notification, "chat.postMessage", target)
    said = answer.json()
    is_named = isinstance(said.get("channel"), str) and isinstance(said.get("ts"), str)
    return Receipt(f"{said['channel']}/{said['ts']}" if is_named else None, answer.status_code)


def render(content: Content) -> dict[str, Any]:
    """The message: blocks, and a text for notifications and small screens."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(content.title, LONGEST_HEADER)}
    ]
    if len(content.title) > LONGEST_HEADER:
        blocks.append(_section(content.title))
    if content.summary:
        blocks.append(_section(content.summary))
    facts = [*content.facts, *([("Lately", content.sparkline)] if content.sparkline else [])]
    for start in range(0, len(facts), MOST_FIELDS):
        fields = [
            _plain(f"{label}\n{text}", LONGEST_FIELD)
            for label, text in facts[start : start + MOST_FIELDS]
        ]
        blocks.append({"type": "section", "fields": fields})
    for heading, lines in content.sections:
        blocks.append(_section("\n".join([heading, *(f"• {line}" for line in lines)])))
    for label, text in content.commands:
        blocks.append(_literal(label, text))
    for label, url in content.links:
        if (label, url) not in content.web_links:
            blocks.append(_section(f"{label}: {url}"))
    buttons = [
        {"type": "button", "text": _plain(label, 75), "url": url, "action_id": label}
        for label, url in content.web_links
        if len(url) <= LONGEST_URL
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {
        "text": escape(cut(content.title, LONGEST_TEXT)),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks[:50],
    }


def escape(text: str) -> str:
    """A text in which Slack finds no mention, channel or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(text, longest), "emoji": False}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, LONGEST_TEXT)}


def _literal(label: str, text: str) -> dict[str, Any]:
    """A label and a text to copy, in which nothing is interpreted."""
    return {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": label, "style": {"bold": True}}],
            },
            {
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": cut(text, LONGEST_TEXT)}],
            },
        ],
    }


def _webhook(notification: Notification) -> str:
    return secret(str(notification.channel.options["webhook_url_env"]))


def _body(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()


def _call(
    notification: Notification,
    method: str,
    message: dict[str, Any],
    allowed: set[str] | None = None,
) -> Answer:
    """A method of the Web API; its errors come with the status 200."""
    options = notification.channel.options
    base = str(options.get("base_url", BASE_URL)).rstrip("/")
    headers = {"Authorization": f"Bearer {secret(str(options['token_env']))}"}
    answer = post(notification, f"{base}/api/{quote(method)}", _body(message), headers)
    said = answer.json()
    error = said.get("error")
    if said.get("ok") is True or error in (allowed or set()):
        return answer
    if said.get("ok") is not False or not isinstance(error, str):
        # 200, and not in Slack's words: perhaps of something in between.
        raise SendError(
            f"{method}: no answer of Slack", is_ambiguous=True, status_code=answer.status_code
        )
    raise SendError(
        redact(f"{method}: {error[:300]}"),
        is_final=error not in PASSING,
        status_code=answer.status_code,
    )
