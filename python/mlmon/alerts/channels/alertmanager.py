"""Prometheus' Alertmanager, API v2: an alert is known by its labels, and over when its end has come.

It groups, silences and routes by itself, so every alert is sent alone, with all that is known of it
in annotations for its templates. Severity is a label, for
routes need it: when it changes, the alert with the other one ends in the same request.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mlmon.alerts.channels import Notification, Receipt
from mlmon.alerts.channels.http import post
from mlmon.alerts.content import as_text, cut, defused_content
from mlmon.redaction import register_secret, secret

# Without an end the Alertmanager takes an alert for over after five minutes. mlmon says itself when
# it is over, so the end is far away.
OPEN_FOR = timedelta(days=365)

# The Alertmanager keeps the later of two ends unless the newer one has passed by its own clock: an
# end of "now" from a machine whose clock is a second ahead would leave the alert open for a year.
# So what is over ended a minute ago.
CLOCKS_DIFFER_BY = timedelta(minutes=1)

LONGEST_ANNOTATION = 8000


def send(notification: Notification) -> Receipt:
    url = str(notification.channel.options["url"]).rstrip("/") + "/api/v2/alerts"
    body = json.dumps(render(notification), ensure_ascii=False).encode()
    answer = post(notification, url, body, _authorization(notification))
    return Receipt(status_code=answer.status_code)


def render(notification: Notification) -> list[dict[str, Any]]:
    """The alert as it is now, and the same with the other severity as over."""
    is_over = notification.event == "resolve"
    other = "warning" if notification.severity == "critical" else "critical"
    over = notification.now - CLOCKS_DIFFER_BY
    alerts = [
        _alert(
            notification, notification.severity, over if is_over else notification.now + OPEN_FOR
        )
    ]
    if notification.event != "trigger":
        alerts.append(_alert(notification, other, over))
    return alerts


def _alert(notification: Notification, severity: str, ends_at: datetime) -> dict[str, Any]:
    content = defused_content(notification.content)
    since = content.data.get("since") or content.data.get("opened_at")
    starts_at = min(
        datetime.fromisoformat(since).replace(tzinfo=None) if since else notification.now,
        notification.now,
        ends_at,
    )
    labels = {
        "alertname": content.labels.get("rule", "mlmon"),
        "severity": severity,
        "monitor": content.labels.get("monitor", ""),
        "model_version": content.labels.get("version", ""),
        "metric": content.labels.get("metric", ""),
        "series_id": notification.series_id,
    }
    body = as_text(replace(content, links=(), commands=()), with_title=False)
    annotations = {
        "summary": cut(content.title, LONGEST_ANNOTATION),
        "description": cut(body, LONGEST_ANNOTATION),
        **{label.lower().replace(" ", "_"): text for label, text in content.commands},
        **{label.lower(): url for label, url in content.links},
    }
    found: dict[str, Any] = {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": annotations,
        "startsAt": _rfc3339(starts_at),
        "endsAt": _rfc3339(ends_at),
    }
    dashboard = dict(content.web_links).get("Dashboard")
    if dashboard:
        found["generatorURL"] = dashboard
    return found


def _authorization(notification: Notification) -> dict[str, str]:
    options = notification.channel.options
    if "token_env" in options:
        return {"Authorization": f"Bearer {secret(options['token_env'])}"}
    if "password_env" in options:
        user = str(options.get("username", ""))
        pair = base64.b64encode(f"{user}:{secret(options['password_env'])}".encode()).decode()
        register_secret(pair)
        return {"Authorization": f"Basic {pair}"}
    return {}


def _rfc3339(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
