"""The bill of materials names all that is locked, and an audit that learned nothing is not a clean one."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy import inventory
from deploy.inventory import AFFECTED, CLEAN, LOCK, NOT_AUDITED, Part, audit, bill, pinned, servers

PARTS = [Part("pypi", "fast-thing", "1.2", ("a" * 64,)), Part("pypi", "other", "3.0", ("b" * 64,))]


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    """A client whose requests are answered in the test."""
    return httpx.Client(transport=httpx.MockTransport(answer))


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no network")


def osv(folder: Path, *records: Any) -> Path:
    """A copy of the database."""
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number, record in enumerate(records):
            file.writestr(f"{number}.json", json.dumps(record))
    return path


def fault(name: str = "Fast_Thing", versions: tuple[str, ...] = ("1.1", "1.2"), **more: Any) -> dict[str, Any]:
    return {"id": "X-1", "summary": "bad", "affected": [{"package": {"name": name}, "versions": versions}], **more}


def test_every_line_of_the_lock_is_a_component() -> None:
    lines = re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)", LOCK.read_text())
    assert {(part.name, part.version) for part in pinned(LOCK.read_text())} == {
        (re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in lines
    }
    assert len(lines) > 50
    assert sum(len(part.hashes) for part in pinned(LOCK.read_text())) == LOCK.read_text().count("--hash=sha256:")


def test_the_servers_are_components_too() -> None:
    names = {part.name for part in servers()}
    assert {"mongodb-server", "zipkin-server", "kafka_2.13"} <= {re.sub(r"-3.*", "", name) for name in names}


def test_the_bill_is_the_same_whenever_it_is_made_and_names_each_part_once() -> None:
    parts = [*pinned(LOCK.read_text()), *servers()]
    made = bill(parts, "1")
    assert made == bill(list(reversed(parts)), "1")
    refs = [one["bom-ref"] for one in made["components"]]
    assert (len(refs), set(refs)) == (len(set(refs)), set(made["dependencies"][0]["dependsOn"]))
    assert all(one["externalReferences"][0]["hashes"] for one in made["components"])


@pytest.mark.parametrize("lock", ["thing>=1", "thing==1", "thing", "thing==1 --hash=md5:00"])
def test_what_is_not_pinned_with_hashes_is_no_lock(lock: str) -> None:
    with pytest.raises(ValueError, match="not pinned"):
        pinned(lock)


def test_a_bill_is_written(tmp_path: Path) -> None:
    assert inventory.main(["sbom", "--output", str(tmp_path / "new" / "b.json")]) == CLEAN
    assert json.loads((tmp_path / "new" / "b.json").read_text())["bomFormat"] == "CycloneDX"


# ------------------------------------------------------------------------------------------------- audit


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (fault(), AFFECTED),
        (fault("fast.thing"), AFFECTED),
        (fault(versions=("1.1",)), CLEAN),
        (fault("another"), CLEAN),
        (fault(withdrawn="2026-01-01T00:00:00Z"), CLEAN),
    ],
)
def test_a_copy_of_the_database_is_looked_through(tmp_path: Path, record: dict[str, Any], code: int) -> None:
    found, said = audit(PARTS, osv(tmp_path, fault("third"), record), answering(away))
    assert found == code
    assert ("fast-thing 1.2: X-1 bad" in said) is (code == AFFECTED)
    assert "2 packages of the lock audited" in said[-2]
    assert "past its support" in said[-1]


def test_the_service_is_asked_for_every_package(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        queries = json.loads(request.content)["queries"]
        assert [(one["package"]["name"], one["version"]) for one in queries] == [
            ("fast-thing", "1.2"),
            ("other", "3.0"),
        ]
        return httpx.Response(200, json={"results": [{}, {"vulns": [{"id": "X-2"}]}]})

    found, said = audit(PARTS, None, answering(answer))
    assert (found, said[0]) == (AFFECTED, "other 3.0: X-2")


@pytest.mark.parametrize(
    "answer",
    [
        away,
        lambda request: httpx.Response(503),
        lambda request: httpx.Response(404, text="no such thing here"),
        lambda request: httpx.Response(200, text="<html>a portal</html>"),
        lambda request: httpx.Response(200, json={"results": [{}]}),
        lambda request: httpx.Response(200, json={"results": None}),
        lambda request: httpx.Response(200, json=[]),
    ],
)
def test_who_learned_nothing_does_not_say_that_all_is_well(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    code, said = audit(PARTS, None, answering(answer))
    assert code == NOT_AUDITED
    assert said[0].startswith("Not audited")
    assert "OSV=path/to/all.zip" in said[1]


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_a_copy_that_cannot_be_read_is_no_clean_audit(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "all.zip"
    if content is not None:
        path.write_bytes(content)
    assert audit(PARTS, path, answering(away))[0] == NOT_AUDITED


def test_an_empty_copy_or_one_of_something_else_is_no_clean_audit(tmp_path: Path) -> None:
    assert audit(PARTS, osv(tmp_path), answering(away))[0] == NOT_AUDITED
    assert audit(PARTS, osv(tmp_path, {"no": "record"}), answering(away))[0] == NOT_AUDITED
