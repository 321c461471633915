"""`python -m deploy.compose.prepare --host NAME`: the passwords, keys and certificates that `compose.yaml` mounts.

They lie in `deploy/compose/secrets`, a folder that nobody but its owner enters. In it the files can be read by
everybody: containers run as users of their own, and each is given its own folder or file alone. What is there stays: to
renew a password or certificate, remove its file and run this again. The authority's key is mounted nowhere.
"""

from __future__ import annotations

import argparse
import ipaddress
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from deploy.local.files import private_folder, write_atomically
from deploy.local.secrets import Secrets
from deploy.local.state import SERVICES

HERE = Path(__file__).parent
AUTHORITY_DAYS, SERVER_DAYS = 3_650, 397
SERVERS = {"kafka": ("kafka",), "mongo": ("mongo",), "keycloak": ("keycloak",)}
"""Who shows a certificate, and under which names the other containers reach it."""
OUTSIDE = ("kafka", "keycloak")
"""Whom the world reaches too, under the machine's name."""
ADMIN = "admin"


def prepare(folder: Path, host: str) -> None:
    """Make what is not there yet in `<folder>/secrets`; the world reaches this machine as `host`."""
    kept = Secrets(folder)
    root = private_folder(folder / "secrets")
    for principal in (ADMIN, *SERVICES):
        kept.password(principal, "kafka")
        kept.password(principal, "mongo")
    for service in SERVICES:
        _once(kept.folder(service) / "langhoc_account_key", kept.account_key())
        _once(kept.folder(service) / "langhoc_seal_key", secrets.token_urlsafe(32))
    kept.mongod_key()
    for name in ("kafka/node_password", "keycloak/admin_password", "grafana/admin_password"):
        _once(root / name, secrets.token_urlsafe(32))
    _certificates(root / "tls", host)
    for path in sorted(root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (root / "tls" / "ca.key").chmod(0o600)
    (root / "account.key").chmod(0o600)


def _once(file: Path, text: str) -> None:
    if not file.exists():
        write_atomically(file, text)


# ------------------------------------------------------------------------------------------------ certificates


def _certificates(folder: Path, host: str) -> None:
    """An authority, and a key with its certificate for each server: `<server>.key`, `.crt`, and both in `.pem`."""
    folder.mkdir(exist_ok=True)
    if not (folder / "ca.pem").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_atomically(folder / "ca.key", _private(key))
        write_atomically(folder / "ca.pem", _public(_authority(key)))
    ca_key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    for server, inside in SERVERS.items():
        if (folder / f"{server}.pem").exists():
            continue
        key = ec.generate_private_key(ec.SECP256R1())
        names = [*inside, *([host] if server in OUTSIDE else []), "localhost"]
        chain = _public(_server(server, names, key, ca, ca_key)) + _public(ca)
        write_atomically(folder / f"{server}.key", _private(key))
        write_atomically(folder / f"{server}.crt", chain)
        write_atomically(folder / f"{server}.pem", _private(key) + chain)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    name = _named("Langhoc, this machine's own authority")
    return (
        _begun(name, name, key, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )


def _server(
    name: str,
    names: Sequence[str],
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    alternatives = x509.SubjectAlternativeName([_alternative(each) for each in names])
    return (
        _begun(_named(name), ca.subject, key, ca_key, SERVER_DAYS)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(ca_key, SHA256())
    )


def _begun(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    # PKCS 8, the only form that Kafka reads.
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.compose.prepare", description=__doc__)
    parser.add_argument("--host", required=True, help="the name under which the world reaches this machine")
    prepare(HERE, parser.parse_args().host)
    return 0


if __name__ == "__main__":
    sys.exit(main())
