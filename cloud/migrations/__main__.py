"""Writes the next revision: `python -m cloud.migrations "Add boats"`."""

import asyncio
import tempfile
from pathlib import Path

import typer

from cloud.migrations.upgrading import migrate, write_revision


def main(message: str) -> None:
    """Compare the models with a database at head, and write what is missing as a step to be read and corrected."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'head.db'}"
        asyncio.run(_write(url, message))


async def _write(url: str, message: str) -> None:
    await migrate(url)
    await write_revision(url, message)


if __name__ == "__main__":
    typer.run(main)
