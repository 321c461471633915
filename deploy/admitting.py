"""`python -m deploy.admitting`: topics, logins and rights on Kafka and MongoDB, made as the contracts say.

The job of a deployment in containers, as the administrator of both servers: before the first start and after every
upgrade. To repeat it is harmless. It makes no password: those of the services lie in files, where the services read
them, and the servers are told. Their state is migrated by the services themselves (ADR 29), not here.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import structlog
from aiokafka.errors import KafkaError
from pydantic import Field, ValidationError
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from deploy.local.mongo_rights import let_in_to
from deploy.local.state import SERVICES
from deploy.principals import PrincipalsRefused, principals_of
from shared.messaging.operate.topics import TopicMismatch, apply_topics
from shared.messaging.settings import ServiceSettings
from shared.mongo.connect import credentials
from shared.telemetry import configure_logs

log = structlog.get_logger()
PAUSE_SECONDS = 3.0
FAILED = 1
SERVERS = ("kafka", "mongo")


class Settings(ServiceSettings):
    """As a service's, but of the administrator, and where the services' logins lie."""

    services_secrets: Path
    """A folder with a folder for each service, laid out as its `LANGHOC_SECRETS_DIR`."""
    replication: Annotated[int, Field(ge=1)] = 3
    """Copies of each topic that is made."""
    patience: Annotated[float, Field(ge=0)] = 300.0
    """Seconds for which a server that does not answer yet is asked again."""


Logins = Mapping[str, tuple[str, str]]
"""User and password of each service."""


def logins(folder: Path, server: str) -> Logins:
    """What the services log in with to a server (`kafka`, `mongo`). Raises `ValueError`, `OSError`."""
    found = {}
    for service in SERVICES:
        user, password = (
            (folder / service / f"langhoc_{server}_{what}").read_text(encoding="utf-8").strip()
            for what in ("user", "password")
        )
        if not (user and password):
            raise ValueError(f"{folder / service}: langhoc_{server}_user or langhoc_{server}_password is empty")
        found[service] = user, password
    return found


def admit_to_kafka(settings: Settings, known: Logins) -> None:
    """Topics, logins, rights and quotas. Raises `KafkaError`, `PrincipalsRefused`, `TopicMismatch`, `ValueError`."""
    others = sorted(service for service, (user, _) in known.items() if user != service)
    if others:
        raise ValueError(f"on Kafka a service's user is named like it; rights are given by that name: {others}")
    kafka = settings.kafka_access
    made = asyncio.run(apply_topics(kafka, replication=settings.replication))
    with principals_of(kafka) as principals:
        principals.admit({service: password for service, (_, password) in known.items()})
        principals.apply({*known} | principals.clients())
        taken = principals.take_from_everybody()
    log.info("admitting.kafka", topics_made=len(made), services=sorted(known), taken_from_everybody=sorted(taken))


def admit_to_mongo(settings: Settings, known: Logins) -> None:
    """Users and their roles; before them a set of the one member that the URI names, if it is none yet.

    Raises `PyMongoError`.
    """
    login = credentials(settings.mongo, settings.mongo_login)
    _form_set(settings.mongo, login)
    client: MongoClient[dict[str, Any]]
    with MongoClient(settings.mongo, serverSelectionTimeoutMS=5_000, **login) as client:
        for service, (user, password) in known.items():
            let_in_to(client, user, password, settings.database_prefix + service)
    log.info("admitting.mongo", services=sorted(known))


def _form_set(uri: str, login: Mapping[str, Any]) -> None:
    """A set of several members, or one that is named by DNS, is its owner's to make."""
    named = parse_uri(uri, validate=True, connect_timeout=5)
    options = {name: value for name, value in named["options"].items() if name.lower() != "replicaset"}
    wanted = named["options"].get("replicaSet")
    if wanted is None or named["fqdn"] or len(named["nodelist"]) != 1:
        return
    ((host, port),) = named["nodelist"]
    member: MongoClient[dict[str, Any]]
    with MongoClient(host, port, directConnection=True, serverSelectionTimeoutMS=5_000, **options, **login) as member:
        if "setName" not in member.admin.command("hello"):
            members = [{"_id": 0, "host": f"{host}:{port}"}]
            member.admin.command("replSetInitiate", {"_id": wanted, "members": members})
            log.info("admitting.set_formed", name=wanted, member=f"{host}:{port}")


def patiently(step: Callable[[], None], until: float) -> None:
    """Take a step again until its server answers; raises its error when time is over."""
    while True:
        try:
            return step()
        except (KafkaError, PrincipalsRefused, PyMongoError, TimeoutError) as error:
            if time.monotonic() > until:
                raise
            log.warning("admitting.waiting", error=str(error)[:300], next_try_seconds=PAUSE_SECONDS)
        time.sleep(PAUSE_SECONDS)


def wrong(error: ValidationError) -> Iterator[str]:
    """Each setting that cannot be used, without its value."""
    for one in error.errors(include_input=False, include_url=False):
        yield f"LANGHOC_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" if one["loc"] else one["msg"]


def main() -> int:
    """Do it all; returns the exit code."""
    configure_logs("admitting")
    try:
        settings = Settings()
        kafka, mongo = (logins(settings.services_secrets, server) for server in SERVERS)
        until = time.monotonic() + settings.patience
        patiently(lambda: admit_to_mongo(settings, mongo), until)
        patiently(lambda: admit_to_kafka(settings, kafka), until)
    except ValidationError as error:
        log.critical("admitting.refused", settings=list(wrong(error)))
    except (KafkaError, PrincipalsRefused, PyMongoError, TimeoutError, TopicMismatch, ValueError, OSError) as error:
        log.critical("admitting.failed", error=str(error)[:500])
    else:
        return 0
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
