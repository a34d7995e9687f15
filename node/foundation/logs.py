"""Logs are events with fields, one JSON object a line on stderr.

Never logged: post text, tokens, keys, whole signatures, query strings, names in support requests.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

Logger = structlog.typing.FilteringBoundLogger


def configure_logs(*, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every event of this process to `stream` (stderr by default) as JSON, from `level` upwards."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(**fields: Any) -> Logger:
    """Return a logger that adds `fields` to each event."""
    logger: Logger = structlog.get_logger(**fields)
    return logger
