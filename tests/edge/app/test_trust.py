import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.edge.app.clouds import TakingCloud, taking_cloud
from tests.edge.app.conftest import BoxFiles
from tests.servers.certificates import make_certificate
from tests.servers.mosquitto import Mosquitto, running_mosquitto


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path)


@pytest.fixture
async def encrypted_cloud(certificate: tuple[Path, Path]) -> AsyncIterator[TakingCloud]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    async with taking_cloud(tls=context) as cloud:
        yield cloud


@pytest.fixture
def encrypted_broker(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[Mosquitto]:
    folder = tmp_path / "broker"
    folder.mkdir()
    public, private = certificate
    options = f"allow_anonymous true\ncertfile {public}\nkeyfile {private}"
    with running_mosquitto(folder, options=options) as broker:
        yield broker


async def test_an_encrypted_cloud_and_broker_are_trusted_by_their_authority(
    box: BoxFiles, encrypted_cloud: TakingCloud, encrypted_broker: Mosquitto, certificate: tuple[Path, Path]
) -> None:
    trusted = f'ca_file = "{certificate[0]}"'
    box.add("[cloud]", f'url = "{encrypted_cloud.url}"', trusted)
    box.add("[[brokers]]", 'key = "site"', f"port = {encrypted_broker.port}", "tls = true", trusted)
    box.add_sensor()
    await box.run("claim", encrypted_cloud.code)
    result = await box.run("check")
    assert result.exit_code == 0, result.output


async def test_a_stranger_in_the_clouds_place_is_not_spoken_to(box: BoxFiles, encrypted_cloud: TakingCloud) -> None:
    box.add("[cloud]", f'url = "{encrypted_cloud.url}"')
    result = await box.run("check")
    assert "fail cloud: " in result.output
    assert "certificate verify failed" in result.output


# paho lets go of the socket of a failed handshake without closing it
@pytest.mark.filterwarnings("ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_a_stranger_in_the_brokers_place_is_not_spoken_to(
    box: BoxFiles, cloud: TakingCloud, encrypted_broker: Mosquitto
) -> None:
    box.add("[[brokers]]", 'key = "site"', f"port = {encrypted_broker.port}", "tls = true")
    result = await box.run("check")
    assert "fail broker site: " in result.output
    assert "certificate verify failed" in result.output


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        (["[cloud]", 'url = "https://127.0.0.1:9"', 'ca_file = "/nowhere.pem"'], "cloud.ca_file = /nowhere.pem"),
        (
            [
                "[cloud]",
                'url = "http://127.0.0.1:9"',
                "[[brokers]]",
                'key = "site"',
                "tls = true",
                'ca_file = "/x.pem"',
            ],
            "broker site: ca_file = /x.pem",
        ),
    ],
    ids=["cloud", "broker"],
)
async def test_an_authority_that_is_not_there_is_refused(box: BoxFiles, lines: list[str], field: str) -> None:
    box.add(*lines)
    result = await box.run("check")
    assert result.exit_code == 1
    assert f"{field}: No such file or directory; name a PEM file" in result.output
