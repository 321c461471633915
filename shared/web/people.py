"""From the account in a token to the person who acts: the directory, as this service knows it now.

Role and province are those of the directory on the day of the request. On a developer's own platform an account that
the directory does not know stands for itself; anywhere else it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared import local_accounts
from shared.contracts.people import Role, account_key, in_force
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.people import PEOPLE
from shared.mongo import Mongo
from shared.rulebook import HANOI
from shared.web.callers import Caller
from shared.web.problems import refused
from shared.web.tokens import Account

LOCAL = "local:"
"""Before the name of an account that stands for itself. No id of the directory has a colon."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a service believes beside the directory, and the key of what the directory publishes."""

    key: bytes
    local: bool = False
    """Whether an account that a local platform signed may stand for itself."""


@dataclass(frozen=True, slots=True)
class Formerly:
    """What a person was called before the directory knew it: by the subject of any of its accounts, those that have
    ended among them."""

    key: bytes = field(repr=False)
    issuer: str
    """Of the account that asks: an older release kept no issuer beside a subject."""
    accounts: frozenset[str]

    def __contains__(self, name: object) -> bool:
        subject = str(name).removeprefix(LOCAL)
        issuers = {local_accounts.ISSUER} if subject != name else {self.issuer, local_accounts.ISSUER}
        return any(account_key(self.key, issuer, subject) in self.accounts for issuer in issuers)


class Directory:
    """Says which person an account is."""

    def __init__(self, mongo: Mongo, clock: BusinessClock, trust: Trust) -> None:
        self._mongo = mongo
        self._clock = clock
        self._trust = trust

    @property
    def key(self) -> bytes:
        """Key of the hashes under which accounts are published."""
        return self._trust.key

    async def caller(self, account: Account) -> Caller:
        """The person. Raises `ApiProblem` (401, 403) where nobody known is meant, or nobody who acts today."""
        today = self._clock.now().astimezone(HANOI).date()
        key = account_key(self._trust.key, account.issuer, account.subject)
        found = [] if key is None else [PEOPLE.read(row) for row in await self._mongo.find("people", {"accounts": key})]
        if not found:
            return self._stranger(account)
        if len(found) > 1:  # never entered; a service that has read one of two changes only could see it
            raise refused("http.account_of_two")
        (person,) = found
        if key in person.ended:
            raise refused("http.account_ended", person=person.person_id)
        now = in_force(person.assignments, today)
        if now is None:
            raise refused("http.acts_no_more", person=person.person_id, on=today)
        formerly = Formerly(self._trust.key, account.issuer, frozenset(person.accounts))
        return Caller(person.person_id, now.role, now.province, formerly)

    def _stranger(self, account: Account) -> Caller:
        if self._trust.local and account.issuer == local_accounts.ISSUER:
            return _local(account)
        raise refused("http.account_unknown")


def _local(account: Account) -> Caller:
    if not local_accounts.SUBJECT.fullmatch(account.subject):
        raise refused("tokens.subject")
    if account.role is None:
        raise refused("tokens.claim", claim="role")
    if account.role is Role.PROVINCE and account.province is None:
        raise refused("tokens.claim", claim="province")
    return Caller(LOCAL + account.subject, account.role, account.province, formerly=(account.subject,))
