"""PagerDuty's Events API v2: one incident an alert, updated by its dedup_key and resolved."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from mlmon.alerts.channels import Notification, Receipt
from mlmon.alerts.channels.http import post
from mlmon.alerts.content import cut
from mlmon.redaction import secret

BASE_URL = "https://events.pagerduty.com"

# Limits of the service.
LONGEST_SUMMARY = 1024
LONGEST_DETAIL = 4000


def send(notification: Notification) -> Receipt:
    options = notification.channel.options
    event = {"routing_key": secret(options["routing_key_env"]), **render(notification)}
    url = str(options.get("base_url", BASE_URL)).rstrip("/") + "/v2/enqueue"
    answer = post(notification, url, json.dumps(event, ensure_ascii=False).encode(), {})
    return Receipt(str(event["dedup_key"]), answer.status_code)


def render(notification: Notification) -> dict[str, Any]:
    """The event without its routing key. The service shows its texts as they are.

    An end needs no payload; it is in the incident's log for whoever asks how long it lasted.
    """
    content = notification.content
    labels = content.labels
    details = {label: cut(text, LONGEST_DETAIL) for label, text in content.facts}
    details |= {
        heading: cut("\n".join(lines), LONGEST_DETAIL) for heading, lines in content.sections
    }
    details |= {label: cut(text, LONGEST_DETAIL) for label, text in content.commands}
    details |= {label: url for label, url in content.links if (label, url) not in content.web_links}
    if content.sparkline:
        details["Lately"] = content.sparkline
    if content.summary:
        details["Summary"] = cut(content.summary, LONGEST_DETAIL)
    return {
        "event_action": "resolve" if notification.event == "resolve" else "trigger",
        "dedup_key": f"mlmon-{notification.series_id}",
        "client": "mlmon",
        "links": [{"href": url, "text": label} for label, url in content.web_links],
        "payload": {
            "summary": cut(content.title, LONGEST_SUMMARY),
            "source": labels.get("monitor") or "mlmon",
            "severity": notification.severity
            if notification.severity in {"warning", "critical"}
            else "info",
            "timestamp": notification.now.replace(tzinfo=UTC).isoformat(),
            "component": labels.get("column", "all"),
            "group": labels.get("monitor") or "mlmon",
            "class": labels.get("metric") or labels.get("rule", ""),
            "custom_details": details,
        },
    }
