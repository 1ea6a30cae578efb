"""How the program's log looks: in colour for a person at a terminal, one JSON object a line for all others."""

import logging
import sys
from datetime import UTC, datetime
from importlib import import_module

import msgspec

from edge.settings.sections import LogLevel

_QUIET = ("pymodbus.logging", "mqtt")
"""Loggers of libraries whose errors the drivers raise; the poller says once what matters."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; whatever else one has is a field of its own."""


def configure_logs(level: LogLevel) -> None:
    """Send all logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    # structlog, and rich with it, takes 8 MiB that a service without a terminal has better uses for.
    is_watched = sys.stderr.isatty()
    handler.setFormatter(import_module("edge.app.console").for_people() if is_watched else JsonLines())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class JsonLines(logging.Formatter):
    """Makes one JSON object of a record, its fields beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()
