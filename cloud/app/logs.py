"""How the program's log looks: for people on a terminal, for programs everywhere else."""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

from cloud.settings import LogLevel

_QUIET = ("aiosqlite", "apscheduler", "uvicorn.access")
"""Loggers that say for every step, every tick and every request that all is well."""


def configure_logs(level: LogLevel) -> None:
    """Send all logs to standard error: in colour on a terminal, else one JSON object a line."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_colours,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering()],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Drop the second copy of its messages that uvicorn sends along for terminals of its own."""
    event.pop("color_message", None)
    return event


def _rendering() -> list[Processor]:
    if sys.stderr.isatty():
        return [structlog.dev.ConsoleRenderer()]
    # A frame's locals are left out: they hold passwords, tokens and whole batches.
    tracebacks = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
