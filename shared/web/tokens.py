"""Bearer tokens: signed JWTs of one issuer, checked without asking anybody. There is no identity by plain header.

A token names an account. Which person that is, the directory says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64decode

from shared import local_accounts
from shared.contracts.people import Role
from shared.messaging.clock import BusinessClock
from shared.messaging.settings import ServiceSettings
from shared.outside import read_json
from shared.web.keys import IssuerKeys, Keys, KeysInFile
from shared.web.problems import ApiProblem, refused

LEEWAY_SECONDS = 30
"""By how much the issuer's clock may differ from ours."""
ALGORITHMS = ("Ed25519", "EdDSA", "ES256", "RS256", "PS256")
"""Asymmetric ones: a published key can never be the secret that makes a signature."""
MOST_BYTES = 8_192
"""Of a token. Keycloak's have one to two thousand."""
_HEADERS = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""Of a token's own header. Any other says where a key lies, or that the payload is something else than it looks."""
_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
_OF_OTHER_TOKENS = ("at_hash", "c_hash", "events", "cnf")
"""Claims of an ID token, of a logout token, and of a token that is worth nothing without a proof we do not ask for."""
_SUBJECT = re.compile(r"[\x21-\x7e]{1,255}")
_PROVINCE = re.compile(r"[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Account:
    """Whom an issuer has let in. Role and province are what the token says of them, where it says any."""

    issuer: str
    subject: str
    role: Role | None
    province: str | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token must say of itself."""

    issuer: str
    audience: str
    lifetime: timedelta
    """From its issue to its end at most: what the issuer takes back (an account, a session) is out after this time."""
    subject: re.Pattern[str] = _SUBJECT


class Tokens:
    """Checks tokens against an issuer's keys and our terms."""

    def __init__(self, keys: Keys, terms: Terms, clock: BusinessClock | None = None) -> None:
        self.keys = keys
        self._terms = terms
        clock = clock or BusinessClock()
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock.real().timestamp()),  # never the simulated time: tokens are real
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": terms.issuer},
            aud={"essential": True, "value": terms.audience},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, token: str) -> Account:
        """The account that a token names.

        Raises `ApiProblem`: 401 with the reason; 503 where the issuer's keys are not known.
        """
        kid = _kid(token)
        keys = await self.keys.known()
        if not _has(keys, kid):
            keys = await self.keys.looked_up_again()
        if not _has(keys, kid):
            raise refused("tokens.unknown_key")
        return self._account(_payload(token, keys))

    def _account(self, claims: dict[str, Any]) -> Account:
        try:
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise refused("tokens.expired") from None
        except (MissingClaimError, InvalidClaimError) as error:
            raise _of_claim(error.claim, claims) from None
        if claims.get("typ", "Bearer") != "Bearer" or any(name in claims for name in _OF_OTHER_TOKENS):
            raise refused("tokens.no_access_token")
        if claims["exp"] - claims["iat"] > self._terms.lifetime.total_seconds():
            raise refused("tokens.lives_too_long", minutes=self._terms.lifetime // timedelta(minutes=1))
        if not self._terms.subject.fullmatch(claims["sub"]):
            raise refused("tokens.subject")
        return Account(self._terms.issuer, claims["sub"], _role(claims), _province(claims))


def trusted(settings: ServiceSettings, clock: BusinessClock) -> Tokens:
    """Whose tokens a service takes: of the issuer that is named, else of this machine's platform."""
    if settings.issuer:
        terms = Terms(settings.issuer, settings.audience, timedelta(seconds=settings.token_seconds))
        return Tokens(IssuerKeys(settings.issuer), terms, clock)
    return local(settings.jwks, clock)


def local(jwks: str, clock: BusinessClock | None = None) -> Tokens:
    """The tokens of this machine's platform, whose keys lie in a file."""
    lifetime = timedelta(hours=local_accounts.MOST_HOURS)
    terms = Terms(local_accounts.ISSUER, local_accounts.AUDIENCE, lifetime, local_accounts.SUBJECT)
    return Tokens(KeysInFile(jwks), terms, clock)


def _kid(token: str) -> str:
    """Which key a token says it is signed with, if its header is one that we take."""
    if len(token) > MOST_BYTES:
        raise refused("tokens.too_large", limit=MOST_BYTES)
    try:
        header = read_json(urlsafe_b64decode(token.partition(".")[0].encode("ascii")).decode("utf-8"))
    except ValueError:
        raise refused("tokens.malformed") from None
    if not isinstance(header, dict) or not header.keys() <= _HEADERS:
        raise refused("tokens.malformed")
    kid, type = header.get("kid"), header.get("typ", "")
    if not isinstance(kid, str) or not isinstance(type, str) or type.lower() not in _TYPES:
        raise refused("tokens.malformed")
    if header.get("alg") not in ALGORITHMS:
        raise refused("tokens.algorithm", algorithms=", ".join(ALGORITHMS))
    return kid


def _has(keys: KeySet, kid: str) -> bool:
    return any(key.kid == kid for key in keys.keys)


def _payload(token: str, keys: KeySet) -> dict[str, Any]:
    try:
        signed = jws.deserialize_compact(token, keys, algorithms=ALGORITHMS)
        claims = read_json((signed.payload or b"").decode("utf-8"))
    except BadSignatureError:
        raise refused("tokens.signature") from None
    except (JoseError, ValueError, TypeError):
        raise refused("tokens.malformed") from None
    if not isinstance(claims, dict):  # a token in a token, a text, a list
        raise refused("tokens.malformed")
    return claims


def _of_claim(claim: str, claims: dict[str, Any]) -> ApiProblem:
    """What is wrong with a claim that is missing, of another type, or of another value."""
    match claim:
        case "iss":
            return refused("tokens.issuer")
        case "aud":
            return refused("tokens.audience")
        case "sub":
            return refused("tokens.subject")
        case "nbf" | "iat" if isinstance(claims.get(claim), int | float):
            return refused("tokens.not_yet")
        case _:
            return refused("tokens.claim", claim=claim)


def _role(claims: dict[str, Any]) -> Role | None:
    role = claims.get("role")
    try:
        return None if role is None else Role(role)
    except ValueError:
        raise refused("tokens.claim", claim="role") from None


def _province(claims: dict[str, Any]) -> str | None:
    province = claims.get("province")
    if province is None or (isinstance(province, str) and _PROVINCE.fullmatch(province)):
        return province
    raise refused("tokens.claim", claim="province")
