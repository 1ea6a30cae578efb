import json
import logging

import pytest

from edge.app.console import for_people
from edge.app.logs import JsonLines, configure_logs


def _record(**fields: object) -> logging.LogRecord:
    return logging.getLogger("edge.poller").makeRecord(
        "edge.poller", logging.WARNING, "f.py", 7, "device gives no values: %s", ("silence",), None, extra=fields
    )


def test_a_record_becomes_one_line_with_its_fields() -> None:
    line = json.loads(JsonLines().format(_record(device="meter", period_s=1.5)))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "edge.poller",
        "event": "device gives no values: silence",
        "device": "meter",
        "period_s": 1.5,
    }


def test_a_traceback_stays_on_its_line() -> None:
    record = _record()
    record.exc_info = (ZeroDivisionError, ZeroDivisionError("by zero"), None)
    text = JsonLines().format(record)
    assert "\n" not in text
    assert "ZeroDivisionError" in json.loads(text)["exception"]


def test_people_get_words_and_fields() -> None:
    text = for_people().format(_record(device="meter"))
    assert "device gives no values: silence" in text
    assert "meter" in text


def test_libraries_that_speak_through_errors_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug")
    logging.getLogger("pymodbus.logging").error("no response")
    logging.getLogger("mqtt").error("unexpected message id")
    logging.getLogger("edge").debug("heard")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["heard"]
