"""A real Keycloak for tests: fetched once, checked byte by byte, built once, and started with nothing in it."""

from __future__ import annotations

import json
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from deploy.local import fetch
from deploy.local.harness import start_child
from deploy.local.ports import choose_ports

REALM = Path(__file__).parent / "realm.json"
ADMIN = "admin"
START_SECONDS = 240
_LOCK = Path(__file__).parent / "keycloak.sha256"
_BUILD = ("--db=dev-mem", "--cache=local", "--features-disabled=organization,ciba,device-flow,kerberos,par")


def _download(folder: Path, lock: Path) -> None:
    fetch.from_maven("copy@keycloak")(folder, lock)
    (packed,) = folder.glob("*.zip")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    packed.unlink()
    (home,) = folder.iterdir()
    command = ["bash", str(home / "bin" / "kc.sh"), "build", *_BUILD]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


KEYCLOAK = fetch.Package("keycloak", _LOCK, _download)


class Keycloak:
    """What the tests do with one that runs: as the ministry's administrator, and as its users."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self._process = process
        self._http = httpx.Client(base_url=url, timeout=60)

    def issuer(self, realm: str = "langhoc") -> str:
        return f"{self.url}/realms/{realm}"

    def tokens(self, client: str, user: str, *, realm: str = "langhoc", **form: str) -> httpx.Response:
        """What the token endpoint answers to a user's password (or to another grant)."""
        asked = {"grant_type": "password", "client_id": client, "username": user, "password": f"password of {user}"}
        path = f"/realms/{realm}/protocol/openid-connect/token"
        return self._http.post(path, data={**asked, "scope": "openid", **form})

    def token(
        self, client: str = "langhoc-cli", user: str = "an", *, realm: str = "langhoc", kind: str = "access"
    ) -> str:
        """A token of a kind: `access`, `id` or `refresh`."""
        answer = self.tokens(client, user, realm=realm)
        assert answer.status_code == 200, answer.text
        return str(answer.json()[f"{kind}_token"])

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """An act of administration; returns what is answered."""
        form = {"password": ADMIN}
        token = self.tokens("admin-cli", ADMIN, realm="master", **form).json()["access_token"]
        answer = self._http.request(method, f"/admin{path}", json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def user(self, name: str) -> dict[str, Any]:
        (found,) = self.admin("GET", f"/realms/langhoc/users?exact=true&username={name}")
        return dict(found)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running(folder: Path) -> Iterator[Keycloak]:
    """Keycloak with the realm of `realm.json`, and with another one of the same contents, called `other`."""
    (home,) = KEYCLOAK.fetch(fetch.default_cache(), print).iterdir()
    port = choose_ports(["keycloak"], folder / "ports.json")["keycloak"]
    url, log = f"http://127.0.0.1:{port}", folder / "keycloak.log"
    listen = ("--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}", f"--hostname={url}")
    environment = {"KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN}
    process = start_child([*_java(home), "start", "--optimized", *listen], log, environment)
    try:
        keycloak = Keycloak(url, process)
        _wait(keycloak, process, log)
        realm = json.loads(REALM.read_text(encoding="utf-8"))
        keycloak.admin("POST", "/realms", realm)
        keycloak.admin("POST", "/realms", realm | {"realm": "other"})
        yield keycloak
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


def _java(home: Path) -> list[str]:
    """What `kc.sh` runs, without the shell between: what is killed here is Keycloak itself."""
    options = {
        "kc.home.dir": home,
        "jboss.server.config.dir": home / "conf",
        "java.util.logging.manager": "org.jboss.logmanager.LogManager",
        "java.util.concurrent.ForkJoinPool.common.threadFactory": (
            "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory"
        ),
    }
    return [
        *(fetch.find_java(), "-Xms64m", "-Xmx400m", "-XX:TieredStopAtLevel=1"),
        *(f"-D{name}={value}" for name, value in options.items()),
        *("-cp", str(home / "lib" / "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint"),
    ]


def _wait(keycloak: Keycloak, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(keycloak.issuer("master"), timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"Keycloak is not there:\n{log.read_text(errors='replace')[-3_000:]}")
