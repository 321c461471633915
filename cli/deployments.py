"""Which deployment the command speaks to: the platform on this machine, or one that a profile or the environment names.

`profiles.toml` in the user's configuration folder has one table for each profile:

    [ministry]
    intake = "https://intake.langhoc.example"
    scoring = "https://scoring.langhoc.example"
    funding = "https://funding.langhoc.example"
    notifications = "https://notifications.langhoc.example"
    kafka = "kafka.langhoc.example:9092"
    kafka_user = "province-01"
    kafka_password = "…"
    token = "…"

The environment (`LANGHOC_INTAKE`, …, `LANGHOC_KAFKA`, `LANGHOC_TOKEN`) counts before the file.
"""

from __future__ import annotations

import getpass
import os
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, AnyHttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cli.output import CommandError
from deploy.local import SERVICES, LocalPlatform, Platform, Role, default_state, issue_token
from shared.local_accounts import SUBJECT
from shared.messaging.access import KafkaAccess, KafkaLogin

LOCAL = "local"
"""The platform that `langhoc up` starts; its tokens are issued here, for whatever name is asked for."""
TIMEOUT_SECONDS = 60
PROFILE: ContextVar[str | None] = ContextVar("profile", default=None)
"""What `--profile` names."""


def _keeps_the_token(url: AnyHttpUrl) -> AnyHttpUrl:
    """Who listens on the way could act with a token that is sent in the clear."""
    if url.scheme != "https" and url.host not in LOOPBACK:
        raise ValueError("a token goes by https only, but to this machine")
    return url


LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
Address = Annotated[AnyHttpUrl, AfterValidator(_keeps_the_token)]


class Profile(KafkaLogin, BaseSettings):
    """Where a deployment's services and Kafka are, and with whose token they are asked."""

    model_config = SettingsConfigDict(env_prefix="LANGHOC_", env_ignore_empty=True, extra="forbid", frozen=True)

    intake: Address | None = None
    scoring: Address | None = None
    funding: Address | None = None
    notifications: Address | None = None
    kafka: str | None = None
    """Bootstrap addresses; only `langhoc submit` and `follow` need them, with `kafka_user` and its password."""
    token: SecretStr | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file."""
        return env_settings, init_settings

    @property
    def services(self) -> dict[str, tuple[str, ...]]:
        """Base URL of each service that is named, in the order in which events flow."""
        named = {service: getattr(self, service) for service in SERVICES}
        return {service: (str(url).rstrip("/"),) for service, url in named.items() if url is not None}


class NoLogin(CommandError):
    """It is not said where a service is, or in whose name it is asked."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as the command reaches it."""

    name: str
    services: Mapping[str, tuple[str, ...]]
    """Base URL of each instance, by service."""
    kafka: KafkaAccess | None = None
    token: str | None = None
    """`None`: the local platform, which issues one."""
    zipkin: str | None = None
    clock_offset: int = 0
    """Seconds by which its business clock is ahead of the wall clock, where that is known."""

    def urls(self, service: str) -> tuple[str, ...]:
        """Where a service's instances are. Raises `CommandError`."""
        if service in self.services:
            return self.services[service]
        raise NoLogin(
            f"Where {service} is, is not known of {self.name}. Name it in {profiles_file()}, or set "
            f"LANGHOC_{service.upper()}."
        )

    def connect(self, account: str | None, role: Role | None, usual: Role, province: str | None) -> httpx.Client:
        """A connection in somebody's name: of the token's bearer, or on the local platform of whoever is named."""
        token = self.token or _issued(account or _whoami(), role or usual, province)
        if self.token and (account or role):
            raise CommandError(f"On {self.name} you act in the name of your own token: leave out --by and --role.")
        return httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_SECONDS)


def chosen() -> Deployment:
    """The deployment that `--profile` or the environment names, else the local platform.

    Raises:
        CommandError: there is no such profile, or it cannot be read.
        NotRunning: the local platform is meant, and is not up.
    """
    asked = PROFILE.get()
    profile = _profile({} if asked in (None, LOCAL) else _table(asked))
    token = profile.token.get_secret_value() if profile.token else None
    if asked in (None, LOCAL) and not profile.services:
        local = Platform.load(default_state())
        kafka = LocalPlatform().kafka(local)
        return Deployment(LOCAL, local.services, kafka, token, local.zipkin, local.clock_offset)
    name = asked or "the environment"
    if token is None:
        raise NoLogin(f"{name} names no token. Set LANGHOC_TOKEN, or token in {profiles_file()}.")
    named = profile.access(profile.kafka) if profile.kafka else None
    return Deployment(name, profile.services, named, token)


def kafka_to_administer(*, services: bool = False) -> KafkaAccess:
    """Kafka of the deployment that `--profile` or the environment names, else of the local platform.

    Args:
        services: it is about the services' own logins, which the local platform keeps itself.

    Raises:
        CommandError: none is named there, or it is not for services.
        NotRunning: the local platform is meant, and is not up.
    """
    asked = PROFILE.get()
    profile = _profile({} if asked in (None, LOCAL) else _table(asked))
    if profile.kafka:
        return profile.access(profile.kafka)
    if asked not in (None, LOCAL):
        raise CommandError(f"{asked} names no kafka. Set LANGHOC_KAFKA, or kafka in {profiles_file()}.")
    local = Platform.load(default_state())
    if services and "kafka" in local.embedded:
        raise CommandError("On this machine `langhoc up` keeps the services' logins; down and up again renews rights.")
    return LocalPlatform().kafka(local)


def profiles_file() -> Path:
    """Where the user's profiles are."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "langhoc" / "profiles.toml"


def _table(name: str) -> dict[str, Any]:
    file = profiles_file()
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        tables = {}
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    table = tables.get(name)
    if not isinstance(table, dict):
        known = ", ".join([LOCAL, *(key for key, value in tables.items() if isinstance(value, dict))])
        raise CommandError(f"There is no profile {name!r} in {file}. There are: {known}.")
    return table


def _profile(table: Mapping[str, Any]) -> Profile:
    try:
        return Profile(**table)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise CommandError(f"The profile cannot be used: {wrong}") from None  # the error's own text tells the token


def _issued(account: str, role: Role, province: str | None) -> str:
    return issue_token(default_state(), account, role, province if role == "province" else None)


def _whoami() -> str:
    """Who is at the keyboard, for the record of what was done."""
    try:
        name = getpass.getuser()
    except KeyError:  # in a container the user may have no name
        name = ""
    return name if SUBJECT.fullmatch(name) else f"uid-{os.getuid()}"
