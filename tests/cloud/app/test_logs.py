import subprocess
import sys

_PROGRAM = """
import logging
from cloud.app.logs import configure_logs

configure_logs("info")
try:
    password = "open sesame"
    raise ValueError("broken")
except ValueError:
    logging.getLogger("gatehouse").exception("a request failed")
"""


def test_a_traceback_in_the_log_holds_no_values_of_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)

    assert '"exc_value": "broken"' in done.stderr
    assert '"lineno": ' in done.stderr
    assert "open sesame" not in done.stderr
