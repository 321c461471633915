"""`deploy/compose/compose.yaml` as it is read: its services, and the environment that each container has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
HERE = ROOT / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((HERE / "compose.yaml").read_text(encoding="utf-8"))
_VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")


def environment_of(container: str, **given: str) -> dict[str, str]:
    """A container's environment, with the variables of whoever starts it, or their defaults, put in."""

    def filled(found: re.Match[str]) -> str:
        return given.get(found[1], found[2] or "")

    return {
        name: _VARIABLE.sub(filled, str(value))
        for name, value in COMPOSE["services"][container].get("environment", {}).items()
    }
