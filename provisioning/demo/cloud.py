"""The demo's cloud: `gatehouse-cloud run` on SQLite in the demo's folder."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import aiohttp

from cloud.core.files import FileStore
from provisioning.demo.programs import Child, Program
from provisioning.demo.toml import to_toml
from provisioning.practice.ports import LOOPBACK
from provisioning.practice.sms import PracticeGateway
from provisioning.waiting import until

_WELL_WITHIN_S = 90.0
"""A Raspberry Pi takes its time to import everything."""

_ANSWER_WITHIN = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCloud:
    """Where the demo's cloud keeps its things, where it is reached, and by what it sends SMS."""

    folder: Path
    port: int
    gateway: PracticeGateway

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'gatehouse.db'}"

    @property
    def series_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'series.db'}"

    @property
    def files(self) -> FileStore:
        """Return the store that the cloud keeps its files in when its settings name none."""
        return FileStore((self.folder / "files").absolute().as_uri())

    def program(self) -> Program:
        """Return what runs it, with its settings written."""
        self.folder.mkdir(exist_ok=True)
        settings, token = self.folder / "cloud.toml", self.folder / "sms-token"
        token.touch(mode=0o600)
        token.write_text(self.gateway.token, encoding="utf-8")
        told = {
            "data_folder": str(self.folder),
            "host": LOOPBACK,
            "port": self.port,
            "base_url": self.url,
            "sms_url": self.gateway.url,
            "sms_token_file": str(token),
        }
        settings.write_text(to_toml(told), encoding="utf-8")
        arguments = ("run", "--settings", str(settings))
        return Program(module="cloud", arguments=arguments, log=self.folder / "cloud.log")


async def well(url: str, child: Child) -> None:
    """Return once the cloud at `url` answers.

    Raises:
        SiteError: it ended, or does not answer in time.
    """

    async def answers() -> bool:
        await child.check()
        try:
            async with session.get(f"{url}/healthz") as answer:
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError):
            return False

    async with aiohttp.ClientSession(timeout=_ANSWER_WITHIN) as session:
        await until(answers, f"the cloud at {url}", within_s=_WELL_WITHIN_S)
