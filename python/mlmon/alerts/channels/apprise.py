"""Every other service, through Apprise (``pip install 'mlmon[apprise]'``): title and text.

Apprise says only whether it worked, not why; so what failed is tried again.
"""

from __future__ import annotations

from mlmon.alerts.channels.parcel import Parcel, Receipt, SendError
from mlmon.alerts.content import harmless
from mlmon.alerts.render import as_text
from mlmon.alerts.scrubbing import secret


def send(parcel: Parcel) -> Receipt:
    try:
        import apprise
    except ModuleNotFoundError:
        raise SendError(
            "Apprise is not installed: pip install 'mlmon[apprise]'", is_final=True
        ) from None

    service = apprise.Apprise()
    if not service.add(secret(str(parcel.channel.options["url_env"]))):
        raise SendError("Apprise does not know the URL of this channel", is_final=True)
    is_sent = service.notify(
        title=harmless(parcel.content.title),
        body=harmless(as_text(parcel.content, with_title=False)),
        notify_type=_kind(parcel),
        body_format=apprise.NotifyFormat.TEXT,
    )
    if not is_sent:
        raise SendError("Apprise could not send it", is_ambiguous=True)
    return Receipt()


def _kind(parcel: Parcel) -> str:
    if parcel.event == "resolve":
        return "success"
    return "failure" if parcel.severity == "critical" else "warning"
