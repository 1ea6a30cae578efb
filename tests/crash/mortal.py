"""Run one of our programs, and kill it as a power cut would right behind a named line of its log.

`python -m tests.crash.mortal edge run ...` is `python -m edge run ...`, but the process sends itself SIGKILL in the
very call that writes the line, so that nothing comes between the commit point and its death.
"""

import os
import runpy
import signal
import sys
from typing import TextIO

LINE = "MORTAL_LINE"
"""Environment variable: what the line holds."""
COUNT = "MORTAL_COUNT"
"""Environment variable: at which of these lines it dies, counted from 1."""


class LastWords:
    """A standard error behind whose n-th such line there is nothing more."""

    def __init__(self, stream: TextIO, *, line: str, count: int) -> None:
        self._stream = stream
        self._line = line
        self._left = count

    def write(self, text: str) -> int:
        written = self._stream.write(text)
        self._stream.flush()
        self._left -= self._line in text
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


if __name__ == "__main__":
    if LINE in os.environ:
        sys.stderr = LastWords(
            sys.stderr, line=os.environ[LINE], count=int(os.environ[COUNT])
        )  # as much of a stream as a log needs
    program, *arguments = sys.argv[1:]
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)
