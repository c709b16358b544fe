"""The channels against real servers where there are any, and against strict ones on loopback."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from support.alertmanager import Alertmanager, alertmanager, wait_for
from support.alerts import NOW, AlertProject, calm, state
from support.loopback import Reply, Request, Service, service

HOUR = timedelta(hours=1)
HOSTILE = (
    '<!channel> <@U1> *_~|`x` <script>alert(1)</script> "q" \x1b[31m \u202e https://evil.example'
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody trusts by default."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


# --- webhook ---------------------------------------------------------------------------------


def test_a_webhook_is_signed_so_that_its_receiver_can_check_it(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    duckdb_alerts.channels(
        {"hook": {"kind": "webhook", "url": hook.url, "secret_env": "KEY", "token_env": "TOKEN"}}
    )
    duckdb_alerts.states(state())
    assert duckdb_alerts.send(KEY="k3y", TOKEN="t0ken").exit_code == 0
    [request] = hook.received
    at, _, signed = request.headers["mlmon-signature"].partition(",v1=")
    text = at.removeprefix("t=").encode() + b"." + request.body
    assert signed == hmac.new(b"k3y", text, hashlib.sha256).hexdigest()
    assert int(at.removeprefix("t=")) == int(NOW.replace(tzinfo=UTC).timestamp())
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.json["labels"]["monitor"] == "churn"


@pytest.mark.parametrize(("trusts", "name", "code"), [
    (True, "127.0.0.1", 0), (False, "127.0.0.1", 75), (True, "other.example", 75),
])  # fmt: skip
def test_a_certificate_is_verified(
    duckdb_alerts: AlertProject,
    authority: trustme.CA,
    ca_file: str,
    trusts: bool,
    name: str,
    code: int,
) -> None:
    with service(server_context(authority, name)) as safe:
        options = {"ca_file": ca_file} if trusts else {}
        duckdb_alerts.channels({"hook": {"kind": "webhook", "url": safe.url, **options}})
        duckdb_alerts.states(state())
        assert duckdb_alerts.send().exit_code == code
        assert len(safe.received) == (1 if code == 0 else 0)


# --- PagerDuty -------------------------------------------------------------------------------


def test_pagerduty_has_one_incident_an_alert_and_closes_it(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    hook.answers(Reply(202, body=b'{"status": "success"}'))
    duckdb_alerts.channels(
        {"hook": {"kind": "pagerduty", "base_url": hook.url, "routing_key_env": "ROUTE"}}
    )
    duckdb_alerts.states(state())
    duckdb_alerts.send(ROUTE="r0ute")
    duckdb_alerts.states(state(severity="critical"))
    duckdb_alerts.send(ROUTE="r0ute")
    duckdb_alerts.states(calm())
    assert duckdb_alerts.send(ROUTE="r0ute").exit_code == 0
    sent = [request.json for request in hook.received]
    assert {request.path for request in hook.received} == {"/v2/enqueue"}
    assert [event["event_action"] for event in sent] == ["trigger", "trigger", "resolve"]
    assert {event["dedup_key"] for event in sent} == {f"mlmon-{state()['series_id']}"}
    assert {event["routing_key"] for event in sent} == {"r0ute"}
    assert [event["payload"]["severity"] for event in sent[:2]] == ["warning", "critical"]


# --- Slack -----------------------------------------------------------------------------------


@dataclass
class Slack:
    """What the parts of Slack's Web API that a bot needs do, and what a channel then looks like."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, request: Request, _: int) -> Reply:
        import json

        if request.headers.get("authorization") != "Bearer xoxb-right":
            return Reply(body=b'{"ok": false, "error": "invalid_auth"}')
        body = request.json
        if request.path == "/api/chat.update":
            if body["ts"] not in self.messages or body["channel"] != "C1":
                return Reply(body=b'{"ok": false, "error": "message_not_found"}')
            self.messages[body["ts"]] |= body
            return Reply(body=json.dumps({"ok": True, "ts": body["ts"]}).encode())
        stamp = f"17000000{len(self.messages):02}.000100"
        self.messages[stamp] = body
        return Reply(body=json.dumps({"ok": True, "channel": "C1", "ts": stamp}).encode())


def test_a_slack_bot_answers_in_the_thread_and_marks_the_first_message_as_over(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    slack = Slack()
    hook.behaviour = slack
    options = {"kind": "slack", "token_env": "BOT", "channel": "#ml", "base_url": hook.url}
    duckdb_alerts.channels({"hook": options})
    for row in (state(), state(severity="critical"), calm(), state(cooldown_minutes=0)):
        duckdb_alerts.states(row)
        assert duckdb_alerts.send(BOT="xoxb-right").exit_code == 0
    first, worse, over, again = slack.messages.values()
    assert "thread_ts" not in first
    assert worse["thread_ts"] == over["thread_ts"] == next(iter(slack.messages))
    assert worse["reply_broadcast"] is True
    assert first["text"].startswith("Resolved: churn v2")
    assert "thread_ts" not in again


@pytest.mark.parametrize(
    ("error", "code"), [("invalid_auth", 3), ("channel_not_found", 3), ("internal_error", 75)]
)
def test_slack_says_in_its_answer_whether_it_helps_to_try_again(
    duckdb_alerts: AlertProject, hook: Service, error: str, code: int
) -> None:
    hook.answers(Reply(body=b'{"ok": false, "error": "%s"}' % error.encode()))
    options = {"kind": "slack", "token_env": "BOT", "channel": "#ml", "base_url": hook.url}
    duckdb_alerts.channels({"hook": options})
    duckdb_alerts.states(state())
    assert duckdb_alerts.send(BOT="xoxb-1").exit_code == code


def texts(block: Any) -> Iterator[dict[str, Any]]:
    """Every text object of Slack's blocks."""
    if isinstance(block, dict):
        if isinstance(block.get("text"), str):
            yield block
        for value in block.values():
            yield from texts(value)
    elif isinstance(block, list):
        for value in block:
            yield from texts(value)


def test_nothing_in_a_value_pings_or_formats_in_slack(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "slack", "webhook_url_env": "URL"}})
    duckdb_alerts.states(state(segment_name="city", segment_value=HOSTILE, reason=HOSTILE))
    assert duckdb_alerts.send(URL=hook.url + "/services/T0/B0/s3cr3t").exit_code == 0
    [request] = hook.received
    message = request.json
    assert "<" not in message["text"]
    assert message["mrkdwn"] is False
    kinds = {text["type"] for text in texts(message["blocks"])}
    assert kinds == {"plain_text", "text"}
    assert all(len(text["text"]) <= 3000 for text in texts(message["blocks"]))
    assert b"\x1b" not in request.body
    assert "\u202e" not in request.body.decode()


def test_slacks_limits_are_kept(duckdb_alerts: AlertProject, hook: Service) -> None:
    duckdb_alerts.channels({"hook": {"kind": "slack", "webhook_url_env": "URL"}})
    huge = "long words " * 9000
    duckdb_alerts.states(state(column_name=huge, segment_name="city", segment_value=huge,
                               reason=huge, owner=huge, immediate_action=huge))  # fmt: skip
    assert duckdb_alerts.send(URL=hook.url).exit_code == 0
    blocks = hook.received[0].json["blocks"]
    assert len(blocks) <= 50
    assert len(blocks[0]["text"]["text"]) <= 150
    for block in blocks:
        assert len(block.get("fields", [])) <= 10
        assert all(len(one["text"]) <= 2000 for one in block.get("fields", []))


# --- mail ------------------------------------------------------------------------------------


@dataclass
class Mailbox:
    """What an SMTP server took; ``reply`` is its answer to a message."""

    taken: list[bytes] = field(default_factory=list)
    peers: list[Any] = field(default_factory=list)
    reply: str = "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.reply.startswith("250"):
            self.taken.append(envelope.content)
            self.peers.append((session.authenticated, session.ssl is not None))
        return self.reply

    @property
    def mails(self) -> list[Any]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.taken]


class Server(Controller):
    """aiosmtpd that takes a message only over TLS and after a login."""

    def __init__(self, mailbox: Mailbox, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__(mailbox, hostname="127.0.0.1", port=0)

    def factory(self) -> SMTP:
        def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
            is_right = (data.login, data.password) == (b"mlmon", b"p4ssw0rd-of-mail")
            return AuthResult(success=is_right, handled=False)

        return SMTP(
            self.handler,
            hostname="127.0.0.1",
            tls_context=self.context,
            require_starttls=True,
            auth_required=True,
            authenticator=check,
            loop=self.loop,
        )

    def _trigger_server(self) -> None:
        # The base class would try port 0; which one it is, is known only now.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mail(authority: trustme.CA) -> Iterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    server = Server(mailbox, server_context(authority))
    server.start()
    try:
        yield mailbox, server.port
    finally:
        server.stop()


LOGIN = {"MAIL_USER": "mlmon", "MAIL_PASSWORD": "p4ssw0rd-of-mail"}


def mail_channel(port: int, **options: Any) -> dict[str, Any]:
    return {
        "hook": {
            "kind": "email",
            "host": "127.0.0.1",
            "port": port,
            "from": "mlmon <mlmon@example.org>",
            "to": ["ML on call <oncall@example.org>", "second@example.org"],
            "username_env": "MAIL_USER",
            "password_env": "MAIL_PASSWORD",
            **options,
        }
    }


def test_mail_is_sent_over_verified_tls_with_a_login_and_keeps_its_thread(
    duckdb_alerts: AlertProject, mail: tuple[Mailbox, int], ca_file: str
) -> None:
    mailbox, port = mail
    duckdb_alerts.channels(mail_channel(port, ca_file=ca_file))
    for row in (state(), state(severity="critical"), calm()):
        duckdb_alerts.states(row)
        assert duckdb_alerts.send(**LOGIN).exit_code == 0
    assert mailbox.peers == [(True, True)] * 3
    first, worse, over = mailbox.mails
    [key] = duckdb_alerts.outbox().query("seq == 1")["delivery_key"]
    assert first["Message-ID"] == f"<{key}@mlmon.example.org>"
    assert worse["In-Reply-To"] == over["References"] == first["Message-ID"]
    assert first["Subject"] == "WARNING: churn v2, drift share: 0.25 (limit >= 0.1)"
    assert over["Subject"].startswith("Resolved: churn v2")
    assert (first["Importance"], worse["Importance"]) == (None, "high")
    plain, html = first.get_body(("plain",)), first.get_body(("html",))
    assert "Acknowledge: mlmon alerts ack 000000000000" in plain.get_content()
    assert '<a href="https://wiki.example/drift_share">' in html.get_content()


def test_mail_is_not_sent_to_a_server_that_cannot_prove_who_it_is(
    duckdb_alerts: AlertProject, mail: tuple[Mailbox, int]
) -> None:
    mailbox, port = mail
    duckdb_alerts.channels(mail_channel(port))
    duckdb_alerts.states(state())
    assert duckdb_alerts.send(**LOGIN).exit_code == 75
    assert mailbox.taken == []
    assert "CERTIFICATE_VERIFY_FAILED" in duckdb_alerts.outbox()["last_error"][0]


@pytest.mark.parametrize(
    ("reply", "code"), [("451 later", 75), ("552 too big", 3), ("554 never", 3)]
)
def test_an_smtp_answer_says_whether_it_helps_to_try_again(
    duckdb_alerts: AlertProject, mail: tuple[Mailbox, int], ca_file: str, reply: str, code: int
) -> None:
    mailbox, port = mail
    mailbox.reply = reply
    duckdb_alerts.channels(mail_channel(port, ca_file=ca_file))
    duckdb_alerts.states(state())
    assert duckdb_alerts.send(**LOGIN).exit_code == code
    mailbox.reply = "250 OK"
    if code == 75:
        assert duckdb_alerts.send(now=NOW + HOUR, **LOGIN).exit_code == 0
        assert len(mailbox.taken) == 1


def test_a_wrong_mail_password_is_refused_for_good_and_not_shown(
    duckdb_alerts: AlertProject, mail: tuple[Mailbox, int], ca_file: str
) -> None:
    _, port = mail
    duckdb_alerts.channels(mail_channel(port, ca_file=ca_file))
    duckdb_alerts.states(state())
    result = duckdb_alerts.send(MAIL_USER="mlmon", MAIL_PASSWORD="wr0ng-p4ssw0rd")
    assert result.exit_code == 3
    assert "wr0ng-p4ssw0rd" not in result.output


def test_nothing_in_a_value_becomes_html_or_a_header(
    duckdb_alerts: AlertProject, mail: tuple[Mailbox, int], ca_file: str
) -> None:
    mailbox, port = mail
    duckdb_alerts.channels(mail_channel(port, ca_file=ca_file))
    value = HOSTILE + "\r\nBcc: thief@evil.example"
    duckdb_alerts.states(state(segment_name="city", segment_value=value, reason=value))
    assert duckdb_alerts.send(**LOGIN).exit_code == 0
    [mailed] = mailbox.mails
    assert mailed["Bcc"] is None
    html = mailed.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert '<a href="https://evil' not in html


# --- Alertmanager ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told() -> Iterator[Service]:
    """What the Alertmanager tells."""
    with service() as running:
        yield running


@pytest.fixture(scope="module")
def manager(told: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), told.url) as running:
        yield running


def test_the_alertmanager_groups_our_alerts_and_hears_when_they_are_over(
    duckdb_alerts: AlertProject, manager: Alertmanager, told: Service
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "alertmanager", "url": manager.url}})
    # By the real clock, on which the Alertmanager runs.
    now = datetime.now(UTC).replace(tzinfo=None)
    fresh = {"max_age_minutes": 0, "since_window_end": now - HOUR}
    duckdb_alerts.states(*[state(number, **fresh) for number in (1, 2)],
                         state(3, monitor="other", **fresh))  # fmt: skip
    assert duckdb_alerts.send(now=now).exit_code == 0
    found = manager.alerts()
    assert {(alert["labels"]["alertname"], alert["labels"]["severity"]) for alert in found} == {
        ("drift_share", "warning")
    }
    assert len(found) == 3
    assert all(alert["endsAt"] > (now + timedelta(days=300)).isoformat() for alert in found)
    assert sorted(len(group["alerts"]) for group in manager.groups()) == [1, 2]
    assert found[0]["annotations"]["summary"].startswith("WARNING: ")

    # Worse: the alert with the milder severity is over in the same moment.
    duckdb_alerts.states(
        state(1, severity="critical", **fresh),
        state(2, **fresh),
        state(3, monitor="other", **fresh),
    )
    assert duckdb_alerts.send(now=now).exit_code == 0
    severities = sorted(alert["labels"]["severity"] for alert in manager.alerts())
    assert severities == ["critical", "warning", "warning"]

    duckdb_alerts.states(*[calm(number) for number in (1, 2)], calm(3, monitor="other"))
    # The clock of the machine that sends may be ahead of the Alertmanager's.
    assert duckdb_alerts.send(now=now + timedelta(seconds=50)).exit_code == 0
    wait_for(lambda: manager.alerts() == [], seconds=20)
    wait_for(lambda: {request.json["status"] for request in told.received} >= {"resolved"})
    over = {
        alert["labels"]["series_id"]
        for request in told.received
        for alert in request.json["alerts"]
        if alert["status"] == "resolved"
    }
    wait_for(lambda: len(over) > 0)
    assert over <= {state(number)["series_id"] for number in (1, 2, 3)}


def test_an_alert_whose_rule_is_gone_ends_in_the_alertmanager_too(
    duckdb_alerts: AlertProject, manager: Alertmanager
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "alertmanager", "url": manager.url}})
    now = datetime.now(UTC).replace(tzinfo=None)
    duckdb_alerts.states(state(9, max_age_minutes=0, monitor="gone"))
    duckdb_alerts.send(now=now)
    mine = [alert for alert in manager.alerts() if alert["labels"]["monitor"] == "gone"]
    assert len(mine) == 1
    duckdb_alerts.states()
    assert duckdb_alerts.send(now=now).exit_code == 0
    wait_for(lambda: all(a["labels"]["monitor"] != "gone" for a in manager.alerts()))


def test_nothing_in_a_value_calls_anybody_through_a_template_or_another_service(
    duckdb_alerts: AlertProject, manager: Alertmanager, hook: Service
) -> None:
    """Templates of the Alertmanager and services behind Apprise interpret what they are given."""
    value = HOSTILE + (
        " <@U1> <!here> @everyone @Channel a@all.example [Runbook](https://evil.example/a)"
        " ![x](https://evil.example/b) [y][z] http://evil.example www.evil.example"
        " mailto:a@evil.example tg://evil"
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    duckdb_alerts.channels({
        "hook": {"kind": "alertmanager", "url": manager.url},
        "other": {"kind": "apprise", "url_env": "URL"},
    })  # fmt: skip
    duckdb_alerts.states(
        state(7, max_age_minutes=0, monitor="mean", segment_name="city", segment_value=value,
              reason=value, channels="hook;other", condition="<0.8", owner=value,
              rule_id=value[:50], model_version=value[-60:])
    )  # fmt: skip
    url = hook.url.replace("http://", "json://") + "/path"
    assert duckdb_alerts.send(now=now, URL=url).exit_code == 0
    [mine] = [alert for alert in manager.alerts() if alert["labels"]["monitor"] == "mean"]
    [other] = [request.json for request in hook.received]
    live = r"<[!@a-z/]|@\w|\]\(|\]\[|\w://|www\.|mailto:\w"
    own = {"https://wiki.example/drift_share", "https://bi.example/churn"}
    annotations, labels = mine["annotations"], mine["labels"]
    assert annotations.pop("runbook") in own
    for said in [*annotations.values(), *labels.values(), other["title"], other["message"]]:
        for link in own:
            said = said.replace(link, "")
        assert not re.search(live, said), said
    assert "< !channel>" in labels["alertname"]
    for texts_said in (
        [annotations["summary"], annotations["description"]],
        [other["title"], other["message"]],
    ):
        assert all("< !channel>" in said for said in texts_said)
        assert "limit < 0.8" in texts_said[1]
    # What the project itself configures is a link still.
    assert "Runbook: https://wiki.example/drift_share" in other["message"]


# --- Apprise ---------------------------------------------------------------------------------


def test_other_services_are_told_through_apprise(
    duckdb_alerts: AlertProject, hook: Service
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "apprise", "url_env": "URL"}})
    url = hook.url.replace("http://", "json://") + "/path"
    duckdb_alerts.states(state())
    assert duckdb_alerts.send(URL=url).exit_code == 0
    said = hook.received[0].json
    assert said["title"].startswith("WARNING: churn v2")
    assert said["type"] == "warning"
    hook.answers(Reply(500))
    duckdb_alerts.states(calm())
    assert duckdb_alerts.send(URL=url).exit_code == 75


def test_a_url_that_apprise_does_not_know_is_refused_for_good(
    duckdb_alerts: AlertProject,
) -> None:
    duckdb_alerts.channels({"hook": {"kind": "apprise", "url_env": "URL"}})
    duckdb_alerts.states(state())
    assert duckdb_alerts.send(URL="nonsense://c4n4ry-c4n4ry").exit_code == 3


# --- console ---------------------------------------------------------------------------------


def test_the_console_shows_no_escape_sequence_of_a_value(duckdb_alerts: AlertProject) -> None:
    duckdb_alerts.states(
        state(channels="console", segment_name="city", segment_value=HOSTILE, reason=HOSTILE)
    )
    result = duckdb_alerts.send()
    assert result.exit_code == 0
    assert "WARNING: churn v2, drift share at city = <!channel>" in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
