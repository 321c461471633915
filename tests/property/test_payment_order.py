"""The same payments and decisions end in the same reconciliation, in whatever order, whatever was computed between.

Corrections, withdrawals, returns, a registration that is taken back, a centre that another province decided on, and one
that was adjusted are among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.funding.decisions import DECISIONS, RECONCILED, RELEASES
from shared.contracts.catalogue import EXAMPLES
from shared.contracts.facts import BudgetApproved, PaymentAccepted
from tests.fakes.known import Documents
from tests.property.test_funding_order import World, equipment
from tests.unit.funding_bench import NOW, registration, support
from tests.unit.test_funding_withdrawals import withdrawal

_APPROVED = json.loads((EXAMPLES / "langhoc.budget.approved.v2.json").read_text(encoding="utf-8"))["data"]


def paid(payment_id: str, centre_id: str, amount: int, version: int = 1, **changes: Any) -> PaymentAccepted:
    facts: dict[str, Any] = {
        "version": version,
        "submission_id": "s",
        "receipt_id": "r",
        "province": "04",
        "received_at": NOW,
        "payment_id": payment_id,
        "centre_id": centre_id,
        "year": 2026,
        "purpose": "operating",
        "amount": amount,
        "direction": "paid",
        "paid_on": "2026-02-10",
    }
    return PaymentAccepted(**{**facts, **changes})


def taken_back(payment_id: str, version: int, province: str = "04") -> BaseModel:
    return withdrawal("payment", f"payment/{province}/{payment_id}", version, province=province)


def decided(centre_id: str, amount: int, version: int = 1, province: str = "04", **changes: Any) -> BudgetApproved:
    """A published version of a decision."""
    said = {"centre_id": centre_id, "province": province, "year": 2026, "purpose": "operating", "amount": amount}
    return BudgetApproved.model_validate(_APPROVED | said | {"version": version, "settled": 0} | changes)


FACTS: Sequence[BaseModel] = [
    registration("a"),
    registration("b"),
    withdrawal("registration", "b"),
    registration("c", province="08"),
    registration("c", version=2),
    decided("a", 20_000_000),
    decided("a", 18_000_000, version=2, settled=1_000_000),
    decided("c", 25_000_000, province="08"),
    paid("1", "a", 20_000_000),
    paid("1", "c", 20_000_000, version=2),
    paid("1", "c", 25_000_000, version=3),
    paid("2", "a", 9_000_000),
    paid("3", "a", 10_000_000, version=2),
    taken_back("3", 3),
    paid("3", "a", 10_000_000, version=4),
    paid("4", "b", 3_000_000),
    paid("5", "b", 3_000_000, direction="returned"),
    paid("6", "a", 5_000_000, purpose="equipment"),
    paid("7", "a", 5_000_000, year=2025),
    taken_back("7", 2),
    paid("1", "c", 2_000_000, province="08"),
    taken_back("1", 2, "08"),
    paid("8", "c", 1_000_000, year=2025, province="08"),
    support("c", 1_000_000, year=2025),
    support("b", 4_000_000, year=2026),
    withdrawal("support", "b", period=2026, purpose="operating"),
    equipment("a", 6_000_000, 2026),
]


class Paying(World):
    """Funding to which people's decisions come as they were published: nothing here can be out of their order."""

    def tell(self, fact: Any) -> None:
        if not isinstance(fact, BudgetApproved):
            super().tell(fact)
            return
        place = (fact.centre_id, fact.year, fact.purpose)
        newest = self.documents[DECISIONS.ref(*place)]
        puts: dict[Any, Any] = {RELEASES.ref(*place, f"{fact.version:05}"): fact}
        if newest is None or newest.version < fact.version:
            puts[DECISIONS.ref(*place)] = fact
        before = Documents(self.documents)
        self.documents.update(puts)
        self.open |= {*chain.from_iterable(self.sets.touched(ref, before[ref], after) for ref, after in puts.items())}

    @property
    def end(self) -> dict[str, Any]:
        """What is told of payments; nothing left to compare is as if there had never been anything."""
        return {
            ref.id: state.model_dump(mode="json", exclude={"version", "reconciled_at"})
            for ref, state in self.documents.items()
            if ref.collection == RECONCILED.name and state.purposes
        }


def ended(facts: Iterable[BaseModel], ticks: Iterable[bool]) -> dict[str, Any]:
    world = Paying()
    for fact, tick in zip(facts, ticks, strict=True):
        world.tell(fact)
        if tick:
            world.compute(NOW)
    world.compute(NOW)
    return world.end


@given(st.data())
def test_the_order_of_payments_and_decisions_changes_no_reconciliation(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(range(len(FACTS))), unique=True, min_size=len(FACTS) // 2))
    other = data.draw(st.permutations(chosen))
    ticks = data.draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)))
    together = ended((FACTS[nth] for nth in sorted(chosen)), [False] * len(chosen))
    assert ended((FACTS[nth] for nth in other), ticks) == together


@pytest.mark.parametrize("nth", range(len(FACTS)))
def test_whatever_comes_last_is_compared(nth: int) -> None:
    others = [fact for other, fact in enumerate(FACTS) if other != nth]
    together = ended(FACTS, [False] * len(FACTS))
    assert ended([*others, FACTS[nth]], [*[False] * (len(others) - 1), True, False]) == together


def test_all_of_them_together() -> None:
    end = ended(FACTS, [True] * len(FACTS))
    assert end.keys() == {"04/2026", "08/2026", "08/2025"}
    operating, grant = end["04/2026"]["purposes"]
    assert operating == {
        "purpose": "operating",
        "decided": 19_000_000,
        "stated": 0,
        "paid": 19_000_000,
        "difference": 0,
        "centres": {"nothing_due": 1, "paid": 1},
    }
    assert (grant["stated"], grant["paid"], grant["centres"]) == (6_000_000, 5_000_000, {"partly": 1})
    (elsewhere,) = end["08/2026"]["purposes"]
    assert (elsewhere["decided"], elsewhere["paid"]) == (25_000_000, 25_000_000), "paid by another province, once"
    assert end["08/2025"]["over"] == [{"centre_id": "c", "purpose": "operating", "amount": 1_000_000}]


def sums(end: dict[str, Any], what: Callable[[Any], int]) -> int:
    return sum(what(purpose) for fact in end.values() for purpose in fact["purposes"])


@given(st.lists(st.booleans(), min_size=len(FACTS), max_size=len(FACTS)))
def test_the_sums_add_up_and_no_payment_is_counted_twice(there: list[bool]) -> None:
    told = [fact for fact, is_there in zip(FACTS, there, strict=True) if is_there]
    end = ended(told, [False] * len(told))
    newest: dict[tuple[str, str], Any] = {}
    for fact in told:
        payment = isinstance(fact, PaymentAccepted)
        if payment or getattr(fact, "kind", None) == "payment":
            id = fact.payment_id if payment else fact.subject.rpartition("/")[2]  # type: ignore[attr-defined]
            key = (fact.province, id)  # type: ignore[attr-defined]
            if key not in newest or newest[key].version < fact.version:  # type: ignore[attr-defined]
                newest[key] = fact
    standing = [fact for fact in newest.values() if isinstance(fact, PaymentAccepted)]
    net = sum(fact.amount if fact.direction == "paid" else -fact.amount for fact in standing)
    assert sums(end, lambda one: one["paid"] or 0) == net
    for fact in end.values():
        for one in fact["purposes"]:
            assert one["difference"] == (one["paid"] or 0) - one["decided"] - one["stated"]
