"""Project rules that a linter does not know. import-linter holds what may import what; these hold the rest.

Each rule's docstring tells what happens where it is broken.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "__init__.py").exists())
ROOMS = {"api", "app", "domain", "decisions", "queries", "settings"}
every_service = pytest.mark.parametrize("service", SERVICES)


def sources(*patterns: str) -> Iterator[tuple[str, ast.Module]]:
    """Python files under the project's folders, by path relative to it."""
    found = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    assert found, f"nothing matches {patterns}: the rule would hold of nothing"
    for path in found:
        yield path.relative_to(ROOT).as_posix(), parsed(path)


@cache
def parsed(path: Path) -> ast.Module:
    """The file's syntax tree, made once for all rules."""
    return ast.parse(path.read_text(encoding="utf-8"))


PURE = ("services/*/domain.py", "services/*/domain/**/*.py", "services/*/decisions.py", "services/*/decisions/**/*.py",
        "services/*/problems.py")  # fmt: skip
RULES = ("shared/rulebook/*.py", "shared/registry/*.py", "shared/contracts/*.py")
PRODUCTION = ("services/**/*.py", "shared/**/*.py")


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def uses(patterns: tuple[str, ...], *names: str) -> list[str]:
    """Places that name one of these, whatever module prefix it is written with."""
    return [
        f"{path}:{node.lineno}: {dotted(node)}"
        for path, tree in sources(*patterns)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute) and any(f".{dotted(node)}".endswith(f".{name}") for name in names)
    ]


def test_decisions_know_no_wall_clock() -> None:
    """Business time comes with the record. A decision that reads the clock makes a province late by our own backlog,
    and a replay of last year's records gives another result than last year."""
    clocks = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
              "time.monotonic", "time.localtime", "BusinessClock")  # fmt: skip
    assert uses((*PURE, *RULES), *clocks) == []


def test_one_clock_reads_the_host() -> None:
    """A host whose clock is ten minutes fast published version 2 before version 1, and held up a ranking for ten
    minutes. Only the clock port, which the database's server corrects, may read it."""
    clocks = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
              "time.localtime", "time.gmtime", "time.strftime", "time.ctime", "time.clock_gettime",
              "time.clock_gettime_ns")  # fmt: skip
    assert {place.partition(":")[0] for place in uses(PRODUCTION, *clocks)} == {
        "shared/messaging/clock.py",
    }
    from_time = {
        path
        for path, tree in sources(*PRODUCTION)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
    }
    assert from_time == set(), "a name without its module hides from this rule"


def test_decisions_know_no_chance() -> None:
    """The same input must give the same bytes: an auditor recomputes results on another machine."""
    assert uses((*PURE, *RULES), "random", "uuid4", "uuid1", "urandom", "token_hex", "secrets") == []


def test_points_and_money_know_no_float() -> None:
    """Binary fractions lost 8 francs in 68 million elsewhere, and moved results across a threshold."""
    literals = [
        f"{path}:{node.lineno}: {node.value}"
        for path, tree in sources(*PURE, *RULES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    assert uses((*PURE, *RULES), "float") + literals == []


def calls(method: str) -> set[str]:
    """Files that call a method of this name."""
    return {
        path
        for path, tree in sources(*PRODUCTION)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    }


def test_only_the_relay_publishes() -> None:
    """What is published outside the relay is not part of the transaction: a crash loses it, or publishes what never
    happened."""
    assert calls("publish") == {"shared/messaging/consume/broker.py"}
    asks = {"shared/messaging/consume/topics_seen.py"}  # sends a question, no record
    drives = {"shared/messaging/decide/engine.py"}  # a coroutine
    speaks = {"shared/web/connections.py"}  # HTTP
    hands_in = {"shared/messaging/send/handing.py"}  # what a province sends by HTTP: a cause, and no effect
    assert calls("send") - asks - drives - speaks - hands_in == {
        "shared/messaging/send/outbox.py",
        "shared/messaging/send/producer.py",
    }
    decides = ("services/", "shared/messaging/decide/")  # a set is requested, no broker
    requests = {path for path in calls("request") if not path.startswith(decides)}
    assert calls("publisher") | calls("publish_batch") | requests == set()


def test_nobody_acknowledges_through_the_framework() -> None:
    """`ack()` commits the position of *all* assigned partitions, and its errors are swallowed: records are lost."""
    assert calls("ack") | calls("nack") | calls("reject") == set()
    assert calls("subscriber") == {"shared/messaging/consume/consuming.py"}
    assert calls("commit") - {"shared/mongo/transactions.py"} == {"shared/messaging/consume/consuming.py"}


CLIENTS = {"Broker", "KafkaBroker", "AIOKafkaConsumer", "FairConsumer", "AIOKafkaProducer"}


def test_nobody_builds_a_broker_or_a_client_by_hand() -> None:
    """The library's defaults acknowledge before the work is done, create topics, and read `latest`."""
    built = {
        path
        for path, tree in sources(*PRODUCTION)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).rsplit(".", 1)[-1]
        in {"Broker", "KafkaBroker", "AIOKafkaConsumer", "FairConsumer", "AIOKafkaProducer"}
    }
    without_a_group = {"shared/messaging/send/handing.py"}  # it looks on the channel, and acknowledges nothing
    assert built - without_a_group == {"shared/messaging/consume/broker.py", "shared/messaging/send/producer.py"}


def test_nobody_uses_the_drivers_own_transactions() -> None:
    """`with_transaction` repeats for 120 s without a pause, and hides a duplicate key behind that loop."""
    assert calls("with_transaction") == set()
    assert all(path.startswith("shared/mongo/") for path in calls("start_transaction"))


def test_production_does_not_stand_on_fakes() -> None:
    """A fake that is imported by production code gets requirements of its own."""
    imports = {
        path
        for path, tree in sources("services/**/*.py", "shared/**/*.py", "cli/**/*.py", "deploy/**/*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("shared.testing", "tests"))
    }
    assert imports == set()


def test_the_command_reads_answers_by_their_models() -> None:
    """A field that a service renames must be found by the type checker, not by a person at the terminal."""
    raw = [
        f"{path}:{node.lineno}"
        for path, tree in sources("cli/**/*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "json"
    ]
    assert raw == []


@every_service
def test_every_service_has_the_same_rooms(service: str) -> None:
    """One map is learned once: whoever knows one service finds everything in the next."""
    folder = ROOT / "services" / service
    assert (folder / "__init__.py").exists()
    assert (folder / "__main__.py").exists()
    for room in ROOMS:  # a file, or a package once one file would be too long
        assert (folder / f"{room}.py").exists() != (folder / room).is_dir(), room


@every_service
def test_nothing_is_imported_past_the_face_of_a_room(service: str) -> None:
    """A room says in its `__init__` what it offers: whoever reaches past it is broken by every tidying within."""
    past = []
    for path, tree in sources(f"services/{service}/**/*.py"):
        for node in ast.walk(tree):
            found = re.match(rf"(services\.{service}\.\w+)\.", getattr(node, "module", None) or "")
            if isinstance(node, ast.ImportFrom) and found:
                room = found[1].replace(".", "/")
                if (ROOT / room).is_dir() and not path.startswith(f"{room}/"):
                    past.append(f"{path}:{node.lineno}: {node.module}")
    assert past == []


def test_the_linter_knows_every_service() -> None:
    """A service that is missing in a contract of import-linter is bound by none of its rules."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = {f"services.{service}" for service in SERVICES}
    for contract in contracts:
        modules = set(contract.get("modules", [])) | set(contract.get("containers", []))
        pure = {name.rsplit(".", 1)[0] for name in contract.get("source_modules", []) if name.startswith("services.")}
        for listed in filter(None, (modules, pure)):
            assert listed == names, contract["name"]


@every_service
def test_a_service_stands_on_its_own_folder_and_shared_alone(service: str, tmp_path: Path) -> None:
    """One image per service carries only these. The copy runs without the project's own installation, which would lend
    it the other folders: no site hooks (`-S`), no environment (`-E`), third-party packages by path only."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "shared", tmp_path / "shared", ignore=ignore)
    shutil.copytree(ROOT / "services" / service, tmp_path / "services" / service, ignore=ignore)
    shutil.copy(ROOT / "services" / "__init__.py", tmp_path / "services")
    packages = next(path for path in sys.path if Path(path).name == "site-packages")
    program = (
        "import sys, importlib, importlib.util\n"
        f"sys.path[:0] = [{str(tmp_path)!r}]; sys.path.append({packages!r})\n"
        f"module = importlib.import_module('services.{service}.app')\n"
        f"assert module.__file__.startswith({str(tmp_path)!r}), module.__file__\n"
        "assert callable(module.main)\n"
        "foreign = [n for n in ('cli', 'deploy', 'demo', 'tests') if importlib.util.find_spec(n)]\n"
        f"others = [n for n in {SERVICES!r} if n != {service!r} and importlib.util.find_spec('services.' + n)]\n"
        "assert not foreign + others, foreign + others\n"
        f"own = [m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ('services', 'shared')]\n"
        f"assert all(f.startswith({str(tmp_path)!r}) for f in own), own\n"
        "assert not [n for n in sys.modules if n.startswith('shared.testing')]\n"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ.get("PATH", "")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr


def test_what_is_installed_has_no_demonstration(tmp_path: Path) -> None:
    """A client at a province's desk must not be able to publish made-up results; a checkout has `langhoc demo`."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    packages = next(path for path in sys.path if Path(path).name == "site-packages")
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")
    program = (
        "import sys\n"
        "sys.path[:0] = [sys.argv[1]]; sys.path.append(sys.argv[2])\n"
        "from cli import main\n"
        "assert main.__file__.startswith(sys.argv[1]), main.__file__\n"
        "print(*(each.name or each.callback.__name__ for each in main.app.registered_commands))\n"
    )
    commands = {}
    for place in (tmp_path / "installed", ROOT):
        run = [sys.executable, "-S", "-E", "-c", program, str(place), packages]
        commands[place] = subprocess.run(
            run, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60
        ).stdout
    installed, checkout = (set(names.split()) for names in commands.values())
    assert "explain" in installed
    assert checkout - installed == {"demo"}


def test_numbers_and_days_for_people_are_written_in_one_place() -> None:
    """A number grouped by hand has the point of one language in the texts of the other: 62.198 % is 62 thousand."""
    by_hand = [
        f"{path}:{node.lineno}: {ast.unparse(spec)}"
        for path, tree in sources("services/**/*.py", "shared/**/*.py", "cli/**/*.py")
        for spec in ast.walk(tree)
        if path != "shared/wording.py" and isinstance(spec, ast.FormattedValue) and spec.format_spec is not None
        for node in ast.walk(spec.format_spec)
        if isinstance(node, ast.Constant) and {",", "%d/%m"} & {str(node.value), str(node.value)[:5]}
    ]
    assert by_hand == []


def test_commands_say_everything_by_one_console() -> None:
    """A name that clears the screen, or writes an amount over another: one console makes every text neutral, so
    nothing is printed past it. (A token is letters and digits, and is read by programs.)"""
    said = {
        f"{path}: {name}"
        for path, tree in sources("cli/*.py", "demo/*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (name := dotted(node.func)) in ("print", "Console", "rich.print", "typer.echo", "sys.stdout.write")
    }
    assert said == {
        "cli/output.py: print",
        "cli/output.py: sys.stdout.write",
        "cli/platform.py: print",
    }
