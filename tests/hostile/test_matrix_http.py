"""Who may do what over HTTP: every route of every service, asked in everybody's name, is as `docs/matrix-http.md` says.

A route that is added, or a right that moves, changes the table: it is looked at, and committed with the change.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix import OTHER, OWN, PRINCIPALS, Act, Matrix

TABLE = Path(__file__).parents[2] / "docs" / "matrix-http.md"
HEAD = f"""# Who may do what over HTTP

Found by `tests/hostile/test_matrix_http.py`, which asks every route of every service in everybody's name about what is
of province {OWN}; *other province* is {OTHER}.

- **yes**: done, or refused for what was asked and not for who asks; **part**: answered with less than the ministry is;
- 403: told that it is not allowed; 404: answered as if there were no such thing;
- 401: not asked further. Open to all are health, metrics and the documentation, which speak of nobody.
"""
REHEARSALS = ("/simulations/",)
"""Orders by name that change nothing."""


@pytest.fixture(scope="module")
async def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    return await Matrix(tmp_path_factory.mktemp("matrix")).begin()


def verdict(status: int) -> str:
    """What a status means for whoever asks."""
    return str(status) if status in (401, 403, 404) else "yes"


def cell(act: Act, answers: dict[str, tuple[int, str]], principal: str) -> str:
    """A cell of the table."""
    partly = act.method == "GET" and answers[principal][0] == 200 and answers[principal] != answers["ministry"]
    return "part" if partly else verdict(answers[principal][0])


@pytest.fixture(scope="module")
async def found(matrix: Matrix) -> dict[Act, dict[str, tuple[int, str]]]:
    """Of each act and principal the status and the text of the answer."""
    asked = {}
    for act in matrix.acts():
        answers = {principal: await matrix.ask(principal, act) for principal in PRINCIPALS}
        asked[act] = {principal: (answer.status_code, answer.text) for principal, answer in answers.items()}
    return asked


async def test_the_table_is_what_was_found(found: dict[Act, dict[str, tuple[int, str]]]) -> None:
    lines = [f"| service | act | {' | '.join(PRINCIPALS)} |", f"|---|---|{'---|' * len(PRINCIPALS)}"]
    lines += [
        f"| {act.name} | {' | '.join(cell(act, answers, principal) for principal in PRINCIPALS)} |"
        for act, answers in found.items()
    ]
    written = HEAD + "\n" + "\n".join(lines) + "\n"
    assert TABLE.read_text(encoding="utf-8") == written, f"it is now:\n{written}"


async def test_nobody_is_answered_without_a_token(found: dict[Act, dict[str, tuple[int, str]]]) -> None:
    assert {answers["nobody"][0] for answers in found.values()} == {401}


async def test_every_act_is_somebodys_and_no_answer_is_a_fault_of_ours(
    found: dict[Act, dict[str, tuple[int, str]]],
) -> None:
    for act, answers in found.items():
        assert "yes" in {verdict(status) for status, _ in answers.values()}, (
            f"{act.name}: nobody may, so it tells nothing"
        )
        if act.method == "GET" and act.path != "/flow":  # of a broker that is not there
            assert answers["ministry"][0] == 200, (act.name, answers["ministry"])
        assert all(status != 500 for status, _ in answers.values()), (act.name, answers)


async def test_whoever_only_looks_orders_nothing(found: dict[Act, dict[str, tuple[int, str]]]) -> None:
    for act, answers in found.items():
        if act.method != "GET" and not act.path.startswith(REHEARSALS):
            assert verdict(answers["auditor"][0]) == "403", act.name


async def test_another_province_orders_nothing_and_learns_nothing(
    found: dict[Act, dict[str, tuple[int, str]]],
) -> None:
    """What it may read is national; what it is refused tells nothing of what is there."""
    for act, answers in found.items():
        status, text = answers["other province"]
        if act.method != "GET":
            assert verdict(status) in ("403", "404"), act.name
        if verdict(status) != "yes":
            assert not any(figure in text for figure in ("22500000", "43500000", "HP-B", "21000000")), act.name
