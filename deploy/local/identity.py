"""The platform's own signing key, and tokens for trying things out.

A real installation trusts the ministry's identity provider; the local platform has this key in its stead.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from deploy.local.errors import LocalPlatformError
from deploy.local.files import write_atomically

Role = Literal["ministry", "province", "finance", "auditor"]

ROLES: tuple[Role, ...] = get_args(Role)
ISSUER = "langhoc-local"
AUDIENCE = "langhoc"
ALGORITHM = "ES256"


def jwks_path(state: Path) -> Path:
    """The public half, which the services verify tokens with."""
    return state / "jwks.json"


def _private_path(state: Path) -> Path:
    return state / "signing-key.json"


def _signing_key(state: Path) -> ECKey:
    return ECKey.import_key(json.loads(_private_path(state).read_text()))


def ensure_signing_key(state: Path) -> None:
    """Create the key pair of this state folder if it has none."""
    private = _private_path(state)
    if not private.exists():
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        write_atomically(private, json.dumps(key.as_dict(private=True)))
    public = KeySet([_signing_key(state)]).as_dict(private=False)
    write_atomically(jwks_path(state), json.dumps(public))


def issue_token(state: Path, subject: str, role: Role, province: str | None = None, hours: int = 8) -> str:
    """Sign a bearer token for this subject; a province's officer needs the province's two digits."""
    if role == "province" and province is None:
        raise LocalPlatformError("A token for the role 'province' needs the province's code, for example 01.")
    if province is not None and not (len(province) == 2 and province.isascii() and province.isdigit()):
        raise LocalPlatformError(f"A province's code has two digits, for example 01; {province!r} has not.")
    if not _private_path(state).exists():
        raise LocalPlatformError("There is no signing key yet. Make it with: langhoc up")
    key = _signing_key(state)
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=hours)).timestamp()),
    }
    if province is not None:
        claims["province"] = province
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)
