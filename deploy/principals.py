"""Who may log in to a Kafka cluster and what each may do there, for whoever administers it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import ClusterAuthorizationFailedError, KafkaError, for_code
from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest

from deploy.local.errors import LocalPlatformError
from shared.contracts.quotas import Quota, quota
from shared.contracts.rights import SERVICES, Right, is_party, reaches_ours, rights
from shared.messaging.access import KafkaAccess
from shared.rulebook import HANOI

# The library tells every connection that is refused; here the caller is told.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False

MECHANISM = ScramMechanism.SCRAM_SHA_512
MECHANISMS = (MECHANISM, ScramMechanism.SCRAM_SHA_256)
FOLLOWED_SECONDS = 5.0
QUOTAS = {
    "producer_byte_rate": "written_bytes",
    "consumer_byte_rate": "read_bytes",
    "request_percentage": "request_percent",
}
"""Kafka's names of what a `Quota` says."""


EVERYBODY = "User:*"
"""The principal of a right that counts for whoever is logged in."""


class PrincipalsRefused(LocalPlatformError):
    """The cluster cannot be asked, or does not do what was asked."""


class Principals:
    """A cluster's principals. When a call returns, it is done on the controller, and the broker that is asked shows it.
    Others follow within moments.
    """

    def __init__(self, client: KafkaAdminClient) -> None:
        self._client = client

    def logins(self) -> set[str]:
        """Everybody who has a password."""
        self._acls("User:nobody")  # told at once that it is no administrator; the next call would be repeated in vain
        return set(self._passwords())

    def admit(self, passwords: Mapping[str, str]) -> None:
        """Let these principals log in, each with its password; it takes the place of an earlier one."""
        wanted = [UserScramCredentialUpsertion(user, MECHANISM, word) for user, word in passwords.items()]
        self._heeded(self._client.alter_user_scram_credentials(wanted))
        self._shown(lambda: all(self._has(self._passwords(), user, MECHANISM) for user in passwords))
        self._forget(passwords.keys(), [each for each in MECHANISMS if each is not MECHANISM])

    def dismiss(self, principals: Set[str]) -> None:
        """Take passwords and rights away. What is still connected can do nothing from now on; its quota stays.

        Passwords first: whoever has one is given its rights back by the next `apply`, should this break off between.
        """
        self._acls("User:nobody")  # as for `logins`
        self._forget(principals, MECHANISMS)
        self.settle(dict.fromkeys(principals, frozenset()))

    def _forget(self, principals: Set[str], mechanisms: Iterable[ScramMechanism]) -> None:
        """Take these kinds of passwords away; of another kind than ours is what somebody else set."""
        known = self._passwords()
        for mechanism in mechanisms:
            gone = [user for user in sorted(principals) if self._has(known, user, mechanism)]
            if gone:
                deletions = [UserScramCredentialDeletion(user, mechanism) for user in gone]
                self._heeded(self._client.alter_user_scram_credentials(deletions))
                self._shown(partial(self._lack, gone, mechanism))

    def _passwords(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._client.describe_user_scram_credentials()
        return found

    def _lack(self, users: Iterable[str], mechanism: ScramMechanism) -> bool:
        known = self._passwords()
        return not any(self._has(known, user, mechanism) for user in users)

    @staticmethod
    def _has(known: Mapping[str, Any], user: str, mechanism: ScramMechanism) -> bool:
        return user in known and any(each["mechanism"] == mechanism for each in known[user]["credential_infos"])

    def _shown(self, holds: Callable[[], bool]) -> None:
        """Wait a few seconds at most until the broker that is asked has followed: whoever calls next builds on it."""
        until = time.monotonic() + FOLLOWED_SECONDS
        while not holds() and time.monotonic() < until:
            time.sleep(0.05)

    def settle(self, wanted: Mapping[str, Set[Right]]) -> None:
        """Make the rights of these principals exactly these."""
        held = {acl for acl in self._acls(None) if acl.principal.removeprefix("User:") in wanted}
        asked = {_acl(principal, right) for principal, rights in wanted.items() for right in rights}
        # What is new comes first: nobody is without a right that it keeps.
        self._create(asked - held)
        self._delete(held - asked)

    def grant(self, principal: str, rights: Set[Right]) -> None:
        """Give these rights beside those that it has."""
        self._create({_acl(principal, right) for right in rights})

    def withdraw(self, principal: str, rights: Set[Right]) -> None:
        """Take these rights away and leave the others."""
        self._delete({_acl(principal, right) for right in rights})

    def rights_of(self, principal: str) -> set[Right]:
        """What a principal may do now, as far as it is ours to give."""
        return {right for acl in self._acls(f"User:{principal}") if (right := _right(acl))}

    def strange_rights(self, principal: str) -> set[str]:
        """What somebody else gave it, or forbade it, in ways that are not ours: `all topic intake.accepted`."""
        return {_named(each) for each in self._acls(f"User:{principal}") if _right(each) is None}

    def rights_of_everybody(self) -> set[str]:
        """What everybody may do on our topics and groups, or with the cluster, whoever gave it: `read topic *`."""
        return {_named(each) for each in self._of_everybody()}

    def take_from_everybody(self) -> set[str]:
        """Take those rights away; returns which they were. On what is not ours they stay."""
        found = self._of_everybody()
        self._delete(found)
        return {_named(each) for each in found}

    def _of_everybody(self) -> set[ACL]:
        return {
            each for each in self._acls(EVERYBODY) if each.permission_type == ACLPermissionType.ALLOW and _ours(each)
        }

    def apply(self, principals: Set[str]) -> None:
        """Make rights and quotas of these principals what the contracts say today, and nothing else."""
        today = datetime.now(HANOI).date()
        self.settle({principal: rights(principal) for principal in principals})
        self.limit({principal: quota(principal, today) for principal in principals})

    def clients(self) -> set[str]:
        """Everybody outside who has a password: portals, the treasury."""
        return {login for login in self.logins() - {*SERVICES} if is_party(login)}

    def limit(self, wanted: Mapping[str, Quota | None]) -> None:
        """Set the quota of each principal; `None` lifts it."""
        asked, entity, op = (
            AlterClientQuotasRequest.EntryData,
            AlterClientQuotasRequest.EntryData.EntityData,
            AlterClientQuotasRequest.EntryData.OpData,
        )
        entries = [
            asked(
                entity=[entity(entity_type="user", entity_name=principal)],
                ops=[
                    op(key=key, value=float(getattr(limit, name)) if limit else 0.0, remove=limit is None)
                    for key, name in QUOTAS.items()
                ],
            )
            for principal, limit in wanted.items()
        ]
        answer = self._send(AlterClientQuotasRequest(entries=entries, validate_only=False))
        self._heeded(
            {str(each.entity): for_code(each.error_code).__name__ for each in answer.entries if each.error_code}
        )

    def quotas(self) -> dict[str, Quota]:
        """How each principal that is limited is limited now."""
        every = DescribeClientQuotasRequest.ComponentData(entity_type="user", match_type=2, match=None)
        answer = self._send(DescribeClientQuotasRequest(components=[every], strict=True))
        self._heeded({"quotas": for_code(answer.error_code).__name__ if answer.error_code else None})
        limits = {
            each.entity[0].entity_name: {value.key: value.value for value in each.values} for each in answer.entries
        }
        return {
            principal: Quota.model_validate({name: found[key] for key, name in QUOTAS.items()})
            for principal, found in limits.items()
            if QUOTAS.keys() <= found.keys()
        }

    def _send(self, request: Any) -> Any:
        # The library has no calls of its own for quotas yet.
        return self._client._manager.run(self._client._manager.send, request)

    def _acls(self, principal: str | None) -> list[ACL]:
        anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        found, error = self._client.describe_acls(
            ACLFilter(principal, None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
        )
        if error is not for_code(0):
            raise PrincipalsRefused(f"Kafka does not tell its rights: {error.__name__}")
        return list(found)

    def _create(self, acls: set[ACL]) -> None:
        if acls:
            failed = self._client.create_acls(list(acls))["failed"]
            self._heeded({error.__name__: error.description for error in failed})
            self._shown(lambda: acls <= set(self._acls(None)))

    def _delete(self, acls: set[ACL]) -> None:
        if acls:
            done = self._client.delete_acls([_exactly(acl) for acl in acls])
            self._heeded({str(each): error.__name__ for each, _, error in done if error is not for_code(0)})
            self._shown(lambda: not acls & set(self._acls(None)))

    def _heeded(self, answers: Mapping[str, str | None]) -> None:
        refused = [f"{what}: {why}" for what, why in answers.items() if why]
        if refused:
            raise PrincipalsRefused("Kafka refuses: " + "; ".join(refused[:5]))


@contextmanager
def principals_of(kafka: KafkaAccess) -> Iterator[Principals]:
    """The principals of a cluster, in the name of an administrator. Raises `PrincipalsRefused`."""
    try:
        client = KafkaAdminClient(**kafka.options, bootstrap_timeout_ms=10_000, request_timeout_ms=20_000)
        try:
            yield Principals(client)
        finally:
            client.close()
    except ClusterAuthorizationFailedError as error:
        raise PrincipalsRefused(
            f"{kafka.user} is no administrator of Kafka at {kafka.bootstrap}, and only one sees logins and rights."
        ) from error
    except KafkaError as error:
        raise PrincipalsRefused(f"Kafka at {kafka.bootstrap} does not do it for {kafka.user}: {error!r}") from error


_TYPES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
_OPERATIONS = {"read": ACLOperation.READ, "write": ACLOperation.WRITE}


def _acl(principal: str, right: Right) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if right.prefixed else ACLResourcePatternType.LITERAL
    return ACL(
        f"User:{principal}",
        "*",
        _OPERATIONS[right.operation],
        ACLPermissionType.ALLOW,
        ResourcePattern(_TYPES[right.resource], right.name, pattern),
    )


def _right(acl: ACL) -> Right | None:
    pattern = acl.resource_pattern
    if acl.permission_type != ACLPermissionType.ALLOW or acl.host != "*":
        return None
    for resource, type_ in _TYPES.items():
        for operation, code in _OPERATIONS.items():
            right = Right(
                resource,  # type: ignore[arg-type]
                pattern.resource_name,
                pattern.pattern_type == ACLResourcePatternType.PREFIXED,
                operation,  # type: ignore[arg-type]
            )
            if (pattern.resource_type, acl.operation) == (type_, code):
                return right
    return None


def _named(acl: ACL) -> str:
    """What it is about, in words: `all topic intake.accepted`, `read topic intake.*` of all that begin so."""
    of = acl.resource_pattern
    more = "*" if of.pattern_type == ACLResourcePatternType.PREFIXED else ""
    return " ".join((acl.operation.name, of.resource_type.name, of.resource_name)).lower() + more


def _ours(acl: ACL) -> bool:
    """Whether it is about anything of ours: a topic, a group, or the cluster itself."""
    of, prefixed = acl.resource_pattern, acl.resource_pattern.pattern_type == ACLResourcePatternType.PREFIXED
    match of.resource_type:
        case ResourceType.TOPIC:
            return reaches_ours("topic", of.resource_name, prefixed=prefixed)
        case ResourceType.GROUP:
            return reaches_ours("group", of.resource_name, prefixed=prefixed)
        case _:
            return bool(of.resource_type == ResourceType.CLUSTER)


def _exactly(acl: ACL) -> ACLFilter:
    pattern = acl.resource_pattern
    return ACLFilter(
        acl.principal,
        acl.host,
        acl.operation,
        acl.permission_type,
        ResourcePatternFilter(pattern.resource_type, pattern.resource_name, pattern.pattern_type),
    )
