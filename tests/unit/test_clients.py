"""What `langhoc client` prints and refuses, without a broker."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError
from typer.testing import CliRunner

from cli.clients import Form, configuration, named
from cli.main import app
from cli.output import CommandError, Language
from shared.contracts import quotas as quotas_module
from shared.contracts.quotas import Quotas, quota
from shared.contracts.rights import SERVICES
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import province_codes
from shared.messaging.settings import ServiceSettings

PASSWORD = "p" * 43
PROVINCE = KafkaAccess("kafka.langhoc.example:9092", "province-01", PASSWORD, "sasl_ssl")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("principal", ["province-01", "treasury", "notifications"])
def test_a_configuration_fits_into_80_columns_and_says_what_it_is_for(
    language: Language, form: Form, principal: str
) -> None:
    access = KafkaAccess("kafka.langhoc.example:9092", principal, PASSWORD, "sasl_plaintext")
    text = configuration(access, form, language)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.count(PASSWORD) == 1
    about = [line for line in text.splitlines() if line.startswith("#")]
    assert any("budgets" in line for line in about) is (principal != "province-01")
    assert ("Đọc: " in text) is (language is Language.VI)
    if principal == "province-01":
        assert about[0] == "# province-01, Thành phố Hà Nội"
        assert {"submissions.01", "alerts.01, rankings, receipts.01, rules", "province-01."} <= {
            line.split(": ")[-1].removeprefix("# ").split("Writes ")[-1].split("Reads ")[-1].split("with ")[-1]
            for line in about
        }


def test_java_is_told_the_login_in_one_property_that_goes_over_lines() -> None:
    text = configuration(PROVINCE, Form.JAVA).replace("\\\n", "")
    properties = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    words = properties["sasl.jaas.config"].rstrip(";").split()
    assert words == [
        "org.apache.kafka.common.security.scram.ScramLoginModule",
        *("required", 'username="province-01"', f'password="{PASSWORD}"'),
    ]
    assert properties["security.protocol"] == "SASL_SSL"
    assert "ssl.truststore.location" not in properties


@pytest.mark.parametrize("ca", [None, "file"])
def test_python_is_told_to_look_at_the_certificate(ca: str | None, tmp_path: Path) -> None:
    import certifi

    file = tmp_path / "ca.pem" if ca else None
    if file:
        file.write_text(Path(certifi.where()).read_text())
    access = KafkaAccess("k:1", "province-01", PASSWORD, "sasl_ssl", file)
    namespace: dict[str, Any] = {}
    exec(configuration(access, Form.PYTHON), namespace)
    assert namespace["kafka"]["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert (str(file) in configuration(access, Form.JAVA)) is bool(ca)


def test_a_process_reads_what_is_printed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    access = KafkaAccess("k:1", "intake", PASSWORD, "sasl_ssl")
    for line in configuration(access, Form.ENV).splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    assert ServiceSettings(mongo="-", jwks="-").kafka_access == access


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((None, False, None), "--treasury"),
        (("01", True, None), "--treasury"),
        (("01", False, "intake"), "--treasury"),
        (("99", False, None), "01 Thành phố Hà Nội"),
        (("1", False, None), "01 Thành phố Hà Nội"),
        (("01.", False, None), "01 Thành phố Hà Nội"),
        (("٠١", False, None), "01 Thành phố Hà Nội"),
        (("", False, None), "01 Thành phố Hà Nội"),
        # One that was merged into another in 2025 has no channels.
        (("02", False, None), "01 Thành phố Hà Nội"),
        ((None, False, "admin"), "notifications"),
        ((None, False, "portal"), "notifications"),
    ],
)
def test_who_is_no_client_is_told_who_would_be(asked: tuple[Any, ...], told: str, language: Language) -> None:
    province, treasury, service = asked
    with pytest.raises(CommandError, match=told):
        named(province, treasury, service, language)


def test_every_party_can_be_named() -> None:
    assert [named(code, False, None) for code in province_codes()] == [f"province-{code}" for code in province_codes()]
    assert named(None, True, None) == "treasury"
    assert [named(None, False, service) for service in SERVICES] == list(SERVICES)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "langhoc up"),
        ({"LANGHOC_KAFKA": "127.0.0.1:1"}, "without a login"),
        ({"LANGHOC_KAFKA": "127.0.0.1:1", "LANGHOC_KAFKA_USER": "admin"}, "belong together"),
        ({"LANGHOC_PROFILE": "ministry"}, "There is no profile"),
    ],
)
def test_a_kafka_that_cannot_be_administered_is_told(
    environment: Mapping[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("LANGHOC_STATE", str(tmp_path))
    done = CliRunner(env=environment).invoke(app, ["client", "create", "--province", "01"])
    assert (done.exit_code, told in done.stderr) == (1, True), done.output


def test_a_profile_names_the_kafka_to_administer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token, which is for the services' HTTP side."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "langhoc").mkdir()
    (tmp_path / "langhoc" / "profiles.toml").write_text('[a]\nkafka = "127.0.0.1:1"\n[b]\ntoken = "t"\n')
    for profile, told in (("a", "without a login"), ("b", "b names no kafka")):
        done = CliRunner().invoke(app, ["--profile", profile, "client", "create", "--treasury"])
        assert (done.exit_code, told in done.stderr) == (1, True), done.output


class TestQuotas:
    def test_the_newest_that_has_begun_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        one = {"written_bytes": 1_024, "read_bytes": 1_024, "request_percent": 1}
        entries = [
            {"from": day, "portal": one | {"read_bytes": read}, "treasury": None, "service": None}
            for day, read in (("2027-01-01", 4_096), ("2026-01-01", 2_048))
        ]
        file = yaml.safe_dump(entries)
        found = TypeAdapter(list[Quotas]).validate_python(yaml.safe_load(file))
        monkeypatch.setattr(quotas_module, "quotas", lambda: tuple(sorted(found, key=lambda each: each.begin)))
        for day, read in ((date(2025, 1, 1), 2_048), (date(2026, 12, 31), 2_048), (date(2027, 1, 1), 4_096)):
            limit = quota("province-01", day)
            assert limit is not None
            assert limit.read_bytes == read

    def test_each_party_has_its_own_and_nobody_else_any(self) -> None:
        today = date(2026, 12, 1)
        assert quota("province-01", today) == quotas_module.quotas()[-1].portal
        assert quota("treasury", today) == quotas_module.quotas()[-1].treasury
        assert [quota(service, today) for service in SERVICES] == [None] * len(SERVICES)
        for stranger in ("admin", "node", "portal", "province-1"):
            with pytest.raises(KeyError):
                quota(stranger, today)

    @pytest.mark.parametrize(
        "wrong", [{"written_bytes": 0}, {"read_bytes": -1}, {"request_percent": 0}, {"bytes": 9}, {"read_bytes": 1.5}]
    )
    def test_one_that_would_hold_a_client_for_ever_is_refused(self, wrong: dict[str, Any]) -> None:
        one = {"written_bytes": 1_024, "read_bytes": 1_024, "request_percent": 1} | wrong
        with pytest.raises(ValidationError):
            Quotas.model_validate({"from": "2026-01-01", "portal": one, "treasury": None, "service": None})
