"""What a deployment that is not local refuses to start with."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.contracts.base import Problem
from shared.messaging.settings import ServiceSettings
from shared.refusals import problem

LEAST_KEY = 32
"""Characters of the key under which accounts are known: a shorter one could be tried out."""


def unsafe(settings: ServiceSettings) -> list[Problem]:
    """Everything in a service's settings that is only fit for one machine; each problem's field is the setting."""
    if settings.profile == "local":
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
    if settings.kafka_user is None:
        found.append(problem("start.kafka_without_login", "LANGHOC_KAFKA_USER"))
    return found
