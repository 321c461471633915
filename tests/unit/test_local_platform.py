"""The local platform without starting a server: what is written, chosen and said."""

from __future__ import annotations

import configparser
import json
import os
import socket
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from joserfc import jwt
from joserfc.jwk import KeySet
from typer.testing import CliRunner

from cli.output import CommandError
from cli.platform import app_commands, clock_offset, show_support
from deploy.local import LocalPlatform, LocalPlatformError, Platform, fetch, issue_token, supervisor
from deploy.local.errors import FetchFailed, MissingTool, NotRunning, UnknownProgram
from deploy.local.identity import ensure_signing_key, jwks_path
from deploy.local.logs import Follower, tail
from deploy.local.platform import shown
from deploy.local.ports import choose_ports
from deploy.local.secrets import Secrets
from deploy.local.servers import Kafka, MongoDB
from deploy.local.state import KAFKA_LOGIN, External


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(
        kafka="127.0.0.1:9092",
        mongo="mongodb://127.0.0.1:27017/?replicaSet=rs0",
        zipkin="http://127.0.0.1:9411",
        embedded=("kafka", "mongod", "zipkin"),
        services={
            "intake": ("http://127.0.0.1:8001", "http://127.0.0.1:8002"),
            "scoring": ("http://127.0.0.1:8003",),
        },
        supervisor_socket=tmp_path / "supervisor.sock",
        clock_offset=3600,
        started_at=datetime(2026, 2, 25, 2, tzinfo=UTC),
    )


def program(tmp_path: Path, name: str, body: str) -> Path:
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


class TestMissingTools:
    def test_no_java_says_why_and_how_to_mend_it_in_both_languages(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        with pytest.raises(MissingTool) as caught:
            fetch.find_java()
        message = str(caught.value)
        assert "Thiếu Java 17" in message
        assert "Java 17 is missing" in message
        assert message.count("apt-get install openjdk-17-jre-headless maven") == 2

    def test_an_old_java_is_as_good_as_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        java = program(tmp_path, "java", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        with pytest.raises(MissingTool, match="newer") as caught:
            fetch.find_java()
        assert str(java) in str(caught.value)

    def test_java_home_comes_before_the_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "bin").mkdir()
        java = program(tmp_path / "bin", "java", """echo 'openjdk version "21.0.1" 2023-10-17' >&2""")
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        assert fetch.find_java() == str(java)

    def test_no_maven_matters_only_while_the_cache_is_empty(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(MissingTool, match="Maven is missing"):
            fetch.ZIPKIN.fetch(tmp_path / "cache", lambda message: None)
        home = fetch.ZIPKIN.home(tmp_path / "cache")
        home.mkdir()
        assert fetch.ZIPKIN.fetch(tmp_path / "cache", lambda message: None) == home


class TestFetching:
    @staticmethod
    def package(tmp_path: Path, downloads: list[Path]) -> fetch.Package:
        lock = tmp_path / "lock"
        lock.write_text("version 1")

        def download(folder: Path, lock: Path) -> None:
            downloads.append(folder)
            (folder / "server").write_text(lock.read_text())

        return fetch.Package("thing", lock, download)

    def test_a_second_call_fetches_nothing_and_a_new_lock_fetches_again(self, tmp_path: Path) -> None:
        downloads: list[Path] = []
        package = self.package(tmp_path, downloads)
        told: list[str] = []
        first = package.fetch(tmp_path / "cache", told.append)
        assert package.fetch(tmp_path / "cache", told.append) == first
        assert len(downloads) == len(told) == 1
        package.lock.write_text("version 2")
        second = package.fetch(tmp_path / "cache", told.append)
        assert second != first
        assert (second / "server").read_text() == "version 2"

    def test_a_download_that_breaks_off_leaves_nothing(self, tmp_path: Path) -> None:
        lock = tmp_path / "lock"
        lock.write_text("version 1")

        def download(folder: Path, lock: Path) -> None:
            (folder / "half").write_text("")
            raise FetchFailed("the line broke")

        with pytest.raises(FetchFailed):
            fetch.Package("thing", lock, download).fetch(tmp_path / "cache", lambda message: None)
        assert list((tmp_path / "cache").iterdir()) == []

    def test_what_maven_brings_is_compared_with_the_lock(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program(tmp_path, "mvn", 'for word; do :; done; echo forged > "${word#-Ddestination=}/zipkin-server-exec.jar"')
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with pytest.raises(FetchFailed, match="not what zipkin"):
            fetch.ZIPKIN.fetch(tmp_path / "cache", lambda message: None)

    def test_the_locks_name_the_versions_of_the_pom(self) -> None:
        pom = (Path(fetch.__file__).parent / "maven" / "pom.xml").read_text()
        for lock, artefact, suffix in (
            (fetch.KAFKA.lock, "kafka", "kafka_2.13-{}.jar"),
            (fetch.KAFKA.lock, "log4j", "log4j-core-{}.jar"),
            (fetch.ZIPKIN.lock, "zipkin", "zipkin-server-{}-exec.jar"),
        ):
            version = pom.partition(f"<{artefact}.version>")[2].partition("<")[0]
            assert f"  {suffix.format(version)}\n" in lock.read_text()


class TestPorts:
    def test_ports_differ_and_stay(self, tmp_path: Path) -> None:
        first = choose_ports(["a", "b", "c"], tmp_path / "ports.json")
        assert len(set(first.values())) == 3
        assert choose_ports(["c", "a", "b"], tmp_path / "ports.json") == first

    def test_a_taken_port_is_replaced_and_the_others_stay(self, tmp_path: Path) -> None:
        first = choose_ports(["a", "b"], tmp_path / "ports.json")
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", first["a"]))
            stranger.listen()
            second = choose_ports(["a", "b"], tmp_path / "ports.json")
        assert second["a"] != first["a"]
        assert second["b"] == first["b"]


class TestConfiguration:
    def test_services_get_what_they_need(self, tmp_path: Path, platform: Platform) -> None:
        config = configparser.RawConfigParser()
        config.read_string(supervisor.render_services(tmp_path, platform))
        second = config["program:intake-2"]
        assert second["command"].endswith(" -m services.intake")
        assert second["environment"] == (
            'LANGHOC_INSTANCE="2",LANGHOC_HTTP_PORT="8002",OTEL_SERVICE_NAME="langhoc-intake",'
            f'LANGHOC_SECRETS_DIR="{tmp_path}/secrets/intake"'
        )
        assert second["autostart"] == "false"
        assert config["group:intake"]["programs"] == "intake-1,intake-2"
        assert supervisor.shared_environment(tmp_path, platform, {"LANGHOC_ACCOUNT_KEY": "of another"}) == {
            "LANGHOC_KAFKA": platform.kafka,
            "LANGHOC_KAFKA_SECURITY": "sasl_plaintext",
            "LANGHOC_MONGO": platform.mongo,
            "LANGHOC_HTTP_HOST": "127.0.0.1",
            "LANGHOC_CLOCK_FILE": str(tmp_path / "clock"),
            "LANGHOC_STAGE": "local",
            "LANGHOC_JWKS": str(tmp_path / "jwks.json"),
            "LANGHOC_ACCOUNT_KEY": (tmp_path / "secrets" / "account.key").read_text(),
            "LANGHOC_SEAL_KEY": (tmp_path / "secrets" / "seal.key").read_text(),
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://127.0.0.1:9411/api/v2/spans",
        }
        external = platform.model_copy(update={"embedded": ("kafka",)})
        assert "LANGHOC_SEAL_KEY" not in supervisor.shared_environment(tmp_path, external, {}), "its operator's"

    def test_a_service_logs_in_to_embedded_servers_as_itself_and_to_others_as_the_operator_says(
        self, tmp_path: Path, platform: Platform
    ) -> None:
        """Neither what an operator set for another deployment counts here, nor what an earlier start left in files."""
        kafka = {"LANGHOC_KAFKA_USER": "langhoc", "LANGHOC_KAFKA_PASSWORD": "q"}
        mongo = {"LANGHOC_MONGO_USER": "theirs", "LANGHOC_MONGO_PASSWORD": "p"}
        operators = {"TZ": "UTC", **kafka, **mongo}
        assert supervisor.with_logins(operators, platform) == {"TZ": "UTC"}
        for embedded, theirs in (("kafka", mongo), ("mongod", kafka)):
            half = platform.model_copy(update={"embedded": (embedded,)})
            given = supervisor.with_logins(operators, half)
            assert {name: value for name, value in given.items() if value} == {"TZ": "UTC", **theirs}
        external = platform.model_copy(update={"embedded": ()})
        given = supervisor.with_logins({"TZ": "UTC"}, external)
        # Empty, and not left out: else what lies in a folder of secrets would count.
        assert given == {"TZ": "UTC", **dict.fromkeys([*KAFKA_LOGIN, *mongo], "")}
        assert "LANGHOC_SECRETS_DIR" not in supervisor.render_services(tmp_path, external)

    def test_accounts_of_an_external_database_are_known_by_the_operators_key(
        self, tmp_path: Path, platform: Platform
    ) -> None:
        """`down --wipe` takes the platform's own key away, and the database stays."""
        external = platform.model_copy(update={"embedded": ()})
        for given, wanted in (("k" * 32, "k" * 32), ("", Secrets(tmp_path).account_key())):
            made = supervisor.shared_environment(tmp_path, external, {"LANGHOC_ACCOUNT_KEY": given})
            assert made["LANGHOC_ACCOUNT_KEY"] == wanted

    def test_servers_stop_after_the_services(self, tmp_path: Path, platform: Platform) -> None:
        config = configparser.RawConfigParser()
        config.read_string(supervisor.render_main(tmp_path, [MongoDB(tmp_path, tmp_path, 27017, Secrets(tmp_path))]))
        config.read_string(supervisor.render_services(tmp_path, platform))
        server, service = config["program:mongod"], config["group:scoring"]
        assert int(server["priority"]) < int(service["priority"])
        for section in (server, config["program:scoring-1"]):
            assert section["stopsignal"] == "TERM"
            assert section["stopasgroup"] == section["killasgroup"] == section["autorestart"] == "true"

    @pytest.mark.parametrize("folder", ["100%", "a #b", "a ;b"])
    def test_a_path_that_supervisord_would_misread_is_refused(self, folder: str) -> None:
        with pytest.raises(LocalPlatformError, match="choose another path"):
            supervisor.render_main(Path("/srv") / folder, [])

    def test_a_long_state_path_gets_a_short_socket(self, tmp_path: Path) -> None:
        assert supervisor.socket_path(Path("/srv/langhoc")) == Path("/srv/langhoc/supervisor.sock")
        deep = tmp_path / "sâu" / ("x" * 100)
        path = supervisor.socket_path(deep)
        assert len(os.fsencode(path)) < 90
        supervisor.make_socket_folder(deep)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        supervisor.remove_socket(deep)
        assert not path.parent.exists()

    def test_kafka_creates_no_topics_and_listens_on_loopback_alone(self, tmp_path: Path) -> None:
        data = tmp_path / "dữ liệu"
        (data / "log").mkdir(parents=True)
        (data / "log" / "meta.properties").touch()  # formatted already, so no Java is needed here
        Kafka(tmp_path, data, 9092, 9093, Secrets(tmp_path)).prepare()
        lines = (data / "server.properties").read_text(encoding="ascii").splitlines()
        assert "auto.create.topics.enable=false" in lines
        assert "listeners=CLIENTS://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093" in lines
        assert rf"log.dirs={tmp_path}/d\u1eef li\u1ec7u/log" in lines

    def test_fail_points_are_for_tests_alone(self, tmp_path: Path) -> None:
        assert "enableTestCommands=1" not in MongoDB(tmp_path, tmp_path, 1, Secrets(tmp_path)).command
        assert "enableTestCommands=1" in MongoDB(tmp_path, tmp_path, 1, Secrets(tmp_path), test_commands=True).command


class TestExternalServers:
    def test_none_by_default(self) -> None:
        assert External.from_environment({"OTEL_SERVICE_NAME": "x", "LANGHOC_KAFKA": ""}) == External()

    def test_servers_named_by_the_environment(self) -> None:
        external = External.from_environment(
            {
                "LANGHOC_KAFKA": "kafka:9092",
                "LANGHOC_MONGO": "mongodb://db/",
                "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://zipkin:9411/api/v2/spans",
            }
        )
        assert external == External(
            kafka="kafka:9092", mongo="mongodb://db/", zipkin="http://zipkin:9411", tracing=True
        )

    @pytest.mark.parametrize(
        "variable",
        [
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"},
            {"OTEL_TRACES_EXPORTER": "none"},
            {"OTEL_SDK_DISABLED": "true"},
        ],
    )
    def test_traces_that_go_elsewhere_need_no_zipkin(self, variable: dict[str, str]) -> None:
        external = External.from_environment(variable)
        assert external.tracing
        assert external.zipkin is None


class TestPlatformFile:
    def test_round_trip(self, tmp_path: Path, platform: Platform) -> None:
        platform.save(tmp_path)
        assert Platform.load(tmp_path) == platform
        assert stat.S_IMODE(Platform.path(tmp_path).stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["platform.json"]
        assert json.loads(Platform.path(tmp_path).read_text())["services"]["scoring"] == ["http://127.0.0.1:8003"]

    def test_without_it_the_platform_is_not_up(self, tmp_path: Path) -> None:
        with pytest.raises(NotRunning, match="langhoc up"):
            Platform.load(tmp_path)
        local = LocalPlatform(tmp_path)
        assert not local.is_up()
        with pytest.raises(NotRunning):
            local.status()
        assert local.down() is False

    @pytest.mark.parametrize(
        ("address", "seen"),
        [
            ("mongodb://u:p%40w@h1:1,h2:2/?replicaSet=rs0", "mongodb://h1:1,h2:2/?replicaSet=rs0"),
            ("mongodb+srv://u:p@h/?authSource=admin", "mongodb+srv://h/?authSource=admin"),
            ("mongodb://h:1/?appName=a@b", "mongodb://h:1/?appName=a@b"),
            ("k1:9092,k2:9092", "k1:9092,k2:9092"),
        ],
    )
    def test_no_password_is_shown_with_an_address(self, address: str, seen: str) -> None:
        assert shown(address) == seen

    def test_a_stale_file_is_not_a_running_platform(self, tmp_path: Path, platform: Platform) -> None:
        platform.save(tmp_path)
        assert not LocalPlatform(tmp_path).is_up()


class TestTokens:
    def test_a_token_carries_the_claims_and_is_verified_by_the_public_key(self, tmp_path: Path) -> None:
        ensure_signing_key(tmp_path)
        public = json.loads(jwks_path(tmp_path).read_text())
        token = jwt.decode(issue_token(tmp_path, "lan", "province", "01", 2), KeySet.import_key_set(public))
        assert token.header["kid"] == public["keys"][0]["kid"]
        assert "d" not in public["keys"][0]
        claims = token.claims
        assert claims["exp"] - claims["iat"] == 7200
        assert {name: claims[name] for name in ("iss", "aud", "sub", "role", "province")} == {
            "iss": "langhoc-local",
            "aud": "langhoc",
            "sub": "lan",
            "role": "province",
            "province": "01",
        }
        assert (
            "province" not in jwt.decode(issue_token(tmp_path, "lan", "auditor"), KeySet.import_key_set(public)).claims
        )

    def test_the_key_is_made_once_and_is_the_owners_alone(self, tmp_path: Path) -> None:
        ensure_signing_key(tmp_path)
        key = tmp_path / "signing-key.json"
        made = key.read_text()
        ensure_signing_key(tmp_path)
        assert key.read_text() == made
        assert stat.S_IMODE(key.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        "subject",
        [
            "",
            " ",
            "An",
            "an ",
            " an",
            "an\n",
            "a n",
            "a\u0301n",
            "\u0430n",
            "\uff41n",
            "a\u200bn",
            "1an",
            "-an",
            "a" * 65,
        ],
    )
    def test_two_local_accounts_never_look_alike(self, tmp_path: Path, subject: str) -> None:
        ensure_signing_key(tmp_path)
        with pytest.raises(LocalPlatformError, match="small letters"):
            issue_token(tmp_path, subject, "auditor")

    @pytest.mark.parametrize("hours", [-1, 0, 13, 10**9])
    def test_a_token_is_valid_for_a_bounded_time(self, tmp_path: Path, hours: int) -> None:
        ensure_signing_key(tmp_path)
        with pytest.raises(LocalPlatformError, match="1 to 12 hours"):
            issue_token(tmp_path, "lan", "auditor", hours=hours)

    @pytest.mark.parametrize(
        ("province", "meant"),
        [("77", "part of 79"), ("02", "part of 08"), ("00", "There are: "), ("99", "91, 92, 96"), ("10", "part of 15")],
    )
    def test_a_province_that_is_none_today_is_told_with_whom_may_be_meant(
        self, tmp_path: Path, province: str, meant: str
    ) -> None:
        ensure_signing_key(tmp_path)
        with pytest.raises(LocalPlatformError, match=meant):
            issue_token(tmp_path, "lan", "province", province)

    @pytest.mark.parametrize("province", [None, "1", "hn", "٠١"])
    def test_a_provinces_officer_needs_a_province(self, tmp_path: Path, province: str | None) -> None:
        ensure_signing_key(tmp_path)
        with pytest.raises(LocalPlatformError, match="province"):
            issue_token(tmp_path, "lan", "province", province)


class TestLogs:
    def test_the_tail(self, tmp_path: Path) -> None:
        log = tmp_path / "kafka.log"
        assert tail(log, 2) == []
        log.write_text("a\nb\nc\n")
        assert tail(log, 2) == ["b", "c"]

    def test_following_passes_over_a_rotation_and_waits_for_whole_lines(self, tmp_path: Path) -> None:
        log = tmp_path / "kafka.log"
        log.write_text("before\n")
        follower = Follower(log)
        with log.open("a") as file:
            file.write("one\ntw")
        assert follower.new_lines() == ["one"]
        with log.open("a") as file:
            file.write("o\n")
        log.rename(tmp_path / "kafka.log.1")
        log.write_text("three\n")
        assert follower.new_lines() == ["two", "three"]
        follower.close()

    def test_a_service_means_all_its_instances(self, tmp_path: Path) -> None:
        (tmp_path / "logs").mkdir()
        for name in ("intake-1", "intake-2", "kafka"):
            (tmp_path / "logs" / f"{name}.log").touch()
        local = LocalPlatform(tmp_path)
        assert [path.name for path in local.logs("intake")] == ["intake-1.log", "intake-2.log"]
        assert [path.name for path in local.logs("kafka")] == ["kafka.log"]
        with pytest.raises(UnknownProgram, match="Known: intake-1, intake-2, kafka"):
            local.logs("kafak")


class TestCommands:
    @staticmethod
    def run(state: Path, *arguments: str) -> tuple[int, str]:
        app = typer.Typer()
        app_commands(app)
        result = CliRunner().invoke(app, arguments, env={"LANGHOC_STATE": str(state)})
        return result.exit_code, result.output

    @pytest.mark.parametrize("command", [["status"], ["clock"], ["logs", "intake"], ["token", "--role", "auditor"]])
    def test_what_cannot_be_done_is_said_in_a_sentence(self, tmp_path: Path, command: list[str]) -> None:
        code, output = self.run(tmp_path, *command)
        assert code == 1
        assert "Traceback" not in output
        assert output.strip().endswith((".", "langhoc up"))

    def test_down_of_nothing_is_no_error(self, tmp_path: Path) -> None:
        assert self.run(tmp_path / "none", "down") == (0, "Nothing was running.\n")

    def test_a_platform_says_that_its_own_mongod_is_past_its_support(
        self, platform: Platform, capsys: pytest.CaptureFixture[str]
    ) -> None:
        show_support(platform.model_copy(update={"embedded": ("kafka",)}))
        assert capsys.readouterr().out == ""
        show_support(platform)
        (line,) = capsys.readouterr().out.splitlines()
        assert line == "MongoDB 6.0.5 is past its support (2025-07-31): for development only."

    def test_clock_shows_the_simulated_date(self, tmp_path: Path, platform: Platform) -> None:
        offset = clock_offset("2026-02-25T09:00")
        platform.model_copy(update={"clock_offset": offset}).save(tmp_path)
        code, output = self.run(tmp_path, "clock")
        assert code == 0
        assert "Simulated date: 2026-02-25 09:00 (Asia/Ho_Chi_Minh)" in output

    def test_a_moment_is_in_viet_nams_time_unless_it_names_a_zone(self) -> None:
        now = datetime.now(UTC)
        wanted = datetime(2026, 2, 25, 2, tzinfo=UTC)
        for moment in ("2026-02-25T09:00", "2026-02-25T09:00+07:00", "2026-02-25T02:00Z"):
            assert abs(timedelta(seconds=clock_offset(moment)) - (wanted - now)) < timedelta(seconds=5)
        assert clock_offset("now") == 0
        with pytest.raises(CommandError, match="2026-02-25T09:00"):
            clock_offset("25/02/2026")
