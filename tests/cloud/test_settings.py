from ipaddress import ip_network
from pathlib import Path

import pytest

from cloud.settings import SettingsRefused, load


def _write(folder: Path, text: str) -> Path:
    file = folder / "cloud.toml"
    file.write_text(text)
    return file


def test_without_a_file_everything_lives_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_CLOUD_DATA_FOLDER", "/srv/gatehouse")
    settings = load(None)
    assert settings.database == "sqlite+aiosqlite:////srv/gatehouse/gatehouse.db"
    assert settings.series == "sqlite+aiosqlite:////srv/gatehouse/series.db"
    assert settings.files == "file:///srv/gatehouse/files"
    assert settings.address == "http://127.0.0.1:8000"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _write(tmp_path, 'port = 9000\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("GATEHOUSE_CLOUD_PORT", "9001")
    monkeypatch.setenv("GATEHOUSE_CLOUD_METRICS_NETWORKS", '["10.0.0.0/8"]')
    settings = load(file)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")  # noqa: S104  a value under test, not a socket
    assert settings.metrics_networks == (ip_network("10.0.0.0/8"),)


def test_a_password_comes_from_its_own_file_and_goes_into_the_address(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("p@ss/word\nsecond line\n")
    file = _write(
        tmp_path,
        f"""
        database_url = "postgresql+psycopg://gatehouse@db.example:5432/gatehouse?sslmode=verify-full"
        database_password_file = "{tmp_path}/secret"
        series_url = "influxdb://reader:old@ts.example/series"
        series_password_file = "{tmp_path}/secret"
        """,
    )
    settings = load(file)
    assert settings.database == (
        "postgresql+psycopg://gatehouse:p%40ss%2Fword@db.example:5432/gatehouse?sslmode=verify-full"
    )
    assert settings.series == "influxdb://reader:p%40ss%2Fword@ts.example/series"


@pytest.mark.parametrize("content", [None, "\n", "\xff"], ids=["missing", "empty", "not text"])
def test_a_password_file_that_holds_none_is_refused_by_its_name(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content.encode("latin-1"))
    file = _write(
        tmp_path,
        f'database_url = "postgresql+psycopg://g@/g"\ndatabase_password_file = "{tmp_path}/secret"\n',
    )
    with pytest.raises(SettingsRefused, match="secret: "):
        load(file).database  # noqa: B018  reading it is the act


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("port = 70000", "port = 70000: must be less than or equal to 65535", id="out of bounds"),
        pytest.param("prot = 80", "prot: there is no such setting; delete it, or see docs/cloud.md", id="unknown"),
        pytest.param(
            'database_url = "mysql://root:hush@/x"',
            "database_url: must begin with sqlite+aiosqlite:/// or postgresql+psycopg://",
            id="another database, its password unsaid",
        ),
        pytest.param(
            'time_zone = "Asia/Atlantis"',
            "time_zone = 'Asia/Atlantis': must be an IANA time zone like Asia/Shanghai",
            id="unknown zone",
        ),
        pytest.param(
            'log_level = "loud"', "log_level = 'loud': must be 'debug', 'info', 'warning' or 'error'", id="level"
        ),
        pytest.param(
            'metrics_networks = ["10.0.0.1/8"]',
            "metrics_networks.0 = '10.0.0.1/8': must be a network like 10.0.0.0/8 or 2001:db8::/32",
            id="no network",
        ),
    ],
)
def test_a_line_that_cannot_work_is_refused_with_field_value_and_mend(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(_write(tmp_path, text))
    assert sentence in str(refused.value).splitlines()
    assert "hush" not in str(refused.value)


def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_CLOUD_DATABSE_URL", "x")
    with pytest.raises(SettingsRefused, match="GATEHOUSE_CLOUD_DATABSE_URL: there is no such setting"):
        load(None)


def test_a_file_that_is_named_must_be_there_and_be_toml(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="can't be read"):
        load(tmp_path / "cloud.toml")
    with pytest.raises(SettingsRefused, match="is not TOML"):
        load(_write(tmp_path, "port: 80"))


def test_without_a_line_about_them_neither_mail_nor_sms_is_sent() -> None:
    settings = load(None)
    assert (settings.mail_host, settings.mail_password, settings.sms_url) == (None, None, None)


def test_mail_and_sms_take_their_secrets_from_files_and_never_show_them(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    file = _write(
        tmp_path,
        f"""
        base_url = "https://gatehouse.example"
        mail_host = "mail.example"
        mail_user = "gatehouse"
        mail_password_file = "{tmp_path}/secret"
        sms_url = "https://sms.example/v1/"
        sms_token_file = "{tmp_path}/secret"
        """,
    )
    settings = load(file)
    assert settings.mail_password is not None
    assert settings.mail_password.get_secret_value() == settings.sms_token.get_secret_value() == "hush"
    assert (settings.mail_security, settings.mail_port, settings.mail_sender) == (
        "starttls",
        587,
        "gatehouse@gatehouse.example",
    )
    assert settings.sms_url == "https://sms.example/v1"
    assert "hush" not in f"{settings!r} {settings.mail_password!r}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('mail_user = "gatehouse"', "mail_user and mail_password_file: set both or neither"),
        ('sms_url = "https://sms.example"', "sms_url and sms_token_file: set both or neither"),
        ('mail_from = "Gatehouse"', "mail_from = 'Gatehouse': must be an address like gatehouse@example.com"),
    ],
    ids=["a user without a password", "a gateway without a token", "no sender"],
)
def test_what_mail_and_sms_can_not_do_without_is_asked_for(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(_write(tmp_path, text))
    assert str(refused.value) == sentence
