"""`langhoc` as a client of a deployment that is not the platform on this machine: addresses and token of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app as langhoc

ROW = {"rank": 1, "unit_id": "00004@2025-07", "code": "00004", "name": "Phường Ba Đình", "holder": "01", "level": 2}
NAMES = ("INTAKE", "SCORING", "FUNDING", "NOTIFICATIONS", "KAFKA", "TOKEN", "PROFILE")


class Elsewhere:
    """A deployment behind one address, which answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {"/rankings/nation/2025": {"items": [ROW], "next": None}}
        self.asked: list[tuple[str, str | None]] = []
        elsewhere = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                elsewhere.asked.append((self.path, self.headers["Authorization"]))
                answer = elsewhere.answers.get(self.path.partition("?")[0])
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_POST = do_GET

            def log_message(self, *message: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    there = Elsewhere()
    thread = Thread(target=there.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield there
    there.server.shutdown()
    there.server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's configuration folder, and no platform on this machine."""
    for name in NAMES:
        monkeypatch.delenv(f"LANGHOC_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("LANGHOC_STATE", str(tmp_path / "state"))
    (tmp_path / "config" / "langhoc").mkdir(parents=True)
    return tmp_path / "config" / "langhoc" / "profiles.toml"


def run(*arguments: str, **environment: str) -> Result:
    env = {f"LANGHOC_{name.upper()}": value for name, value in environment.items()}
    return CliRunner(env=env).invoke(langhoc, list(arguments))


RANKINGS = ("rankings", "--period", "2025", "--format", "json")


def test_the_environment_names_a_deployment(elsewhere: Elsewhere) -> None:
    shown = run(*RANKINGS, scoring=f"{elsewhere.url}/", token="t-1")
    assert shown.exit_code == 0, shown.output
    assert [row["code"] for row in json.loads(shown.stdout)] == ["00004"]
    assert elsewhere.asked == [("/rankings/nation/2025", "Bearer t-1")]


def test_a_profile_names_one_and_the_environment_counts_before_it(elsewhere: Elsewhere, home: Path) -> None:
    home.write_text(f'[ministry]\nscoring = "{elsewhere.url}"\ntoken = "t-2"\n', encoding="utf-8")
    assert run("--profile", "ministry", *RANKINGS).exit_code == 0
    assert run(*RANKINGS, profile="ministry", token="t-3").exit_code == 0
    assert [token for _, token in elsewhere.asked] == ["Bearer t-2", "Bearer t-3"]


def test_without_either_it_is_the_platform_on_this_machine() -> None:
    for profile in ((), ("--profile", "local")):
        refused = run(*profile, *RANKINGS)
        assert (refused.exit_code, "langhoc up" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("table", "arguments", "said"),
    [
        ("[ministry]", RANKINGS, "There is no profile 'other'"),
        ("[other]\nscoring = 'http://127.0.0.1:1'", RANKINGS, "other names no token"),
        ("[other]\nscorign = 'http://127.0.0.1:1'\ntoken = 'secret'", RANKINGS, "scorign: Extra inputs"),
        ("[other]\nscoring = 'nowhere'\ntoken = 'secret'", RANKINGS, "scoring: Input should be a valid URL"),
        ("[other]\nscoring = 'http://portal.example'\ntoken = 'secret'", RANKINGS, "a token goes by https only"),
        ("[other]\nscoring = 'http://127.0.0.1.example'\ntoken = 'secret'", RANKINGS, "a token goes by https only"),
        ("[other]\ntoken = ['secret']", RANKINGS, "token: Input should be a valid string"),
        ("[other", RANKINGS, "cannot be read"),
        ("[other]\ntoken = 'secret'", RANKINGS, "Where scoring is, is not known of other"),
        ("[other]\nscoring = 'http://127.0.0.1:1'\ntoken = 'secret'", RANKINGS, "scoring does not answer"),
        ("[other]\ntoken = 'secret'", ("submit", "none.json", "--province", "01"), "cannot be read"),
        ("[other]\ntoken = 'secret'", ("down",), "leave out --profile"),
        (
            "[other]\nfunding = 'http://127.0.0.1:1'\ntoken = 'secret'",
            ("budget", "step", "approve", "--province", "01", "--year", "2026", "--why", "x", "--by", "binh"),
            "act in the name of your own token",
        ),
    ],
)
def test_what_is_wrong_with_a_profile_is_told_in_plain_words(
    home: Path, table: str, arguments: tuple[str, ...], said: str
) -> None:
    home.write_text(table, encoding="utf-8")
    refused = run("--profile", "other", *arguments)
    assert (refused.exit_code, said in refused.stderr) == (1, True), refused.stderr
    assert "secret" not in refused.output


def test_submissions_go_over_http_where_kafka_is_not_known(elsewhere: Elsewhere, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text('{"type": "langhoc.commune.submitted.v1", "data": {"unit_code": "00004"}}')
    refused = run("submit", str(file), "--province", "01", intake=elsewhere.url, token="t")
    assert refused.exit_code == 1
    assert [asked for asked in elsewhere.asked if asked[0].startswith("/v1/")] == [
        ("/v1/batches?province=01&dry_run=false", "Bearer t")
    ]


@pytest.mark.parametrize("answer", [{"items": [{"rank": "first"}]}, ["x"], None])
def test_an_answer_of_something_else_is_told_as_such(elsewhere: Elsewhere, answer: Any) -> None:
    elsewhere.answers["/rankings/nation/2025"] = answer
    refused = run(*RANKINGS, scoring=elsewhere.url, token="t")
    assert refused.exit_code == 1
    assert "another version" in refused.stderr if answer is not None else "answered 404" in refused.stderr
    assert "Traceback" not in refused.output
