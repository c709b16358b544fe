"""Mail by SMTP: verified TLS, a plain and an HTML part, one thread an episode, a fixed Message-ID."""

from __future__ import annotations

import re
import smtplib
import ssl
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from mlmon.alerts.channels import Notification, Receipt, SendError
from mlmon.alerts.channels.http import tls_context
from mlmon.alerts.content import as_html, as_text, cut
from mlmon.redaction import redact, register_secret, secret, variable

PORTS = {"starttls": 587, "tls": 465, "none": 25}
LONGEST_SUBJECT = 200


def send(notification: Notification) -> Receipt:
    message = render(notification)
    is_handed_over = False
    try:
        server = _connected(notification)
        try:
            _log_in(notification, server)
            is_handed_over = True
            refused = server.send_message(message)
        finally:
            _leave(server)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refused(min(codes), f"no recipient was accepted: {error.recipients}") from None
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise _refused(error.smtp_code, text) from None
    except (smtplib.SMTPException, OSError) as error:
        # Once it was handed over nobody knows how far it came.
        text = redact(f"{type(error).__name__}: {error}")
        raise SendError(text, is_ambiguous=is_handed_over) from None
    note = f"not accepted for {', '.join(sorted(refused))}" if refused else ""
    return Receipt(message["Message-ID"], 250, note)


def render(notification: Notification) -> EmailMessage:
    """The mail. Its Message-ID stays the same however often it is tried."""
    options, content = notification.channel.options, notification.content
    message = EmailMessage()
    message["Subject"] = cut(" ".join(content.title.split()), LONGEST_SUBJECT)
    message["From"] = _address(str(options["from"]))
    message["To"] = [_address(text) for text in options["to"]]
    message["Date"] = format_datetime(notification.now.replace(tzinfo=UTC))
    domain = parseaddr(str(options["from"]))[1].rpartition("@")[2]
    message["Message-ID"] = f"<{notification.key}@mlmon.{domain}>"
    if notification.thread:
        message["In-Reply-To"] = notification.thread
        message["References"] = notification.thread
    if notification.severity == "critical" and notification.event != "resolve":
        message["Importance"] = "high"
    # No robot answers to this.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(as_text(content))
    message.add_alternative(as_html(content), subtype="html")
    return message


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise SendError(f"{text!r} is no address")
    return Address(name, addr_spec=address)


def _connected(notification: Notification) -> smtplib.SMTP:
    options = notification.channel.options
    security = str(options.get("security", "starttls"))
    host, port = str(options["host"]), int(options.get("port", PORTS[security]))
    timeout = float(options.get("timeout_seconds", 20.0))
    context = tls_context(str(options.get("ca_file", "")))
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    server = smtplib.SMTP(host, port, timeout=timeout)
    if security == "starttls":
        try:
            server.starttls(context=context)
        except (smtplib.SMTPException, ssl.SSLError, OSError):
            server.close()
            raise
    return server


def _log_in(notification: Notification, server: smtplib.SMTP) -> None:
    options = notification.channel.options
    if "username_env" not in options:
        return
    user, password = variable(options["username_env"]), secret(options["password_env"])
    # The form in which AUTH PLAIN repeats them.
    register_secret(f"\0{user}\0{password}")
    server.login(user, password)


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye; whether that is heard does not matter any more."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def _refused(code: int, said: str) -> SendError:
    text = redact(f"answered {code}: {said[:300]}")
    return SendError(text, is_final=code >= 500, status_code=code)
