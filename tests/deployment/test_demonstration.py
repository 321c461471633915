"""The demonstration, run twice on the same platform."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from shared.contracts.facts import AlertKind
from tests.command import Langhoc, langhoc_on

COUNTS = {"Received", "Nation:", *get_args(AlertKind)}
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_a_second_demonstration_starts_afresh_and_announces_the_same(tmp_path: Path) -> None:
    with langhoc_on(tmp_path / "state") as langhoc:
        first, second = announced(langhoc), announced(langhoc)
        assert {line.split()[0] for line in first} >= {"Received", "Nation:", "support_proposed"}
        assert second == first
        assert "The platform is up already" in langhoc("up")


def announced(langhoc: Langhoc) -> list[str]:
    """What a demonstration for two provinces says that it has received, proposes and tells."""
    lines = langhoc("demo", "--provinces", "12,44").splitlines()
    return [line for line in lines if line.split(maxsplit=1)[:1] and line.split()[0] in COUNTS]
