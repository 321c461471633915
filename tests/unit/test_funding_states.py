"""Who may do what to a budget in which state: the whole table, in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from services.funding.domain.life import (
    DECIDED,
    ROLES,
    Life,
    Order,
    Person,
    adjusted,
    proposed,
    refusals,
    step,
)
from shared.contracts.life import Action, State
from shared.contracts.people import Role

HASH = "a" * 64
ALLOWED = {
    # as an official would draw it: state, action, next state
    ("proposed", "simulate"): "simulated",
    ("simulated", "simulate"): "simulated",
    ("returned", "simulate"): "simulated",
    ("withdrawn", "simulate"): "simulated",
    ("simulated", "submit"): "submitted",
    ("submitted", "withdraw"): "withdrawn",
    ("submitted", "return"): "returned",
    ("submitted", "approve"): "approved",
    ("approved", "publish"): "published",
}
BY_CORRECTION = {"received", "no_envelope", "proposed", "simulated", "submitted", "returned", "withdrawn"}
BY_ADJUSTMENT = {"published", "adjusted"}
PEOPLE = sorted(action for action, roles in ROLES.items() if roles)


def life(state: str, **changes: object) -> Life:
    return Life(province="04", year=2026, state=State(state), version=3, hash=HASH).model_copy(update=changes)


def order(action: Action, role: str | None = None, subject: str = "x", **changes: object) -> Order:
    person = Person(subject, role or sorted(ROLES[action])[0], "04")
    facts: dict[str, object] = {"action": action, "person": person, "why": "vì", "version": 3, "hash": HASH}
    return Order(**{**facts, **changes})  # type: ignore[arg-type]


def codes(where: Life, what: Order) -> list[str]:
    return [problem.code for problem in refusals(where, what)]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("action", PEOPLE)
def test_every_action_of_a_person_in_every_state(state: State, action: Action) -> None:
    wanted = ALLOWED.get((state.value, action.value))
    found = codes(life(state), order(action))
    if wanted is None:
        assert found == ["wrong_state"]
        with pytest.raises(KeyError):
            step(life(state), order(action))
    else:
        assert found == []
        assert step(life(state), order(action)).state == wanted


@pytest.mark.parametrize("state", list(State))
def test_a_correction_makes_a_new_proposal_until_the_approval_and_never_after(state: State) -> None:
    if state.value in BY_CORRECTION:
        after = proposed(life(state, submitted_by="lan"), 4, "b" * 64)
        assert (after.state, after.version, after.hash, after.submitted_by) == ("proposed", 4, "b" * 64, None)
        assert proposed(life(state), 4, "b" * 64, envelope=False).state == "no_envelope"
    else:
        with pytest.raises(KeyError):
            proposed(life(state), 4, "b" * 64)
    assert (state in DECIDED) == (state.value not in BY_CORRECTION)


@pytest.mark.parametrize(
    ("open_", "accepts", "found"),
    [
        ([], [], []),
        (["a", "b"], ["b", "a"], []),
        (["a", "b"], ["b"], ["not_accepted"]),
        (["a"], ["a", "c"], ["nothing_to_accept"]),
        (["a"], ["c"], ["not_accepted", "nothing_to_accept"]),
    ],
)
def test_who_submits_accepts_by_name_whoever_is_open_and_nobody_else(
    open_: list[str], accepts: list[str], found: list[str]
) -> None:
    given = order(Action.SUBMIT, accepts=tuple(accepts))
    assert [each.code for each in refusals(life("simulated"), given, open_)] == found
    if not found:
        assert step(life("simulated"), given).accepted == tuple(sorted(accepts))


def test_only_a_submission_accepts_and_a_new_proposal_forgets_it() -> None:
    assert codes(life("proposed"), order(Action.SIMULATE, accepts=("a",))) == ["nothing_to_accept"]
    assert refusals(life("proposed"), order(Action.SIMULATE), ["a"]) == []
    assert proposed(life("submitted", accepted=("a",)), 4, "b" * 64).accepted == ()


def test_a_refusal_names_twenty_centres_and_counts_the_others() -> None:
    names = [f"c-{number:02}" for number in range(25)]
    (problem,) = refusals(life("simulated"), order(Action.SUBMIT), names)
    assert problem.field == "/accepts"
    assert "c-19, … (+5)" in problem.message.vi
    assert "c-20" not in problem.message.vi


@pytest.mark.parametrize("state", list(State))
def test_an_adjustment_follows_a_publication_only(state: State) -> None:
    if state.value in BY_ADJUSTMENT:
        assert adjusted(life(state)).state == "adjusted"
    else:
        with pytest.raises(KeyError):
            adjusted(life(state))


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    ("action", "roles"),
    [
        (Action.SIMULATE, {"province", "finance"}),
        (Action.SUBMIT, {"province", "finance"}),
        (Action.WITHDRAW, {"province", "finance"}),
        (Action.RETURN, {"finance", "ministry"}),
        (Action.APPROVE, {"finance"}),
        (Action.PUBLISH, {"finance", "ministry"}),
    ],
)
def test_every_role_for_every_action(role: Role, action: Action, roles: set[str]) -> None:
    state = next(state for state, allowed in ALLOWED if allowed == action.value)
    found = codes(life(state), order(action, role.value))
    assert found == ([] if role.value in roles else ["role_not_allowed"])


def test_a_province_acts_on_its_own_budget_only() -> None:
    stranger = order(Action.SIMULATE, person=Person("son", "province", "08"))
    assert codes(life("proposed"), stranger) == ["other_province"]


@pytest.mark.parametrize("action", [Action.SIMULATE, Action.SUBMIT])
def test_whoever_had_a_hand_in_it_does_not_approve_it(action: Action) -> None:
    state = next(state for state, allowed in ALLOWED if allowed == action.value)
    touched = step(life(state), order(action, "finance", "hoa"))
    submitted = touched.model_copy(update={"state": State.SUBMITTED})
    assert codes(submitted, order(Action.APPROVE, subject="hoa")) == ["same_person"]
    assert codes(submitted, order(Action.APPROVE, subject="tuan")) == []


def test_a_hand_in_an_earlier_version_counts_too() -> None:
    once = step(life("simulated"), order(Action.SUBMIT, "finance", "hoa"))
    again = proposed(once, 4, HASH)
    later = again.model_copy(update={"state": State.SUBMITTED})
    assert codes(later, order(Action.APPROVE, subject="hoa", version=4)) == ["same_person"]


@pytest.mark.parametrize(("changes", "field"), [({"version": 2}, "/version"), ({"hash": "b" * 64}, "/hash")])
def test_an_order_on_what_has_moved_on_is_refused_with_what_stands(changes: dict[str, Any], field: str) -> None:
    (problem,) = refusals(life("proposed"), order(Action.SIMULATE, **changes))
    assert (problem.code, problem.field) == ("moved_on", field)
    assert f"3 {HASH}" in problem.expected.vi


@pytest.mark.parametrize("why", ["", "   "])
def test_an_order_needs_its_reason(why: str) -> None:
    (problem,) = refusals(life("proposed"), order(Action.SIMULATE, why=why))
    assert (problem.code, problem.field) == ("reason_missing", "/why")


def test_everything_wrong_is_told_at_once() -> None:
    wrong = order(Action.APPROVE, person=Person("lan", "province", "04"), why="", version=1)
    found = codes(life("proposed", prepared_by=("lan",)), wrong)
    assert found == ["role_not_allowed", "reason_missing", "same_person", "wrong_state", "moved_on"]


def test_the_roles_are_those_of_the_tokens() -> None:
    assert {role for roles in ROLES.values() for role in roles} <= {role.value for role in Role}
