"""Who is calling, as a bench's HTTP side asks it: on a local platform, whose accounts may stand for themselves."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.local.identity import jwks_path
from shared import local_accounts
from shared.contracts.people import Assignment, PersonEntered, Role, account_key
from shared.messaging.clock import BusinessClock
from shared.mongo import Mongo
from shared.web.auth import Verifier
from shared.web.keys import KeysInFile
from shared.web.people import Directory, Trust
from shared.web.tokens import Terms, Tokens, local

ACCOUNT_KEY = b"key of the tests"
ISSUER = "https://id.moet.example/realms/langhoc"


def local_verifier(state: Path, mongo: Mongo, clock: BusinessClock) -> Verifier:
    """By the keys of a folder, and over what the service's database knows of persons."""
    return Verifier(local(str(jwks_path(state))), Directory(mongo, clock, Trust(ACCOUNT_KEY, local=True)))


def verifier_of(state: Path, mongo: Mongo, clock: BusinessClock, issuer: str = ISSUER, **trust: Any) -> Verifier:
    """Of a deployment that takes this issuer's tokens, signed with the folder's key, and knows its directory alone."""
    tokens = Tokens(KeysInFile(str(jwks_path(state))), Terms(issuer, "langhoc", timedelta(hours=1)))
    return Verifier(tokens, Directory(mongo, clock, Trust(ACCOUNT_KEY, **trust)))


def local_operator(person: str, *subjects: str) -> PersonEntered:
    """An operator of the ministry, through accounts of a local platform."""
    keys = [account_key(ACCOUNT_KEY, local_accounts.ISSUER, subject) or "" for subject in subjects]
    return PersonEntered(
        person_id=person,
        version=1,
        assignments=[Assignment(role=Role.MINISTRY, first_day=date(2020, 1, 1))],
        accounts=keys,
        entered_by="p-0",
        entered_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def signed(state: Path, **claims: Any) -> str:
    """A token with these claims, signed with the folder's key as rightly as any."""
    key = ECKey.import_key(json.loads((state / "signing-key.json").read_text()))
    now = int(time.time())
    whole = {"aud": "langhoc", "iss": ISSUER, "iat": now, "exp": now + 3_600, **claims}
    return jwt.encode({"alg": "ES256", "kid": key.kid}, whole, key)
