"""Settings every service shares, from the environment."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from shared.contracts.rights import GROUP_PREFIX
from shared.messaging.access import KafkaAccess, KafkaLogin
from shared.messaging.faults import FaultPlan
from shared.mongo.connect import DriverName, Login, has_credentials


def _plan(value: FaultPlan | str) -> FaultPlan:
    return FaultPlan.parse(value) if isinstance(value, str) else value


class ServiceSettings(KafkaLogin, BaseSettings):
    """Environment of one service process. Every name is `LANGHOC_<FIELD>`.

    What is secret may lie in files instead, as container platforms mount them: one per field, named `langhoc_<field>`,
    in the folder that `LANGHOC_SECRETS_DIR` names. The environment counts before the files.
    """

    model_config = SettingsConfigDict(env_prefix="LANGHOC_", extra="ignore", frozen=True, hide_input_in_errors=True)

    kafka: str
    """Bootstrap servers."""
    mongo: str
    """Connection URI of a replica set."""
    mongo_user: str = ""
    """As whom to log in to it; empty: as the URI says itself, or as nobody."""
    mongo_password: SecretStr = SecretStr("")
    mongo_supported_until: date | None = None
    """The last day of a support that was bought for its version; empty: as its maker supports it."""
    mongo_driver: DriverName = "motor"
    """Which client library talks to it."""
    seal_key: SecretStr = SecretStr("")
    """Secret with which stored documents are sealed; when it is changed, the new one before the old one, apart by a
    space, until a start has sealed all anew. Without one a seal shows mistakes, not intent."""
    stage: Literal["local", "production"] = "production"
    """`local`: on one machine, for development and tests. Production refuses what is only fit for that (`unsafe`)."""
    issuer: str = ""
    """The OpenID Connect issuer whose tokens are taken, as it calls itself; empty: the local platform is it."""
    audience: str = "langhoc"
    """What the issuer's tokens call us (`aud`)."""
    token_seconds: Annotated[int, Field(ge=60, le=3_600)] = 900
    """For how long a token of the issuer may be valid: what it takes back is out after this time at most."""
    jwks: str = ""
    """Path of the JSON Web Key Set whose keys sign the local platform's tokens."""
    account_key: SecretStr = SecretStr("")
    """Key of the hashes under which accounts are published (`shared.contracts.people`); the same for all services."""
    http_host: str = "127.0.0.1"
    http_port: int = 0
    public_url: str = ""
    """Under which address the world reaches this service, where a proxy stands before it; links name it."""
    instance: int = 0
    """Number of this copy; makes the consumer's group membership static, so that a restart causes no rebalance."""
    database_prefix: str = "langhoc_"
    group_prefix: str = GROUP_PREFIX
    clock_offset: int = 0
    """Seconds between the wall clock and business time."""
    clock_file: Path | None = None
    """A file that says the same and is looked at all the time: a simulation moves on without a restart."""

    batch_records: Annotated[int, Field(ge=1, le=5_000)] = 1_000
    transaction_deadline: float = 20.0
    publish_deadline: float = 10.0
    brake_after: Annotated[int, Field(ge=1)] = 50
    """Consecutive failures of our own on one topic after which its consumption stops."""
    brake_probe: float = 30.0
    """Seconds between probes of a stopped topic with a single record."""
    replay_attempts: Annotated[int, Field(ge=1)] = 10
    """How often a dead letter's record is tried, the first time included; then only an explicit order goes on."""
    stuck_after: float = 120.0
    """Seconds without progress while records wait, after which the process calls itself dead."""
    refused_after: float = 20.0
    """Seconds for which a process hopes that MongoDB lets it in again; then it ends, to read its secrets anew."""
    session_timeout_ms: int = 30_000
    burst_quiet: float = 0.25
    """Seconds without a new request after which a result over a set is recomputed; after a burst it waits longer."""
    burst_limit: float = 60.0
    """Seconds after which it is recomputed even in a burst."""
    inbox_days: int = 180
    """Longer than any retention plus the age of dead letters, so that no replay finds an empty inbox."""
    lease_seconds: float = 20.0
    faults: Annotated[FaultPlan, NoDecode, BeforeValidator(_plan)] = FaultPlan()
    """Saboteurs, for rehearsals only; see `shared/messaging/faults.py`."""

    @property
    def kafka_access(self) -> KafkaAccess:
        """The cluster, as this process's principal reaches it."""
        return self.access(self.kafka)

    @property
    def address(self) -> str:
        """What links begin with."""
        return self.public_url.rstrip("/") or f"http://{self.http_host}:{self.http_port}"

    @property
    def mongo_login(self) -> Login | None:
        """As whom to log in to MongoDB, if the URI does not say it."""
        return Login(self.mongo_user, self.mongo_password.get_secret_value()) if self.mongo_user else None

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if bool(self.mongo_user) != bool(self.mongo_password.get_secret_value()):
            raise ValueError("LANGHOC_MONGO_USER and LANGHOC_MONGO_PASSWORD go together: set both, or neither")
        if self.mongo_user and has_credentials(self.mongo):
            raise ValueError("LANGHOC_MONGO has credentials of its own: remove them, or LANGHOC_MONGO_USER")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, files of `LANGHOC_SECRETS_DIR`; raises `SettingsError` if that is no folder."""
        folder = os.environ.get("LANGHOC_SECRETS_DIR")
        if folder and not Path(folder).is_dir():
            raise SettingsError(f"LANGHOC_SECRETS_DIR is not a folder that can be read: {folder}")
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=folder or None)
