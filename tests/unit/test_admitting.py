"""The job that makes topics, logins and rights says what it lacks (on real servers: `tests/deployment`)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from deploy import admitting
from deploy.admitting import FAILED, Settings, admit_to_kafka, logins, main, patiently
from deploy.local.secrets import Secrets
from deploy.local.state import SERVICES
from tests.logs import service_logs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Logins of all services, and of the administrator."""
    for principal in ("admin", *SERVICES):
        for server in ("kafka", "mongo"):
            Secrets(tmp_path).password(principal, server)
    return tmp_path / "secrets"


@pytest.fixture
def told(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the job on servers that are not there; returns its code and what it told last."""
    given = {
        "KAFKA": "127.0.0.1:1",
        "MONGO": "mongodb://127.0.0.1:1/",
        "SERVICES_SECRETS": str(folder),
        "PATIENCE": "0",
    }

    def run(**more: str | None) -> tuple[int, dict[str, Any]]:
        for name, value in {**given, "SECRETS_DIR": str(folder / "admin"), **more}.items():
            if value is None:
                monkeypatch.delenv(f"LANGHOC_{name}", raising=False)
            else:
                monkeypatch.setenv(f"LANGHOC_{name}", value)
        with service_logs():
            code = main()
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def test_what_is_not_set_is_named(told: Any) -> None:
    code, said = told(SERVICES_SECRETS=None, KAFKA=None)
    assert (code, said["event"]) == (FAILED, "admitting.refused")
    assert [each.partition(":")[0] for each in said["settings"]] == ["LANGHOC_KAFKA", "LANGHOC_SERVICES_SECRETS"]


def test_a_service_without_a_password_is_named_before_anything_is_asked(told: Any, folder: Path) -> None:
    (folder / "scoring" / "langhoc_mongo_password").write_text(" \n")
    code, said = told()
    assert (code, said["event"]) == (FAILED, "admitting.failed")
    assert "scoring" in said["error"]


def test_a_folder_that_is_not_there_is_named(told: Any, folder: Path) -> None:
    (folder / "funding" / "langhoc_kafka_user").unlink()
    code, said = told()
    assert code == FAILED
    assert "funding/langhoc_kafka_user" in said["error"]


def test_no_password_is_told(told: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = told()
    assert [word for word in (path.read_text() for path in folder.rglob("*_password")) if word in str(said)] == []


def test_on_kafka_a_service_logs_in_under_its_own_name(folder: Path) -> None:
    """Rights are given to that principal: another one could do nothing."""
    (folder / "intake" / "langhoc_kafka_user").write_text("portal")
    settings = Settings(kafka="-", mongo="-", services_secrets=folder)
    with pytest.raises(ValueError, match="intake"):
        admit_to_kafka(settings, logins(folder, "kafka"))


def test_a_server_that_is_away_is_waited_for_and_then_the_job_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admitting, "PAUSE_SECONDS", 0)
    asked = []

    def step() -> None:
        asked.append(1)
        if len(asked) < 3:
            raise KafkaConnectionError

    patiently(step, until=math.inf)
    assert len(asked) == 3
    asked.clear()
    with pytest.raises(KafkaConnectionError):
        patiently(step, until=-1)


class Client:
    """MongoDB's client, as far as a set is formed by it."""

    def __init__(self, told: dict[str, Any], made: list[Any], *address: Any, **options: Any) -> None:
        self.told, self.made, self.admin = told, made, self
        made.append((address, options))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def command(self, name: str, given: Any = None) -> dict[str, Any]:
        self.made.append((name, given))
        return self.told


@pytest.mark.parametrize(
    ("uri", "hello", "formed"),
    [
        ("mongodb://m:1/?replicaSet=rs0", {}, True),
        ("mongodb://m:1/?replicaSet=rs0", {"setName": "rs0"}, False),
        ("mongodb://m:1/", {}, False),
        ("mongodb://m:1,n:1/?replicaSet=rs0", {}, False),
    ],
)
def test_a_set_is_formed_of_the_one_member_that_is_named_and_is_none_yet(
    uri: str, hello: dict[str, Any], formed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set of several members is its owner's."""
    made: list[Any] = []
    monkeypatch.setattr(admitting, "MongoClient", lambda *given, **options: Client(hello, made, *given, **options))
    admitting._form_set(uri, {"username": "admin", "password": "p"})
    wanted = ("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": "m:1"}]})
    assert (wanted in made) is formed
