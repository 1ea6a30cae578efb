"""The program as it is started, on both databases."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cloud.estate import PASSWORD
from tests.servers.cloud import call_cloud, running_cloud


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    variables = {"GATEHOUSE_CLOUD_DATA_FOLDER": str(tmp_path)}
    if request.param == "sqlite":
        yield variables
        return
    server = request.getfixturevalue("postgresql")
    url = server.create_database()
    yield {**variables, "GATEHOUSE_CLOUD_DATABASE_URL": url}
    server.drop_database(url)


def test_a_founded_organisation_is_served_and_the_program_stops_when_told(environment: dict[str, str]) -> None:
    founded = call_cloud(
        "create-organisation", "云杉物业", "--admin", "chief", environment=environment, stdin=f"{PASSWORD}\n"
    )
    assert (founded.returncode, founded.stdout) == (
        0,
        "云杉物业 is organisation 1; chief signs in at http://127.0.0.1:8000/sign-in\n",
    )
    with running_cloud(environment=environment) as cloud, httpx.Client(base_url=cloud.address) as browser:
        assert browser.get("/healthz").text == "well\n"
        page = browser.get("/sign-in", headers={"Accept": "text/html"})
        token = re.search(r'name="csrf" (?:content|value)="(\w+)"', page.text)
        assert token is not None
        form = {"csrf": token[1], "login": "chief", "password": PASSWORD, "next": "/"}
        assert browser.post("/sign-in", data=form).status_code == 303
        with browser.stream("GET", "/live") as stream:
            assert stream.status_code == 200
            assert cloud.stop() == 0
    assert not [line for line in cloud.log if '"level": "error"' in line or "Traceback" in line]


def test_a_weak_password_founds_nothing_and_says_why(environment: dict[str, str]) -> None:
    refused = call_cloud(
        "create-organisation", "云杉物业", "--admin", "chief", environment=environment, stdin="short\n"
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "password: A password has 10 to 128 characters.\n"


def test_a_setting_that_cannot_work_ends_the_program_with_its_own_status(tmp_path: Path) -> None:
    refused = call_cloud("run", environment={"GATEHOUSE_CLOUD_PORT": "seventy"})
    assert refused.returncode == 78
    assert refused.stderr.startswith("port = 'seventy': must be a valid integer")


def test_a_port_that_is_taken_ends_the_program(tmp_path: Path) -> None:
    environment = {"GATEHOUSE_CLOUD_DATA_FOLDER": str(tmp_path)}
    with running_cloud(environment=environment) as cloud:
        port = cloud.address.rpartition(":")[2]
        second = {**environment, "GATEHOUSE_CLOUD_PORT": port, "GATEHOUSE_CLOUD_DATA_FOLDER": str(tmp_path / "second")}
        refused = call_cloud("run", environment=second)
    assert refused.returncode == 3
    assert "address already in use" in refused.stderr


def test_it_says_which_program_it_is() -> None:
    assert re.fullmatch(r"gatehouse-cloud \d+\.\d+\.\d+\n", call_cloud("version", environment={}).stdout)
