"""What the cloud is told about its place: one frozen object, every field bounded and described."""

import os
import tomllib
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ENVIRONMENT_PREFIX = "GATEHOUSE_CLOUD_"
DEFAULT_FILE = Path("/etc/gatehouse/cloud.toml")
FILE_VARIABLE = f"{ENVIRONMENT_PREFIX}SETTINGS"
"""Names the file; no setting itself."""

MailSecurity = Literal["starttls", "tls", "none"]
LogLevel = Literal["debug", "info", "warning", "error"]
Network = IPv4Network | IPv6Network


class SettingsRefused(Exception):
    """A line for every field that can't work: its name, what is wrong with it and what it may be."""


def _network(text: object) -> Network:
    try:
        return ip_network(str(text))
    except ValueError as error:
        raise ValueError("must be a network like 10.0.0.0/8 or 2001:db8::/32") from error


def _database_url(url: str) -> str:
    if not url.startswith(("sqlite+aiosqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+psycopg://")
    return url


def _web_address(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// (http:// only on a network of its own)")
    return url.rstrip("/")


def _mail_address(address: str) -> str:
    name, _, host = address.rpartition("@")
    if not (name and host and address.isascii() and address.isprintable() and not set(" <>,;") & set(address)):
        raise ValueError("must be an address like gatehouse@example.com")
    return address


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError) as error:
        raise ValueError("must be an IANA time zone like Asia/Shanghai") from error


class Settings(BaseSettings):
    """The cloud's settings."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=ENVIRONMENT_PREFIX)

    data_folder: Path = Field(
        default=Path("data"), description="folder of everything that has no address of its own below"
    )
    database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(
        default=None, description="business database; without it SQLite in `data_folder`"
    )
    database_password_file: Path | None = Field(
        default=None, description="file whose first line is the password of `database_url`"
    )
    series_url: str | None = Field(
        default=None,
        min_length=1,
        description="store of readings: SQLite, PostgreSQL or InfluxDB; without it SQLite in `data_folder`",
    )
    series_password_file: Path | None = Field(
        default=None, description="file whose first line is the password of `series_url`"
    )
    files_url: str | None = Field(
        default=None, min_length=1, description="store of files: a folder or S3; without it a folder in `data_folder`"
    )
    base_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None, description="address by which people and boxes reach the cloud; without it where it listens"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen at")
    port: int = Field(default=8000, ge=0, le=65_535, description="TCP port to listen at; 0 takes any free one")
    proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"), description="addresses of reverse proxies whose word about callers is taken"
    )
    metrics_networks: tuple[Annotated[Network, PlainValidator(_network)], ...] = Field(
        default=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description="networks whose machines may read the figures at /metrics",
    )
    mail_host: str | None = Field(default=None, min_length=1, description="SMTP server; without it no mail is sent")
    mail_port: int = Field(default=587, ge=1, le=65_535, description="TCP port of the SMTP server")
    mail_security: MailSecurity = Field(
        default="starttls",
        description="encryption on the way to the SMTP server: after its greeting, from the start, none",
    )
    mail_authority_file: Path | None = Field(
        default=None,
        description="certificates (PEM) that the SMTP server's is checked against; without it the system's",
    )
    mail_user: str | None = Field(default=None, min_length=1, description="name that the SMTP server asks for")
    mail_password_file: Path | None = Field(
        default=None, description="file whose first line is the password that goes with `mail_user`"
    )
    mail_from: Annotated[str, AfterValidator(_mail_address)] | None = Field(
        default=None, description="sender of mails; without it gatehouse@ the host of `base_url`"
    )
    sms_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None, description="gateway for SMS; without it none is sent, and nobody signs in by telephone"
    )
    sms_token_file: Path | None = Field(default=None, description="file whose first line is the token for `sms_url`")
    inbox_host: str | None = Field(
        default=None, min_length=1, description="IMAP server of the front desk's mailbox; without it none is read"
    )
    inbox_port: int = Field(default=993, ge=1, le=65_535, description="TCP port of the IMAP server")
    inbox_security: MailSecurity = Field(
        default="tls", description="encryption on the way to the IMAP server: after its greeting, from the start, none"
    )
    inbox_authority_file: Path | None = Field(
        default=None,
        description="certificates (PEM) that the IMAP server's is checked against; without it the system's",
    )
    inbox_user: str | None = Field(default=None, min_length=1, description="name that the IMAP server asks for")
    inbox_password_file: Path | None = Field(
        default=None, description="file whose first line is the password that goes with `inbox_user`"
    )
    inbox_folder: str = Field(default="INBOX", min_length=1, description="folder of the mailbox that is read")
    inbox_address: Annotated[str, AfterValidator(_mail_address)] | None = Field(
        default=None, description="address of the mailbox, to which answers come; without it the sender of mails"
    )
    inbox_hook_file: Path | None = Field(
        default=None,
        description="file whose first line is the secret that signs mails handed over at /hooks/mail; "
        "without it none are taken",
    )
    desk_organisation: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="number of the organisation whose front desk gets mail; without it the only one",
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="Asia/Shanghai", description="local time of pages that nobody signed in for"
    )
    stop_s: int = Field(default=10, ge=1, le=300, description="seconds that open requests get when it is to stop")
    log_level: LogLevel = Field(default="info", description="least severity that is written")

    @model_validator(mode="after")
    def _have_what_belongs_together(self) -> "Settings":
        if (self.mail_user is None) != (self.mail_password_file is None):
            raise ValueError("mail_user and mail_password_file: set both or neither")
        if (self.sms_url is None) != (self.sms_token_file is None):
            raise ValueError("sms_url and sms_token_file: set both or neither")
        if self.inbox_host and (self.inbox_user is None or self.inbox_password_file is None):
            raise ValueError("inbox_host: set inbox_user and inbox_password_file too")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the library calls it with all of these
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose lines come in as arguments."""
        return env_settings, init_settings

    @property
    def database(self) -> str:
        """Return the business database's URL with its password."""
        return _address(self.database_url, self.database_password_file) or self._sqlite("gatehouse.db")

    @property
    def series(self) -> str:
        """Return the series store's URL with its password."""
        return _address(self.series_url, self.series_password_file) or self._sqlite("series.db")

    @property
    def files(self) -> str:
        """Return the file store's URL."""
        return self.files_url or (self.data_folder / "files").absolute().as_uri()

    @property
    def mail_password(self) -> SecretStr | None:
        """Return what the SMTP server asks for; None when it asks for nothing."""
        return SecretStr(_first_line(self.mail_password_file)) if self.mail_password_file else None

    @property
    def mail_sender(self) -> str:
        """Return the address that mails come from."""
        return self.mail_from or f"gatehouse@{urlsplit(self.address).hostname}"

    @property
    def inbox_password(self) -> SecretStr:
        """Return what the IMAP server asks for, where one is set."""
        return SecretStr(_first_line(self.inbox_password_file) if self.inbox_password_file else "")

    @property
    def inbox_hook(self) -> SecretStr | None:
        """Return the secret that signs mails handed over; None when none are taken."""
        return SecretStr(_first_line(self.inbox_hook_file)) if self.inbox_hook_file else None

    @property
    def sms_token(self) -> SecretStr:
        """Return what proves us to the gateway for SMS, where one is set."""
        return SecretStr(_first_line(self.sms_token_file) if self.sms_token_file else "")

    @property
    def zone(self) -> ZoneInfo:
        """Return the local time of pages that nobody signed in for."""
        return ZoneInfo(self.time_zone)

    @property
    def address(self) -> str:
        """Return the address by which people and boxes reach the cloud."""
        return self.base_url or f"http://{self.host}:{self.port}"

    def _sqlite(self, name: str) -> str:
        return f"sqlite+aiosqlite:///{self.data_folder.absolute() / name}"


def load(file: Path | None) -> Settings:
    """Return the settings of a TOML file with the environment laid over them; with None DEFAULT_FILE if there is one.

    Raises:
        SettingsRefused: the file can't be read, or a field can't work.
    """
    table = _read(file or DEFAULT_FILE, must_exist=file is not None)
    _refuse_unknown_variables(os.environ)
    try:
        return Settings(**table)
    except ValidationError as error:
        raise SettingsRefused("\n".join(_sentences(error))) from None


def _read(file: Path, *, must_exist: bool) -> dict[str, Any]:
    if not must_exist and not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsRefused(f"{file}: can't be read ({error.strerror}); name one that this user may read") from None
    except ValueError as error:
        raise SettingsRefused(f"{file}: is not TOML: {error}") from None


def _refuse_unknown_variables(names: Iterable[str]) -> None:
    for name in names:
        is_ours = name.startswith(ENVIRONMENT_PREFIX) and name != FILE_VARIABLE
        if is_ours and name.removeprefix(ENVIRONMENT_PREFIX).lower() not in Settings.model_fields:
            raise SettingsRefused(f"{name}: there is no such setting; unset the variable, or see docs/cloud.md")


def _sentences(error: ValidationError) -> Iterator[str]:
    for detail in error.errors():
        field = ".".join(str(part) for part in detail["loc"])
        if not field:  # of several fields together, which its sentence names
            yield _mend(detail["msg"])
        elif detail["type"] == "extra_forbidden":
            yield f"{field}: there is no such setting; delete it, or see docs/cloud.md"
        elif field.startswith(("database_url", "series_url")):  # a password may stand in it
            yield f"{field}: {_mend(detail['msg'])}"
        else:
            yield f"{field} = {detail['input']!r}: {_mend(detail['msg'])}"


def _mend(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should", "must")


def _address(url: str | None, password_file: Path | None) -> str | None:
    if url is None or password_file is None:
        return url
    parts = urlsplit(url)
    user, _, rest = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}:{quote(_first_line(password_file), safe='')}@{rest}"
    return urlunsplit(parts._replace(netloc=netloc))


def _first_line(file: Path) -> str:
    try:
        line = file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{file}: can't be read ({error}); put the password there") from None
    if not line:
        raise SettingsRefused(f"{file}: its first line is empty; write the password there")
    return line
