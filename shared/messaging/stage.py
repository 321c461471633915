"""What a deployment that is not local refuses to start with."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

from shared.contracts.base import Problem
from shared.errors import LanghocError
from shared.messaging.settings import ServiceSettings
from shared.mongo.connect import has_credentials
from shared.mongo.support import is_supported, supported
from shared.refusals import problem

LEAST_KEY = 32
"""Characters of the keys under which accounts are known and documents are sealed: a shorter one could be tried out."""


class Unsupported(LanghocError):
    """A server whose version a deployment that is not local does not work with."""


def unsafe(settings: ServiceSettings) -> list[Problem]:
    """Everything in a service's settings that is only fit for one machine; each problem's field is the setting."""
    if settings.stage == "local":
        return []
    found = []
    if not settings.issuer:
        found.append(problem("start.local_tokens", "LANGHOC_ISSUER"))
    elif urlsplit(settings.issuer).scheme != "https":
        found.append(problem("start.issuer_without_tls", "LANGHOC_ISSUER", issuer=settings.issuer))
    if settings.jwks:
        found.append(problem("start.local_keys", "LANGHOC_JWKS"))
    if len(settings.account_key.get_secret_value()) < LEAST_KEY:
        found.append(problem("start.no_account_key", "LANGHOC_ACCOUNT_KEY", least=LEAST_KEY))
    seal_keys = settings.seal_key.get_secret_value().split()
    if not seal_keys or min(map(len, seal_keys)) < LEAST_KEY:
        found.append(problem("start.no_seal_key", "LANGHOC_SEAL_KEY", least=LEAST_KEY))
    if not (settings.mongo_user or has_credentials(settings.mongo)):
        found.append(problem("start.mongo_without_login", "LANGHOC_MONGO_USER"))
    if settings.kafka_user is None:
        found.append(problem("start.kafka_without_login", "LANGHOC_KAFKA_USER"))
    if settings.clock_offset:
        found.append(problem("start.simulated_clock", "LANGHOC_CLOCK_OFFSET"))
    if settings.clock_file is not None:
        found.append(problem("start.simulated_clock", "LANGHOC_CLOCK_FILE"))
    return found


def require_supported(settings: ServiceSettings, version: str, on: date) -> None:
    """Raise `Unsupported` if the database is of a version that nobody mends any more on that day."""
    until = settings.mongo_supported_until
    if settings.stage == "local" or (is_supported(version, on) if until is None else on <= until):
        return
    fit = ", ".join(supported(on)) or "…"
    raise Unsupported(problem("start.mongo_past_support", "LANGHOC_MONGO", version=version, fit=fit))
