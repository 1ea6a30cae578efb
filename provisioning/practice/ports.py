"""Free TCP ports of the loopback interface, for programs that can't be told to choose one themselves."""

import secrets
import socket

LOOPBACK = "127.0.0.1"
_OURS = range(20_000, 32_000)
"""Below what systems hand out by themselves, so that no connection takes the port before the program does."""
_TRIES = 100


def free_port() -> int:
    """Return a port that nobody listened on a moment ago.

    Raises:
        OSError: of many, none was free.
    """
    for _ in range(_TRIES):
        port = secrets.choice(_OURS)
        if is_free(port):
            return port
    raise OSError(f"no free port was found between {_OURS.start} and {_OURS.stop}")


def is_free(port: int) -> bool:
    """Return whether nobody listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
