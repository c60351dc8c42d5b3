"""Structured logs: lines for people on a terminal, JSON for machines; the journal gets its priorities."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog

_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def configure(format: str, level: str) -> None:
    """``format``: auto | json | console; auto is console on a terminal and JSON elsewhere."""
    console = format == "console" or (format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=32)
        if console
        else structlog.processors.JSONRenderer()
    )
    steps: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=not console),
        renderer,
    ]
    if "JOURNAL_STREAM" in os.environ and not console:
        steps.append(_with_priority)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *steps],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=level.upper(), force=True)
    foreign = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=steps[:3],
    )
    own = logging.Formatter("%(message)s")
    logging.getLogger().handlers[0].setFormatter(_Either(own, foreign))
    for chatty in ("apscheduler", "aiohttp.access", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _Either(logging.Formatter):
    """Our own records are rendered already; those of libraries are rendered alike."""

    def __init__(self, own: logging.Formatter, foreign: logging.Formatter) -> None:
        super().__init__()
        self._own = own
        self._foreign = foreign

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name in OUR_LOGGERS
        return (self._own if ours else self._foreign).format(record)


OUR_LOGGERS = {"agent", "store", "ledger", "web", "reflect"}


def _with_priority(_: Any, level: str, line: str) -> str:
    return f"<{_PRIORITY.get(level, 6)}>{line}"
