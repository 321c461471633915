"""What the platform leaves in its state folder for its tools to find: ``platform.json``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.local.errors import LocalPlatformError, NotRunning
from deploy.local.files import write_atomically
from shared.messaging.access import KafkaLogin

PROJECT_ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("intake", "scoring", "funding", "notifications")

KAFKA_LOGIN = {f"LANGHOC_{name.upper()}": name for name in KafkaLogin.model_fields}
"""The variables of a login to Kafka, and the setting that each is."""

ServerName = Literal["kafka", "mongod", "zipkin"]


def default_state() -> Path:
    """``LANGHOC_STATE``, or ``.langhoc`` in the project."""
    if chosen := os.environ.get("LANGHOC_STATE"):
        return Path(chosen).expanduser().absolute()
    return PROJECT_ROOT / ".langhoc"


class External(BaseModel):
    """The servers that the environment names: then the embedded ones are neither fetched nor started."""

    model_config = ConfigDict(frozen=True)

    kafka: str | None = None
    kafka_login: KafkaLogin = KafkaLogin()
    mongo: str | None = None
    zipkin: str | None = None
    tracing: bool = False
    """Whether traces already have somewhere to go, or are switched off."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read ``LANGHOC_KAFKA`` with its login, ``LANGHOC_MONGO`` and OpenTelemetry's own variables."""
        endpoint = environment.get("OTEL_EXPORTER_ZIPKIN_ENDPOINT")
        elsewhere = (
            "OTEL_TRACES_EXPORTER",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        )
        return cls(
            kafka=environment.get("LANGHOC_KAFKA") or None,
            kafka_login=_kafka_login(environment) if environment.get("LANGHOC_KAFKA") else KafkaLogin(),
            mongo=environment.get("LANGHOC_MONGO") or None,
            zipkin=endpoint.removesuffix("/").removesuffix("/api/v2/spans") if endpoint else None,
            tracing=bool(endpoint)
            or any(environment.get(name) for name in elsewhere)
            or environment.get("OTEL_SDK_DISABLED", "").lower() == "true",
        )


def _kafka_login(environment: Mapping[str, str]) -> KafkaLogin:
    try:
        return KafkaLogin.model_validate({name: environment.get(variable) for variable, name in KAFKA_LOGIN.items()})
    except ValidationError as error:
        wrong = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors(include_input=False))
        raise LocalPlatformError(f"The login to Kafka cannot be used: {wrong}.") from None


class Platform(BaseModel):
    """The addresses of a running platform."""

    model_config = ConfigDict(frozen=True)

    kafka: str
    """Bootstrap addresses."""
    mongo: str
    """URI."""
    zipkin: str | None
    """Base URL of Zipkin's page and API; none when traces go elsewhere."""
    embedded: tuple[ServerName, ...]
    """The servers that this platform runs itself."""
    services: dict[str, tuple[str, ...]]
    """For each service the base URL of each instance."""
    supervisor_socket: Path
    clock_offset: int = 0
    """Seconds by which the business clock is ahead of the wall clock."""
    started_at: datetime

    @staticmethod
    def path(state: Path) -> Path:
        """Where a state folder keeps it."""
        return state / "platform.json"

    @classmethod
    def load(cls, state: Path | None = None) -> Self:
        """Read the platform of this state folder (by default the project's), or raise `NotRunning`."""
        try:
            text = cls.path(state or default_state()).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotRunning from None
        return cls.model_validate_json(text)

    def save(self, state: Path) -> None:
        """Write it, readable for its owner alone: the URI may hold a password."""
        write_atomically(self.path(state), self.model_dump_json(indent=2))
