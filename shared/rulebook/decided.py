"""Rules that two people have decided on: the digest of their files, and the record that lies beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.contracts.base import content_hash
from shared.rulebook.errors import Findings
from shared.rulebook.source import Rule, read

DECIDED, RELEASED, README = "decided.yaml", "released.yaml", "README.md"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Decided(Rule):
    """`decided.yaml`: what two people decided a folder's rules to be. Persons by their ids, instants in UTC."""

    proposal: str
    base: Sha256
    """State of the rules in use, beside which the files were proven and rehearsed (`state_of`)."""
    digest: Sha256
    """What both of them named: `digest_of` base and files."""
    files: Annotated[dict[str, Sha256], Field(min_length=1)]
    """SHA-256 of each file's bytes, by its place in the folder."""
    why: str
    proposed_by: str
    proposed_at: str
    released_by: str
    released_at: str
    released_why: str

    def text(self) -> str:
        """As it is written: texts in quotes, which no reader takes for anything else."""
        lines = []
        for name, value in self.model_dump(mode="json").items():
            if isinstance(value, str):
                lines.append(f"{name}: {json.dumps(value, ensure_ascii=False)}")
            else:
                rows = (f"  {json.dumps(place)}: {json.dumps(each)}" for place, each in value.items())
                lines += [f"{name}:", *rows]
        return "\n".join(lines) + "\n"


def sums_of(files: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each text in UTF-8, by its place."""
    return {place: hashlib.sha256(files[place].encode()).hexdigest() for place in sorted(files)}


def digest_of(base: str, sums: Mapping[str, str]) -> str:
    """SHA-256 over files and the rules beside which they are meant: another file or another base, another digest."""
    return content_hash([base, dict(sorted(sums.items()))])


def state_of(places: Sequence[Path]) -> str:
    """SHA-256 over every YAML file of these folders, in order of the folders: wherever they lie, the same rules."""
    return content_hash(
        [
            {
                file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
                for file in sorted(folder.rglob("*.yaml"))
            }
            for folder in places
        ]
    )


def decision_on(folder: Path, name: str) -> Decided | None:
    """The record of the decision on a folder's rules, called `name` in messages; `None`: it has none.

    Raises `RulebookError`.
    """
    file = folder / DECIDED
    return read(file, Decided, name) if file.exists() else None


def prove_decided(folder: Path, name: str) -> None:
    """Prove that a folder holds what was decided, where it says that it was decided: nothing else, nothing more.

    Args:
        name: of the record in messages.

    Raises:
        RulebookError: a file differs, is missing or lies beside them, or the digest is not theirs. All of it.
    """
    decided = decision_on(folder, name)
    if decided is None:
        return
    found = Findings()
    if decided.digest != digest_of(decided.base, decided.files):
        found.add(name, "digest", "rulebook.decided_digest_differs")
    there = {
        place: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and (place := file.relative_to(folder).as_posix()) not in (DECIDED, RELEASED, README)
    }
    for place in sorted(decided.files.keys() | there.keys()):
        if there.get(place) != decided.files.get(place):
            found.add(name, f"files/{place}", "rulebook.decided_file_differs", file=place)
    found.settle()
