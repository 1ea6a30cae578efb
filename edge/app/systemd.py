"""What systemd wants to hear of a service (sd_notify), without its library."""

import asyncio
import os
import socket


def notify(state: str) -> None:
    """Tell systemd, if it started us: READY=1, STOPPING=1, WATCHDOG=1 or STATUS=... ."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


async def feed_watchdog() -> None:
    """Tell systemd for ever that the event loop turns, if it wants to know; it restarts a program that is stuck."""
    patience_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    while patience_us:
        notify("WATCHDOG=1")
        await asyncio.sleep(patience_us / 2_000_000)
