"""What processes cost, as the kernel counts it (Linux)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_USER, _SYSTEM = 11, 12
"""Places of the two times in `stat`, counted behind the name, which may hold blanks."""


def seconds_of(pid: int) -> float:
    """Processor seconds of all threads of a process since its birth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS


def resident_mb(pid: int) -> float:
    """Memory that a process holds, in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 2**20


class Meter:
    """Counts the processor seconds of named processes while it runs; it may be started for others again."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began: dict[str, tuple[int, float]] = {}

    def start(self, pids: Mapping[str, int]) -> None:
        """Count these from now on."""
        self._began |= {name: (pid, seconds_of(pid)) for name, pid in pids.items()}

    def stop(self, *names: str) -> None:
        """Count these no more."""
        for name in names:
            pid, before = self._began.pop(name)
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds_of(pid) - before
