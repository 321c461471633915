"""`langhoc topics apply`: topics, rights and quotas of a Kafka made as the contracts say."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cli.deployments import kafka_to_administer
from cli.output import CommandError, plain_errors, say
from deploy.principals import principals_of
from shared.contracts.rights import SERVICES
from shared.contracts.topics import all_topics

app = typer.Typer(help="Kafka's topics, and who may do what on them.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="topics")


@app.callback()
def _group() -> None:
    """A command of its own for each thing that is done, though there is one so far."""


@app.command()
def apply(
    replication: Annotated[
        int, typer.Option(min=1, max=32_767, help="Copies of each topic that is made, each on a broker of its own.")
    ] = 3,
) -> None:
    """Make the topics that are missing, then rights and quotas of services and clients as the contracts say.

    For a Kafka of your own, as its administrator: before the first start and after every upgrade. To repeat it is
    harmless; what is right already stays as it is, and nothing is ever deleted but rights that nobody should have.
    Those of User:* on our topics, our groups or the cluster are among them, and are named.
    """
    # Imported here, so that commands which only look do not load the messaging stack.
    from aiokafka.errors import KafkaError

    from shared.messaging.operate.topics import TopicMismatch, apply_topics, province_codes

    with plain_errors():
        kafka = kafka_to_administer()
        try:
            made = asyncio.run(apply_topics(kafka, replication=replication))
        except (KafkaError, TopicMismatch) as error:
            raise CommandError(f"The topics could not be made on {kafka.bootstrap}: {error}") from error
        say(f"Topics: {len(all_topics(province_codes()))}, of which {len(made)} made now.")
        if kafka.user is None:
            say("Rights: none, for this Kafka is used without a login.")
            return
        with principals_of(kafka) as principals:
            clients, logins = principals.clients(), principals.logins()
            principals.apply({*SERVICES} | clients)
            taken = principals.take_from_everybody()
        say(f"Rights and quotas: {len(SERVICES)} services, {len(clients)} clients.")
        for each in sorted(taken):
            say(f"Taken away: everybody who can log in had the right: {each}. Find out who gave it.")
        for service in SERVICES:
            if service not in logins:
                say(f"{service} cannot log in yet: langhoc client create --service {service}")
