from pathlib import Path

import pytest

from provisioning.demo.programs import Program, finish, running
from provisioning.errors import SiteError


def _program(tmp_path: Path, module: str, *arguments: str) -> Program:
    return Program(module=module, arguments=arguments, log=tmp_path / "log")


async def test_a_program_is_stopped_with_the_block(tmp_path: Path) -> None:
    async with running(_program(tmp_path, "http.server", "0", "--bind", "127.0.0.1")) as child:
        await child.check()
        assert not child.has_ended
    assert child.has_ended


async def test_one_that_ended_by_itself_is_an_error_that_shows_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"gatehouse-http ended with 1; .*\n(.*\n)*.*No module named http.__main__"):
        await finish(_program(tmp_path, "http"))


async def test_settings_in_the_environment_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_CLOUD_NONSENSE", "1")
    await finish(_program(tmp_path, "cloud", "version"))
    assert (tmp_path / "log").read_text().startswith("gatehouse-cloud ")
