"""As whom a service logs in to MongoDB: by its settings, its files, or its URI, and never by two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from deploy.local.secrets import Secrets
from shared.messaging.settings import ServiceSettings
from shared.mongo.connect import DriverName, Login, connect, has_credentials

URI = "mongodb://127.0.0.1:1,127.0.0.1:2/?replicaSet=rs0"
ODD = "p/w:@%?#[]& ü"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Of a service, with nothing secret in it."""
    for name, value in {"KAFKA": "unused", "MONGO": URI, "JWKS": "unused"}.items():
        monkeypatch.setenv(f"LANGHOC_{name}", value)
    return monkeypatch


def test_a_service_knows_its_login_from_the_folder_that_it_is_given(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = Secrets(tmp_path)
    passwords = {name: secrets.password(name, "mongo") for name in ("intake", "scoring")}
    environment.setenv("LANGHOC_SECRETS_DIR", str(secrets.folder("scoring")))
    assert ServiceSettings().mongo_login == Login("scoring", passwords["scoring"])


def test_the_environment_counts_before_the_folder(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    password = Secrets(tmp_path).password("intake", "mongo")
    environment.setenv("LANGHOC_SECRETS_DIR", str(Secrets(tmp_path).folder("intake")))
    environment.setenv("LANGHOC_MONGO_USER", "another")
    assert ServiceSettings().mongo_login == Login("another", password)
    for name in ("USER", "PASSWORD"):
        environment.setenv(f"LANGHOC_MONGO_{name}", "")
    assert ServiceSettings().mongo_login is None


def test_without_any_of_it_nobody_logs_in(environment: pytest.MonkeyPatch) -> None:
    assert ServiceSettings().mongo_login is None


def test_a_folder_that_is_not_there_stops_the_start(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else the service would try its luck as nobody."""
    environment.setenv("LANGHOC_SECRETS_DIR", str(tmp_path / "not mounted"))
    with pytest.raises(SettingsError, match="LANGHOC_SECRETS_DIR"):
        ServiceSettings()


@pytest.mark.parametrize(
    "given",
    [
        {"mongo_user": "intake"},
        {"mongo_password": ODD},
        {"mongo_user": "a", "mongo_password": ODD, "mongo": "mongodb://b:hidden@h/"},
    ],
    ids=["user alone", "password alone", "said twice"],
)
def test_half_a_login_and_two_of_them_stop_the_start(environment: pytest.MonkeyPatch, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="LANGHOC_MONGO") as caught:
        ServiceSettings(**given)
    assert ODD not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_no_password_is_shown_with_the_settings(environment: pytest.MonkeyPatch) -> None:
    settings = ServiceSettings(mongo_user="intake", mongo_password=ODD)
    assert ODD not in f"{settings!r} {settings} {settings.mongo_login!r} {settings.model_dump()}"


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
@pytest.mark.parametrize(
    ("uri", "source"),
    [
        (URI, "admin"),
        ("mongodb://127.0.0.1:1", "admin"),
        ("mongodb://127.0.0.1:1/langhoc", "admin"),
        ("mongodb://127.0.0.1:1/?authSource=people", "people"),
        ("mongodb://127.0.0.1:1/?replicaSet=rs0&AUTHSOURCE=people", "people"),
    ],
)
async def test_whatever_letters_a_password_has_it_reaches_the_driver_whole(
    driver: DriverName, uri: str, source: str
) -> None:
    mongo: Any = connect(driver, uri, "langhoc_intake", Login("người", ODD))
    credentials = mongo._client.options.pool_options._credentials
    assert (credentials.username, credentials.password, credentials.source) == ("người", ODD, source)
    await mongo.close()


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        (URI, False),
        ("mongodb://h/?authSource=x", False),
        ("mongodb://u:p@h1:1,h2:2/db?replicaSet=rs0", True),
        ("mongodb+srv://u:p@h/", True),
        ("mongodb://h/?authMechanism=MONGODB-X509&tls=true", True),
    ],
)
def test_a_uri_that_says_how_to_log_in_is_known(uri: str, says: bool) -> None:
    assert has_credentials(uri) is says
