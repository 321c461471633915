"""Who may do what on the MongoDB of the default platform: every principal tries every act of `rights/mongo.yaml`.

What was found stands in `docs/matrix-mongo.md`; the test that compares it names the file to put in its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo import MongoClient
from pymongo.errors import ConfigurationError, OperationFailure

from deploy.local import fetch
from deploy.local.harness import ServerProcess
from deploy.local.mongo_rights import databases_of
from deploy.local.ports import choose_ports
from deploy.local.secrets import Secrets
from deploy.local.servers import LOOPBACK, MongoDB
from deploy.local.state import PROJECT_ROOT, SERVICES

pytestmark = pytest.mark.integration
Client = MongoClient[dict[str, Any]]
TRIED = yaml.safe_load((Path(__file__).parent / "rights" / "mongo.yaml").read_text(encoding="utf-8"))
ACTS = [(group["of"], act) for group in TRIED["acts"] for act in group["acts"]]
TABLE = PROJECT_ROOT / "docs" / "matrix-mongo.md"
UNAUTHORIZED = 13
KINDS = (ADMIN, SERVICE, NOBODY) = ("admin", "service", "nobody")
UNTRIED = "(yes)"
DATABASES = databases_of({})
HEAD = """# Who may do what in MongoDB

Found by trying, as every principal of the default platform (`langhoc up`), and compared at each run of
`tests/hostile/test_matrix_mongo.py`; what is tried stands in `tests/hostile/rights/mongo.yaml`. All four services were found alike, each with
its own database and another's. *Nobody* is whoever reaches the port without a login: provinces, the treasury and Kafka's node have none here.
`(yes)`: the administrator may, but it would harm the server, and was not tried."""  # noqa: E501


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoDB]:
    """As `langhoc up` starts it; each database has one document."""
    folder = tmp_path_factory.mktemp("matrix")
    home = fetch.MONGOD.fetch(fetch.default_cache(), print)
    port = choose_ports(["mongod"], folder / "ports.json")["mongod"]
    made = MongoDB(home, folder / "mongod", port, Secrets(folder), DATABASES, cache_gb=0.5)
    process = ServerProcess(made, folder / "mongod.log")
    try:
        process.wait_ready()
        with Client(made.administrators_uri) as root:
            for database in DATABASES.values():
                root[database]["records"].insert_one({"_id": 1})
        yield made
    finally:
        process.stop()


def client(server: MongoDB, principal: str | None) -> Client:
    login: dict[str, Any] = (
        {"username": principal, "password": server.secrets.password(principal, "mongo")} if principal else {}
    )
    return Client(LOOPBACK, server.port, directConnection=True, **login)


def filled(value: Any, names: dict[str, str]) -> Any:
    """The value with its names filled in."""
    if isinstance(value, str):
        return value.format_map(names)
    if isinstance(value, dict):
        return {key: filled(each, names) for key, each in value.items()}
    return [filled(each, names) for each in value] if isinstance(value, list) else value


def verdict(tried: Client, act: dict[str, Any], names: dict[str, str]) -> str:
    """Whether the server does it: `yes`, `no`, or what else is wrong with it, which is no verdict."""
    try:
        tried[filled(act["in"], names)].command(filled(act["do"], names))
    except OperationFailure as failure:
        return "no" if failure.code in act.get("refused", [UNAUTHORIZED]) else f"{failure.code}: {failure}"[:200]
    return "yes"


@pytest.fixture(scope="module")
def found(server: MongoDB) -> list[dict[str, str]]:
    """What each kind of principal may do of the acts, in their order. What harms is not tried as administrator."""
    tries: list[tuple[str, str | None]] = [*((SERVICE, each) for each in SERVICES), (NOBODY, None), (ADMIN, ADMIN)]
    found: list[dict[str, str]] = []
    with ExitStack() as stack:
        clients = {principal: stack.enter_context(client(server, principal)) for _, principal in tries}
        for _, act in ACTS:
            verdicts: dict[str, set[str]] = defaultdict(set)
            for kind, principal in tries:
                own = SERVICES.index(principal) if principal in SERVICES else 0
                names = {
                    "own": DATABASES[SERVICES[own]],
                    "other": DATABASES[SERVICES[own - 1]],
                    "me": principal or NOBODY,
                    "new": f"new-{principal or NOBODY}",
                }
                tried = kind != ADMIN or not act.get("harmful")
                verdicts[kind].add(verdict(clients[principal], act, names) if tried else UNTRIED)
            found.append({kind: " or ".join(sorted(each)) for kind, each in verdicts.items()})
    return found


@pytest.mark.parametrize("number", range(len(ACTS)), ids=[f"{of}: {act['act']}" for of, act in ACTS])
def test_an_act_is_done_for_who_may_and_for_nobody_else(found: list[dict[str, str]], number: int) -> None:
    act = ACTS[number][1]
    wanted = {kind: "yes" if kind in act["may"] else "no" for kind in KINDS}
    assert found[number] == wanted | ({ADMIN: UNTRIED} if act.get("harmful") else {})


@pytest.mark.parametrize("login", TRIED["logins"], ids=lambda login: login["name"])
def test_who_is_let_in(server: MongoDB, login: dict[str, Any]) -> None:
    password = login.get("password")
    if password is None:
        password = server.secrets.password(login["password_of"], "mongo")
    options = {"authSource": "admin", **login.get("options", {})}
    let_in: list[str] = []
    with suppress(OperationFailure, ConfigurationError):
        credentials = {"username": login["user"], "password": password, **options}
        with Client(LOOPBACK, server.port, directConnection=True, **credentials) as tried:
            status = tried["admin"].command("connectionStatus")
            let_in = [user["user"] for user in status["authInfo"]["authenticatedUsers"]]
    assert let_in == ([login["user"]] if login.get("let_in") else [])


def test_a_service_sees_no_database_but_its_own(server: MongoDB) -> None:
    for service in SERVICES:
        with client(server, service) as tried:
            assert tried.list_database_names() == [DATABASES[service]]


def test_the_server_is_of_the_version_that_the_platform_says(server: MongoDB) -> None:
    with client(server, None) as anybody:
        assert anybody.server_info()["version"] == fetch.MONGOD_VERSION


def test_what_was_tried_in_vain_changed_nothing(server: MongoDB, found: list[dict[str, str]]) -> None:
    with client(server, ADMIN) as root:
        told = root["admin"].command("usersInfo")["users"]
        names = root.list_database_names()
    roles = {user["user"]: [role["role"] for role in user["roles"]] for user in told}
    assert roles == {ADMIN: ["root"], **{service: [DATABASES[service]] for service in SERVICES}}
    assert set(names) == {*DATABASES.values(), f"new-{ADMIN}", "admin", "config", "local"}


def test_the_committed_table_is_what_was_found(found: list[dict[str, str]], tmp_path: Path) -> None:
    now = tmp_path / TABLE.name
    now.write_text(written(found), encoding="utf-8")
    assert now.read_text(encoding="utf-8") == TABLE.read_text(encoding="utf-8"), f"it must be as {now}"


def written(found: list[dict[str, str]]) -> str:
    """The table as Markdown."""
    parts = [HEAD]
    for group, several in groupby(zip(ACTS, found, strict=True), key=lambda each: each[0][0]):
        parts.append(f"\n## {group}\n\n| act | admin | a service | nobody |\n|---|---|---|---|")
        parts += [f"| {act['act']} | {' | '.join(who[kind] for kind in KINDS)} |" for (_, act), who in several]
    parts.append("\n## Who is let in\n\n| login | let in |\n|---|---|")
    parts += [f"| {login['name']} | {'yes' if login.get('let_in') else 'no'} |" for login in TRIED["logins"]]
    return "\n".join(parts) + "\n"
