"""Kafka behind TLS, once for real: an authority, a key in PKCS 8, everything in PEM; a submission there and back."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from cli.main import app
from cli.publishing import Message, Portal
from deploy.local.harness import Servers, start_servers
from deploy.local.servers import Tls, kafka_answers
from deploy.principals import PrincipalsRefused, principals_of
from shared.contracts.catalogue import EventType
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import apply_topics
from tests.platform import ServiceProcesses

pytestmark = pytest.mark.integration


def signed(
    name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def authority(folder: Path, name: str) -> Tls:
    """An authority and what it has signed for a broker on this machine."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    ca = (
        signed(name, ca_key, ca_key, name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(ca_key, SHA256())
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = signed("broker", key, ca_key, name).add_extension(here, critical=False).sign(ca_key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = Tls(folder / f"{name}-broker.pem", folder / f"{name}.pem")
    made.identity.write_bytes(private + certificate.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM))
    made.ca.write_bytes(ca.public_bytes(Encoding.PEM))
    return made


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("tls")
    with start_servers(folder, tls=authority(folder, "ministry")) as running:
        asyncio.run(apply_topics(running.kafka))
        yield running


async def test_a_submission_is_answered_and_nobody_is_heard_unencrypted(secured: Servers, tmp_path: Path) -> None:
    """With what `langhoc client` prints; the service, the command and the client each check the certificate."""
    environment = {f"LANGHOC_{name.upper()}": value for name, value in secured.kafka.settings.items()}
    assert environment["LANGHOC_KAFKA_SECURITY"] == "sasl_ssl"
    made = await asyncio.to_thread(
        CliRunner(env=environment).invoke, app, ["client", "create", "--province", "46", "--form", "python"]
    )
    assert made.exit_code == 0, made.output
    namespace: dict[str, Any] = {}
    exec(made.stdout, namespace)
    kafka = namespace["kafka"]
    access = KafkaAccess(
        secured.kafka.bootstrap, "province-46", kafka["sasl_plain_password"], "sasl_ssl", secured.kafka.ca
    )
    with ServiceProcesses(secured, tmp_path, LANGHOC_KAFKA_CA=str(secured.kafka.ca)) as processes:
        await asyncio.to_thread(processes.start, "intake")
        async with Portal(access) as portal:
            (sent,) = await portal.publish([Message("46", "k", EventType.ENVELOPE_SUBMITTED, b"{}")])
        async with AIOKafkaConsumer(
            "receipts.46", **kafka, group_id="province-46.portal", auto_offset_reset="earliest"
        ) as consumer:
            receipt = await asyncio.wait_for(consumer.getone(), 60)
    assert dict(receipt.headers)["ce_id"].decode() == sent.receipt_id

    assert kafka_answers(access)
    other = authority(tmp_path, "somebody-else")
    for name, wrong in {
        "unencrypted": replace(access, security="sasl_plaintext", ca=None),
        "as nobody": KafkaAccess(access.bootstrap),
        "another authority": replace(access, ca=other.ca),
        "the system's authorities": replace(access, ca=None),
        "another name than the certificate's": replace(
            access, bootstrap=access.bootstrap.replace("127.0.0.1", "localhost")
        ),
    }.items():
        assert not kafka_answers(wrong), name


def test_the_administrator_does_not_speak_to_a_stranger(secured: Servers, tmp_path: Path) -> None:
    """Its password would be all that somebody in the middle wants."""
    with principals_of(secured.kafka) as principals:
        assert "admin" in principals.logins()
    with pytest.raises(PrincipalsRefused), principals_of(replace(secured.kafka, ca=authority(tmp_path, "x").ca)):
        pass
