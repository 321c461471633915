"""A principal's passwords: kept, renewed, forgotten, and for nobody else to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.files import private_folder, write_atomically
from deploy.local.secrets import Secrets


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="LANGHOC_")

    kafka_user: str
    kafka_password: SecretStr


def test_a_password_is_made_once_and_stays(tmp_path: Path) -> None:
    made = Secrets(tmp_path).password("intake", "kafka")
    assert Secrets(tmp_path).password("intake", "kafka") == made
    assert len({made, *(Secrets(tmp_path).password("scoring", server) for server in ("kafka", "mongo"))}) == 3


def test_a_renewed_password_is_another_and_a_forgotten_one_does_not_come_back(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    first, second = secrets.password("province-01", "kafka"), secrets.renew("province-01", "kafka")
    assert secrets.password("province-01", "kafka") == second != first
    secrets.forget("province-01")
    assert not secrets.folder("province-01").exists()
    assert secrets.password("province-01", "kafka") not in {first, second}


def test_nobody_but_the_owner_can_read_them(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.password("intake", "mongo")
    folder = secrets.folder("intake")
    assert [path.stat().st_mode & 0o077 for path in (folder.parent, folder, *folder.iterdir())] == [0, 0, 0, 0]


def test_a_folder_that_an_earlier_release_left_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    assert private_folder(tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_power_cut_leaves_no_password_without_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a service refuse half a login, at each start."""

    def cut(path: Path, text: str) -> None:
        write_atomically(path, text)
        raise InterruptedError

    with monkeypatch.context() as broken:
        broken.setattr("deploy.local.secrets.write_atomically", cut)
        with pytest.raises(InterruptedError):
            Secrets(tmp_path).password("intake", "kafka")
    password = Secrets(tmp_path).password("intake", "kafka")
    settings = _Settings(_secrets_dir=Secrets(tmp_path).folder("intake"))
    assert (settings.kafka_user, settings.kafka_password.get_secret_value()) == ("intake", password)


def test_a_process_that_is_given_the_folder_knows_who_it_is(tmp_path: Path) -> None:
    password = Secrets(tmp_path).password("intake", "kafka")
    settings = _Settings(_secrets_dir=Secrets(tmp_path).folder("intake"))
    assert (settings.kafka_user, settings.kafka_password.get_secret_value()) == ("intake", password)
