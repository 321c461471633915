"""The demonstration, run twice on the same platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Langhoc, langhoc_on

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_a_second_demonstration_starts_afresh(tmp_path: Path) -> None:
    with langhoc_on(tmp_path / "state") as langhoc:
        first, second = received(langhoc), received(langhoc)
        assert first
        assert second == first
        assert "The platform is up already" in langhoc("up")


def received(langhoc: Langhoc) -> list[str]:
    """What a demonstration for two provinces says that it has received."""
    return [line for line in langhoc("demo", "--provinces", "12,44").splitlines() if line.startswith("Received")]
