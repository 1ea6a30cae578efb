"""The box's settings: one frozen object of small sections, every field bounded and described."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

BOX_KEY = "box"
"""The device key under which the box reports its own health."""

_MEBIBYTE = 1_048_576


def _web_address(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// (http:// only on a network of its own)")
    return url.rstrip("/")


def _topic_part(name: str) -> str:
    if set(name) & set("+#\0") or name.startswith("/") or name.endswith("/"):
        raise ValueError("must be part of one topic: no +, # or NUL, no slash at either end")
    return name


def _key(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", text):
        raise ValueError("must be 1 to 63 lower-case letters, digits and hyphens, the first no hyphen")
    return text


Key = Annotated[str, AfterValidator(_key)]
"""Stands in point names, topics and addresses."""

Port = Annotated[int, Field(ge=1, le=65_535)]
LogLevel = Literal["debug", "info", "warning", "error"]


class Section(BaseModel):
    """A table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CloudSettings(Section):
    """Where readings go."""

    url: Annotated[str, AfterValidator(_web_address)] = Field(description="address of the cloud")
    ca_file: Path | None = Field(
        default=None, description="certificate authority of the cloud; without it the system's list holds"
    )


class BufferSettings(Section):
    """Where readings wait."""

    folder: Path = Field(default=Path("/var/lib/gatehouse"), description="folder of the buffer and of the box's key")
    maximum_bytes: int = Field(
        default=1_024 * _MEBIBYTE, ge=16 * _MEBIBYTE, description="size of the buffer at which the oldest rows go"
    )
    maximum_days: int = Field(
        default=90, ge=1, le=3_650, description="days after which rows go that the cloud holds, though there is room"
    )
    sample_commit_s: float = Field(
        default=1.0, ge=0.1, le=10.0, description="seconds of samples committed together, the most a power cut takes"
    )


class UploadSettings(Section):
    """How readings leave."""

    flush_s: float = Field(
        default=5.0, ge=0.2, le=300.0, description="seconds between live batches of unwatched points"
    )
    backlog_rows_per_s: int = Field(
        default=2_000, ge=10, le=100_000, description="rows a second at which a backlog drains beside live batches"
    )


class MetricsSettings(Section):
    """Whether the program shows its own figures."""

    port: Port | None = Field(
        default=None, description="loopback port of the Prometheus page; without it there is none"
    )


class LogSettings(Section):
    """What is written to standard error."""

    level: LogLevel = Field(default="info", description="least severity that is written")


class BrokerSettings(Section):
    """An MQTT broker that devices speak through."""

    key: Key = Field(description="name by which devices refer to the broker")
    host: str = Field(default="127.0.0.1", min_length=1, description="host name or address")
    port: Port = Field(default=1883, description="TCP port")
    username: str | None = Field(default=None, min_length=1, description="user name; without it the box has none")
    password_file: Path | None = Field(default=None, description="file whose first line is the password")
    tls: bool = Field(default=False, description="whether the connection is encrypted")
    ca_file: Path | None = Field(
        default=None, description="certificate authority of the broker; without it the system's list holds"
    )


class ModbusSettings(Section):
    """How a device is reached that answers Modbus over TCP, by itself or behind a gateway."""

    host: str = Field(min_length=1, description="host name or address of the device or its gateway")
    port: Port = Field(default=502, description="TCP port")
    unit: int = Field(default=1, ge=0, le=255, description="unit id; a device on TCP often takes 1 or 255")
    timeout_s: float = Field(
        default=1.0, ge=0.05, le=30.0, description="seconds without an answer after which a question is given up"
    )


class MqttSettings(Section):
    """Where and as whom a device publishes."""

    broker: Key = Field(description="key of the broker")
    device: Annotated[str, AfterValidator(_topic_part)] = Field(
        min_length=1, description="name under which it publishes; it stands for {device} in its profile's topics"
    )


class DeviceSettings(Section):
    """A device on one of the box's buses."""

    key: Key = Field(description="name on this box, for ever: readings are filed under it")
    name: str = Field(default="", max_length=120, description="what people call it; without it its key")
    profile: str = Field(min_length=1, description="name of its device profile")
    modbus: ModbusSettings | None = Field(default=None, description="table that says how it is reached over Modbus")
    mqtt: MqttSettings | None = Field(default=None, description="table that says where it publishes")

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if (self.modbus is None) == (self.mqtt is None):
            raise ValueError("must have exactly one of the tables modbus and mqtt")
        if self.key == BOX_KEY:
            raise ValueError(f'must have another key than "{BOX_KEY}", which is the box itself')
        return self


class Settings(Section):
    """Everything a box is told; a component receives its part of it."""

    profiles_folder: Path | None = Field(
        default=None, description="folder of further device profiles, which win over supplied ones of the same name"
    )
    cloud: CloudSettings
    buffer: BufferSettings = BufferSettings()
    upload: UploadSettings = UploadSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    brokers: tuple[BrokerSettings, ...] = ()
    devices: tuple[DeviceSettings, ...] = ()

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        brokers = _without_twins("brokers", (broker.key for broker in self.brokers))
        _without_twins("devices", (device.key for device in self.devices))
        for device in self.devices:
            if device.mqtt and device.mqtt.broker not in brokers:
                there_are = ", ".join(brokers) or "none; add a [[brokers]] table"
                raise ValueError(
                    f'device "{device.key}" names the broker "{device.mqtt.broker}", which is not there '
                    f"(there: {there_are})"
                )
        return self


def section_of(annotation: Any) -> type[Section] | None:
    """Return the table that a field holds, alone, in a tuple or beside None; None for a plain value."""
    tables = (
        part for part in (annotation, *get_args(annotation)) if isinstance(part, type) and issubclass(part, Section)
    )
    return next(tables, None)


def _without_twins(table: str, keys: Iterable[str]) -> list[str]:
    seen: list[str] = []
    for key in keys:
        if key in seen:
            raise ValueError(f'{table} have the key "{key}" twice; give one of them another')
        seen.append(key)
    return seen
