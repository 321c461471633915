"""Image, compose file and chart say what the code says: files, commands, settings, ports, health, bounds.

What needs tools beside Python is looked at by `make deploy-check`; the compose file's servers are played by
`tests/deployment/test_containers.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.admitting import Settings as AdministratorsSettings
from deploy.compose.prepare import prepare
from shared.contracts.topics import all_topics, families
from shared.messaging.operate.topics import province_codes
from shared.messaging.settings import ServiceSettings
from shared.messaging.stage import unsafe
from shared.rulebook.overlays import SETTING
from shared.web.admission import OPEN
from tests.compose import COMPOSE, HERE, ROOT, environment_of

SERVICES = ("intake", "scoring", "funding", "notifications")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
CHART = ROOT / "deploy" / "helm" / "langhoc"
TEMPLATES = {path.name: path.read_text(encoding="utf-8") for path in (CHART / "templates").glob("*.*")}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
NAME = re.compile(r"\bLANGHOC_[A-Z_]+")
COPIES = ("", "-2")


def settings_of(service: str) -> type[ServiceSettings]:
    if service == "admitting":
        return AdministratorsSettings
    found: type[ServiceSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return found


def read_by(service: str) -> set[str]:
    """The variables that a process reads: its settings, and the few that are asked for elsewhere."""
    elsewhere = {SETTING, *NAME.findall((ROOT / "shared/telemetry/traces.py").read_text(encoding="utf-8"))}
    return (
        {f"LANGHOC_{name.upper()}" for name in settings_of(service).model_fields} | {"LANGHOC_SECRETS_DIR"} | elsewhere
    )


def commands() -> Iterator[list[str]]:
    """All that is started in a container."""
    yield from (
        [*each["command"]] for each in COMPOSE["services"].values() if each.get("image", "").startswith("${LANGHOC")
    )
    for text in TEMPLATES.values():
        for found in re.findall(r"command: \[(.*)\]", text):
            for service in SERVICES if "{{ $service }}" in found else ("",):
                yield found.replace("{{ $service }}", service).split(", ")
    for found in re.findall(r"^#   docker run langhoc (.*?)(?:  |$)", DOCKERFILE, re.MULTILINE):
        yield shlex.split(found)


# ------------------------------------------------------------------------------------------------------- image


def test_the_image_copies_what_is_there_and_what_the_build_context_holds() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    paths = {path for line in copied for path in line.split()}
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored, "what is not named stays outside: secrets above all"
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == paths
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    assert set(packages) <= paths


def test_every_command_of_a_container_is_there() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    started = {tuple(command) for command in commands()}
    assert {f"services.{service}" for service in SERVICES} <= {command[-1] for command in started}
    for command in started:
        match command:
            case ("python", "-m", module):
                found = importlib.util.find_spec(module)
                assert found, module
                assert not found.submodule_search_locations or importlib.util.find_spec(f"{module}.__main__"), module
            case _:
                assert command[0] in scripts


def test_the_image_is_nobodys_root_and_its_last_stage_has_nothing_to_build_with() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \d+:\d+$", last, re.MULTILINE)
    assert "pip install" not in last
    assert "pip uninstall" in last
    assert "--require-hashes" in DOCKERFILE
    installs = re.findall(r"pip\S* (?:--python \S+ )?install .*?(?=&&|\n)", DOCKERFILE)
    assert len(installs) == 2
    assert [each for each in installs if "--no-index" not in each] == [], "what the lock did not name must not come in"
    assert set(NAME.findall(last)) <= read_by("intake")
    (health,) = re.findall(r"'GET', '([^']+)'", last)
    assert health in OPEN
    (port,) = re.findall(r"LANGHOC_HTTP_PORT=(\d+)", last)
    assert f"127.0.0.1', {port}" in last
    assert f"EXPOSE {port}" in last


# ------------------------------------------------------------------------------------------------------ compose


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose")
    prepare(folder, "langhoc.example")
    return folder


@pytest.mark.parametrize("container", [f"{service}{copy}" for service in SERVICES for copy in COPIES])
def test_production_starts_with_what_compose_gives_and_with_nothing_less(
    container: str, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = container.removesuffix("-2")
    given = environment_of(container, LANGHOC_HOST="langhoc.example")
    assert {name for name in given if name.startswith("LANGHOC_")} <= read_by(service)
    assert given["LANGHOC_INSTANCE"] == ("2" if container.endswith("-2") else "1"), "a copy has a number of its own"
    assert f"./secrets/{service}:{given['LANGHOC_SECRETS_DIR']}:ro" in COMPOSE["services"][container]["volumes"]
    secrets = prepared / "secrets" / service
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANGHOC_SECRETS_DIR", str(secrets))
    kind = settings_of(service)
    settings = kind()
    assert unsafe(settings) == []
    assert settings.kafka_access.security == "sasl_ssl"
    assert settings.kafka_user == service, "rights are given to the principal of this name"
    assert {file.name for file in secrets.iterdir()} <= {f"langhoc_{field}" for field in kind.model_fields}
    monkeypatch.delenv("LANGHOC_ISSUER")
    monkeypatch.setenv("LANGHOC_SECRETS_DIR", str(prepared))
    assert len(unsafe(kind())) == 5


def test_the_jobs_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = environment_of("admitting", LANGHOC_HOST="langhoc.example")
    assert {name for name in given if name.startswith("LANGHOC_")} <= read_by("admitting")
    mounted = {str(each).split(":")[1] for each in COMPOSE["services"]["admitting"]["volumes"]}
    assert {f"{given['LANGHOC_SERVICES_SECRETS']}/{service}" for service in SERVICES} <= mounted


def test_what_compose_mounts_is_there(prepared: Path) -> None:
    """Docker makes a folder of a file that is not there, and says nothing."""
    mounted = {
        str(volume).split(":")[0]
        for container in COMPOSE["services"].values()
        for volume in container.get("volumes", [])
        if str(volume).startswith(".")
    }
    secrets = {path for path in mounted if path.startswith("./secrets/")}
    assert {path for path in secrets if not (prepared / path).exists()} == set()
    assert {path for path in mounted - secrets if not (HERE / path).exists()} == set()
    assert "deploy/compose/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_secret_can_be_entered_by_others_on_the_host_and_the_authoritys_key_is_mounted_nowhere(
    prepared: Path,
) -> None:
    assert (prepared / "secrets").stat().st_mode & 0o077 == 0
    said = json.dumps(COMPOSE)
    assert "ca.key" not in said
    for secret in (prepared / "secrets").rglob("*password"):
        assert len(secret.read_text()) > 40
    kept = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    prepare(prepared, "langhoc.example")
    assert {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()} == kept


def test_our_containers_are_hardened_and_listen_on_this_machine_alone() -> None:
    for service in (f"{name}{copy}" for name in SERVICES for copy in COPIES):
        said = COMPOSE["services"][service]
        assert said["read_only"]
        assert said["cap_drop"] == ["ALL"]
        assert all(str(port).startswith("127.0.0.1:") and str(port).endswith(":8080") for port in said["ports"])


def test_prometheus_looks_at_every_copy_under_the_name_that_alerts_know() -> None:
    jobs = yaml.safe_load((HERE / "prometheus.yaml").read_text(encoding="utf-8"))["scrape_configs"]
    found = {job["job_name"]: [(each["names"], each["port"]) for each in job["dns_sd_configs"]] for job in jobs}
    assert found == {f"langhoc-{service}": [([service, f"{service}-2"], 8080)] for service in SERVICES}


# -------------------------------------------------------------------------------------------------------- chart


def test_the_chart_names_settings_that_are_read_and_leaves_out_none_that_production_asks_for() -> None:
    """Rendered, it is tried with the settings themselves by `make deploy-check`."""
    shared_names = set(NAME.findall(TEMPLATES["_helpers.tpl"]))
    named = set(NAME.findall(TEMPLATES["services.yaml"])) | shared_names
    values = (CHART / "values.yaml").read_text(encoding="utf-8")
    in_files = {f"LANGHOC_{name[8:].upper()}" for name in re.findall(r"\blanghoc_[a-z_]+", values)}
    known = set.union(*(read_by(service) for service in SERVICES))
    assert named | in_files <= known
    assert {one.field for one in unsafe(ServiceSettings(kafka="-", mongo="-"))} - named - in_files == set()
    job = set(NAME.findall(TEMPLATES["admitting.yaml"]))
    assert job <= read_by("admitting")
    assert "LANGHOC_SERVICES_SECRETS" in job


def test_the_charts_probes_ask_what_is_open() -> None:
    assert set(re.findall(r"httpGet: \{path: (\S+?),", TEMPLATES["services.yaml"])) == {"/health/live", "/health/ready"}
    assert set(re.findall(r"containerPort: (\d+)", TEMPLATES["services.yaml"])) == {"8080"}
    assert {"/health/live", "/health/ready"} <= OPEN


def test_no_more_copies_than_partitions_can_be_asked_for() -> None:
    """A copy without a partition does nothing, and is never ready."""
    partitions = {topic.name: topic.partitions for topic in all_topics(province_codes())}
    submissions = sum(count for name, count in partitions.items() if name.startswith("submissions."))
    schema: Any = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    intake = schema["properties"]["services"]["properties"]["intake"]["allOf"][1]["properties"]
    reader = schema["definitions"]["reader"]["allOf"][1]["properties"]
    for said, most in ((intake, submissions), (reader, partitions["intake.accepted"])):
        assert said["copies"]["maximum"] == said["autoscale"]["properties"]["most"]["maximum"] == most
    assert {"scoring", "funding", "notifications"} <= set(families()["intake.accepted"].consumers)


# ------------------------------------------------------------------------------------------------------- alerts


def test_every_alert_leads_to_a_heading_of_the_runbook() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
    }
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
    led = {rule["annotations"]["runbook"] for group in rules["groups"] for rule in group["rules"]}
    assert {link for link in led if link.removeprefix("docs/runbook.md#") not in headings} == set()


def test_the_dashboard_shows_metrics_that_exist() -> None:
    """As alerts do: a metric that was renamed would leave an empty panel."""
    from tests.architecture.test_alerts import METRIC, SAMPLED

    board = json.loads((HERE / "grafana" / "delivery.json").read_text(encoding="utf-8"))
    shown = {
        name for panel in board["panels"] for target in panel["targets"] for name in METRIC.findall(target["expr"])
    }
    assert len(shown) > 4
    assert shown <= SAMPLED
