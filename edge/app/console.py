"""The log for a person at a terminal; loaded only where there is one."""

import logging

import structlog


def for_people() -> logging.Formatter:
    """Return what writes a record in colour, its fields beside the message."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.dev.ConsoleRenderer()],
    )
