"""Migrated databases to copy: migrations run once a session, and each test starts from a copy of their outcome."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from cloud.migrations.upgrading import migrate


def migrated(url: str) -> str:
    """Bring the database behind `url` up to date, from within a running loop too, and return its URL."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="migrations") as threads:
        threads.submit(asyncio.run, migrate(url)).result()
    return url
