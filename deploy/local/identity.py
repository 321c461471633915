"""The platform's own signing key, and tokens for trying things out.

A real installation trusts the ministry's identity provider; the local platform has this key in its stead.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, get_args

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from deploy.local.errors import LocalPlatformError
from deploy.local.files import write_atomically
from shared.local_accounts import AUDIENCE, ISSUER, MOST_HOURS, SUBJECT
from shared.registry import registry
from shared.rulebook import HANOI

Role = Literal["ministry", "province", "finance", "auditor"]

ROLES: tuple[Role, ...] = get_args(Role)
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
    """Sign a bearer token for this subject; a province's officer needs the province's two digits.

    Raises `LocalPlatformError`: there is no such account, province or lifetime, or no key yet.
    """
    if not SUBJECT.fullmatch(subject):
        raise LocalPlatformError(
            f"A local account is named by 1 to 64 small letters, digits, '.', '_' and '-', beginning with a letter, "
            f"so that no two look alike; {subject!r} is not."
        )
    if not 1 <= hours <= MOST_HOURS:
        raise LocalPlatformError(f"A token is valid for 1 to {MOST_HOURS} hours, not for {hours}.")
    if role == "province" and province is None:
        raise LocalPlatformError("A token for the role 'province' needs the province's code, for example 01.")
    if province is not None:
        _require_province(province)
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


def _require_province(code: str) -> None:
    """Raises `LocalPlatformError` with whom may be meant, unless it is one of today's provinces."""
    register, today = registry(), datetime.now(HANOI).date()
    if register.province(code, today):
        return
    known = [one.code for one in register.provinces(today)]
    try:
        meant = f"It is part of {register.speaker(code, date.min)} now"
    except KeyError:
        meant = f"There are: {', '.join(sorted(get_close_matches(code, known, cutoff=0.5)) or known)}"
    raise LocalPlatformError(f"No province has the code {code!r} today. {meant}.")
