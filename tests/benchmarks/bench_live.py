"""F9: from the value on the bus to the row on the control room's screen; and a live value's wait behind a backlog.

Everything is real: a Modbus meter that is polled once a second, box and cloud in processes of their own on SQLite, a
page in Chromium that hears the cloud's event stream. The value changes at a random instant of the poll's period.
"""

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from playwright.async_api import Page, async_playwright

from cloud.alarms.terms import Limits
from cloud.core.clock import SystemClock, to_us
from provisioning.practice.recordings.temperature import Temperature
from provisioning.waiting import until
from tests.benchmarks.figures import RUNS, Figure
from tests.replay.backlog import a_day_without_cloud, hot_day, newest_row, next_backlog_batch, publish
from tests.replay.box_log import lines
from tests.replay.installation import FLAT_PERIOD_S, Addresses
from tests.replay.rig import LOGIN, PASSWORD, PROBE, VOLTAGE, Rig, running_rig

FIGURES = ("F9",)

_VALUES = 20
"""In a run; the 95th percentile is that of these."""

_LIVE_VALUES = 5
_WITHIN_MS = 30_000.0
_NORMAL_V = 230.0
_IS_SHOWN = "text => document.querySelector('main').innerText.includes(text)"
"""Looked at once a frame: a locator would look less and less often."""


def run() -> Iterator[Figure]:
    """Measure and yield the figures."""
    yield Figure(
        id="F9",
        text=f"from the value on the bus to the row on the screen, p95 of {_VALUES}, polled every {FLAT_PERIOD_S:g} s",
        runs=asyncio.run(_bus_to_screen()),
        unit="s",
        goal=f"{FLAT_PERIOD_S + 0.5:g}",
        known="EnOS refreshes every 15 s",
    )
    yield Figure(
        id="F9",
        text="from a live value's commit on the box to its leaving while a day's backlog drains, the longest",
        runs=[asyncio.run(_behind_backlog()) for _ in range(RUNS)],
        unit="s",
        goal="less than a batch of the backlog takes",
    )


async def _bus_to_screen() -> list[float]:
    async with _rig() as rig, async_playwright() as playwright:
        await rig.rule(VOLTAGE, Limits(high=250, deadband=2), unit="V")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = await browser.new_page(bypass_csp=True)  # for the look at each frame, which Playwright evaluates
            await page.goto(f"{rig.url}/sign-in")
            await page.fill("[name=login]", LOGIN)
            await page.fill("[name=password]", PASSWORD)
            await page.press("[name=password]", "Enter")
            await page.wait_for_url(lambda url: "sign-in" not in url)
            await page.goto(f"{rig.url}/alarms")
            return [await _p95(rig, page, run) for run in range(RUNS)]
        finally:
            await browser.close()


async def _p95(rig: Rig, page: Page, run: int) -> float:
    rng = random.Random(run)
    taken = [
        await _shown_after_s(rig, page, 260.5 + number, after_s=rng.uniform(0, FLAT_PERIOD_S))
        for number in range(_VALUES)
    ]
    return quantiles(taken, n=20, method="inclusive")[-1]


async def _shown_after_s(rig: Rig, page: Page, volts: float, *, after_s: float) -> float:
    """Return the seconds from a voltage on the bus to its alarm's row on the page; normal again afterwards."""
    await asyncio.sleep(after_s)
    began_s = time.perf_counter()
    rig.flat.voltage_v = volts
    await page.wait_for_function(_IS_SHOWN, arg=f"{volts}", polling="raf", timeout=_WITHIN_MS)
    took_s = time.perf_counter() - began_s
    rig.flat.voltage_v = _NORMAL_V

    async def returned() -> bool:
        return not [alarm for alarm in await rig.alarms() if alarm.is_active]

    await until(returned, "the alarm to return", within_s=30)
    return took_s


async def _behind_backlog() -> float:
    async with _rig(backlog_rows_per_s=1_000) as rig:
        await a_day_without_cloud(rig, hot_day(SystemClock().now() - timedelta(minutes=10)))
        head = newest_row(rig)
        waits = []
        for _ in range(_LIVE_VALUES):
            await next_backlog_batch(rig, below=head)
            waits.append(await _left_after_s(rig))
        return max(waits)


async def _left_after_s(rig: Rig) -> float:
    """Return the seconds from the commit of a value of now to the batch that it leaves with."""
    before = len(lines(rig.box_log))
    row = Temperature(at=SystemClock().now(), degf=70.0)
    await publish(rig, [row])

    async def held() -> bool:
        return await rig.newest_us(PROBE) == to_us(row.at)

    await until(held, "a live value to reach the cloud", within_s=30, look_every_s=0.01)
    said = lines(rig.box_log)[before:]
    commit = next(line for line in said if not line.sent)
    left = next(line for line in said if line.sent and line.first <= commit.last <= line.last)
    return (left.at - commit.at).total_seconds()


@asynccontextmanager
async def _rig(*, backlog_rows_per_s: int = 100_000) -> AsyncIterator[Rig]:
    with TemporaryDirectory(prefix="gh-live-") as name:
        folder = Path(name)
        (folder / "cloud").mkdir()
        addresses = Addresses(
            database=f"sqlite+aiosqlite:///{folder / 'cloud/gatehouse.db'}",
            series=f"sqlite+aiosqlite:///{folder / 'cloud/series.db'}",
        )
        async with running_rig(folder, addresses, backlog_rows_per_s=backlog_rows_per_s) as rig:
            yield rig
