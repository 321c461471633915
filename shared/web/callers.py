"""Who is calling, as the directory knows the person, and what that person may see."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from shared.contracts.people import Hand, Role
from shared.web.problems import not_found, refused

NATIONAL = frozenset({Role.MINISTRY, Role.FINANCE, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, by the directory."""

    person: str
    """Id of the person: the only thing of it that is kept anywhere."""
    role: Role
    province: str | None
    formerly: Container[str] = ()
    """What the account was called where it acted before the directory knew it: by the subject of its tokens, or for
    itself. It is compared with what was kept then, and kept nowhere."""

    @property
    def hand(self) -> Hand:
        """The caller, as two-person rules compare it."""
        return Hand(self.person, self.formerly)

    def may_see(self, province: str) -> bool:
        """A province sees its own data; ministry, finance and auditors see all."""
        return self.role in NATIONAL or self.province == province

    def within(self, province: str | None, **filters: Any) -> dict[str, Any]:
        """A query for what was asked (filters that are `None` do not count), within what the caller may see.

        Raises 403 when another province's data was asked for.
        """
        if province is not None:
            if not self.may_see(province):
                raise refused("http.other_province", province=province)
        elif self.role not in NATIONAL:
            province = self.province
        return {name: value for name, value in {"province": province, **filters}.items() if value is not None}

    def require(self, province: str, what: str, identity: str) -> None:
        """Raise 404 unless the caller may see what is of this province: as if there were no such thing."""
        if not self.may_see(province):
            raise not_found(what, identity)
