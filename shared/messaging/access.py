"""How Kafka is reached, and as whom: one description, from which every client takes its options."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, SecretStr, field_validator, model_validator

Security = Literal["plaintext", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["SCRAM-SHA-512", "PLAIN"]


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """A cluster as one principal reaches it; without a user as nobody."""

    bootstrap: str
    """Addresses with ports, separated by commas."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    security: Security = "plaintext"
    ca: Path | None = None
    """Certificates (PEM) that the brokers' are checked against; else the system's."""
    mechanism: Mechanism = "SCRAM-SHA-512"
    """PLAIN is for an embedded node's own principal; everybody else logs in by SCRAM."""

    @property
    def options(self) -> dict[str, Any]:
        """What every client, admin client and broker object of aiokafka is built with."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap.split(","),
            "security_protocol": self.security.upper(),
        }
        if self.security != "plaintext":
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        if self.security == "sasl_ssl":
            options["ssl_context"] = ssl.create_default_context(cafile=self.ca)
        return options

    @property
    def settings(self) -> dict[str, Any]:
        """The same as settings of a process, by name; empty where there is nothing to say."""
        return {
            "kafka": self.bootstrap,
            "kafka_user": self.user or "",
            "kafka_password": self.password or "",
            "kafka_security": self.security,
            "kafka_ca": str(self.ca or ""),
        }


class KafkaLogin(BaseModel):
    """The settings of whoever connects to Kafka. Raises `ValidationError` for a login that cannot be meant."""

    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_security: Security | None = None
    """By default encrypted where there is a user, and open where there is none."""
    kafka_ca: Path | None = None

    @field_validator("kafka_user", "kafka_password", "kafka_security", "kafka_ca", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kafka_user is None) is not (self.kafka_password is None):
            raise ValueError("kafka_user and kafka_password belong together: set both or neither")
        if self.kafka_security in ("sasl_plaintext", "sasl_ssl") and self.kafka_user is None:
            raise ValueError(f"kafka_security is {self.kafka_security}: set kafka_user and kafka_password too")
        if self.kafka_security == "plaintext" and self.kafka_user is not None:
            raise ValueError("kafka_security is plaintext, which knows no users: leave kafka_user out, or change it")
        return self

    def access(self, bootstrap: str) -> KafkaAccess:
        """The cluster behind these addresses, with this login."""
        security = self.kafka_security or ("sasl_ssl" if self.kafka_user else "plaintext")
        password = self.kafka_password.get_secret_value() if self.kafka_password else None
        return KafkaAccess(bootstrap, self.kafka_user, password, security, self.kafka_ca)
