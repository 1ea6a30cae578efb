"""A cloud that takes everything and keeps nothing, for measuring a box.

Run as a program: `python -m tests.benchmarks.forgetful_cloud` prints its address and serves until it is ended.
"""

import asyncio
import sys

from tests.edge.app.clouds import taking_cloud


async def serve() -> None:
    """Serve for ever."""
    async with taking_cloud() as cloud:
        cloud.forgets = True
        sys.stdout.write(f"{cloud.url} {cloud.code}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
