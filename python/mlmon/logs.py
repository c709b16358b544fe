"""What commands say while they work: JSON lines where nobody watches, readable lines where
somebody does. On the error stream, so that the console channel keeps the output for itself.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from mlmon.redaction import redact, redact_all

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger


# These repeat URLs, which may be secrets.
TALKATIVE = ("httpx", "httpcore", "apprise", "urllib3", "requests")


def start_logging(run_id: str) -> FilteringBoundLogger:
    """A logger that is bound to a run and hides secrets."""
    import structlog

    for name in TALKATIVE:
        # Their children inherit the level.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    is_watched = sys.stderr.isatty()
    shown: Any = (
        structlog.dev.ConsoleRenderer(pad_event_to=0)
        if is_watched
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _hide_secrets,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logger: FilteringBoundLogger = structlog.get_logger().bind(run_id=run_id)
    return logger


def _hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {redact(key): redact_all(value) for key, value in event.items()}
